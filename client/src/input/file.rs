//! Files as nodes' answers were saved: JSON or SSZ, of bounded size.

use std::{fs::File, io::Read, path::Path};

use super::InputError;

/// Largest file read. The largest honest ones are lists of 128 updates, about 30 MB.
const MAX_FILE: u64 = 64 << 20;

/// A file's bytes, and what they look like.
pub(super) enum Content {
    /// Text of a JSON document, or of what was meant to be one.
    Json(Vec<u8>),
    /// Anything else.
    Ssz(Vec<u8>),
}

impl Content {
    /// Reads `file`. JSON is text; SSZ objects begin with the offset of a field or the length of a chunk, whose high
    /// bytes are zeros, which no text has.
    ///
    /// # Errors
    /// [`InputError::Read`] or [`InputError::TooLarge`].
    pub(super) fn read(file: &Path) -> Result<Self, InputError> {
        let bytes = read(file)?;
        // Text that is no JSON either is better explained as text.
        let is_text = bytes.iter().take(64).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        Ok(if is_text { Self::Json(bytes) } else { Self::Ssz(bytes) })
    }
}

/// The bytes of `file`.
///
/// # Errors
/// As [`Content::read`].
pub(super) fn read(file: &Path) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    let size = File::open(file)
        .and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|source| InputError::Read { file: file.into(), source })? as u64;
    if size > MAX_FILE {
        return Err(InputError::TooLarge { file: file.into(), size, limit: MAX_FILE });
    }
    Ok(bytes)
}
