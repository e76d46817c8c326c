//! The KZG point evaluation (EIP-4844), on the `bls12_381` crate that knows the machine's precompiles.

use bls12_381::{G1Affine, G1Projective, G2Affine, G2Prepared, Gt, Scalar, multi_miller_loop};
use revm::precompile::bls12_381_const::TRUSTED_SETUP_TAU_G2_BYTES;

/// Whether `proof` shows that the polynomial behind `commitment` is `y` at `z` (`verify_kzg_proof` of consensus-specs).
pub(crate) fn verify(z: &[u8; 32], y: &[u8; 32], commitment: &[u8; 48], proof: &[u8; 48]) -> bool {
    check(z, y, commitment, proof).unwrap_or(false)
}

/// None where an input has no valid form.
fn check(z: &[u8; 32], y: &[u8; 32], commitment: &[u8; 48], proof: &[u8; 48]) -> Option<bool> {
    let (z, y) = (scalar(z)?, scalar(y)?);
    // Decompression checks the curve's equation and the subgroup.
    let (commitment, proof) = (point(commitment)?, point(proof)?);
    // The setup's second point, which nobody but revm chooses: that it is of the group was checked at the ceremony.
    let tau: G2Affine = Option::from(G2Affine::from_compressed_unchecked(&TRUSTED_SETUP_TAU_G2_BYTES))?;
    // e(P - y G + z Q, -H) e(Q, tau H) = 1, with both products on the cheaper side.
    let left = G1Projective::from(commitment) - G1Projective::generator() * y + G1Projective::from(proof) * z;
    let pairs = [
        (&G1Affine::from(left), &G2Prepared::from(-G2Affine::generator())),
        (&proof, &G2Prepared::from(tau)),
    ];
    Some(multi_miller_loop(&pairs).final_exponentiation() == Gt::identity())
}

/// A number below the group's order.
fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
    let mut bytes = *bytes;
    bytes.reverse();
    Option::from(Scalar::from_bytes(&bytes))
}

fn point(bytes: &[u8; 48]) -> Option<G1Affine> {
    Option::from(G1Affine::from_compressed(bytes))
}
