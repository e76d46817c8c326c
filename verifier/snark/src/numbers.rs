//! Numbers and points in gnark's encodings: big-endian and canonical, second coefficients of extension elements first.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField};

/// Bytes of an element of either field.
pub const NUMBER: usize = 32;

/// Where the two bits that stand above a compressed point's first coordinate are.
const FLAGS: u8 = 0b11 << 6;
/// Of the two points with this coordinate, that with the smaller second coordinate.
const SMALLER: u8 = 0b10 << 6;
/// The other one.
const LARGER: u8 = 0b11 << 6;

/// The number that `bytes` are, if it is below the field's order: none has two encodings.
pub fn number<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8; NUMBER]) -> Option<F> {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.as_chunks().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    F::from_bigint(BigInt(limbs))
}

/// A point of a proof: on the curve, and so in the group, which has as many points. Never the point at infinity, which has
/// no coordinates; arkworks takes two zeros for it.
pub fn g1(bytes: &[u8; 2 * NUMBER]) -> Option<G1Affine> {
    let [x, y] = numbers(bytes)?;
    let point = G1Affine::new_unchecked(x, y);
    (!point.is_zero() && point.is_on_curve()).then_some(point)
}

/// A point of a proof, on the curve and in the group, not at infinity.
pub fn g2(bytes: &[u8; 4 * NUMBER]) -> Option<G2Affine> {
    let [x1, x0, y1, y0] = numbers(bytes)?;
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    (!point.is_zero() && point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve())
        .then_some(point)
}

/// A point of a key, compressed. Not looked at further: who verifies knows whose key it is.
pub fn compressed_g1(bytes: &[u8; NUMBER]) -> Option<G1Affine> {
    let (larger, [x]) = compressed(bytes)?;
    G1Affine::get_point_from_x_unchecked(x, larger)
}

/// A point of a key, compressed.
pub fn compressed_g2(bytes: &[u8; 2 * NUMBER]) -> Option<G2Affine> {
    let (larger, [x1, x0]) = compressed(bytes)?;
    G2Affine::get_point_from_x_unchecked(Fq2::new(x0, x1), larger)
}

fn compressed<const N: usize>(bytes: &[u8]) -> Option<(bool, [Fq; N])> {
    let mut bytes = bytes.to_vec();
    let larger = match bytes[0] & FLAGS {
        SMALLER => false,
        LARGER => true,
        _ => return None,
    };
    bytes[0] &= !FLAGS;
    Some((larger, numbers(&bytes)?))
}

fn numbers<const N: usize>(bytes: &[u8]) -> Option<[Fq; N]> {
    let mut numbers = [Fq::from(0); N];
    for (into, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
        *into = number(bytes)?;
    }
    Some(numbers)
}
