//! The few shapes of Solidity's ABI encoding that public values use: words, and lists of them.
//!
//! The encoder is small enough to run in a guest for next to nothing. The decoder accepts the canonical encoding
//! only: every padding byte zero, every offset where the encoder puts it, not a byte more.

use alloc::vec::Vec;

/// 32 bytes.
pub type Word = [u8; 32];

/// Why bytes are not the public values expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
    /// The length is no multiple of 32, or ends before the values do.
    #[error("public values of the wrong length")]
    Length,
    /// A word has a value it cannot have.
    #[error("public values: unexpected {0}")]
    Unexpected(&'static str),
}

/// Collects words.
#[derive(Debug)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// For values of so many bytes: a guest pays for each word of memory that a growing list leaves behind.
    pub(crate) fn with_capacity(bytes: u64) -> Self {
        Self(Vec::with_capacity(bytes as usize))
    }

    pub(crate) fn word(&mut self, word: Word) {
        self.0.extend_from_slice(&word);
    }

    /// The beginning of a list whose elements have sizes of their own: its length, and where each of them begins,
    /// counted from behind the length. `size` tells an element's bytes.
    pub(crate) fn list<T>(&mut self, elements: &[T], size: impl Fn(&T) -> u64) {
        self.word(u64_word(elements.len() as u64));
        for offset in offsets(elements, size) {
            self.word(u64_word(offset));
        }
    }

    /// `bytes`: the length, and the bytes filled up to whole words.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.word(u64_word(bytes.len() as u64));
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(32), 0);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Where each element of a list begins, counted from behind the list's length.
fn offsets<T>(elements: &[T], size: impl Fn(&T) -> u64) -> impl Iterator<Item = u64> {
    elements.iter().scan(elements.len() as u64 * 32, move |next, element| {
        let offset = *next;
        *next += size(element);
        Some(offset)
    })
}

/// `uint64`.
pub(crate) fn u64_word(value: u64) -> Word {
    array_word(&value.to_be_bytes())
}

/// `bool`.
pub(crate) fn bool_word(value: bool) -> Word {
    u64_word(value.into())
}

/// A big-endian number, or an address, of at most 32 bytes.
pub(crate) fn array_word(bytes: &[u8]) -> Word {
    let mut word = [0; 32];
    word[32 - bytes.len()..].copy_from_slice(bytes);
    word
}

/// Takes words off.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, AbiError> {
        if bytes.len().is_multiple_of(32) { Ok(Self(bytes)) } else { Err(AbiError::Length) }
    }

    pub(crate) fn word(&mut self) -> Result<Word, AbiError> {
        let (word, rest) = self.0.split_first_chunk::<32>().ok_or(AbiError::Length)?;
        self.0 = rest;
        Ok(*word)
    }

    /// The low `N` bytes of a word whose other bytes are zero.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], AbiError> {
        let word = self.word()?;
        let (high, low) = word.split_last_chunk::<N>().ok_or(AbiError::Unexpected(what))?;
        if high.iter().any(|byte| *byte != 0) {
            return Err(AbiError::Unexpected(what));
        }
        Ok(*low)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, AbiError> {
        self.array(what).map(u64::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, AbiError> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(crate) fn bool(&mut self, what: &'static str) -> Result<bool, AbiError> {
        match self.u64(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(AbiError::Unexpected(what)),
        }
    }

    /// A list's length, of elements of `words` words at least: more than are left is refused before allocating.
    pub(crate) fn count(&mut self, what: &'static str, words: u64) -> Result<u64, AbiError> {
        let count = self.u64(what)?;
        let left = self.0.len() as u64 / 32;
        if count.checked_mul(words).is_some_and(|wanted| wanted <= left) {
            Ok(count)
        } else {
            Err(AbiError::Length)
        }
    }

    /// A list whose elements have sizes of their own, as [`Writer::list`] begins it: of `words` words each at least.
    pub(crate) fn list<T>(
        &mut self,
        what: &'static str,
        offset: &'static str,
        words: u64,
        read: impl Fn(&mut Self) -> Result<T, AbiError>,
        size: impl Fn(&T) -> u64,
    ) -> Result<Vec<T>, AbiError> {
        let count = self.count(what, words)?;
        let given = (0..count).map(|_| self.u64(offset)).collect::<Result<Vec<_>, _>>()?;
        let elements = (0..count).map(|_| read(self)).collect::<Result<Vec<_>, _>>()?;
        if offsets(&elements, size).eq(given) { Ok(elements) } else { Err(AbiError::Unexpected(offset)) }
    }

    /// `bytes`, whose last word is filled up with zeros.
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], AbiError> {
        let length = self.u64(what)?;
        if length > self.0.len() as u64 {
            return Err(AbiError::Length);
        }
        let (words, rest) =
            self.0.split_at_checked((length as usize).next_multiple_of(32)).ok_or(AbiError::Length)?;
        let (bytes, padding) = words.split_at(length as usize);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(AbiError::Unexpected(what));
        }
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn expect(&mut self, what: &'static str, value: u64) -> Result<(), AbiError> {
        if self.u64(what)? == value { Ok(()) } else { Err(AbiError::Unexpected(what)) }
    }

    pub(crate) fn finish(self) -> Result<(), AbiError> {
        if self.0.is_empty() { Ok(()) } else { Err(AbiError::Length) }
    }
}
