//! The signature check made cheap for the zkVM: what is hard to find and easy to check is hinted, and
//! checked.
//!
//! The same code runs natively and in the guest; only the base field's operations and one permutation differ
//! (modules `field` and `transcript`). [`HintRecorder`] makes the hints, natively; nothing of it is trusted.
//!
//! | step | module | hints | what checks them |
//! |---|---|---|---|
//! | keys: decompress, subtract absentees | `g1` | roots, slopes | curve equation, sign flag; slope equation; every case of the sum |
//! | signature: decompress | `g2` | root | curve equation, sign flag |
//! | message: hash to the twist | `hash` | inverses, roots | products are one; squares, `sgn0` |
//! | message: component in the subgroup | `hash` | a point, slopes | curve and slope equations; membership, below |
//! | Miller loop of both pairs | `pairing` | slopes | slope equations; the end shows membership |
//! | pairing equation | `pairing`, `identity` | witness, accumulators, quotient | one identity at a random point |
//!
//! Keys: on the curve, flags and range checked, the sum not the identity. That they are in the subgroup is
//! not checked here, but holds for keys proven under a committee's root: a validator enters the registry by
//! `apply_deposit` (since Electra `apply_pending_deposit`), which demands `is_valid_deposit_signature`, so
//! `bls.Verify`, so `KeyValidate` (phase0/beacon-chain.md; draft-irtf-cfrg-bls-signature-05, 2.5), and a
//! sum of members is a member. A component outside of it would not change the equation's outcome either
//! (see `pairing`). [`HintRecorder`] checks every key, as [`Plain`](super::Plain) does.
//!
//! Cost in SP1 6.10 gas, measured with no absentee (about 140,000 cycles, 9,200 field operations, 600
//! Poseidon2 permutations, 20 SHA-256 blocks, a tape of 36 KB), and about 670 for each absentee
//! (the Miller loop's parts by counting):
//!
//! | part | gas |
//! |---|---|
//! | aggregate key, signature, `hash_to_field` | 22,000 |
//! | map to the curve, isogeny | 8,000 |
//! | multiple of the cofactor point | 47,000 |
//! | Miller loop and identities: the tape itself (fresh memory) | 41,000 |
//! | - points' steps | 68,000 |
//! | - lines' values | 23,000 |
//! | - transcript | 20,000 |
//! | - accumulators, quotient, the rest | 34,000 |
//! | total | 263,000 |

mod constants;
mod field;
#[cfg(not(target_os = "zkvm"))]
mod fp12;
mod fp2;
mod g1;
mod g2;
mod hash;
mod identity;
mod pairing;
#[cfg(not(target_os = "zkvm"))]
mod poseidon2;
#[cfg(not(target_os = "zkvm"))]
mod record;
mod tape;
#[cfg(test)]
mod tests;
mod transcript;

use super::plain::CIPHERSUITE;
use super::{AggregateVerifier, BlsError};
use tape::{Elements, Tape};

#[cfg(not(target_os = "zkvm"))]
pub use record::HintRecorder;

/// Checks signatures with hints read from a tape, made by [`HintRecorder`] for the same checks in the same
/// order. The tape is not trusted.
#[derive(Debug)]
pub struct HintedVerifier<'a> {
    elements: Result<Elements<'a>, BlsError>,
    position: usize,
}

impl<'a> HintedVerifier<'a> {
    /// A verifier that reads `hints`; aligned to 8 bytes, they are read in place.
    pub fn new(hints: &'a [u8]) -> Self {
        Self { elements: Elements::new(hints), position: 0 }
    }

    /// Ends the sequence of checks.
    ///
    /// # Errors
    /// [`BlsError::Hint`] when hints are left over.
    pub fn finish(self) -> Result<(), BlsError> {
        if self.elements?.as_slice().len() == self.position {
            Ok(())
        } else {
            Err(BlsError::Hint("left over"))
        }
    }
}

impl AggregateVerifier for HintedVerifier<'_> {
    fn verify(
        &mut self,
        aggregate: &[u8; 48],
        absent: &[[u8; 48]],
        message: &[u8; 32],
        signature: &[u8; 96],
    ) -> Result<(), BlsError> {
        let elements = match &self.elements {
            Ok(elements) => elements.as_slice(),
            Err(error) => return Err(*error),
        };
        let mut tape = Tape::new(elements.get(self.position..).unwrap_or_default());
        check(aggregate, absent, message, signature, &mut tape)?;
        self.position = elements.len() - tape.remaining();
        Ok(())
    }
}

/// The check itself, the same natively and in the guest.
fn check(
    aggregate: &[u8; 48],
    absent: &[[u8; 48]],
    message: &[u8; 32],
    signature: &[u8; 96],
    tape: &mut Tape<'_>,
) -> Result<(), BlsError> {
    let key = g1::signers_key(aggregate, absent, tape)?;
    let signature = g2::G2::decompress(signature, tape)?;
    let message = hash::message_point(message, CIPHERSUITE, tape)?;
    pairing::check(&key, message, signature, tape)
}
