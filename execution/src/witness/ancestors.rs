//! The blocks before a block, by their headers: the parent, and the hashes that BLOCKHASH may ask for.
//!
//! EIP-2935's history contract needs nothing from here: the parent's hash is written to it from the block's own header, and
//! it is read as storage.

use alloc::vec::Vec;

use alloy_consensus::Header;
use alloy_primitives::{B256, keccak256};
use sextant_consensus::execution_header::ExecutionHeader;

use super::WitnessError;

/// BLOCKHASH reaches back so many blocks.
const REACH: usize = 256;

/// A chain of headers that ends with a block's parent.
#[derive(Clone, Debug)]
pub(super) struct Ancestors {
    parent: Header,
    /// Hashes from the parent back, the last by the parent hash in the oldest header.
    hashes: Vec<B256>,
}

impl Ancestors {
    /// Checks that headers in RLP, ascending, are a chain up to the block with the hash `parent_hash`.
    ///
    /// SOUNDNESS: the last header is bound by the parent hash in the block's header, each other one by the parent hash in
    /// the next; so are the hashes and the parent's fields. A number is bound as part of its header, and compared with the
    /// next all the same: whether the parent is a valid block is nothing that is known here.
    pub(super) fn new(headers: &[&[u8]], parent_hash: B256) -> Result<Self, WitnessError> {
        let Some(parent) = headers.last().filter(|_| headers.len() <= REACH) else {
            return Err(WitnessError::Headers(headers.len()));
        };
        let mut hashes = Vec::with_capacity(headers.len() + 1);
        let mut expected = parent_hash;
        let mut next = None;
        for (index, rlp) in headers.iter().enumerate().rev() {
            let got = keccak256(rlp);
            if got != expected {
                return Err(WitnessError::Ancestor { index, got, expected });
            }
            let header = ExecutionHeader::read(rlp).map_err(|error| WitnessError::Header { index, error })?;
            if let Some(next) = next.filter(|next| header.number.checked_add(1) != Some(*next)) {
                return Err(WitnessError::AncestorNumber { index, got: header.number, next });
            }
            hashes.push(got);
            expected = B256::new(header.parent_hash);
            next = Some(header.number);
        }
        hashes.push(expected);
        Ok(Self { parent: alloy_rlp::decode_exact(parent).map_err(WitnessError::Parent)?, hashes })
    }

    /// The parent's header.
    pub(super) const fn parent(&self) -> &Header {
        &self.parent
    }

    /// The hash of an earlier block, as far as the chain goes.
    pub(super) fn hash_of(&self, number: u64) -> Option<B256> {
        let back = self.parent.number.checked_sub(number)?;
        self.hashes.get(usize::try_from(back).ok()?).copied()
    }
}
