//! Large contents: a statement input, a proof. The message that they belong to carries the first bytes and says how many
//! follow; those come in messages of their own, so that on one connection nothing waits long for anything else.

use bytes::Bytes;

/// Most bytes of a content in one message.
pub const PART: usize = 256 << 10;

/// What follows a message: pieces of at most [`PART`] bytes, each with its offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    offset: u64,
    rest: Bytes,
}

impl Parts {
    /// The bytes from `offset` on.
    pub fn new(offset: u64, rest: Bytes) -> Self {
        Self { offset, rest }
    }

    /// Bytes still to come.
    pub fn len(&self) -> u64 {
        self.rest.len() as u64
    }

    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl Iterator for Parts {
    type Item = (u64, Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.offset;
        let part = self.rest.split_to(PART.min(self.rest.len()));
        self.offset += part.len() as u64;
        Some((offset, part))
    }
}

/// How far a content has come that arrives in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    next: u64,
    end: u64,
}

/// A part that does not belong where it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// Another offset than that of the next byte.
    #[error("a part at {got}, where {expected} comes next")]
    Offset {
        /// Where the next byte belongs.
        expected: u64,
        /// Where it was said to belong.
        got: u64,
    },
    /// More bytes than a part has, or than were announced, or none.
    #[error("a part of {got} bytes, where at least 1 and at most {limit} are due")]
    Length {
        /// Bytes in the part.
        got: usize,
        /// Bytes that it may have.
        limit: u64,
    },
}

impl Arrival {
    /// Of a content whose first `here` bytes have come and `more` follow. The sum must be within the reader's limit.
    pub fn new(here: u64, more: u64) -> Self {
        Self { next: here, end: here.saturating_add(more) }
    }

    /// Whether all of it is here.
    pub fn is_complete(&self) -> bool {
        self.next == self.end
    }

    /// Takes note of a part.
    ///
    /// # Errors
    /// If it is not the next one.
    pub fn accept(&mut self, offset: u64, length: usize) -> Result<(), PartError> {
        if offset != self.next {
            return Err(PartError::Offset { expected: self.next, got: offset });
        }
        let limit = (self.end - self.next).min(PART as u64);
        if length == 0 || length as u64 > limit {
            return Err(PartError::Length { got: length, limit });
        }
        self.next += length as u64;
        Ok(())
    }
}
