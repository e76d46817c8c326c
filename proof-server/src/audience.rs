//! Everybody who waits for one job: who they are, and how they hear of its steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sextant_protocol::{Progress, RequestId, ServerMessage};
use tokio::sync::mpsc;

use crate::{access::Identity, outbox::Outgoing, traces::Trace};

/// Sends the steps of one request to its client. Steps are information: with a client that reads slowly some are
/// dropped, so that nothing here ever waits.
#[derive(Clone, Debug)]
pub(crate) struct ProgressSender(Receiver);

#[derive(Clone, Debug)]
enum Receiver {
    /// A request, and its connection.
    Client(RequestId, mpsc::Sender<Outgoing>),
    /// Those who wait for a job that waits for this one.
    Job(Arc<Audience>),
}

impl ProgressSender {
    /// Steps of request `id` to its connection.
    pub(crate) fn new(id: RequestId, connection: mpsc::Sender<Outgoing>) -> Self {
        Self(Receiver::Client(id, connection))
    }

    /// To nobody: whoever cares will ask.
    pub(crate) fn nobody() -> Self {
        Self::new(0, mpsc::channel(1).0)
    }

    /// To all who wait for another job, of which this one is a part: its end is not theirs.
    pub(crate) fn of_part(whole: Arc<Audience>) -> Self {
        Self(Receiver::Job(whole))
    }

    pub(crate) fn send(&self, progress: Progress) {
        match &self.0 {
            // Full: the client is slow. Closed: it is gone, and its request ends by another way.
            Receiver::Client(id, connection) => {
                let _ = connection.try_send(Outgoing::Message(ServerMessage::Progress { id: *id, progress }));
            }
            Receiver::Job(_) if progress == Progress::Done => {}
            Receiver::Job(whole) => whole.send(progress),
        }
    }
}

/// The clients that wait for one job.
#[derive(Debug)]
pub(crate) struct Audience {
    /// Who asked first: the job is theirs when nobody waits.
    founder: Identity,
    /// Where what is done for the job belongs: to the request of the first.
    trace: Trace,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    last_number: u64,
    step: Option<Progress>,
    list: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    number: u64,
    identity: Identity,
    progress: ProgressSender,
}

impl Audience {
    /// An audience for a job that `founder` asked for; still empty.
    pub(crate) fn new(founder: Identity, trace: Trace) -> Arc<Self> {
        Arc::new(Self { founder, trace, members: Mutex::default() })
    }

    /// Where what is done for the job belongs.
    pub(crate) const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Adds a client, tells it the last step, and returns its number.
    pub(crate) fn join(&self, identity: Identity, progress: ProgressSender) -> u64 {
        let mut members = self.members();
        members.last_number += 1;
        let number = members.last_number;
        if let Some(step) = members.step {
            progress.send(step);
        }
        members.list.push(Member { number, identity, progress });
        number
    }

    /// Removes a client; true if none is left.
    pub(crate) fn leave(&self, number: u64) -> bool {
        let mut members = self.members();
        members.list.retain(|member| member.number != number);
        members.list.is_empty()
    }

    /// Tells everybody a step.
    pub(crate) fn send(&self, step: Progress) {
        let mut members = self.members();
        members.step = Some(step);
        for member in &members.list {
            member.progress.send(step);
        }
    }

    /// Whether a prover is at the job, or was.
    pub(crate) fn work_begun(&self) -> bool {
        let step = self.members().step;
        step.is_some_and(|step| !matches!(step, Progress::Checking | Progress::Queued { .. }))
    }

    /// The last step, and how many wait.
    pub(crate) fn glance(&self) -> (Option<Progress>, usize) {
        let members = self.members();
        (members.step, members.list.len())
    }

    /// Those whose share of a queue the job takes: each counts it as theirs.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        let members = self.members();
        let mut identities: Vec<Identity> = Vec::with_capacity(1);
        for member in &members.list {
            if !identities.contains(&member.identity) {
                identities.push(member.identity.clone());
            }
        }
        if identities.is_empty() {
            identities.push(self.founder.clone());
        }
        identities
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Nothing panics while it holds the lock.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
