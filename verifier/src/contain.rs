//! Keeps hostile bytes from hurting the process: bounded decoding, caught panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bincode::Options;
use sp1_sdk::SP1Proof;

use crate::VerifyError;

/// Decodes SP1's proof from all of `bytes`.
///
/// SP1's types decode through ordinary vectors, which serde fills element by element: a length prefix alone
/// allocates at most a megabyte, and the limit bounds the rest to a small multiple of the input.
pub(crate) fn decode(bytes: &[u8], limit: usize) -> Result<SP1Proof, VerifyError> {
    if bytes.len() > limit {
        return Err(VerifyError::TooLarge { got: bytes.len(), limit });
    }
    // What `bincode::serialize` writes, except that nothing may be left over.
    let options = bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(bytes.len() as u64)
        .reject_trailing_bytes();
    panics(|| options.deserialize(bytes))?.map_err(VerifyError::Malformed)
}

/// Runs `check`; a panic inside becomes [`VerifyError::Panicked`].
pub(crate) fn panics<T>(check: impl FnOnce() -> T) -> Result<T, VerifyError> {
    // Unwind safe: the closures here only read the verifier, which has no interior state to leave half-changed.
    catch_unwind(AssertUnwindSafe(check)).map_err(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no reason given".into());
        VerifyError::Panicked(reason.chars().take(200).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_refusal_with_its_reason() {
        let error = panics(|| panic!("index {}", 7)).unwrap_err();
        assert!(matches!(error, VerifyError::Panicked(reason) if reason == "index 7"));
    }

    #[test]
    fn decoding_refuses_bombs_and_rubbish() {
        let over = decode(&[0; 9], 8).unwrap_err();
        assert!(matches!(over, VerifyError::TooLarge { got: 9, limit: 8 }));
        // Core proof of 2^64 - 1 shards, and of 2^40: lengths only.
        for claim in [u64::MAX, 1 << 40, 1 << 20] {
            let mut bomb = 0_u32.to_le_bytes().to_vec();
            bomb.extend(claim.to_le_bytes());
            assert!(matches!(decode(&bomb, 1 << 20), Err(VerifyError::Malformed(_))));
        }
        for bytes in [&[][..], &[9, 0, 0, 0], &[0xff; 64]] {
            assert!(matches!(decode(bytes, 1 << 20), Err(VerifyError::Malformed(_))));
        }
        // An empty core proof decodes; one byte more does not.
        let empty = bincode::serialize(&SP1Proof::Core(Vec::new())).unwrap();
        assert!(matches!(decode(&empty, 64), Ok(SP1Proof::Core(shards)) if shards.is_empty()));
        assert!(decode(&[&empty[..], &[0]].concat(), 64).is_err());
    }
}
