//! What a node answered: a saved file's content, or a response's body.

use std::{fs::File, io::Read, path::Path};

use crate::InputError;

/// Largest file read. The largest honest ones are lists of 128 updates, about 30 MB.
const MAX_FILE: u64 = 64 << 20;

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, or text that was meant to be.
    Json,
    /// SSZ.
    Ssz,
}

/// An answer that nobody has looked into yet.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where it came from, for error messages.
    pub source: String,
    /// Its encoding: by a response's content type, or by what a file looks like.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Reads a file. JSON is text; SSZ objects begin with the offset of a field or the length of a chunk, whose high
    /// bytes are zeros, which no text has.
    ///
    /// # Errors
    /// [`InputError::Read`] or [`InputError::TooLarge`].
    pub fn read(file: &Path) -> Result<Self, InputError> {
        let mut bytes = Vec::new();
        let size = File::open(file)
            .and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut bytes))
            .map_err(|source| InputError::Read { file: file.into(), source })? as u64;
        if size > MAX_FILE {
            return Err(InputError::TooLarge { file: file.into(), size, limit: MAX_FILE });
        }
        // Text that is no JSON either is better explained as text.
        let is_text = bytes.iter().take(64).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        let encoding = if is_text { Encoding::Json } else { Encoding::Ssz };
        Ok(Self { source: file.display().to_string(), encoding, bytes })
    }
}
