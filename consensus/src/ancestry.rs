//! From the finalized execution block back to an ancestor of it, step by step.
//!
//! A step goes to the parent, by the hash in the block's own header; or, since Prague, up to 8,191 blocks back, by the
//! slot of the history contract in the block's state that holds an earlier block's hash (EIP-2935). Each step brings the
//! earlier block's header, from which the next one may go on.

use alloc::vec::Vec;

use crate::accounts::{ProofError, account_facts, slot_content};
use crate::codec::{Blob, record};
use crate::execution_header::{Block, ExecutionHeader, HeaderError};
use crate::hash::keccak256;
use crate::trie_nodes::TrieNodes;

/// The history contract (EIP-2935): slot *n* mod [`HISTORY_WINDOW`] holds the hash of block *n*.
pub const HISTORY_ADDRESS: [u8; 20] = [
    0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20,
    0x00, 0x29, 0x35,
];

/// How many blocks before its own a state's history contract names (EIP-2935: `HISTORY_SERVE_WINDOW`).
pub const HISTORY_WINDOW: u64 = 8191;

/// Steps that one statement may take.
pub const MAX_STEPS: usize = 256;

record! {
    /// One step back.
    pub struct Step {
        /// The path of [`HISTORY_ADDRESS`] in the state of the block before: positions in the statement's nodes. Empty:
        /// the step goes to the parent.
        pub account: Vec<u16>,
        /// The path of the earlier block's slot in the contract's storage. Empty where the other one is.
        pub slot: Vec<u16>,
        /// Header of the block that the step goes to, in RLP.
        pub header: Blob,
    }
}

/// Why an ancestor is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AncestryError {
    /// More steps than a statement may take.
    #[error("{0} steps back, more than 256")]
    TooMany(usize),
    /// One step is refused.
    #[error("step {step} back: {error}")]
    Step {
        /// Which one, from 0.
        step: usize,
        /// Why.
        error: StepError,
    },
}

/// Why one step back is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The parent's hash stands in the block's own header.
    #[error("the finalized block's header is needed to name its parent")]
    NoHeader,
    /// The earlier block's header is none.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The header is not the one that the block's header names as its parent.
    #[error("the header is not the parent's: it does not hash to the parent hash")]
    ParentHash,
    /// A parent is numbered one less.
    #[error("block {got} is no parent of block {child}")]
    ParentNumber {
        /// Number of the header.
        got: u64,
        /// Number of the block before.
        child: u64,
    },
    /// A state's history contract names the 8,191 blocks before it, and no others.
    #[error("block {got} is not among the 8191 before block {from}, which its history contract names")]
    Window {
        /// Number of the header.
        got: u64,
        /// Number of the block before.
        from: u64,
    },
    /// The history contract's proof is refused.
    #[error("history contract: {0}")]
    Account(ProofError),
    /// The proof of the history contract's slot is refused.
    #[error("history contract's slot: {0}")]
    Slot(ProofError),
    /// The state has no history contract, or nothing in the slot.
    #[error("the history contract holds no hash there")]
    NoHistory,
    /// The slot holds another block's hash.
    #[error("the header is not that of the hash in the history contract")]
    HistoryHash,
}

/// Follows all steps from `block`; returns the last one's block and header, or `block` and its own.
///
/// SOUNDNESS: `block` and its header, where it is given, are proven; so is whatever comes out.
pub(crate) fn follow<'a>(
    mut block: Block,
    mut header: Option<ExecutionHeader<'a>>,
    steps: &'a [Step],
    nodes: &mut TrieNodes<'_>,
) -> Result<(Block, Option<ExecutionHeader<'a>>), AncestryError> {
    if steps.len() > MAX_STEPS {
        return Err(AncestryError::TooMany(steps.len()));
    }
    for (step, taken) in steps.iter().enumerate() {
        let (earlier, its_header) = taken
            .take(&block, header.as_ref(), nodes)
            .map_err(|error| AncestryError::Step { step, error })?;
        (block, header) = (earlier, Some(its_header));
    }
    Ok((block, header))
}

/// The slot of the history contract that holds the hash of block `number`.
pub fn history_slot(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[24..].copy_from_slice(&(number % HISTORY_WINDOW).to_be_bytes());
    key
}

impl Step {
    /// Takes the step from a proven block.
    fn take(
        &self,
        from: &Block,
        from_header: Option<&ExecutionHeader<'_>>,
        nodes: &mut TrieNodes<'_>,
    ) -> Result<(Block, ExecutionHeader<'_>), StepError> {
        let hash = keccak256(&self.header);
        let header = ExecutionHeader::read(&self.header)?;
        if self.account.is_empty() && self.slot.is_empty() {
            let child = from_header.ok_or(StepError::NoHeader)?;
            if hash != child.parent_hash {
                return Err(StepError::ParentHash);
            }
            if header.number.checked_add(1) != Some(from.number) {
                return Err(StepError::ParentNumber { got: header.number, child: from.number });
            }
        } else {
            let got = header.number;
            if !(got < from.number && from.number - got <= HISTORY_WINDOW) {
                return Err(StepError::Window { got, from: from.number });
            }
            let contract = account_facts(&from.state_root, &HISTORY_ADDRESS, &self.account, nodes)
                .map_err(StepError::Account)?;
            let slot = slot_content(&contract.storage(), &history_slot(got), &self.slot, nodes)
                .map_err(StepError::Slot)?;
            if !slot.exists {
                return Err(StepError::NoHistory);
            }
            if slot.value != hash {
                return Err(StepError::HistoryHash);
            }
        }
        Ok((header.block(hash), header))
    }
}
