//! Bounded decoding of the engine's proof.

use bincode::Options;
use serde::de::DeserializeOwned;

use crate::{MAX_PROOF, VerifyError};

/// Decodes SP1's proof, a `T`, from all of `bytes`.
///
/// SP1's types decode through ordinary vectors, which serde fills element by element: a length prefix alone
/// allocates at most a megabyte, and the limit bounds the rest to a small multiple of the input.
///
/// # Errors
/// [`VerifyError::TooLarge`] over [`MAX_PROOF`], [`VerifyError::Malformed`].
pub fn decode<T: DeserializeOwned, E: std::error::Error + 'static>(
    bytes: &[u8],
) -> Result<T, VerifyError<E>> {
    if bytes.len() > MAX_PROOF {
        return Err(VerifyError::TooLarge { got: bytes.len(), limit: MAX_PROOF });
    }
    // What `bincode::serialize` writes, except that nothing may be left over.
    let options = bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(bytes.len() as u64)
        .reject_trailing_bytes();
    options.deserialize(bytes).map_err(VerifyError::Malformed)
}
