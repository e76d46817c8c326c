//! What comes of stages and of jobs.

use bytes::Bytes;
use sextant_protocol::{JobKey, ServerError, record};

use crate::{FleetError, ObjectRef, StageMessage, Worker};

/// The most bytes of facts.
pub const MAX_FACTS: usize = 16 << 10;

/// Refuses more facts than go with an outcome or a part.
pub(crate) fn check_facts(facts: &Bytes) -> Result<(), FleetError> {
    if facts.len() > MAX_FACTS {
        let (got, limit) = (facts.len() as u64, MAX_FACTS as u64);
        return Err(FleetError::TooLarge { what: "what is told about a proof", got, limit });
    }
    Ok(())
}

/// The outcome in `bytes`.
pub(crate) fn decode(bytes: Bytes) -> Result<Outcome, FleetError> {
    // Facts, a sentence, names.
    sextant_protocol::wire::from_bytes("outcome", bytes, 2 * MAX_FACTS)
        .map_err(|error| FleetError::damaged("an outcome", &error))
}

record! {
/// What a stage has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// It.
    1 = object: ObjectRef,
    /// By whom, so that one who lies is known.
    2 = worker: Worker,
    /// What it took: the server's own encoding, at most [`MAX_FACTS`].
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
    /// What it took: the server's own encoding, at most [`MAX_FACTS`].
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
