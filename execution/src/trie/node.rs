//! One node of a trie: read from its RLP, canonical only, and written again.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use alloy_primitives::B256;
use sextant_consensus::rlp::{Item, RlpError, shortest, write_string};

use super::TrieError;
use super::path::{NIBBLES, Path};

/// What a node leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child<'a> {
    /// Nothing.
    Empty,
    /// A node that has not been read: the reference in its parent, which is the 33 bytes of a hash in RLP, or the node
    /// itself where it has under 32.
    Unread(&'a [u8]),
    /// A node of the trie that has been read, or made.
    Node(u32),
}

/// The three kinds of nodes, and one that has not been read.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// Known by its reference alone: what was below an extension that a new branch took the place of.
    Unread,
    /// A value, with the whole of its key.
    Leaf { key: B256, value: Cow<'a, [u8]> },
    /// Nibbles that all keys below have in common: those of `key` up to `end`.
    Extension { key: B256, end: u8, child: Child<'a> },
    /// A way for each nibble. Keys of one length have no values here.
    Branch(Branch<'a>),
}

/// A branch: as it was read, with what has become of its ways since.
///
/// Most branches are only passed through, on one of their ways: that is why their items stay where they are.
#[derive(Debug)]
pub(super) struct Branch<'a> {
    /// The items when it was read: 16 references and no value. Of a branch that has been made, there was nothing.
    payload: &'a [u8],
    ways: [Way; 16],
}

/// A [`Child`] in four bytes: 0 for none; twice a node's index, and 1; twice a reference's place in the payload from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way(u32);

impl Way {
    const EMPTY: Self = Self(0);

    const fn node(at: u32) -> Self {
        Self(at << 1 | 1)
    }

    const fn unread(place: usize) -> Self {
        Self((place as u32 + 1) << 1)
    }
}

impl<'a> Branch<'a> {
    /// A branch with two ways.
    pub(super) fn fork(one: (u8, u32), other: (u8, u32)) -> Self {
        let mut ways = [Way::EMPTY; 16];
        for (way, at) in [one, other] {
            ways[usize::from(way)] = Way::node(at);
        }
        Self { payload: &[0x80; 17], ways }
    }

    /// Where one way leads.
    pub(super) fn child(&self, way: u8) -> Child<'a> {
        match self.ways[usize::from(way)] {
            Way::EMPTY => Child::Empty,
            Way(node) if node & 1 == 1 => Child::Node(node >> 1),
            Way(place) => Child::Unread(self.item((place >> 1) as usize - 1)),
        }
    }

    /// Makes one way lead to a node, or nowhere.
    pub(super) fn put(&mut self, way: u8, at: Option<u32>) {
        self.ways[usize::from(way)] = at.map_or(Way::EMPTY, Way::node);
    }

    /// The only way beside the one that is `taken`; `None` if there are several.
    pub(super) fn other_way(&self, taken: u8) -> Option<u8> {
        let mut others = (0..16).filter(|way| *way != taken && self.ways[usize::from(*way)] != Way::EMPTY);
        match (others.next(), others.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// All items when it was read.
    pub(super) const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The item that begins at `place` of the payload: nothing, a hash, or a node under 32 bytes.
    pub(super) fn item(&self, place: usize) -> &'a [u8] {
        let length = match self.payload[place] {
            0xa0 => 33,
            list @ 0xc0.. => 1 + usize::from(list - 0xc0),
            _ => 1,
        };
        &self.payload[place..place + length]
    }
}

impl<'a> Kind<'a> {
    /// Reads the node that is reached by the first `depth` nibbles of `key`.
    pub(super) fn read(rlp: &'a [u8], key: &B256, depth: usize) -> Result<Self, TrieError> {
        let malformed = |error: RlpError| TrieError::Rlp { nibble: depth, error };
        let shape = |what| TrieError::Shape { nibble: depth, what };
        let payload = Item::only(rlp).and_then(Item::list).map_err(malformed)?;
        // A node has 2 or 17 items.
        let (first, _, rest) = Item::take(payload).map_err(malformed)?;
        let (second, second_rlp, rest) = Item::take(rest).map_err(malformed)?;
        if !rest.is_empty() {
            return read_branch(payload, depth);
        }
        let path = first.string().map_err(malformed)?;
        let path = Path::read(path, key, depth).ok_or_else(|| shape("a malformed path"))?;
        if path.is_leaf {
            if path.end != NIBBLES {
                return Err(shape("a leaf that does not end where keys do"));
            }
            return match second.string().map_err(malformed)? {
                [] => Err(shape("a leaf without a value")),
                value => Ok(Self::Leaf { key: path.key, value: Cow::Borrowed(value) }),
            };
        }
        if path.end == depth || path.end >= NIBBLES {
            return Err(shape("an extension of impossible length"));
        }
        match take_child(second_rlp, depth)? {
            (Child::Empty, _) => Err(shape("an extension that leads nowhere")),
            (child, _) => Ok(Self::Extension { key: path.key, end: path.end as u8, child }),
        }
    }
}

fn read_branch(payload: &[u8], depth: usize) -> Result<Kind<'_>, TrieError> {
    let shape = |what| TrieError::Shape { nibble: depth, what };
    if depth >= NIBBLES {
        return Err(shape("a branch where keys have ended"));
    }
    let mut ways = [Way::EMPTY; 16];
    let mut count = 0;
    let mut rest = payload;
    for way in &mut ways {
        let place = payload.len() - rest.len();
        let (child, behind) = take_child(rest, depth)?;
        if child != Child::Empty {
            *way = Way::unread(place);
            count += 1;
        }
        rest = behind;
    }
    match Item::only(rest).map_err(|error| TrieError::Rlp { nibble: depth, error })? {
        Item::String([]) => {}
        _ => return Err(shape("a branch with a value")),
    }
    // With fewer it would be another node: what makes the form of a trie unique.
    if count < 2 {
        return Err(shape("a branch with less than two ways"));
    }
    Ok(Kind::Branch(Branch { payload, ways }))
}

/// Takes a reference to a node off `bytes`.
#[inline]
fn take_child(bytes: &[u8], depth: usize) -> Result<(Child<'_>, &[u8]), TrieError> {
    // All but a few are one of these two.
    match bytes {
        [0x80, rest @ ..] => return Ok((Child::Empty, rest)),
        [0xa0, rest @ ..] if rest.len() >= 32 => return Ok((Child::Unread(&bytes[..33]), &bytes[33..])),
        _ => {}
    }
    let (item, rlp, rest) = Item::take(bytes).map_err(|error| TrieError::Rlp { nibble: depth, error })?;
    match item {
        // Anything of 32 bytes or more stands by its hash.
        Item::List(_) if rlp.len() < 32 => Ok((Child::Unread(rlp), rest)),
        _ => Err(TrieError::Shape { nibble: depth, what: "a child that is no reference to a node" }),
    }
}

/// Appends a leaf's items.
pub(super) fn write_leaf(key: &B256, value: &[u8], depth: usize, out: &mut Vec<u8>) {
    Path { key: *key, end: NIBBLES, is_leaf: true }.write(depth, out);
    write_string(value, out);
}

/// Bytes that [`begin_list`] leaves for a header: right for a branch of more than seven hashes.
const RESERVED: usize = 3;

/// Begins a list whose length is not known yet.
pub(super) fn begin_list(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; RESERVED]);
    out.len() - RESERVED
}

/// Ends the list that was begun at `start`: all that has been appended since is in it.
pub(super) fn end_list(start: usize, out: &mut Vec<u8>) {
    let length = out.len() - start - RESERVED;
    let digits = length.to_be_bytes();
    let digits = shortest(&digits);
    let (prefix, digits) =
        if length < 56 { (0xc0 + length as u8, &[][..]) } else { (0xf7 + digits.len() as u8, digits) };
    if 1 + digits.len() == RESERVED {
        out[start] = prefix;
        out[start + 1..start + RESERVED].copy_from_slice(digits);
    } else {
        out.splice(start..start + RESERVED, core::iter::once(prefix).chain(digits.iter().copied()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_consensus::rlp::encode_list;

    #[test]
    fn lists_of_every_length_of_header() {
        for length in [0, 1, 55, 56, 255, 256, 65_535, 65_536] {
            let payload = alloc::vec![7; length];
            let mut out = alloc::vec![1, 2, 3];
            let start = begin_list(&mut out);
            out.extend_from_slice(&payload);
            end_list(start, &mut out);
            assert_eq!(out[..3], [1, 2, 3]);
            assert_eq!(out[3..], encode_list(&payload), "{length}");
        }
    }
}
