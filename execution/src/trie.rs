//! A partial Merkle-Patricia trie (yellow paper, appendix D) over the nodes of a witness: it is read, changed, and has a root
//! again, though only the nodes on the way are there.
//!
//! Keys are Keccak-256 digests, always 64 nibbles: the account trie and every storage trie. Nodes are read when a key
//! leads to them, and stay read. Each must have the one form that a trie with its entries has: canonical RLP, no branch with
//! less than two ways, no extension that does not lead to a branch, no node under 32 bytes by its hash. A node that is needed
//! and is not there is an error that names its hash; that may be a sibling of what is removed, since where one way of a branch
//! is left, the branch is merged with the node there.
//!
//! SOUNDNESS: a node is taken only as the preimage of the hash that its parent holds ([`ByHash`]), from the root on; what
//! has not been read is still represented by that hash in the new root.

mod node;
mod path;
#[cfg(test)]
pub(crate) mod tests;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use alloy_primitives::{B256, keccak256};
use sextant_consensus::rlp::RlpError;

use crate::by_hash::ByHash;
use node::{Child, Kind, begin_list, end_list, write_leaf};
use path::{Path, common, nibble, with_nibble};

/// Root of a trie without entries: Keccak-256 of the empty string's RLP.
pub const EMPTY_ROOT: B256 = B256::new(sextant_consensus::trie::EMPTY_ROOT);

/// The nodes of a witness.
pub type Nodes<'a> = ByHash<'a>;

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

#[derive(Debug)]
struct Node<'a> {
    kind: Kind<'a>,
    /// What the parent says of it in the witness, as long as nothing at or below it has changed.
    reference: Option<&'a [u8]>,
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

/// A partial trie.
#[derive(Debug)]
pub struct Trie<'a> {
    nodes: Vec<Node<'a>>,
    root: Child<'a>,
    /// Hash of the root as long as nothing has changed.
    unchanged: Option<B256>,
    /// The last way from the root: places, with the nodes there. Kept for its memory alone.
    way: Vec<(Place, u32)>,
}

impl<'a> Trie<'a> {
    /// The trie with this root. Its node is read at once.
    ///
    /// # Errors
    /// [`TrieError`] if that node is missing or malformed.
    pub fn new(root: B256, nodes: &mut Nodes<'a>) -> Result<Self, TrieError> {
        let mut trie = Self::empty();
        if root != EMPTY_ROOT {
            let rlp = nodes.get(&root).ok_or(TrieError::Missing { hash: root, nibble: 0 })?;
            trie.root = trie.push(Kind::read(rlp, &B256::ZERO, 0)?, None);
            trie.unchanged = Some(root);
        }
        Ok(trie)
    }

    /// A trie without entries.
    pub const fn empty() -> Self {
        Self { nodes: Vec::new(), root: Child::Empty, unchanged: Some(EMPTY_ROOT), way: Vec::new() }
    }

    /// The value of a key; `None` if the trie has no such key.
    ///
    /// # Errors
    /// [`TrieError`] for a node on the way that is missing or malformed.
    pub fn get(&mut self, key: &B256, nodes: &mut Nodes<'a>) -> Result<Option<&[u8]>, TrieError> {
        let mut place = Place::Root;
        let mut depth = 0;
        while let Some(at) = self.resolve(place, key, depth, nodes)? {
            match &self.nodes[at as usize].kind {
                Kind::Leaf { key: own, .. } if own != key => break,
                Kind::Leaf { .. } => return Ok(self.value(at)),
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
            }
        }
        Ok(None)
    }

    /// Gives a key a value, which is never empty.
    ///
    /// # Errors
    /// [`TrieError`] for a node on the way that is missing or malformed. The trie is as before, then.
    pub fn insert(&mut self, key: &B256, value: Vec<u8>, nodes: &mut Nodes<'a>) -> Result<(), TrieError> {
        let mut place = Place::Root;
        let mut depth = 0;
        self.way.clear();
        let there = loop {
            let Some(at) = self.resolve(place, key, depth, nodes)? else {
                break self.push(Kind::Leaf { key: *key, value: Cow::Owned(value) }, None);
            };
            match &mut self.nodes[at as usize].kind {
                Kind::Leaf { key: own, value: old } if own == key => {
                    if **old == *value {
                        return Ok(());
                    }
                    *old = Cow::Owned(value);
                    self.way.push((place, at));
                    break Child::Node(at);
                }
                Kind::Leaf { key: own, .. } => {
                    let own = *own;
                    // It goes below the branch, with less of its key in its path.
                    self.nodes[at as usize].reference = None;
                    break self.fork(depth, &own, Child::Node(at), key, value);
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
                    let below = if shared + 1 == end {
                        child
                    } else {
                        self.nodes[at as usize].reference = None;
                        Child::Node(at)
                    };
                    break self.fork(depth, &own, below, key, value);
                }
                Kind::Branch(_) => {
                    self.way.push((place, at));
                    place = Place::Way(at, nibble(key, depth));
                    depth += 1;
                }
            }
        };
        self.put(place, there);
        self.mark_changed();
        Ok(())
    }

    /// Takes a key out, if it is there.
    ///
    /// # Errors
    /// [`TrieError`] for a node on the way that is missing or malformed, and for the sibling that is left alone in a branch.
    /// The trie is as before, then.
    pub fn remove(&mut self, key: &B256, nodes: &mut Nodes<'a>) -> Result<(), TrieError> {
        let mut place = Place::Root;
        let mut depth = 0;
        self.way.clear();
        loop {
            let Some(at) = self.resolve(place, key, depth, nodes)? else { return Ok(()) };
            match &self.nodes[at as usize].kind {
                Kind::Leaf { key: own, .. } if own == key => break,
                Kind::Leaf { .. } => return Ok(()),
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
            Place::Way(branch, taken) => match self.other_way(branch, taken) {
                Some(other) => self.collapse(key, depth - 1, other, nodes)?,
                None => self.put(place, Child::Empty),
            },
            // Extensions lead to branches only, so this is the root, and was the only key.
            Place::Root | Place::Under(_) => self.put(place, Child::Empty),
        }
        self.mark_changed();
        Ok(())
    }

    /// The trie's root, with what has been changed. Subtrees that are as they were are not hashed again.
    pub fn root(&self) -> B256 {
        if let Some(root) = self.unchanged {
            return root;
        }
        match self.root {
            Child::Empty => EMPTY_ROOT,
            Child::Unread(rlp) => keccak256(rlp),
            Child::Node(at) => {
                let mut rlp = Vec::with_capacity(2048);
                self.write(at, 0, &mut rlp);
                keccak256(&rlp)
            }
        }
    }

    fn push(&mut self, kind: Kind<'a>, reference: Option<&'a [u8]>) -> Child<'a> {
        self.nodes.push(Node { kind, reference });
        Child::Node(self.nodes.len() as u32 - 1)
    }

    fn value(&self, at: u32) -> Option<&[u8]> {
        match &self.nodes[at as usize].kind {
            Kind::Leaf { value, .. } => Some(value),
            _ => None,
        }
    }

    fn child(&self, place: Place) -> Child<'a> {
        match place {
            Place::Root => self.root,
            Place::Under(at) => match &self.nodes[at as usize].kind {
                Kind::Extension { child, .. } => *child,
                _ => Child::Empty,
            },
            Place::Way(at, way) => match &self.nodes[at as usize].kind {
                Kind::Branch(children) => children[usize::from(way)],
                _ => Child::Empty,
            },
        }
    }

    fn put(&mut self, place: Place, new: Child<'a>) {
        match place {
            Place::Root => self.root = new,
            Place::Under(at) => {
                if let Kind::Extension { child, .. } = &mut self.nodes[at as usize].kind {
                    *child = new;
                }
            }
            Place::Way(at, way) => {
                if let Kind::Branch(children) = &mut self.nodes[at as usize].kind {
                    children[usize::from(way)] = new;
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
        nodes: &mut Nodes<'a>,
    ) -> Result<Option<u32>, TrieError> {
        let reference = match self.child(place) {
            Child::Empty => return Ok(None),
            Child::Node(at) => return Ok(Some(at)),
            Child::Unread(reference) => reference,
        };
        let shape = |what| TrieError::Shape { nibble: depth, what };
        let rlp = match reference {
            [0xa0, hash @ ..] => {
                let hash = B256::try_from(hash).map_err(|_| shape("a hash that is none"))?;
                let rlp = nodes.get(&hash).ok_or(TrieError::Missing { hash, nibble: depth })?;
                if rlp.len() < 32 {
                    return Err(shape("a node under 32 bytes by its hash"));
                }
                rlp
            }
            inline => inline,
        };
        let kind = Kind::read(rlp, key, depth)?;
        if matches!(place, Place::Under(_)) && !matches!(kind, Kind::Branch(_)) {
            return Err(shape("no branch below an extension"));
        }
        let node = self.push(kind, Some(reference));
        self.put(place, node);
        Ok(match node {
            Child::Node(at) => Some(at),
            _ => None,
        })
    }

    /// Two ways where the keys `old` and `new` part, in place of the node at nibble `depth`: to `below`, and to a leaf.
    fn fork(&mut self, depth: usize, old: &B256, below: Child<'a>, new: &B256, value: Vec<u8>) -> Child<'a> {
        let end = common(old, new);
        let mut children = Box::new([Child::Empty; 16]);
        children[usize::from(nibble(old, end))] = below;
        children[usize::from(nibble(new, end))] =
            self.push(Kind::Leaf { key: *new, value: Cow::Owned(value) }, None);
        let branch = self.push(Kind::Branch(children), None);
        if end == depth {
            return branch;
        }
        self.push(Kind::Extension { key: *new, end: end as u8, child: branch }, None)
    }

    /// The only way of a branch beside the one that is `taken`; `None` if there are several.
    fn other_way(&self, branch: u32, taken: u8) -> Option<u8> {
        let Kind::Branch(children) = &self.nodes[branch as usize].kind else { return None };
        let mut others = (0..16).filter(|way| *way != taken && children[usize::from(*way)] != Child::Empty);
        match (others.next(), others.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Puts what is left of the branch at the end of the way, at nibble `depth`, in its place: the node on its `other` way.
    fn collapse(
        &mut self,
        key: &B256,
        depth: usize,
        other: u8,
        nodes: &mut Nodes<'a>,
    ) -> Result<(), TrieError> {
        let Some(&(mut place, branch)) = self.way.last() else { return Ok(()) };
        let own = with_nibble(key, depth, other);
        let Some(left) = self.resolve(Place::Way(branch, other), &own, depth + 1, nodes)? else {
            return Ok(());
        };
        let left = match &self.nodes[left as usize].kind {
            // A leaf or an extension takes the branch's nibble into its path, and an extension's above too.
            Kind::Leaf { .. } | Kind::Extension { .. } => {
                self.nodes[left as usize].reference = None;
                Child::Node(left)
            }
            Kind::Branch(_) => {
                let end = depth as u8 + 1;
                self.push(Kind::Extension { key: own, end, child: Child::Node(left) }, None)
            }
        };
        self.way.pop();
        if let Place::Under(_) = place
            && let Some((above, _)) = self.way.pop()
        {
            place = above;
        }
        self.put(place, left);
        Ok(())
    }

    /// The nodes on the way have other references now.
    fn mark_changed(&mut self) {
        for (_, at) in &self.way {
            self.nodes[*at as usize].reference = None;
        }
        self.unchanged = None;
    }

    /// Appends a node's RLP. Below each node are fewer nibbles, so this goes 64 deep at most.
    fn write(&self, at: u32, depth: usize, out: &mut Vec<u8>) {
        let start = begin_list(out);
        match &self.nodes[at as usize].kind {
            Kind::Leaf { key, value } => write_leaf(key, value, depth, out),
            Kind::Extension { key, end, child } => {
                let end = usize::from(*end);
                Path { key: *key, end, is_leaf: false }.write(depth, out);
                self.write_reference(*child, end, out);
            }
            Kind::Branch(children) => {
                children.iter().for_each(|child| self.write_reference(*child, depth + 1, out));
                out.push(0x80);
            }
        }
        end_list(start, out);
    }

    /// Appends what a parent holds of a child at nibble `depth`.
    fn write_reference(&self, child: Child<'a>, depth: usize, out: &mut Vec<u8>) {
        let at = match child {
            Child::Empty => return out.push(0x80),
            Child::Unread(reference) => return out.extend_from_slice(reference),
            Child::Node(at) => at,
        };
        if let Some(reference) = self.nodes[at as usize].reference {
            return out.extend_from_slice(reference);
        }
        let start = out.len();
        self.write(at, depth, out);
        if out.len() - start >= 32 {
            let hash = keccak256(&out[start..]);
            out.truncate(start);
            out.push(0xa0);
            out.extend_from_slice(hash.as_slice());
        }
    }
}
