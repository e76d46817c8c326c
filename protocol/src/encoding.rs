//! Bytes of a value: bincode 1 with fixed-width little-endian integers, a size limit, and nothing left over.

use bincode::Options;
use serde::{Deserialize, Serialize};

/// Why bytes are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// The bytes of a value do not decode: short, over-long, no UTF-8, or an unknown variant.
    #[error("malformed {what}: {source}")]
    Malformed {
        /// The type or field that was expected.
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
    /// The bytes end inside a tag, a length or a field.
    #[error("malformed {what}: it ends in the middle")]
    Torn {
        /// The message or field.
        what: &'static str,
    },
    /// A field that comes twice, or after one with a higher tag.
    #[error("malformed {what}: field {tag} is out of order")]
    Order {
        /// The message or record.
        what: &'static str,
        /// The field.
        tag: u16,
    },
    /// A field that has no default is not there.
    #[error("malformed {what}: {field} is missing")]
    Missing {
        /// The message or record.
        what: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A number that stands for something this version does not know.
    #[error("no {what} has the number {number}")]
    Unknown {
        /// What it should stand for.
        what: &'static str,
        /// The number.
        number: u32,
    },
}

/// Encodes a value.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Serialising our own types into memory has no failure: no maps of unknown length, no custom errors.
    options(u64::MAX).serialize(value).expect("values serialise")
}

/// Decodes one `T` that takes up all of `bytes`, at most `limit` of them.
///
/// # Errors
/// [`EncodingError::TooLarge`] before anything is allocated, [`EncodingError::Malformed`] for anything else,
/// trailing bytes included.
pub fn decode<'de, T: Deserialize<'de>>(
    what: &'static str,
    bytes: &'de [u8],
    limit: usize,
) -> Result<T, EncodingError> {
    if bytes.len() > limit {
        return Err(EncodingError::TooLarge { what, got: bytes.len(), limit });
    }
    // The limit also bounds what a length prefix inside the value may claim.
    options(bytes.len() as u64).deserialize(bytes).map_err(|source| EncodingError::Malformed { what, source })
}

fn options(limit: u64) -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_limit(limit).reject_trailing_bytes()
}
