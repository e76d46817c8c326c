//! A message in a worker's hands.
//!
//! The order in which things are settled is the same for every queue, and is here: what was made is noted first, what
//! comes next is submitted, and the message goes last. A worker that dies in between leaves a message that comes again,
//! to one who finds what is there already.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use sextant_protocol::{ErrorCode, Progress, ServerError};
use tokio::sync::watch;

use crate::{
    Answer, DeadLetter, FleetError, Lane, Made, ObjectRef, Outcome, Queue, StageMessage, Worker, time,
};

/// Why a worker should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The job has its outcome: it was made elsewhere, or cancelled.
    Answered,
    /// Nobody waits for it any more.
    Unwanted,
    /// The queue has taken the message back: another worker may have it.
    Lost,
}

/// A queue's side of a lease. It is kept alive by something that proving cannot starve, until it is settled or dropped.
pub trait Hold: Send + Sync {
    /// The message is done with.
    fn settle(&self) -> Answer<'_, ()>;

    /// The message goes back, and comes again after `delay`; `reason` is what became of it here. Best effort: a queue that
    /// does not hear it takes the message back by itself.
    fn put_back(&self, delay: Duration, reason: &str);

    /// Why the message was put back before, as far as somebody said.
    fn last_reason(&self) -> Answer<'_, Option<String>>;

    /// Whether the work should stop, and why.
    fn over(&self) -> watch::Receiver<Option<Over>>;

    /// Where the work stands, for whoever watches; lost progress is no loss.
    fn progress(&self, step: Progress);
}

/// A message that a worker has taken. Dropped, it goes back at once.
pub struct Lease {
    message: StageMessage,
    delivery: u32,
    worker: Worker,
    queue: Arc<dyn Queue>,
    hold: Box<dyn Hold>,
    settled: bool,
}

impl Lease {
    pub(crate) fn new(
        message: StageMessage,
        delivery: u32,
        worker: Worker,
        queue: Arc<dyn Queue>,
        hold: Box<dyn Hold>,
    ) -> Self {
        Self { message, delivery, worker, queue, hold, settled: false }
    }

    /// The lease, if its message may be worked on; otherwise it is settled here. `deliveries` is the most workers that a
    /// message may have had.
    pub(crate) async fn admit(self, deliveries: u32) -> Result<Option<Self>, FleetError> {
        if self.is_over().is_some() {
            self.leave().await?;
        } else if self.message.is_late() {
            let error = ServerError::new(ErrorCode::DeadlineExceeded, "its deadline passed in the queue");
            self.conclude(Err(error), Bytes::new()).await?;
        } else if self.delivery > deliveries {
            let reason = self.hold.last_reason().await?;
            let reason = reason.unwrap_or_else(|| "its workers vanished".into());
            let message = format!("{deliveries} workers failed at {}: {reason}", self.message.id.stage);
            self.fail(ServerError::new(ErrorCode::ProverFailed, cut(message))).await?;
        } else {
            return Ok(Some(self));
        }
        Ok(None)
    }

    /// What is asked.
    #[must_use]
    pub fn message(&self) -> &StageMessage {
        &self.message
    }

    /// How many workers have had it, this one included.
    #[must_use]
    pub fn delivery(&self) -> u32 {
        self.delivery
    }

    /// Who has it.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Waits until the work should stop: then [`Self::leave`]. Never completes if it should not. Safe to drop half-way.
    pub async fn over(&self) -> Over {
        let mut over = self.hold.over();
        loop {
            if let Some(over) = *over.borrow_and_update() {
                return over;
            }
            if over.changed().await.is_err() {
                return Over::Lost;
            }
        }
    }

    /// Tells those who watch where the work stands.
    pub fn progress(&self, step: Progress) {
        self.hold.progress(step);
    }

    /// What this stage has made already, before.
    ///
    /// # Errors
    /// As [`Queue::made`].
    pub async fn found(&self) -> Result<Option<Made>, FleetError> {
        self.queue.made(&self.message.id).await
    }

    /// Notes what was made, which is in the store by now. The message is not done yet: see [`Queue::parts`].
    ///
    /// # Errors
    /// As [`Queue::note_made`].
    pub async fn made(&self, object: ObjectRef, facts: Bytes) -> Result<Made, FleetError> {
        let made = Made { object, worker: self.worker.clone(), facts };
        self.queue.note_made(&self.message.id, &made).await?;
        Ok(made)
    }

    /// Submits what comes next, and is done.
    ///
    /// # Errors
    /// As [`Queue::submit`]; the message comes again then.
    pub async fn advance(self, next: &[StageMessage]) -> Result<(), FleetError> {
        for message in next {
            self.queue.submit(message).await?;
        }
        self.settle().await
    }

    /// The job is done: `object` is what was asked for.
    ///
    /// # Errors
    /// As [`Queue::finish`]; the message comes again then.
    pub async fn finish(self, object: ObjectRef, facts: Bytes) -> Result<(), FleetError> {
        self.conclude(Ok(object), facts).await
    }

    /// The job cannot be done: it fails with `error`, and the message is kept as a dead letter.
    ///
    /// # Errors
    /// As [`Queue::finish`]; the message comes again then.
    pub async fn fail(self, error: ServerError) -> Result<(), FleetError> {
        self.fail_with(error, Bytes::new()).await
    }

    /// [`Self::fail`], with more to say than people read.
    ///
    /// # Errors
    /// As [`Self::fail`].
    pub async fn fail_with(self, error: ServerError, facts: Bytes) -> Result<(), FleetError> {
        let letter = DeadLetter {
            message: self.message.clone(),
            error: error.clone(),
            deliveries: self.delivery,
            at_ms: time::unix_ms(),
        };
        self.queue.bury(&letter).await?;
        self.conclude(Err(error), facts).await
    }

    /// It did not work here: another worker gets it after `delay`, or nobody, if it has had too many.
    pub fn again(mut self, delay: Duration, reason: &str) {
        self.settled = true;
        self.hold.put_back(delay, reason);
    }

    /// It is too large for this worker: once, a worker for what is larger gets it.
    ///
    /// # Errors
    /// As [`Queue::submit`].
    pub async fn enlarge(self, reason: &str) -> Result<(), FleetError> {
        if self.message.lane == Lane::Xl {
            return self.fail(ServerError::new(ErrorCode::ProverFailed, cut(reason.into()))).await;
        }
        let attempt = self.message.attempt + 1;
        let larger =
            StageMessage { lane: Lane::Xl, attempt, asked_ms: time::unix_ms(), ..self.message.clone() };
        self.advance(&[larger]).await
    }

    /// Gives up work that should stop, as [`Self::over`] said. Work that should not goes back.
    ///
    /// # Errors
    /// As [`Queue::finish`].
    pub async fn leave(mut self) -> Result<(), FleetError> {
        match self.is_over() {
            Some(Over::Answered) => self.settle().await,
            Some(Over::Unwanted) => {
                let error = ServerError::new(ErrorCode::Cancelled, "nobody waits for it any more");
                self.conclude(Err(error), Bytes::new()).await
            }
            Some(Over::Lost) => {
                self.settled = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn is_over(&self) -> Option<Over> {
        *self.hold.over().borrow()
    }

    async fn conclude(self, result: Result<ObjectRef, ServerError>, facts: Bytes) -> Result<(), FleetError> {
        let (job, generation) = (self.message.id.job, self.message.id.generation);
        let outcome = Outcome { job, generation, result, worker: self.worker.clone(), facts };
        self.queue.finish(&outcome).await?;
        self.settle().await
    }

    async fn settle(mut self) -> Result<(), FleetError> {
        self.hold.settle().await?;
        self.settled = true;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.settled {
            self.hold.put_back(Duration::ZERO, "its worker gave it back");
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("message", &self.message.name())
            .field("delivery", &self.delivery)
            .finish()
    }
}

/// The start of a sentence, as long as an error's may be.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(1000));
    text
}
