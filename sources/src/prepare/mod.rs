//! Statement inputs from nodes. What a node says is checked on the way; what a whole statement says, a client checks
//! once more before it asks for a proof.

mod ancestry;
mod change;
mod events;
mod finalized;
mod inclusion;
mod scan;

use sextant_consensus::{execution_header::HeaderError, hash::Root, receipt::ReceiptError};

use crate::{LightClientError, SourceError, input::InputError};

pub use crate::input::{BlockName, Given, LogName, QuestionError, Questions, inclusion_given};
pub use change::{Periods, committee_change, hands_over, taught_by};
pub use finalized::Finalized;
pub use inclusion::{inclusion_for, inclusion_of, inclusion_under};
pub use scan::{BlockLogs, Scan, Scanned};

/// Why nodes' answers make no statement input.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// No node gave a usable answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The light client cannot go on.
    #[error(transparent)]
    LightClient(#[from] LightClientError),
    /// The answers do not fit together.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A range of periods that is none.
    #[error("committees from period {from} to {to}: nothing to hand over")]
    Range {
        /// First period, whose committee signs.
        from: u64,
        /// Last period, whose committee is learned.
        to: u64,
    },
    /// The periods begin before the trusted block.
    #[error("period {from} is before the checkpoint, whose period is {checkpoint}")]
    BeforeCheckpoint {
        /// First period asked for.
        from: u64,
        /// Period of the checkpoint.
        checkpoint: u64,
    },
    /// No committee of that period is known.
    #[error("no finalized handover to period {0} yet")]
    NotYet(u64),
    /// A block after the last finalized one.
    #[error(
        "block {number} is not final yet: the last final one is block {finalized} (--min-block {number} waits for it)"
    )]
    NotFinal {
        /// Its number.
        number: u64,
        /// The finalized one's.
        finalized: u64,
    },
    /// A block that no statement reaches.
    #[error(
        "block {number} is too far before the finalized block {finalized}: a statement takes 256 steps back, of 8,191 blocks \
         each since Prague, and of one block before"
    )]
    TooFar {
        /// Its number.
        number: u64,
        /// The finalized one's.
        finalized: u64,
    },
    /// A block of another branch than the finalized one's.
    #[error("block 0x{} is no ancestor of the finalized one: block {number} of its chain is 0x{}", hex::encode(.asked), hex::encode(.other))]
    NotAncestor {
        /// The hash asked for.
        asked: Root,
        /// The number of both.
        number: u64,
        /// The ancestor's hash.
        other: Root,
    },
    /// No node knows the transaction.
    #[error("no node knows a block with transaction 0x{}", hex::encode(.0))]
    UnknownTransaction(Root),
    /// Transactions of different blocks in one statement.
    #[error(
        "a statement is about one block: transaction 0x{} is in block {block}, 0x{} in block {other_block}",
        hex::encode(.transaction), hex::encode(.other)
    )]
    TwoBlocks {
        /// One transaction.
        transaction: Root,
        /// Number of its block.
        block: u64,
        /// Another.
        other: Root,
        /// Number of that one's block.
        other_block: u64,
    },
    /// The block does not answer what is asked.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// A header that hashes as it should, and is none.
    #[error("a block's header: {0}")]
    Header(#[from] HeaderError),
    /// A receipt of the block cannot be read.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}
