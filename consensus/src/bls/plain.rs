//! The signature check as the specification writes it, on the `bls12_381` crate. Readers start here.

use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use bls12_381::{G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective, Gt, multi_miller_loop};
use sha2::Sha256;

use super::{AggregateVerifier, BlsError};

/// Ciphersuite of the consensus specification (proof of possession scheme).
pub const CIPHERSUITE: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// The reference implementation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl AggregateVerifier for Plain {
    fn verify(
        &mut self,
        aggregate: &[u8; 48],
        absent: &[[u8; 48]],
        message: &[u8; 32],
        signature: &[u8; 96],
    ) -> Result<(), BlsError> {
        let key = signers_key(aggregate, absent)?;
        // `from_compressed` checks the curve equation and the subgroup.
        let signature = Option::<G2Affine>::from(G2Affine::from_compressed(signature))
            .filter(|point| !bool::from(point.is_identity()))
            .ok_or(BlsError::Signature)?;
        let message = hash_to_g2(message);
        let left = (&key, &G2Prepared::from(message));
        let right = (&-G1Affine::generator(), &G2Prepared::from(signature));
        if multi_miller_loop(&[left, right]).final_exponentiation() == Gt::identity() {
            Ok(())
        } else {
            Err(BlsError::Mismatch)
        }
    }
}

/// `H(message)` of the ciphersuite (RFC 9380).
fn hash_to_g2(message: &[u8; 32]) -> G2Affine {
    <G2Projective as HashToCurve<ExpandMsgXmd<Sha256>>>::hash_to_curve([message], CIPHERSUITE).into()
}

/// The sum over the signers: everybody's key less the absentees'.
fn signers_key(aggregate: &[u8; 48], absent: &[[u8; 48]]) -> Result<G1Affine, BlsError> {
    let mut sum = G1Projective::from(decompress(aggregate).ok_or(BlsError::AggregateKey)?);
    for (i, key) in absent.iter().enumerate() {
        // Complete addition: a key may repeat, and may equal the running sum.
        sum -= decompress(key).ok_or(BlsError::AbsentKey(i))?;
    }
    let sum = G1Affine::from(sum);
    if bool::from(sum.is_identity()) { Err(BlsError::IdentityKey) } else { Ok(sum) }
}

/// A public key as `KeyValidate` wants it: on the curve, in the subgroup, not the identity.
fn decompress(key: &[u8; 48]) -> Option<G1Affine> {
    Option::<G1Affine>::from(G1Affine::from_compressed(key)).filter(|point| !bool::from(point.is_identity()))
}
