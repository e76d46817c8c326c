//! The proofs that a guest verifies, out of the records in which they came.

use bytes::Bytes;
use sextant_engine::SP1Proof;
use sextant_protocol::{BundleRequest, ServerError, proof::ProofView};
use sextant_verifier::{VerifyError, rules::decode::decode};

use super::internal;

/// The engine's proof in each of the records.
///
/// # Errors
/// Which of them has none; they were verified before, so that is a fault of whoever sent them here.
pub(super) fn decoded(records: &Bytes) -> Result<Vec<SP1Proof>, ServerError> {
    let records = BundleRequest::split_records(records).map_err(|error| internal(error.to_string()))?;
    let engine_proof = |(index, record): (usize, &Bytes)| {
        one(record).map_err(|reason| internal(format!("proof {index}: {reason}")))
    };
    records.iter().enumerate().map(engine_proof).collect()
}

fn one(record: &[u8]) -> Result<SP1Proof, String> {
    let record = ProofView::of(record).map_err(|error| error.to_string())?;
    let proof: Result<_, VerifyError> = decode(record.proof);
    proof.map_err(|error| error.to_string())
}
