//! A request on its way to a prover, and what the proof made for it is worth. Provers here and upstream take the same.

use std::sync::Arc;

use bytes::Bytes;
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofAnswer, ServerError, StatementInput, request::ProvingCost};

use crate::{audience::Audience, blocking::blocking, made::ProofKey, witness, worker::Proved};

/// A request that was checked, and whose proof is waited for. It is nobody's: those who wait are the audience's.
pub(crate) struct CheckedRequest {
    pub(crate) source: Source,
    /// The encoded record of the compressed proof of the same, where it goes on from there and this server has it.
    pub(crate) compressed: Option<Bytes>,
    pub(crate) expected: Expected,
    /// Servers that it has passed through.
    pub(crate) hops: u32,
    pub(crate) audience: Arc<Audience>,
}

/// What a proof is made from, checked.
pub(crate) enum Source {
    /// The input of a true statement.
    Statement { input: StatementInput, checked: Arc<witness::Checked> },
    /// The encoded record of a compressed proof that verifies.
    Compressed(Bytes),
    /// The input of a program that verifies proofs, and the records of those, which verify, as [`BundleRequest`] has them.
    ///
    /// [`BundleRequest`]: sextant_protocol::BundleRequest
    Proofs { input: StatementInput, proofs: Bytes },
}

/// What the proof has to be.
pub(crate) struct Expected {
    pub(crate) program: Program,
    pub(crate) key: ProofKey,
    pub(crate) public_values: Vec<u8>,
    /// Of the input that it is made from; zeros where that is a proof.
    pub(crate) input_digest: [u8; 32],
}

impl Expected {
    /// The answer that a made proof becomes, once it is known to say what was asked for.
    pub(crate) async fn answer(&self, proved: Proved, queued_ms: u64) -> Result<ProofAnswer, ServerError> {
        let Proved { proof, cycles, proving_ms, peak_memory } = proved;
        if proof.public_values != self.public_values {
            // Guest and native check are the same code; this is a defect, and the proof is of no use to the client.
            let message = "the proof states something else than was checked";
            return Err(ServerError::new(ErrorCode::Internal, message));
        }
        let cost = ProvingCost { cycles, queued_ms, proving_ms, peak_memory };
        let (input_digest, job) = (self.input_digest, self.key.job());
        blocking(move || ProofAnswer::new(&proof, input_digest, cost, job)).await
    }
}
