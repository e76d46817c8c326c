//! Points of BLS12-381: the sums, multiples and pairings of EIP-2537, on the `bls12_381` crate that knows the machine's
//! precompiles.
//!
//! Its addition of affine points looks for equal and opposite points and infinity before it calls the machine, and
//! multiples of points of the first group are made of it. Maps from fields to points are left to revm.

use alloc::vec::Vec;

use ::bls12_381::{G1Affine, G2Affine, G2Prepared, G2Projective, Gt, Scalar, multi_miller_loop};
use revm::precompile::PrecompileHalt;
use revm::precompile::bls12_381::{G1Point, G1PointScalar, G2Point, G2PointScalar};

/// The three highest bits of a number's first byte, where the crate expects flags. Numbers below the modulus have none.
const FLAGS: u8 = 0b1110_0000;

/// The sum of two points of the first curve, of whatever order.
pub(crate) fn add_first(p: &G1Point, q: &G1Point) -> Result<[u8; 96], PrecompileHalt> {
    Ok(write_first(&on_first_curve(p)?.add_affine(&on_first_curve(q)?)))
}

/// The sum of two points of the second curve, of whatever order.
pub(crate) fn add_second(p: &G2Point, q: &G2Point) -> Result<[u8; 192], PrecompileHalt> {
    Ok(write_second(&(G2Projective::from(on_second_curve(p)?) + on_second_curve(q)?)))
}

/// The sum of multiples of points of the first group.
pub(crate) fn combine_first(
    pairs: &mut dyn Iterator<Item = Result<G1PointScalar, PrecompileHalt>>,
) -> Result<[u8; 96], PrecompileHalt> {
    let mut sum = G1Affine::identity();
    for pair in pairs {
        let (point, scalar) = pair?;
        sum = sum.add_affine(&multiple(&in_first_group(&point)?, &scalar));
    }
    Ok(write_first(&sum))
}

/// The sum of multiples of points of the second group.
pub(crate) fn combine_second(
    pairs: &mut dyn Iterator<Item = Result<G2PointScalar, PrecompileHalt>>,
) -> Result<[u8; 192], PrecompileHalt> {
    let mut sum = G2Projective::identity();
    for pair in pairs {
        let (point, scalar) = pair?;
        let mut wide = [0; 64];
        wide[..32].copy_from_slice(&scalar);
        wide[..32].reverse();
        sum += in_second_group(&point)? * Scalar::from_bytes_wide(&wide);
    }
    Ok(write_second(&sum))
}

/// Whether the product of the pairings is one.
pub(crate) fn pairing_check(pairs: &[(G1Point, G2Point)]) -> Result<bool, PrecompileHalt> {
    let mut read = Vec::with_capacity(pairs.len());
    for (first, second) in pairs {
        read.push((in_first_group(first)?, G2Prepared::from(in_second_group(second)?)));
    }
    Ok(is_one(&read))
}

/// Whether the product of the pairings is one.
pub(crate) fn is_one(pairs: &[(G1Affine, G2Prepared)]) -> bool {
    let terms: Vec<_> = pairs.iter().map(|(first, second)| (first, second)).collect();
    multi_miller_loop(&terms).final_exponentiation() == Gt::identity()
}

/// A multiple of a point of the first curve, by any scalar of 32 big-endian bytes.
pub(crate) fn multiple(point: &G1Affine, scalar: &[u8; 32]) -> G1Affine {
    let mut sum = G1Affine::identity();
    for bit in scalar.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1)) {
        sum = sum.double();
        if bit == 1 {
            sum = sum.add_affine(point);
        }
    }
    sum
}

fn on_first_curve((x, y): &G1Point) -> Result<G1Affine, PrecompileHalt> {
    let mut bytes = [0; 96];
    bytes[..48].copy_from_slice(x);
    bytes[48..].copy_from_slice(y);
    if bytes == [0; 96] {
        return Ok(G1Affine::identity());
    }
    let point: Option<G1Affine> = Option::from(G1Affine::from_uncompressed_unchecked(&bytes));
    let point = point.filter(|_| bytes[0] & FLAGS == 0).ok_or(PrecompileHalt::NonCanonicalFp)?;
    if bool::from(point.is_on_curve()) { Ok(point) } else { Err(PrecompileHalt::Bls12381G1NotOnCurve) }
}

fn in_first_group(point: &G1Point) -> Result<G1Affine, PrecompileHalt> {
    let point = on_first_curve(point)?;
    if bool::from(point.is_torsion_free()) { Ok(point) } else { Err(PrecompileHalt::Bls12381G1NotInSubgroup) }
}

fn on_second_curve((x0, x1, y0, y1): &G2Point) -> Result<G2Affine, PrecompileHalt> {
    let mut bytes = [0; 192];
    // The crate has imaginary parts first, the EVM last.
    for (place, part) in bytes.chunks_exact_mut(48).zip([x1, x0, y1, y0]) {
        place.copy_from_slice(part);
    }
    if bytes == [0; 192] {
        return Ok(G2Affine::identity());
    }
    let point: Option<G2Affine> = Option::from(G2Affine::from_uncompressed_unchecked(&bytes));
    let point = point.filter(|_| bytes[0] & FLAGS == 0).ok_or(PrecompileHalt::NonCanonicalFp)?;
    if bool::from(point.is_on_curve()) { Ok(point) } else { Err(PrecompileHalt::Bls12381G2NotOnCurve) }
}

fn in_second_group(point: &G2Point) -> Result<G2Affine, PrecompileHalt> {
    let point = on_second_curve(point)?;
    if bool::from(point.is_torsion_free()) { Ok(point) } else { Err(PrecompileHalt::Bls12381G2NotInSubgroup) }
}

/// A point as the EVM has it, zeros for infinity.
fn write_first(point: &G1Affine) -> [u8; 96] {
    if point.is_identity().into() { [0; 96] } else { point.to_uncompressed() }
}

fn write_second(point: &G2Projective) -> [u8; 192] {
    let point = G2Affine::from(point);
    let mut bytes = [0; 192];
    if !bool::from(point.is_identity()) {
        let written = point.to_uncompressed();
        let (parts, _) = written.as_chunks::<48>();
        for (place, part) in bytes.chunks_exact_mut(48).zip([parts[1], parts[0], parts[3], parts[2]]) {
            place.copy_from_slice(&part);
        }
    }
    bytes
}
