//! The filter over a block's logs that its header holds (yellow paper, 4.3.1).

use crate::hash::{Root, keccak256};

/// 2,048 bits, of which each address and topic of a log sets three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bloom<'a>(pub &'a [u8; Bloom::BYTES]);

impl Bloom<'_> {
    /// Bytes of a filter.
    pub const BYTES: usize = 256;

    /// Whether no log of `address` with these topics can be in the block: one of their bits is not set.
    pub fn excludes(&self, address: &[u8; 20], topics: &[Root]) -> bool {
        self.lacks(address) || topics.iter().any(|topic| self.lacks(topic))
    }

    fn lacks(&self, entry: &[u8]) -> bool {
        bits(entry).into_iter().any(|(byte, bit)| self.0[byte] & bit == 0)
    }
}

/// Sets the bits of an address or a topic.
pub fn insert(filter: &mut [u8; Bloom::BYTES], entry: &[u8]) {
    bits(entry).into_iter().for_each(|(byte, bit)| filter[byte] |= bit);
}

/// The three bits of an entry: the low 11 bits of the first three pairs of bytes of its hash, counted from the end.
fn bits(entry: &[u8]) -> [(usize, u8); 3] {
    let hash = keccak256(entry);
    [0, 2, 4].map(|at| {
        let bit = usize::from(u16::from_be_bytes([hash[at], hash[at + 1]])) % (8 * Bloom::BYTES);
        (Bloom::BYTES - 1 - bit / 8, 1 << (bit % 8))
    })
}
