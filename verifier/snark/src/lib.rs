//! Verifies Groth16 proofs: four pairings, no STARK machinery, little memory.
//!
//! The circuit of a Groth16 proof is one and the same for all programs of an SP1 version. What it proves is bound to
//! five public inputs: the program's verifying key hash, the hash of its public values, its exit code, the root of the
//! recursion keys, and a nonce that nobody checks. The verifying key of the circuit decides what a proof is worth: that
//! of the released circuits comes from a ceremony, that of development circuits from whoever built them, who can forge.
//!
//! The curve is arkworks', which verifies many times faster in WebAssembly than what SP1's verifier is built on. The
//! tests ask both.

mod equation;
mod numbers;

use sha2::{Digest, Sha256};
use sp1_verifier::{GROTH16_VK_BYTES, VK_ROOT_BYTES};

use self::{equation::CircuitKey, numbers::NUMBER};

/// Bytes of a proof as a verifier contract takes it: 4 of the circuit key's hash, 32 each of exit code, recursion key
/// root and nonce, 256 of the proof.
pub const PROOF_LENGTH: usize = 4 + 3 * NUMBER + 8 * NUMBER;

/// Why a proof is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnarkError {
    /// Not [`PROOF_LENGTH`] bytes.
    #[error("a Groth16 proof has {PROOF_LENGTH} bytes, not {got}")]
    Length {
        /// Bytes given.
        got: usize,
    },
    /// The key to verify with is none: a file that whoever verifies named.
    #[error("the circuits' verifying key is damaged, or none of SP1's circuits")]
    CircuitKey,
    /// The first bytes are not those of the circuit key's hash.
    #[error("the proof does not hold: it is by other circuits")]
    OtherCircuits,
    /// It is about proofs by another set of recursion programs.
    #[error("the proof does not hold: it is by recursion programs of another release")]
    OtherRecursion,
    /// The program ended with another exit code than 0.
    #[error("the proof does not hold: the program has failed")]
    ExitCode,
    /// A public input that is no number below the field's order.
    #[error("the proof does not hold: its {0} is no element of the field")]
    NoNumber(&'static str),
    /// A point that is not in its group.
    #[error("the proof does not hold: its point {0} is not on the curve")]
    NoPoint(&'static str),
    /// The equation of Groth16 does not hold: it is a proof of something else, or of nothing.
    #[error("the proof does not hold: it does not prove this")]
    Equation,
}

/// The verifying key of the released circuits, in gnark's encoding.
pub fn release_key() -> &'static [u8] {
    &GROTH16_VK_BYTES
}

/// Verifies that the program with verifying key hash `vk_hash` ended with exit code 0 and committed `public_values`,
/// by the circuits with verifying key `circuit_key` ([`release_key`], or that of development circuits).
///
/// SP1's verifier would also take BLAKE3 for the hash of the public values; programs commit SHA-256, as the contracts ask.
///
/// # Errors
/// [`SnarkError`] says why not.
pub fn verify_groth16(
    proof: &[u8],
    public_values: &[u8],
    vk_hash: &[u8; 32],
    circuit_key: &[u8],
) -> Result<(), SnarkError> {
    let Some(Parts { circuits, exit_code, recursion, nonce, a, b, c }) = Parts::of(proof) else {
        return Err(SnarkError::Length { got: proof.len() });
    };
    let hash: [u8; 32] = Sha256::digest(circuit_key).into();
    if *circuits != hash[..4] {
        return Err(SnarkError::OtherCircuits);
    }
    if *recursion != *VK_ROOT_BYTES {
        return Err(SnarkError::OtherRecursion);
    }
    if *exit_code != [0; NUMBER] {
        return Err(SnarkError::ExitCode);
    }
    let a = numbers::g1(a).ok_or(SnarkError::NoPoint("A"))?;
    let b = numbers::g2(b).ok_or(SnarkError::NoPoint("B"))?;
    let c = numbers::g1(c).ok_or(SnarkError::NoPoint("C"))?;

    let public = [
        ("program's key hash", *vk_hash),
        ("public values' hash", below_the_order(public_values)),
        ("exit code", *exit_code),
        ("recursion key root", *recursion),
        ("nonce", *nonce),
    ];
    let key = CircuitKey::from_gnark(circuit_key).filter(|key| key.inputs() == public.len());
    let key = key.ok_or(SnarkError::CircuitKey)?;
    let mut inputs = Vec::with_capacity(public.len());
    for (name, bytes) in &public {
        inputs.push(numbers::number(bytes).ok_or(SnarkError::NoNumber(name))?);
    }
    if key.holds([a, c], b, &inputs) { Ok(()) } else { Err(SnarkError::Equation) }
}

/// A proof taken apart.
struct Parts<'a> {
    circuits: &'a [u8; 4],
    exit_code: &'a [u8; NUMBER],
    recursion: &'a [u8; NUMBER],
    nonce: &'a [u8; NUMBER],
    a: &'a [u8; 2 * NUMBER],
    b: &'a [u8; 4 * NUMBER],
    c: &'a [u8; 2 * NUMBER],
}

impl<'a> Parts<'a> {
    /// `None` unless it has [`PROOF_LENGTH`] bytes.
    fn of(mut proof: &'a [u8]) -> Option<Self> {
        let rest = &mut proof;
        let parts = Self {
            circuits: take(rest)?,
            exit_code: take(rest)?,
            recursion: take(rest)?,
            nonce: take(rest)?,
            a: take(rest)?,
            b: take(rest)?,
            c: take(rest)?,
        };
        rest.is_empty().then_some(parts)
    }
}

/// Takes the next `N` bytes.
fn take<'a, const N: usize>(from: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(taken)
}

/// SHA-256 without its three highest bits, as circuit and contracts take it.
fn below_the_order(public_values: &[u8]) -> [u8; NUMBER] {
    let mut hash: [u8; NUMBER] = Sha256::digest(public_values).into();
    hash[0] &= 0xff >> 3;
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_has_one_length() {
        for got in [0, 1, PROOF_LENGTH - 1, PROOF_LENGTH + 1] {
            let refused = verify_groth16(&vec![0; got], b"values", &[1; 32], release_key());
            assert_eq!(refused, Err(SnarkError::Length { got }));
        }
    }

    #[test]
    fn the_released_key_is_one() {
        assert_eq!(CircuitKey::from_gnark(release_key()).map(|key| key.inputs()), Some(5));
        // The first bytes of its SHA-256, as SP1's notes give it for version 6.1.0.
        assert_eq!(Sha256::digest(release_key())[..4], [0x43, 0x88, 0xa2, 0x1c]);
    }
}
