//! The operator's side of the local queue.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use sextant_protocol::JobKey;
use tokio::sync::watch;

use super::{
    journal::Kind,
    queue::LocalQueue,
    state::{At, Live, State},
};
use crate::{
    Answer, Attendance, FleetError, InHand, Line, Made, Oversee, Pause, Paused, Pauses, Present, Queued,
    StageId, Worker,
    time::{millis, unix_ms},
};

/// The name of the one file of pauses.
const PAUSES: &str = "pauses";

/// A worker of this process.
pub(super) struct Attending {
    worker: Worker,
    lines: Vec<Line>,
    since_ms: u64,
    at: watch::Receiver<Option<InHand>>,
}

impl Attending {
    /// Whether its [`Attendance`] is still held.
    fn is_there(&self) -> bool {
        self.at.has_changed().is_ok()
    }
}

impl State {
    fn lines(&self) -> Vec<Line> {
        let hold_messages = self.messages.values().map(|live| live.kept.message.line());
        let waited_at = self.idle.iter().filter(|(_, idle)| **idle > 0).map(|(line, _)| line.clone());
        let of_workers = self.present.iter().filter(|worker| worker.is_there());
        let taken = of_workers.flat_map(|worker| worker.lines.iter().cloned());
        hold_messages.chain(waited_at).chain(taken).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn queued(&self, job: Option<JobKey>, most: usize) -> Vec<Queued> {
        let wanted = |live: &&Live| job.is_none_or(|job| live.kept.message.id.job == job);
        let mut lives: Vec<_> = self.messages.values().filter(wanted).collect();
        lives.sort_by_key(|live| live.arrival);
        lives.into_iter().take(most).map(queued).collect()
    }

    fn attend(&mut self, attending: Attending) {
        self.present.retain(Attending::is_there);
        self.present.push(attending);
    }

    fn workers(&self) -> Vec<Present> {
        let present = self.present.iter().filter(|worker| worker.is_there()).map(|attending| Present {
            worker: attending.worker.clone(),
            lines: attending.lines.clone(),
            since_ms: attending.since_ms,
            at: attending.at.borrow().clone(),
        });
        let mut present: Vec<_> = present.collect();
        present.sort_by(|one, other| one.worker.cmp(&other.worker));
        present
    }

    /// When somebody may take again that may not now.
    pub(super) fn next_end_of_a_pause(&self) -> Option<Instant> {
        let now = unix_ms();
        let ends = self.pauses.list.iter().map(|pause| pause.until_ms).filter(|until| *until > now);
        ends.min().and_then(|until| Instant::now().checked_add(Duration::from_millis(until - now)))
    }

    fn set_pauses<T>(&mut self, change: impl FnOnce(&mut Pauses) -> T) -> Result<T, FleetError> {
        let mut pauses = self.pauses.clone().running();
        let changed = change(&mut pauses);
        self.keep(Kind::Pauses, PAUSES, &pauses)?;
        self.pauses = pauses;
        Ok(changed)
    }
}

fn queued(live: &Live) -> Queued {
    let message = &live.kept.message;
    let put_off = matches!(live.at, At::Waiting(from) if from > Instant::now());
    Queued {
        id: message.id.clone(),
        release: message.release.clone(),
        lane: message.lane,
        attempt: message.attempt,
        input: message.work.stored.as_ref().map(|object| object.name.clone()),
        since_ms: unix_ms().saturating_sub(millis(live.since.elapsed())),
        taken: put_off || matches!(live.at, At::Running(_)),
        deliveries: live.kept.deliveries,
        reason: live.kept.reason.clone(),
    }
}

impl Oversee for LocalQueue {
    fn lines(&self) -> Answer<'_, Vec<Line>> {
        Box::pin(async move { Ok(self.shared().state().lines()) })
    }

    fn messages(&self, job: Option<JobKey>, most: usize) -> Answer<'_, Vec<Queued>> {
        Box::pin(async move { Ok(self.shared().state().queued(job, most)) })
    }

    fn all_made(&self, job: JobKey) -> Answer<'_, Vec<(StageId, Made)>> {
        Box::pin(async move {
            let state = self.shared().state();
            let made = state.made.iter().filter(|(id, _)| id.job == job);
            Ok(made.map(|(id, made)| (id.clone(), made.thing.clone())).collect())
        })
    }

    fn waiters(&self, job: JobKey) -> Answer<'_, u64> {
        Box::pin(async move {
            Ok(self.shared().state().heard.get(&job).map_or(0, |heard| heard.interested as u64))
        })
    }

    fn attend<'a>(&'a self, worker: &'a Worker, lines: &'a [Line]) -> Answer<'a, Attendance> {
        Box::pin(async move {
            let (attendance, at) = Attendance::new();
            let (worker, lines, since_ms) = (worker.clone(), lines.to_vec(), unix_ms());
            self.shared().state().attend(Attending { worker, lines, since_ms, at });
            Ok(attendance)
        })
    }

    fn workers(&self) -> Answer<'_, Vec<Present>> {
        Box::pin(async move { Ok(self.shared().state().workers()) })
    }

    fn pauses(&self) -> Answer<'_, Vec<Pause>> {
        Box::pin(async move { Ok(self.shared().state().pauses.clone().running().list) })
    }

    fn pause<'a>(&'a self, pause: &'a Pause) -> Answer<'a, ()> {
        let pause = pause.clone();
        Box::pin(async move {
            self.run(move |state| state.set_pauses(|pauses| pauses.add(pause))).await?;
            self.shared().arrived.notify_waiters();
            Ok(())
        })
    }

    fn resume<'a>(&'a self, of: &'a Paused) -> Answer<'a, bool> {
        let of = of.clone();
        Box::pin(async move {
            let ended = self.run(move |state| state.set_pauses(|pauses| pauses.end(&of))).await?;
            self.shared().arrived.notify_waiters();
            Ok(ended)
        })
    }
}
