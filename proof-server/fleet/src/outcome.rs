//! What comes of stages and of jobs.

use bytes::Bytes;
use sextant_protocol::{JobKey, ServerError, record};

use crate::{ObjectRef, StageMessage, Worker};

/// Bytes by which an outcome is never larger, facts and an error's sentence included.
#[cfg(feature = "nats")]
const MAX_OUTCOME: usize = 64 << 10;

/// The outcome in `bytes`.
#[cfg(feature = "nats")]
pub(crate) fn decode(bytes: Bytes) -> Result<Outcome, crate::FleetError> {
    sextant_protocol::wire::from_bytes("outcome", bytes, MAX_OUTCOME)
        .map_err(|error| crate::FleetError::damaged("an outcome", &error))
}

record! {
/// What a stage has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// It.
    1 = object: ObjectRef,
    /// By whom, so that one who lies is known.
    2 = worker: Worker,
    /// What it took: the server's own encoding.
    3 = facts: Bytes = Bytes::new(),
}
}

record! {
/// What came of a job: one answer, the same for all who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The job.
    1 = job: JobKey,
    /// Which try at it.
    2 = generation: u32 = 0,
    /// The proof, or why there is none.
    3 = result: Result<ObjectRef, ServerError>,
    /// Who had it last.
    4 = worker: Worker,
    /// What it took: the server's own encoding.
    5 = facts: Bytes = Bytes::new(),
}
}

impl Outcome {
    /// Whether it answers those who have asked for try number `generation`: success is final, a failure is that of its
    /// own try and those before.
    #[must_use]
    pub fn answers(&self, generation: u32) -> bool {
        self.result.is_ok() || self.generation >= generation
    }
}

record! {
/// A message that nobody can do, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// What was asked.
    1 = message: StageMessage,
    /// What went wrong last.
    2 = error: ServerError,
    /// How many workers had it.
    3 = deliveries: u32,
    /// When it was given up, milliseconds since 1970.
    4 = at_ms: u64,
}
}
