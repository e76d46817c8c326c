//! Modular exponentiation (EIP-198) under moduli of up to 256 bits.

use alloc::vec::Vec;

use super::machine::Limbs;
use super::residue::{Residue, add_modulo, from_bytes, to_bytes};

/// `base^exponent mod modulus` of big-endian numbers of any length, as 32 bytes; none if the modulus is zero or has
/// more than 256 bits. Odd and even moduli are all the same to the precompile.
pub(crate) fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let modulus = number(modulus).filter(|modulus| *modulus != [0; 4])?;
    let base = reduce(base, &modulus);
    Some(to_bytes(base.power(exponent).limbs()).to_vec())
}

/// The number, if it has at most 256 bits.
fn number(bytes: &[u8]) -> Option<Limbs> {
    let (zeros, rest) = bytes.split_at(bytes.len().saturating_sub(32));
    if zeros.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut padded = [0; 32];
    padded[32 - rest.len()..].copy_from_slice(rest);
    Some(from_bytes(&padded))
}

/// A number of any length under the modulus: 256 bits at a time, highest first.
fn reduce(bytes: &[u8], modulus: &Limbs) -> Residue {
    if let Some(short) = number(bytes) {
        return Residue::new(short, modulus);
    }
    let (first, rest) = bytes.split_at(bytes.len() % 32);
    let mut padded = [0; 32];
    padded[32 - first.len()..].copy_from_slice(first);
    let mut sum = Residue::new(from_bytes(&padded), modulus);
    sum.reduce();
    let (words, _) = rest.as_chunks::<32>();
    // 2^256 - 1 is the highest number that fits.
    let mut shift = Residue::new([u64::MAX; 4], modulus);
    shift.reduce();
    let mut one = Residue::new([1, 0, 0, 0], modulus);
    one.reduce();
    let shift = Residue::new(add_modulo(shift.limbs(), one.limbs(), modulus), modulus);
    for word in words {
        sum.multiply(&shift);
        let mut digit = Residue::new(from_bytes(word), modulus);
        digit.reduce();
        sum = Residue::new(add_modulo(sum.limbs(), digit.limbs(), modulus), modulus);
    }
    sum
}
