//! What a stage has made, as it is kept for the next one: with what it is of, so that nothing else is taken for it.

use bytes::Bytes;
use sextant_artifacts::CIRCUIT_VERSION;
use sextant_fleet::Worker;
use sextant_protocol::{encoding::EncodingError, record, wire};
use sha2::{Digest, Sha256};

use super::{Proved, WorkerMode, messages::MAX_WORKER_FRAME};
use crate::made::ProofKey;

record! {
/// An output as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// [`WorkerMode::as_str`] of the stage.
    1 = stage: String,
    /// SP1 circuit version.
    2 = circuit_version: String,
    /// What it made.
    3 = made: Proved,
    /// Whose worker, in a fleet.
    4 = by: Option<Worker> = None,
}
}

/// What `stage` has made, as it is kept.
pub(crate) fn encode(stage: WorkerMode, made: &Proved, by: Option<&Worker>) -> Bytes {
    let (stage, circuit_version) = (stage.as_str().into(), CIRCUIT_VERSION.into());
    let output = Output { stage, circuit_version, made: made.clone(), by: by.cloned() };
    wire::to_bytes(&output).into()
}

/// Who says to have made what is kept in `bytes`, whatever it is.
pub(crate) fn maker(bytes: Bytes) -> Option<Worker> {
    wire::from_bytes::<Output>("output of a stage", bytes, MAX_WORKER_FRAME).ok()?.by
}

/// What `stage` has made on the way to `proof`.
///
/// # Errors
/// The bytes are something else, which is said.
pub(crate) fn decode(proof: &ProofKey, stage: WorkerMode, bytes: Bytes) -> Result<Proved, String> {
    let output: Output = wire::from_bytes("output of a stage", bytes, MAX_WORKER_FRAME)
        .map_err(|error: EncodingError| error.to_string())?;
    if output.stage != stage.as_str() || !is_of(proof, stage, &output.made) {
        return Err("it is of something else".into());
    }
    if output.circuit_version != CIRCUIT_VERSION {
        return Err(format!("it is of circuit version {:?}", output.circuit_version));
    }
    Ok(output.made)
}

/// Whether `made` says to be what `stage` makes on the way to `proof`.
pub(crate) fn is_of(proof: &ProofKey, stage: WorkerMode, made: &Proved) -> bool {
    let record = &made.proof;
    let (vk_hash, statement) = (record.vk_hash, Sha256::digest(&record.public_values).into());
    let found = ProofKey { vk_hash, statement, kind: record.kind };
    stage.makes().is_some_and(|kind| found == ProofKey { kind, ..*proof })
}
