//! A request on its way to a prover, and the answer that the proof made for it becomes. Provers here and upstream take
//! the same.

use std::sync::Arc;

use sextant_protocol::{ErrorCode, JobKey, ProofAnswer, ProveRequest, ServerError, request::ProvingCost};

use crate::{access::Caller, audience::Audience, blocking::blocking, worker::Proved};

/// A request that was checked, is paid for, and is waited for.
pub(crate) struct CheckedRequest {
    pub(crate) request: ProveRequest,
    pub(crate) hints: Vec<u8>,
    pub(crate) input_digest: [u8; 32],
    pub(crate) public_values: Vec<u8>,
    pub(crate) caller: Caller,
    pub(crate) audience: Arc<Audience>,
}

impl CheckedRequest {
    /// The answer that a made proof becomes, once it is known to say what was asked for. Its job is named by whoever keeps
    /// it.
    pub(crate) async fn answer(&self, proved: Proved, queued_ms: u64) -> Result<ProofAnswer, ServerError> {
        let Proved { proof, cycles, proving_ms, peak_memory } = proved;
        if proof.public_values != self.public_values {
            // Guest and native check are the same code; this is a defect, and the proof is of no use to the client.
            let message = "the proof states something else than the native check";
            return Err(ServerError::new(ErrorCode::Internal, message));
        }
        let cost = ProvingCost { cycles, queued_ms, proving_ms, peak_memory };
        let input_digest = self.input_digest;
        blocking(move || ProofAnswer::new(&proof, input_digest, cost, JobKey::default())).await
    }
}
