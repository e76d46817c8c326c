//! Paths through a trie whose keys all have 64 nibbles, and how nodes write them (yellow paper, appendix C).
//!
//! A node below nibble `depth` is only ever reached by a key, so a path is kept as the whole key that it is part of, with
//! where it ends: nodes that move up or down when a trie changes keep theirs as they are.

use alloc::vec::Vec;

use alloy_primitives::B256;

/// Nibbles of a key: of a Keccak-256 digest.
pub(super) const NIBBLES: usize = 64;

/// One nibble of a key, from 0.
pub(super) fn nibble(key: &B256, at: usize) -> u8 {
    let byte = key[at / 2];
    if at.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }
}

/// The key with another nibble in one place.
pub(super) fn with_nibble(key: &B256, at: usize, nibble: u8) -> B256 {
    let mut key = *key;
    set_nibble(&mut key, at, nibble);
    key
}

fn set_nibble(key: &mut B256, at: usize, nibble: u8) {
    let byte = &mut key[at / 2];
    *byte = if at.is_multiple_of(2) { *byte & 0xf | nibble << 4 } else { *byte & 0xf0 | nibble };
}

/// With how many nibbles both begin.
pub(super) fn common(one: &B256, other: &B256) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8));
    let mut nibbles = 0;
    for (one, other) in words {
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let differing = word(one) ^ word(other);
        if differing != 0 {
            return nibbles + differing.leading_zeros() as usize / 4;
        }
        nibbles += 16;
    }
    nibbles
}

/// A path as a node holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The key up to where the path ends; what follows means nothing.
    pub key: B256,
    /// Nibbles of `key` up to the path's end.
    pub end: usize,
    /// Whether it is a leaf's.
    pub is_leaf: bool,
}

impl Path {
    /// Reads the path of a node that was reached by the first `depth` nibbles of `key`; `None` if it is no hex-prefix
    /// encoding, or goes beyond any key.
    pub(super) fn read(bytes: &[u8], key: &B256, depth: usize) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let (is_leaf, is_odd) = match first {
            0x00 => (false, false),
            0x10..=0x1f => (false, true),
            0x20 => (true, false),
            0x30..=0x3f => (true, true),
            _ => return None,
        };
        let start = depth + usize::from(is_odd);
        let end = start + 2 * rest.len();
        if end > NIBBLES {
            return None;
        }
        let mut key = *key;
        if is_odd {
            set_nibble(&mut key, depth, first & 0xf);
        }
        if start.is_multiple_of(2) {
            key[start / 2..end / 2].copy_from_slice(rest);
        } else {
            for (at, byte) in rest.iter().enumerate() {
                set_nibble(&mut key, start + 2 * at, byte >> 4);
                set_nibble(&mut key, start + 2 * at + 1, byte & 0xf);
            }
        }
        Some(Self { key, end, is_leaf })
    }

    /// Appends the path from nibble `depth` on, as a string in RLP.
    pub(super) fn write(&self, depth: usize, out: &mut Vec<u8>) {
        let is_odd = !(self.end - depth).is_multiple_of(2);
        let flags = u8::from(self.is_leaf) << 5 | u8::from(is_odd) << 4;
        let start = depth + usize::from(is_odd);
        let length = 1 + (self.end - start) / 2;
        // The first byte is below 0x40: alone it is its own encoding.
        if length > 1 {
            out.push(0x80 + length as u8);
        }
        out.push(if is_odd { flags | nibble(&self.key, depth) } else { flags });
        if start.is_multiple_of(2) {
            out.extend_from_slice(&self.key[start / 2..self.end / 2]);
        } else {
            let pairs = (start..self.end).step_by(2);
            out.extend(pairs.map(|at| nibble(&self.key, at) << 4 | nibble(&self.key, at + 1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    const KEY: B256 = b256!("0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");

    #[test]
    fn what_is_written_is_read() {
        for depth in 0..NIBBLES {
            for end in depth..=NIBBLES {
                for is_leaf in [false, true] {
                    let path = Path { key: KEY, end, is_leaf };
                    let mut rlp = Vec::new();
                    path.write(depth, &mut rlp);
                    let bytes = sextant_consensus::rlp::Item::only(&rlp).unwrap().string().unwrap();
                    let read = Path::read(bytes, &KEY, depth).unwrap();
                    assert_eq!(read, path, "{depth} to {end}");
                    // By another key the same path goes on from where that one is.
                    let other = Path::read(bytes, &B256::ZERO, depth).unwrap();
                    assert_eq!((other.end, other.is_leaf), (end, is_leaf));
                    assert!((depth..end).all(|at| nibble(&other.key, at) == nibble(&KEY, at)));
                    assert!((0..depth).all(|at| nibble(&other.key, at) == 0));
                }
            }
        }
    }

    #[test]
    fn malformed_paths() {
        for bytes in [&[][..], &[0x01], &[0x2f], &[0x40], &[0x80], &[0xff]] {
            assert_eq!(Path::read(bytes, &KEY, 0), None, "{bytes:x?}");
        }
        let mut long = [0; 34];
        assert!(Path::read(&long[..33], &KEY, 0).is_some());
        assert_eq!(Path::read(&long[..33], &KEY, 1), None);
        assert_eq!(Path::read(&long, &KEY, 0), None);
        long[0] = 0x10;
        assert_eq!(Path::read(&long[..33], &KEY, 0), None);
    }

    #[test]
    fn nibbles_in_common() {
        assert_eq!(common(&KEY, &KEY), NIBBLES);
        for at in 0..NIBBLES {
            assert_eq!(common(&KEY, &with_nibble(&KEY, at, nibble(&KEY, at) ^ 1)), at);
            assert_eq!(common(&KEY, &with_nibble(&KEY, at, nibble(&KEY, at) ^ 8)), at);
        }
    }
}
