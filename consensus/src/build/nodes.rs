//! Trie nodes as nodes serve them, gathered for a statement: each once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::BuildError;
use crate::accounts::{AccountProof, SlotProof};
use crate::codec::Blob;

/// One account's proof as `eth_getProof` (EIP-1186) gives it: whole nodes, root first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountNodes {
    /// The address.
    pub address: [u8; 20],
    /// RLP of the nodes from the state root down.
    pub nodes: Vec<Vec<u8>>,
    /// Each slot with the RLP of the nodes from the storage root down.
    pub slots: Vec<([u8; 32], Vec<Vec<u8>>)>,
}

/// Collects trie nodes, each once.
#[derive(Default)]
pub(super) struct NodePool {
    pub(super) nodes: Vec<Blob>,
    positions: BTreeMap<Vec<u8>, u16>,
}

impl NodePool {
    pub(super) fn account(&mut self, account: &AccountNodes) -> Result<AccountProof, BuildError> {
        let mut slots = account
            .slots
            .iter()
            .map(|(key, nodes)| Ok(SlotProof { key: *key, path: self.path(nodes)? }))
            .collect::<Result<Vec<_>, BuildError>>()?;
        slots.sort_by_key(|slot| slot.key);
        if let Some(pair) = slots.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(BuildError::DuplicateSlot(pair[0].key));
        }
        Ok(AccountProof { address: account.address, path: self.path(&account.nodes)?, slots })
    }

    pub(super) fn path(&mut self, nodes: &[Vec<u8>]) -> Result<Vec<u16>, BuildError> {
        // Some nodes prove an empty trie by the empty string's RLP; its root already says so. And nodes of less than
        // 32 bytes stand inside their parent, though some servers list them again.
        let own = nodes
            .iter()
            .enumerate()
            .filter(|(depth, node)| node.len() >= 32 || (*depth == 0 && **node != [0x80]));
        own.map(|(_, node)| match self.positions.get(node) {
            Some(position) => Ok(*position),
            None => {
                let position = u16::try_from(self.nodes.len()).map_err(|_| BuildError::TooManyNodes)?;
                self.nodes.push(Blob(node.clone()));
                self.positions.insert(node.clone(), position);
                Ok(position)
            }
        })
        .collect()
    }
}
