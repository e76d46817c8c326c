//! The signature check made cheap for the zkVM: everything hard is hinted, and every hint is checked.

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
