//! The KZG point evaluation (EIP-4844), on the `bls12_381` crate that knows the machine's precompiles.

use ::bls12_381::{G1Affine, G2Affine, G2Prepared, Scalar};
use revm::precompile::bls12_381_const::TRUSTED_SETUP_TAU_G2_BYTES;

use super::bls12_381::{is_one, multiple};

/// Whether `proof` shows that the polynomial behind `commitment` is `y` at `z` (`verify_kzg_proof` of consensus-specs).
pub(crate) fn verify(z: &[u8; 32], y: &[u8; 32], commitment: &[u8; 48], proof: &[u8; 48]) -> bool {
    check(z, y, commitment, proof).unwrap_or(false)
}

/// None where an input has no valid form.
fn check(z: &[u8; 32], y: &[u8; 32], commitment: &[u8; 48], proof: &[u8; 48]) -> Option<bool> {
    if !is_scalar(z) || !is_scalar(y) {
        return None;
    }
    let (commitment, proof) = (point(commitment)?, point(proof)?);
    // The setup's second point, a constant of revm's: that it is of the group was checked at the ceremony.
    let tau: G2Affine = Option::from(G2Affine::from_compressed_unchecked(&TRUSTED_SETUP_TAU_G2_BYTES))?;
    // e(P - y G + z Q, -H) e(Q, tau H) = 1, with both products in the group where they are cheaper.
    let left = commitment.add_affine(&multiple(&-G1Affine::generator(), y)).add_affine(&multiple(&proof, z));
    let pairs = [(left, G2Prepared::from(-G2Affine::generator())), (proof, G2Prepared::from(tau))];
    Some(is_one(&pairs))
}

/// Whether the big-endian number is below the group's order.
fn is_scalar(bytes: &[u8; 32]) -> bool {
    let mut bytes = *bytes;
    bytes.reverse();
    Scalar::from_bytes(&bytes).is_some().into()
}

/// Decompression checks the curve's equation and the subgroup.
fn point(bytes: &[u8; 48]) -> Option<G1Affine> {
    Option::from(G1Affine::from_compressed(bytes))
}
