//! A partial Merkle-Patricia trie (yellow paper, appendix D) over the nodes of a witness: it is read, changed, and has a root
//! again, though only the nodes on the way are there.
//!
//! Keys are Keccak-256 digests, always 64 nibbles: the account trie and every storage trie. Nodes are read when a key
//! leads to them, and stay read. Each must have the one form that a trie with its entries has: canonical RLP, no branch with
//! less than two ways, no extension that does not lead to a branch, no node under 32 bytes by its hash. A node that is needed
//! and is not there is an error that names its hash; that may be a sibling of what is removed, since where one way of a branch
//! is left, the branch is merged with the node there.
//!
//! SOUNDNESS: a node is taken only as the preimage of the hash that its parent holds ([`ByHash`](crate::by_hash::ByHash)), from the root on; what
//! has not been read is still represented by that hash in the new root.

mod node;
mod nodes;
mod path;
#[cfg(test)]
pub(crate) mod tests;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use alloy_primitives::B256;
use sextant_consensus::rlp::RlpError;

use node::{Branch, Child, Kind};
pub use nodes::Nodes;
use path::{common, nibble, with_nibble};

/// Root of a trie without entries: Keccak-256 of the empty string's RLP.
pub const EMPTY_ROOT: B256 = B256::new(sextant_consensus::trie::EMPTY_ROOT);

/// Why a trie cannot be read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrieError {
    /// The witness lacks a node.
    #[error("the node {hash} at nibble {nibble} is not in the witness")]
    Missing {
        /// Keccak-256 of the node.
        hash: B256,
        /// Its depth in nibbles.
        nibble: usize,
    },
    /// A node is not canonical RLP.
    #[error("node at nibble {nibble}: {error}")]
    Rlp {
        /// Depth of the node in nibbles.
        nibble: usize,
        /// What is wrong with it.
        error: RlpError,
    },
    /// A node has a shape that no trie of such keys has there.
    #[error("node at nibble {nibble}: {what}")]
    Shape {
        /// Depth of the node in nibbles.
        nibble: usize,
        /// What it is.
        what: &'static str,
    },
}

/// Where a reference to a node stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    Root,
    /// In an extension.
    Under(u32),
    /// In a branch.
    Way(u32, u8),
}

/// A partial trie, over nodes that are the same ones at every call.
#[derive(Debug)]
pub struct Trie {
    root: Option<u32>,
    /// Hash of the root as long as nothing has changed.
    unchanged: Option<B256>,
    /// The last way from the root: places, with the nodes there. Kept for its memory alone.
    way: Vec<(Place, u32)>,
}

impl Trie {
    /// The trie with this root. Its node is read at once.
    ///
    /// # Errors
    /// [`TrieError`] if that node is missing or malformed.
    pub fn new(root: B256, nodes: &mut Nodes<'_>) -> Result<Self, TrieError> {
        let mut trie = Self::empty();
        if root != EMPTY_ROOT {
            let rlp = nodes.find(&root).ok_or(TrieError::Missing { hash: root, nibble: 0 })?;
            trie.root = Some(nodes.push(Kind::read(rlp, &B256::ZERO, 0)?, None));
            trie.unchanged = Some(root);
        }
        Ok(trie)
    }

    /// A trie without entries.
    pub const fn empty() -> Self {
        Self { root: None, unchanged: Some(EMPTY_ROOT), way: Vec::new() }
    }

    /// The value of a key; `None` if the trie has no such key.
    ///
    /// # Errors
    /// [`TrieError`] for a node on the way that is missing or malformed.
    pub fn get<'n>(&mut self, key: &B256, nodes: &'n mut Nodes<'_>) -> Result<Option<&'n [u8]>, TrieError> {
        let mut place = Place::Root;
        let mut depth = 0;
        while let Some(at) = self.resolve(place, key, depth, nodes)? {
            match nodes.kind(at) {
                Kind::Leaf { key: own, .. } if own != key => break,
                Kind::Leaf { .. } => return Ok(value(at, nodes)),
                Kind::Extension { key: own, end, .. } => {
                    depth = usize::from(*end);
                    if common(own, key) < depth {
                        break;
                    }
                    place = Place::Under(at);
                }
                Kind::Branch(_) => {
                    place = Place::Way(at, nibble(key, depth));
                    depth += 1;
                }
                Kind::Unread => return Err(not_read(depth)),
            }
        }
        Ok(None)
    }

    /// Gives a key a value, which is never empty.
    ///
    /// # Errors
    /// [`TrieError`] for a node on the way that is missing or malformed. The trie is as before, then.
    pub fn insert(&mut self, key: &B256, value: Vec<u8>, nodes: &mut Nodes<'_>) -> Result<(), TrieError> {
        let mut place = Place::Root;
        let mut depth = 0;
        self.way.clear();
        let there = loop {
            let Some(at) = self.resolve(place, key, depth, nodes)? else {
                break nodes.push(Kind::Leaf { key: *key, value: Cow::Owned(value) }, None);
            };
            match nodes.kind_mut(at) {
                Kind::Leaf { key: own, value: old } if own == key => {
                    if **old == *value {
                        return Ok(());
                    }
                    *old = Cow::Owned(value);
                    self.way.push((place, at));
                    break at;
                }
                Kind::Leaf { key: own, .. } => {
                    let own = *own;
                    // It goes below the branch, with less of its key in its path.
                    nodes.mark_changed(at);
                    break fork(depth, &own, at, key, value, nodes);
                }
                Kind::Extension { key: own, end, child } => {
                    let (own, end, child) = (*own, usize::from(*end), *child);
                    let shared = common(&own, key);
                    if shared >= end {
                        self.way.push((place, at));
                        place = Place::Under(at);
                        depth = end;
                        continue;
                    }
                    // What is left of the extension below the branch: nothing, or a shorter one.
                    let below = match child {
                        Child::Node(below) if shared + 1 == end => below,
                        Child::Unread(reference) if shared + 1 == end => {
                            nodes.push(Kind::Unread, Some(reference))
                        }
                        _ => {
                            nodes.mark_changed(at);
                            at
                        }
                    };
                    break fork(depth, &own, below, key, value, nodes);
                }
                Kind::Branch(_) => {
                    self.way.push((place, at));
                    place = Place::Way(at, nibble(key, depth));
                    depth += 1;
                }
                Kind::Unread => return Err(not_read(depth)),
            }
        };
        self.put(place, Some(there), nodes);
        self.mark_changed(nodes);
        Ok(())
    }

    /// Takes a key out, if it is there.
    ///
    /// # Errors
    /// [`TrieError`] for a node on the way that is missing or malformed, and for the sibling that is left alone in a branch.
    /// The trie is as before, then.
    pub fn remove(&mut self, key: &B256, nodes: &mut Nodes<'_>) -> Result<(), TrieError> {
        let mut place = Place::Root;
        let mut depth = 0;
        self.way.clear();
        loop {
            let Some(at) = self.resolve(place, key, depth, nodes)? else { return Ok(()) };
            match nodes.kind(at) {
                Kind::Leaf { key: own, .. } if own == key => break,
                Kind::Leaf { .. } => return Ok(()),
                Kind::Unread => return Err(not_read(depth)),
                Kind::Extension { key: own, end, .. } => {
                    depth = usize::from(*end);
                    if common(own, key) < depth {
                        return Ok(());
                    }
                    self.way.push((place, at));
                    place = Place::Under(at);
                }
                Kind::Branch(_) => {
                    self.way.push((place, at));
                    place = Place::Way(at, nibble(key, depth));
                    depth += 1;
                }
            }
        }
        match place {
            Place::Way(branch, taken) => match other_way(branch, taken, nodes) {
                Some(other) => self.collapse(key, depth - 1, other, nodes)?,
                None => self.put(place, None, nodes),
            },
            // Extensions lead to branches only, so this is the root, and was the only key.
            Place::Root | Place::Under(_) => self.put(place, None, nodes),
        }
        self.mark_changed(nodes);
        Ok(())
    }

    /// The trie's root, with what has been changed. Subtrees that are as they were are not hashed again.
    ///
    /// # Errors
    /// [`TrieError`] for a node that has changed and has not been read. There is none.
    pub fn root(&self, nodes: &Nodes<'_>) -> Result<B256, TrieError> {
        match (self.unchanged, self.root) {
            (Some(root), _) => Ok(root),
            (None, Some(at)) => nodes.hash(at),
            (None, None) => Ok(EMPTY_ROOT),
        }
    }

    fn child<'a>(&self, place: Place, nodes: &Nodes<'a>) -> Child<'a> {
        match place {
            Place::Root => self.root.map_or(Child::Empty, Child::Node),
            Place::Under(at) => match nodes.kind(at) {
                Kind::Extension { child, .. } => *child,
                _ => Child::Empty,
            },
            Place::Way(at, way) => match nodes.kind(at) {
                Kind::Branch(branch) => branch.child(way),
                _ => Child::Empty,
            },
        }
    }

    fn put(&mut self, place: Place, new: Option<u32>, nodes: &mut Nodes<'_>) {
        match place {
            Place::Root => self.root = new,
            Place::Under(at) => {
                if let Kind::Extension { child, .. } = nodes.kind_mut(at) {
                    *child = new.map_or(Child::Empty, Child::Node);
                }
            }
            Place::Way(at, way) => {
                if let Kind::Branch(branch) = nodes.kind_mut(at) {
                    branch.put(way, new);
                }
            }
        }
    }

    /// The node at a place that the first `depth` nibbles of `key` lead to, read if need be.
    fn resolve(
        &mut self,
        place: Place,
        key: &B256,
        depth: usize,
        nodes: &mut Nodes<'_>,
    ) -> Result<Option<u32>, TrieError> {
        let reference = match self.child(place, nodes) {
            Child::Empty => return Ok(None),
            Child::Unread(reference) => reference,
            Child::Node(at) => match nodes.unread(at) {
                None => return Ok(Some(at)),
                Some(reference) => reference,
            },
        };
        let kind = nodes.read(reference, key, depth)?;
        if matches!(place, Place::Under(_)) && !matches!(kind, Kind::Branch(_)) {
            return Err(TrieError::Shape { nibble: depth, what: "no branch below an extension" });
        }
        let at = nodes.push(kind, Some(reference));
        self.put(place, Some(at), nodes);
        Ok(Some(at))
    }

    /// Puts what is left of the branch at the end of the way, at nibble `depth`, in its place: the node on its `other` way.
    fn collapse(
        &mut self,
        key: &B256,
        depth: usize,
        other: u8,
        nodes: &mut Nodes<'_>,
    ) -> Result<(), TrieError> {
        let Some(&(mut place, branch)) = self.way.last() else { return Err(not_read(depth)) };
        let own = with_nibble(key, depth, other);
        let Some(mut left) = self.resolve(Place::Way(branch, other), &own, depth + 1, nodes)? else {
            return Err(not_read(depth + 1));
        };
        match nodes.kind(left) {
            // A leaf or an extension takes the branch's nibble into its path, and an extension's above too.
            Kind::Leaf { .. } | Kind::Extension { .. } => nodes.mark_changed(left),
            Kind::Unread => return Err(not_read(depth + 1)),
            Kind::Branch(_) => {
                let end = depth as u8 + 1;
                left = nodes.push(Kind::Extension { key: own, end, child: Child::Node(left) }, None);
            }
        }
        self.way.pop();
        if let Place::Under(_) = place
            && let Some((above, _)) = self.way.pop()
        {
            place = above;
        }
        self.put(place, Some(left), nodes);
        Ok(())
    }

    /// The nodes on the way have other references now.
    fn mark_changed(&mut self, nodes: &mut Nodes<'_>) {
        self.way.iter().for_each(|(_, at)| nodes.mark_changed(*at));
        self.unchanged = None;
    }
}

/// A node that is met where it should have been read: an error, and not a wrong answer or a wrong root.
const fn not_read(nibble: usize) -> TrieError {
    TrieError::Shape { nibble, what: "not read before it is needed" }
}

fn value<'n>(at: u32, nodes: &'n Nodes<'_>) -> Option<&'n [u8]> {
    match nodes.kind(at) {
        Kind::Leaf { value, .. } => Some(value),
        _ => None,
    }
}

/// The only way of a branch beside the one that is `taken`; `None` if there are several.
fn other_way(branch: u32, taken: u8, nodes: &Nodes<'_>) -> Option<u8> {
    match nodes.kind(branch) {
        Kind::Branch(branch) => branch.other_way(taken),
        _ => None,
    }
}

/// Two ways where the keys `old` and `new` part, in place of the node at nibble `depth`: to `below`, and to a leaf.
fn fork(depth: usize, old: &B256, below: u32, new: &B256, value: Vec<u8>, nodes: &mut Nodes<'_>) -> u32 {
    let end = common(old, new);
    let leaf = nodes.push(Kind::Leaf { key: *new, value: Cow::Owned(value) }, None);
    let branch = Branch::fork((nibble(old, end), below), (nibble(new, end), leaf));
    let branch = nodes.push(Kind::Branch(branch), None);
    if end == depth {
        return branch;
    }
    nodes.push(Kind::Extension { key: *new, end: end as u8, child: Child::Node(branch) }, None)
}
