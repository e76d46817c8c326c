//! A request on its way to a prover, and what the proof made for it is worth. Provers here and upstream take the same.

use std::sync::Arc;

use sextant_protocol::{ErrorCode, ProofAnswer, ProveRequest, ServerError, request::ProvingCost};

use crate::{audience::Audience, blocking::blocking, made::ProofKey, witness::Checked, worker::Proved};

/// A request that was checked, and whose proof is waited for. It is nobody's: those who wait are the audience's.
pub(crate) struct CheckedRequest {
    pub(crate) request: ProveRequest,
    pub(crate) input_digest: [u8; 32],
    pub(crate) key: ProofKey,
    pub(crate) checked: Arc<Checked>,
    /// Servers that it has passed through.
    pub(crate) hops: u32,
    pub(crate) audience: Arc<Audience>,
}

impl CheckedRequest {
    /// The answer that a made proof becomes, once it is known to say what was asked for.
    pub(crate) async fn answer(&self, proved: Proved, queued_ms: u64) -> Result<ProofAnswer, ServerError> {
        let Proved { proof, cycles, proving_ms, peak_memory } = proved;
        if proof.public_values != self.checked.public_values {
            // Guest and native check are the same code; this is a defect, and the proof is of no use to the client.
            let message = "the proof states something else than the native check";
            return Err(ServerError::new(ErrorCode::Internal, message));
        }
        let cost = ProvingCost { cycles, queued_ms, proving_ms, peak_memory };
        let (input_digest, job) = (self.input_digest, self.key.job());
        blocking(move || ProofAnswer::new(&proof, input_digest, cost, job)).await
    }
}
