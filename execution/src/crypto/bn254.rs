//! The bn254 precompiles (EIP-196, EIP-197) on the machine's.
//!
//! Errors are those of revm's own implementation; which one it is changes nothing in a block.

mod field;
mod fp2;
mod pairing;
mod tower;
mod twist;

use alloc::vec::Vec;

use revm::precompile::PrecompileHalt;

use super::ecdsa::{halves, join};
use super::machine::{Bn254, Curve, Limbs};
use super::point::Point;
use super::residue::{below, from_bytes, to_bytes};
pub(crate) use field::Fp;
pub(crate) use fp2::Fp2;
pub(crate) use twist::TwistPoint;

/// The sum of two points.
pub(crate) fn add(p: &[u8], q: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
    let (mut sum, q) = (read_point(p)?, read_point(q)?);
    sum.add(&q);
    Ok(write_point(&sum))
}

/// A multiple of a point, by any scalar of 32 bytes.
pub(crate) fn multiply(point: &[u8], scalar: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
    let point = read_point(point)?;
    let scalar: &[u8; 32] = scalar.try_into().map_err(|_| PrecompileHalt::Bn254FieldPointNotAMember)?;
    Ok(write_point(&point.multiply(&from_bytes(scalar))))
}

/// Whether the product of the pairings is one. True for no pairs.
pub(crate) fn pairing_check(pairs: &[(&[u8], &[u8])]) -> Result<bool, PrecompileHalt> {
    let mut read = Vec::with_capacity(pairs.len());
    for (first, second) in pairs {
        let first = read_point(first)?;
        // A pair with infinity has the pairing one, but the other point must be of the group all the same.
        if let Some(second) = read_twist_point(second)? {
            read.push((first.coordinates().map(field_elements), second));
        }
    }
    pairing::is_one(&read).ok_or(PrecompileHalt::Bn254AffineGFailedToCreate)
}

/// A point of the first group: its order is the curve's, so being on the curve is enough.
fn read_point(bytes: &[u8]) -> Result<Point<Bn254>, PrecompileHalt> {
    let bytes: &[u8; 64] = bytes.try_into().map_err(|_| PrecompileHalt::Bn254FieldPointNotAMember)?;
    let [x, y] = halves(bytes);
    let (x, y) = (element(x)?, element(y)?);
    if x.is_zero() && y.is_zero() {
        return Ok(Point::INFINITY);
    }
    let mut right = x;
    right.square();
    right.multiply(&x);
    right.add(&Fp([3, 0, 0, 0]));
    let mut left = y;
    left.square();
    if left != right {
        return Err(PrecompileHalt::Bn254AffineGFailedToCreate);
    }
    Ok(Point::new(join(&x.0, &y.0)))
}

/// A point on the twist, none for infinity; not yet known to be of the second group.
fn read_twist_point(bytes: &[u8]) -> Result<Option<TwistPoint>, PrecompileHalt> {
    let bytes: &[u8; 128] = bytes.try_into().map_err(|_| PrecompileHalt::Bn254FieldPointNotAMember)?;
    let (coordinates, _) = bytes.as_chunks::<64>();
    // Imaginary parts come first.
    let read = |bytes| -> Result<Fp2, PrecompileHalt> {
        let [imaginary, real] = halves(bytes);
        Ok(Fp2 { c0: element(real)?, c1: element(imaginary)? })
    };
    let (x, y) = (read(&coordinates[0])?, read(&coordinates[1])?);
    if x.is_zero() && y.is_zero() {
        return Ok(None);
    }
    let point = TwistPoint { x, y };
    if !point.is_on_twist() {
        return Err(PrecompileHalt::Bn254AffineGFailedToCreate);
    }
    Ok(Some(point))
}

fn element(limbs: Limbs) -> Result<Fp, PrecompileHalt> {
    if below(&limbs, &Bn254::MODULUS) {
        Ok(Fp(limbs))
    } else {
        Err(PrecompileHalt::Bn254FieldPointNotAMember)
    }
}

fn field_elements(point: &super::machine::Coordinates) -> (Fp, Fp) {
    let [x0, x1, x2, x3, y0, y1, y2, y3] = *point;
    (Fp([x0, x1, x2, x3]), Fp([y0, y1, y2, y3]))
}

/// A point as 64 bytes, zeros for infinity.
fn write_point(point: &Point<Bn254>) -> [u8; 64] {
    let mut bytes = [0; 64];
    if let Some((x, y)) = point.coordinates().map(field_elements) {
        bytes[..32].copy_from_slice(&to_bytes(&x.0));
        bytes[32..].copy_from_slice(&to_bytes(&y.0));
    }
    bytes
}
