//! Bytes of a message: bincode 1 with fixed-width little-endian integers, a size limit, and nothing left over.

use bincode::Options;
use serde::{Serialize, de::DeserializeOwned};

/// Why bytes are not a message of the expected type.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// The bytes do not decode: short, over-long, an unknown tag, or over the limit.
    #[error("malformed {what}: {source}")]
    Malformed {
        /// The type that was expected.
        what: &'static str,
        /// The decoder's own reason.
        source: bincode::Error,
    },
    /// More bytes than this type may have.
    #[error("{what} of {got} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// The type that was expected.
        what: &'static str,
        /// Length found, bytes.
        got: usize,
        /// Length allowed, bytes.
        limit: usize,
    },
}

/// Encodes any message.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Serialising our own types into memory has no failure: no maps of unknown length, no custom errors.
    options(u64::MAX).serialize(value).expect("messages serialise")
}

/// Decodes one `T` that takes up all of `bytes`, at most `limit` of them.
///
/// # Errors
/// [`EncodingError::TooLarge`] before anything is allocated, [`EncodingError::Malformed`] for anything else,
/// trailing bytes included.
pub fn decode<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
    limit: usize,
) -> Result<T, EncodingError> {
    if bytes.len() > limit {
        return Err(EncodingError::TooLarge { what, got: bytes.len(), limit });
    }
    // The limit also bounds what a length prefix inside the message may claim.
    options(bytes.len() as u64).deserialize(bytes).map_err(|source| EncodingError::Malformed { what, source })
}

fn options(limit: u64) -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_limit(limit).reject_trailing_bytes()
}
