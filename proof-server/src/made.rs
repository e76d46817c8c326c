//! What names a proof.

use sextant_protocol::{JobKey, ProofKind, encoding, proof::ProofView};
use sha2::{Digest, Sha256};

/// All that is proven, and how. Inputs that differ may state the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProofKey {
    /// Hash of the verifying key that the proof is by.
    pub(crate) vk_hash: [u8; 32],
    /// SHA-256 of the public values.
    pub(crate) statement: [u8; 32],
    /// Form of the proof.
    pub(crate) kind: ProofKind,
}

impl ProofKey {
    /// The key that `proof` is the proof of.
    pub(crate) fn of(proof: &ProofView<'_>) -> Self {
        let statement = Sha256::digest(proof.public_values).into();
        Self { vk_hash: proof.vk_hash, statement, kind: proof.kind }
    }

    /// What clients call the job by.
    pub(crate) fn job(&self) -> JobKey {
        let key = Sha256::new().chain_update(self.vk_hash).chain_update(self.statement);
        JobKey(key.chain_update(encoding::encode(&self.kind)).finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_statement_or_form_is_another_job() {
        let key = ProofKey { vk_hash: [1; 32], statement: [2; 32], kind: ProofKind::Stark };
        for other in [
            ProofKey { vk_hash: [2; 32], ..key },
            ProofKey { statement: [1; 32], ..key },
            ProofKey { kind: ProofKind::Compressed, ..key },
        ] {
            assert_ne!(other.job(), key.job(), "{other:?}");
        }
    }
}
