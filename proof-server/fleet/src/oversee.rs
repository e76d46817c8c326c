//! What an operator sees of a queue, and has it do: what waits, who works, and who is to take nothing for a while.
//!
//! Nothing depends on it for being right. What is seen may be a moment old, and a worker that is not seen works all the
//! same.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use sextant_protocol::{JobKey, encoding::EncodingError, record, wire::Wire};
use tokio::sync::watch;

use crate::{
    Answer, FleetError, Lane, Lease, Line, Made, ObjectName, Release, Stage, StageId, Worker, time::unix_ms,
};

/// A message of a queue, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// What it asks for.
    pub id: StageId,
    /// Which workers can do it.
    pub release: Release,
    /// In which of their queues it is.
    pub lane: Lane,
    /// Moved or put back by hand so many times.
    pub attempt: u32,
    /// Where its work lies, if that is not in the message.
    pub input: Option<ObjectName>,
    /// When it was submitted, milliseconds since 1970.
    pub since_ms: u64,
    /// Whether a worker has it, or has had it and it is put off.
    pub taken: bool,
    /// How many workers have had it.
    pub deliveries: u32,
    /// Why it was put back last.
    pub reason: Option<String>,
}

impl Queued {
    /// The queue that it is in.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { stage: self.id.stage.clone(), release: self.release.clone(), lane: self.lane }
    }
}

record! {
/// What a worker has in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InHand {
    /// The message.
    1 = id: StageId,
    /// Since when, milliseconds since 1970.
    2 = since_ms: u64,
}
}

record! {
/// A worker that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Its name.
    1 = worker: Worker,
    /// What it takes, the most urgent first.
    2 = lines: Vec<Line>,
    /// Since when it is there, milliseconds since 1970.
    3 = since_ms: u64,
    /// What it is at.
    4 = at: Option<InHand> = None,
}
}

/// Held by a worker as long as it is there. Dropping it leaves.
#[derive(Debug)]
pub struct Attendance(watch::Sender<Option<InHand>>);

impl Attendance {
    pub(crate) fn new() -> (Self, watch::Receiver<Option<InHand>>) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), receiver)
    }

    /// Says what it is at, until the answer is dropped.
    pub fn at(&self, lease: &Lease) -> impl Drop + use<> {
        let at = InHand { id: lease.message().id.clone(), since_ms: unix_ms() };
        self.0.send_replace(Some(at));
        Busy(self.0.clone())
    }
}

struct Busy(watch::Sender<Option<InHand>>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

/// Who is to take nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Paused {
    /// All workers, of this stage.
    Stage(Stage),
    /// This worker, or every worker of the machine that is called so, of any stage.
    Worker(Worker),
}

impl fmt::Display for Paused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(stage) => write!(f, "stage/{stage}"),
            Self::Worker(worker) => write!(f, "worker/{worker}"),
        }
    }
}

impl FromStr for Paused {
    type Err = FleetError;

    fn from_str(text: &str) -> Result<Self, FleetError> {
        match text.split_once('/') {
            Some(("stage", name)) => Ok(Self::Stage(name.parse()?)),
            Some(("worker", name)) => Ok(Self::Worker(name.parse()?)),
            _ => Err(FleetError::Damaged { what: "a pause".into(), reason: format!("it is of {text:?}") }),
        }
    }
}

impl Wire for Paused {
    fn write(&self, out: &mut Vec<u8>) {
        self.to_string().write(out);
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        String::read(what, bytes)?.parse().map_err(|error: FleetError| error.on_the_wire(what))
    }
}

record! {
/// Nothing is taken for a while; what is in hand is finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// By whom, or of what.
    1 = of: Paused,
    /// Until when, milliseconds since 1970; 0 is until somebody ends it.
    2 = until_ms: u64 = 0,
    /// Since when, milliseconds since 1970.
    3 = since_ms: u64,
    /// Why, if somebody said so.
    4 = reason: String = String::new(),
}
}

impl Pause {
    /// A pause from now on.
    #[must_use]
    pub fn now(of: Paused, until_ms: u64) -> Self {
        Self { of, until_ms, since_ms: unix_ms(), reason: String::new() }
    }
}

record! {
/// All pauses of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pauses {
    /// One at most for each stage and worker.
    1 = list: Vec<Pause> = Vec::new(),
}
}

impl Pauses {
    /// What has not run out yet.
    pub(crate) fn running(mut self) -> Self {
        let now = unix_ms();
        self.list.retain(|pause| pause.until_ms == 0 || pause.until_ms > now);
        self
    }

    pub(crate) fn add(&mut self, pause: Pause) {
        self.end(&pause.of);
        self.list.push(pause);
    }

    /// Ends a pause; `false` if there is none.
    pub(crate) fn end(&mut self, of: &Paused) -> bool {
        let before = self.list.len();
        self.list.retain(|pause| pause.of != *of);
        self.list.len() < before
    }

    /// Whether `worker` may take from `line` now.
    pub(crate) fn allow(&self, line: &Line, worker: &Worker) -> bool {
        let now = unix_ms();
        !self.list.iter().any(|pause| {
            let of_it = match &pause.of {
                Paused::Stage(stage) => *stage == line.stage,
                Paused::Worker(paused) => paused == worker || *paused == worker.machine(),
            };
            of_it && (pause.until_ms == 0 || pause.until_ms > now)
        })
    }
}

/// The operator's side of a queue.
pub trait Oversee: Send + Sync {
    /// The lines that hold messages or that workers take from, of all releases.
    ///
    /// # Errors
    /// [`Unreachable`](FleetError::Unreachable); [`Refused`](FleetError::Refused) at a broker where nobody has set up a fleet.
    fn lines(&self) -> Answer<'_, Vec<Line>>;

    /// The messages of a job, or of all; `most` of them at most, those of each line in their order.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn messages(&self, job: Option<JobKey>, most: usize) -> Answer<'_, Vec<Queued>>;

    /// All that was made for a job, in every try.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn all_made(&self, job: JobKey) -> Answer<'_, Vec<(StageId, Made)>>;

    /// How many wait for a job.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn waiters(&self, job: JobKey) -> Answer<'_, u64>;

    /// Says that a worker is there, as long as the answer is held.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn attend<'a>(&'a self, worker: &'a Worker, lines: &'a [Line]) -> Answer<'a, Attendance>;

    /// The workers that are there, by name. One that died is seen for a while longer.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn workers(&self) -> Answer<'_, Vec<Present>>;

    /// The pauses that have not run out.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn pauses(&self) -> Answer<'_, Vec<Pause>>;

    /// Has nothing taken for a while: whoever takes a message after this has returned heeds it. In place of an earlier
    /// pause of the same.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn pause<'a>(&'a self, pause: &'a Pause) -> Answer<'a, ()>;

    /// Ends a pause; `false` if there is none.
    ///
    /// # Errors
    /// As [`Self::lines`].
    fn resume<'a>(&'a self, of: &'a Paused) -> Answer<'a, bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_of_a_stage_or_of_a_worker_and_runs_out() {
        let (ann, ben) = (Worker::literal("ann"), Worker::literal("ben"));
        let line = |stage| Line { stage, release: Release::literal("r"), lane: Lane::Hi };
        let (wrap, core) = (line(Stage::literal("wrap")), line(Stage::literal("core")));
        let mut pauses = Pauses::default();
        pauses.add(Pause::now(Paused::Stage(wrap.stage.clone()), 0));
        pauses.add(Pause::now(Paused::Worker(ben.clone()), unix_ms() + 60_000));
        assert!(!pauses.allow(&wrap, &ann) && pauses.allow(&core, &ann) && !pauses.allow(&core, &ben));
        pauses.add(Pause::now(Paused::Worker(ben.clone()), 1));
        assert!(pauses.allow(&core, &ben), "a pause that has run out is none");
        assert_eq!(pauses.clone().running().list.len(), 1);
        assert!(pauses.end(&Paused::Stage(wrap.stage.clone())) && pauses.allow(&wrap, &ann));
        assert!(!pauses.end(&Paused::Stage(wrap.stage)));
    }
}
