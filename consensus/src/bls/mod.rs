//! One sync committee signature check: the trait, and the implementations behind it.
//!
//! `plain` is the reference a reader starts with; the rules are those of `FastAggregateVerify` in the
//! consensus specification (phase0/beacon-chain.md, BLS signatures; draft-irtf-cfrg-bls-signature-05),
//! with the sum over the signers taken as the committee's aggregate less the absentees.

pub mod fast;
pub mod plain;

pub use plain::Plain;

/// Why a signature check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlsError {
    /// The committee's aggregate key is not a point of the curve in compressed form.
    #[error("aggregate public key is not a valid compressed G1 point")]
    AggregateKey,
    /// An absent member's key is not a point of the curve in compressed form.
    #[error("public key of absent member {0} is not a valid compressed G1 point")]
    AbsentKey(usize),
    /// The signers' keys sum to the identity.
    #[error("the signers' public keys sum to the identity")]
    IdentityKey,
    /// The signature is not a point of the G2 subgroup in compressed form, or is the identity.
    #[error("signature is not a valid compressed point of the G2 subgroup")]
    Signature,
    /// The pairing equation does not hold.
    #[error("signature does not match the signers' keys and the message")]
    Mismatch,
    /// A prover-supplied hint is missing, left over, or fails its check.
    #[error("signature hint {0} is wrong")]
    Hint(&'static str),
}

/// Checks one sync committee signature.
pub trait AggregateVerifier {
    /// Accepts when `e(aggregate - sum(absent), H(message)) == e(g1, signature)`.
    ///
    /// `aggregate` and `absent` are compressed G1 keys (the caller has proven them under the committee
    /// root; keys may repeat), `message` is the 32-byte signing root, `signature` a compressed G2 point.
    ///
    /// # Errors
    /// Names the first input that is malformed, or [`BlsError::Mismatch`].
    fn verify(
        &mut self,
        aggregate: &[u8; 48],
        absent: &[[u8; 48]],
        message: &[u8; 32],
        signature: &[u8; 96],
    ) -> Result<(), BlsError>;
}
