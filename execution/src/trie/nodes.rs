//! The nodes of all tries over one witness: found by their hash when a key first leads to them, kept as they were read, and
//! written again where they have changed.

use alloc::vec::Vec;

use alloy_primitives::{B256, keccak256};

use super::node::{Branch, Child, Kind, begin_list, end_list, write_leaf};
use super::path::Path;
use super::{TrieError, not_read};
use crate::by_hash::{ByHash, room};

/// A node that has been read or made.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) kind: Kind<'a>,
    /// What the parent says of it in the witness, as long as nothing at or below it has changed.
    pub(super) reference: Option<&'a [u8]>,
}

/// The nodes of a witness, and those of the tries over it.
///
/// The tries have one list between them: lists that grow are copied, and in the zkVM memory costs when it is first used, not
/// when it is reserved.
#[derive(Debug, Default)]
pub struct Nodes<'a> {
    witness: ByHash<'a>,
    pub(super) known: Vec<Node<'a>>,
}

impl<'a> Nodes<'a> {
    /// The nodes of a witness, in any order.
    pub fn new(witness: &[&'a [u8]]) -> Self {
        // A node is read once, but for equal ones; more are made as the tries change.
        let room = room(witness);
        let known = Vec::with_capacity(room + room / 4);
        Self { witness: ByHash::new(witness), known }
    }

    /// The node with this hash, if the witness has it.
    pub(super) fn find(&mut self, hash: &B256) -> Option<&'a [u8]> {
        self.witness.get(hash)
    }

    pub(super) fn push(&mut self, kind: Kind<'a>, reference: Option<&'a [u8]>) -> u32 {
        self.known.push(Node { kind, reference });
        self.known.len() as u32 - 1
    }

    pub(super) fn kind(&self, at: u32) -> &Kind<'a> {
        &self.known[at as usize].kind
    }

    pub(super) fn kind_mut(&mut self, at: u32) -> &mut Kind<'a> {
        &mut self.known[at as usize].kind
    }

    /// The reference of a node that has not been read.
    pub(super) fn unread(&self, at: u32) -> Option<&'a [u8]> {
        let Node { kind, reference } = &self.known[at as usize];
        reference.filter(|_| matches!(kind, Kind::Unread))
    }

    /// What is at or below this node is no longer what the witness has.
    pub(super) fn mark_changed(&mut self, at: u32) {
        self.known[at as usize].reference = None;
    }

    /// Reads the node that a reference stands for and the first `depth` nibbles of `key` lead to.
    ///
    /// SOUNDNESS: what is read is the preimage of the hash in the reference, or the reference itself.
    pub(super) fn read(
        &mut self,
        reference: &'a [u8],
        key: &B256,
        depth: usize,
    ) -> Result<Kind<'a>, TrieError> {
        let shape = |what| TrieError::Shape { nibble: depth, what };
        let rlp = match reference {
            [0xa0, hash @ ..] => {
                let hash = <&B256>::try_from(hash).map_err(|_| shape("a hash that is none"))?;
                let rlp = self.find(hash).ok_or(TrieError::Missing { hash: *hash, nibble: depth })?;
                if rlp.len() < 32 {
                    return Err(shape("a node under 32 bytes by its hash"));
                }
                rlp
            }
            inline => inline,
        };
        Kind::read(rlp, key, depth)
    }

    /// The hash of a root.
    pub(super) fn hash(&self, root: u32) -> Result<B256, TrieError> {
        let mut rlp = Vec::with_capacity(2048);
        self.write(root, 0, &mut rlp)?;
        Ok(keccak256(&rlp))
    }

    /// Appends a node's RLP. Below each node are fewer nibbles, so this goes 64 deep at most.
    fn write(&self, at: u32, depth: usize, out: &mut Vec<u8>) -> Result<(), TrieError> {
        let start = begin_list(out);
        match self.kind(at) {
            Kind::Leaf { key, value } => write_leaf(key, value, depth, out),
            Kind::Extension { key, end, child } => {
                let end = usize::from(*end);
                Path { key: *key, end, is_leaf: false }.write(depth, out);
                self.write_reference(*child, end, out)?;
            }
            Kind::Branch(branch) => self.write_branch(branch, depth, out)?,
            // Such a node has its reference, and is never written.
            Kind::Unread => return Err(not_read(depth)),
        }
        end_list(start, out);
        Ok(())
    }

    /// Appends a branch's items. Those that are as they were when it was read are copied together, up to the next that is not.
    fn write_branch(&self, branch: &Branch<'a>, depth: usize, out: &mut Vec<u8>) -> Result<(), TrieError> {
        let (mut start, mut end) = (0, 0);
        for way in 0..16 {
            let child = branch.child(way);
            let was = branch.item(end);
            let is_same = match child {
                Child::Empty => *was == [0x80],
                Child::Unread(_) => true,
                Child::Node(at) => {
                    self.known[at as usize].reference.is_some_and(|own| own.as_ptr() == was.as_ptr())
                }
            };
            if !is_same {
                out.extend_from_slice(&branch.payload()[start..end]);
                self.write_reference(child, depth + 1, out)?;
                start = end + was.len();
            }
            end += was.len();
        }
        out.extend_from_slice(&branch.payload()[start..]);
        Ok(())
    }

    /// Appends what a parent holds of a child at nibble `depth`.
    fn write_reference(&self, child: Child<'a>, depth: usize, out: &mut Vec<u8>) -> Result<(), TrieError> {
        let reference = match child {
            Child::Empty => Ok(&[0x80][..]),
            Child::Unread(reference) => Ok(reference),
            Child::Node(at) => self.known[at as usize].reference.ok_or(at),
        };
        let at = match reference {
            Ok(reference) => {
                out.extend_from_slice(reference);
                return Ok(());
            }
            Err(at) => at,
        };
        let start = out.len();
        self.write(at, depth, out)?;
        if out.len() - start >= 32 {
            let hash = keccak256(&out[start..]);
            out.truncate(start);
            out.push(0xa0);
            out.extend_from_slice(hash.as_slice());
        }
        Ok(())
    }
}
