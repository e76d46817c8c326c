//! Verifies Groth16 proofs: three pairings, no STARK machinery, no allocation to speak of.
//!
//! The circuit of a Groth16 proof is one and the same for all programs of an SP1 version. What it proves is bound to
//! five public inputs: the program's verifying key hash, the hash of its public values, its exit code, the root of the
//! recursion keys, and a nonce that nobody checks. The verifying key of the circuit decides what a proof is worth: that
//! of the released circuits comes from a ceremony, that of development circuits from whoever built them, who can forge.

use sp1_verifier::{GROTH16_VK_BYTES, Groth16Error, Groth16Verifier};

/// Bytes of a proof as a verifier contract takes it: 4 of the circuit key's hash, 32 each of exit code, recursion key
/// root and nonce, 256 of the proof.
pub const PROOF_LENGTH: usize = 4 + 3 * 32 + 256;

/// Why a proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum SnarkError {
    /// Not [`PROOF_LENGTH`] bytes.
    #[error("a Groth16 proof has {PROOF_LENGTH} bytes, not {got}")]
    Length {
        /// Bytes given.
        got: usize,
    },
    /// The verifier's reason.
    #[error("the proof does not hold: {0}")]
    Rejected(Groth16Error),
}

/// The verifying key of the released circuits, in gnark's encoding.
pub fn release_key() -> &'static [u8] {
    &GROTH16_VK_BYTES
}

/// Verifies that the program with verifying key hash `vk_hash` ended with exit code 0 and committed `public_values`,
/// by the circuits with verifying key `circuit_key` ([`release_key`], or that of development circuits).
///
/// # Errors
/// [`SnarkError`] says why not.
///
/// # Panics
/// Perhaps, if `circuit_key` is no key: it is the verifier's own, not the prover's.
pub fn verify_groth16(
    proof: &[u8],
    public_values: &[u8],
    vk_hash: &[u8; 32],
    circuit_key: &[u8],
) -> Result<(), SnarkError> {
    // SP1's decoder would leave surplus bytes alone.
    if proof.len() != PROOF_LENGTH {
        return Err(SnarkError::Length { got: proof.len() });
    }
    let vk_hash = format!("0x{}", hex::encode(vk_hash));
    Groth16Verifier::verify(proof, public_values, &vk_hash, circuit_key).map_err(SnarkError::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of a proof by the released circuits, with points that are none.
    fn shaped() -> Vec<u8> {
        let mut proof = vec![7; PROOF_LENGTH];
        // The first bytes of the circuit key's SHA-256, as SP1's notes give it for version 6.1.0.
        proof[..4].copy_from_slice(&[0x43, 0x88, 0xa2, 0x1c]);
        proof[4..36].fill(0);
        proof[36..68].copy_from_slice(&*sp1_verifier::VK_ROOT_BYTES);
        proof
    }

    fn reason(proof: &[u8]) -> String {
        verify_groth16(proof, b"values", &[1; 32], release_key()).unwrap_err().to_string()
    }

    #[test]
    fn a_proof_has_one_length() {
        for length in [0, 1, PROOF_LENGTH - 1, PROOF_LENGTH + 1] {
            assert_eq!(reason(&vec![0; length]), format!("a Groth16 proof has 356 bytes, not {length}"));
        }
    }

    /// Each is refused for what is wrong with it, in the order of the checks.
    #[test]
    fn rubbish_is_refused_for_its_reason() {
        let edited = |at: usize| {
            let mut proof = shaped();
            proof[at] ^= 1;
            reason(&proof)
        };
        let reasons = [edited(0), edited(36), edited(35), reason(&shaped())];
        for (one, other) in reasons.iter().zip(&reasons[1..]) {
            assert_ne!(one, other);
        }
    }
}
