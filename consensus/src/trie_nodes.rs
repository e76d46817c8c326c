//! The trie nodes that all proofs of a statement share: hashed once each, and none left over.

use alloc::vec::Vec;

use crate::codec::Blob;
use crate::hash::Root;
use crate::trie::{self, Node, TrieError};

/// The nodes, and which of them a proof has used.
#[derive(Debug)]
pub(crate) struct TrieNodes<'a> {
    nodes: Vec<Node<'a>>,
    used: Vec<bool>,
}

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path names a node that is not there.
    #[error("path names node {0}, which is not in the input")]
    NoNode(u16),
    /// Two paths end in one node, where no two values are the same.
    #[error("path ends in node {0}, which another path has used")]
    SharedEnd(u16),
    /// The walk through the trie fails.
    #[error(transparent)]
    Trie(#[from] TrieError),
}

impl<'a> TrieNodes<'a> {
    pub(crate) fn new(nodes: &'a [Blob]) -> Self {
        Self {
            nodes: nodes.iter().map(|rlp| Node::new(rlp)).collect(),
            used: alloc::vec![false; nodes.len()],
        }
    }

    /// The value under a hashed key.
    pub(crate) fn lookup(
        &mut self,
        root: &Root,
        key: &Root,
        path: &[u16],
    ) -> Result<Option<&'a [u8]>, PathError> {
        self.take(path)?;
        Ok(trie::lookup(root, key, self.along(path))?)
    }

    /// The value at an index of a block's transactions or receipts. No other path has its last node: no two transactions
    /// are the same, by their nonces, and no two receipts, by the gas used so far. Else one long value, under many
    /// indices of a trie made for it, would be hashed and read as many times.
    pub(crate) fn lookup_index(
        &mut self,
        root: &Root,
        index: u32,
        path: &[u16],
    ) -> Result<Option<&'a [u8]>, PathError> {
        let shared = path.last().filter(|end| self.used.get(usize::from(**end)) == Some(&true));
        self.take(path)?;
        let value = trie::lookup_index(root, index, self.along(path))?;
        match shared {
            Some(end) => Err(PathError::SharedEnd(*end)),
            None => Ok(value),
        }
    }

    /// The first node that no path has used.
    pub(crate) fn unused(&self) -> Option<usize> {
        self.used.iter().position(|used| !used)
    }

    /// Marks a path's nodes as used.
    fn take(&mut self, path: &[u16]) -> Result<(), PathError> {
        for position in path {
            *self.used.get_mut(usize::from(*position)).ok_or(PathError::NoNode(*position))? = true;
        }
        Ok(())
    }

    fn along(&self, path: &[u16]) -> impl Iterator<Item = Node<'a>> {
        path.iter().map(|position| self.nodes[usize::from(*position)])
    }
}
