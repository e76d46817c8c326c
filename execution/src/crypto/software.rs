//! Signatures on a host: k256.

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use k256::elliptic_curve::sec1::ToEncodedPoint;

/// As [`super::recover`]; it has no use for a hint.
pub(super) fn recover(
    signature: &[u8; 64],
    recovery: u8,
    digest: &[u8; 32],
    _hint: Option<&[u8; 64]>,
) -> Option<[u8; 64]> {
    let mut signature = Signature::from_slice(signature).ok()?;
    let mut recovery = recovery;
    // k256 wants a low s. The negated signature is by the same key, over the point's negation.
    if let Some(low) = signature.normalize_s() {
        signature = low;
        recovery ^= 1;
    }
    let key =
        VerifyingKey::recover_from_prehash(digest, &signature, RecoveryId::from_byte(recovery)?).ok()?;
    key.as_affine().to_encoded_point(false).as_bytes().get(1..)?.try_into().ok()
}

/// Whether `signature` of `digest` is by `key`; high `s` is allowed.
pub(super) fn verify(signature: &[u8; 64], digest: &[u8; 32], key: &[u8; 64]) -> Option<()> {
    let mut tagged = [4; 65];
    tagged[1..].copy_from_slice(key);
    let key = VerifyingKey::from_sec1_bytes(&tagged).ok()?;
    let signature = Signature::from_slice(signature).ok()?;
    let signature = signature.normalize_s().unwrap_or(signature);
    key.verify_prehash(digest, &signature).ok()
}
