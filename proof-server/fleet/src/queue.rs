//! The queue of a fleet: what is to be done, what was done, and who waits for it.
//!
//! It is a hint of what is to be done. The wish for a proof stays with whoever asked, and what is true is the proof that
//! verifies: a queue that loses something costs time, and nothing else. Everything here may be done twice, and is once
//! then.

use std::{fmt, time::Duration};

use sextant_protocol::JobKey;

use crate::{
    Answer, DeadLetter, Lease, Ledger, Line, Made, Outcome, Oversee, Part, Stage, StageId, StageMessage,
    Watch, Worker, time::unix_ms,
};

/// What came of submitting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It waits now.
    New,
    /// It waited already, somebody is at it, or it was done.
    Known,
    /// The job has its outcome.
    Over(Box<Outcome>),
}

/// How full a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that nobody has taken.
    pub waiting: u64,
    /// Messages that workers are at, or that are put off.
    pub running: u64,
    /// Workers that wait for a message.
    pub idle: u64,
    /// How long the oldest of those has waited that nobody has taken yet.
    pub oldest: Option<Duration>,
}

/// A queue. Handles are cheap to clone and share one queue.
pub trait Queue: Oversee + Ledger {
    /// Asks for a stage.
    ///
    /// # Errors
    /// [`Full`](crate::FleetError::Full), [`Unreachable`](crate::FleetError::Unreachable): the same later;
    /// [`TooLarge`](crate::FleetError::TooLarge).
    fn submit<'a>(&'a self, message: &'a StageMessage) -> Answer<'a, Submitted>;

    /// Waits for a message on one of the lines; earlier ones come first. Whoever drops this has taken nothing. Messages
    /// that have had too many workers, or are late, or whose job is over, are seen to and not given out.
    ///
    /// # Errors
    /// What waiting does not help against: [`Refused`](crate::FleetError::Refused).
    fn take<'a>(&'a self, lines: &'a [Line], worker: &'a Worker) -> Answer<'a, Lease>;

    /// Notes what a stage has made. What was noted first stands.
    ///
    /// # Errors
    /// As [`Self::submit`].
    fn note_made<'a>(&'a self, id: &'a StageId, made: &'a Made) -> Answer<'a, ()>;

    /// What was made for `id`: looked at before it is made.
    ///
    /// # Errors
    /// [`Unreachable`](crate::FleetError::Unreachable).
    fn made<'a>(&'a self, id: &'a StageId) -> Answer<'a, Option<Made>>;

    /// All parts that a stage has made for one try at a job, by name. Whoever has noted a part and looks then sees all
    /// that were noted before: the last one sees all of them.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn parts<'a>(&'a self, job: JobKey, generation: u32, stage: &'a Stage) -> Answer<'a, Vec<(Part, Made)>>;

    /// Notes what came of a job, and says what stands: success is final, a failure gives way to that of a later try.
    ///
    /// # Errors
    /// As [`Self::submit`].
    fn finish<'a>(&'a self, outcome: &'a Outcome) -> Answer<'a, Outcome>;

    /// What came of a job; `None` as long as nothing did.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn outcome(&self, job: JobKey) -> Answer<'_, Option<Outcome>>;

    /// Forgets the outcome of a job: a proof that turned out to be none.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn forget(&self, job: JobKey) -> Answer<'_, ()>;

    /// Hears of a job, from before it is submitted; an outcome counts if it [answers](Outcome::answers) `generation`.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn watch(&self, job: JobKey, generation: u32) -> Answer<'_, Watch>;

    /// Says that somebody waits for a job, as long as the answer is held. Work for which nobody waits is given up.
    ///
    /// # Errors
    /// As [`Self::submit`].
    fn interest(&self, job: JobKey) -> Answer<'_, Interest>;

    /// Ends a job: its messages are taken away, its workers stop, and those who wait hear `error`.
    ///
    /// # Errors
    /// As [`Self::submit`].
    fn cancel<'a>(&'a self, outcome: &'a Outcome) -> Answer<'a, ()>;

    /// How full a line is.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn depth<'a>(&'a self, line: &'a Line) -> Answer<'a, Depth>;

    /// Messages that nobody can do.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn dead(&self) -> Answer<'_, Vec<DeadLetter>>;

    /// Keeps a message that nobody can do. A lease does that for its worker.
    ///
    /// # Errors
    /// As [`Self::submit`].
    fn bury<'a>(&'a self, letter: &'a DeadLetter) -> Answer<'a, ()>;

    /// Takes a dead letter away.
    ///
    /// # Errors
    /// As [`Self::made`].
    fn unbury<'a>(&'a self, id: &'a StageId) -> Answer<'a, ()>;

    /// Puts a dead letter back into its line, as if nobody had had it yet, to be done whoever waits.
    ///
    /// # Errors
    /// As [`Self::submit`]; it stays dead then.
    fn requeue<'a>(&'a self, letter: &'a DeadLetter) -> Answer<'a, Submitted> {
        Box::pin(async move {
            let mut message = letter.message.clone();
            message.attempt += 1;
            message.deadline_ms = 0;
            message.asked_ms = unix_ms();
            message.unattended = true;
            match self.outcome(message.id.job).await? {
                Some(outcome) if outcome.result.is_ok() => {
                    self.unbury(&message.id).await?;
                    return Ok(Submitted::Over(Box::new(outcome)));
                }
                // What is asked for once more has not failed yet.
                _ => self.forget(message.id.job).await?,
            }
            let submitted = self.submit(&message).await?;
            self.unbury(&message.id).await?;
            Ok(submitted)
        })
    }
}

/// Held while somebody waits for a job. Dropping it leaves.
pub struct Interest(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Interest {
    pub(crate) fn new(leave: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(leave)))
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        if let Some(leave) = self.0.take() {
            leave();
        }
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interest")
    }
}
