//! Why what is asked of a block cannot be answered by what is known of it.

use sextant_consensus::{chain::Fork, execution_header::HeaderError, hash::Root, receipt::ReceiptError};

use crate::InputError;

/// What is asked is not there, or takes more than was given or allowed.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The answers do not fit together.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Before Capella headers prove no execution block.
    #[error("the finalized header is of fork {0}, which proves no execution state")]
    NoExecution(Fork),
    /// The block does not have the transaction.
    #[error("block {block} has no transaction 0x{}", hex::encode(.transaction))]
    NotInBlock {
        /// Hash of the transaction.
        transaction: Root,
        /// Number of the block.
        block: u64,
    },
    /// A log that is not there.
    #[error("there is no log {log}, counted from 0: {place} has {count}")]
    NoLog {
        /// Its place.
        log: u32,
        /// The transaction or the block.
        place: String,
        /// How many there are.
        count: u32,
    },
    /// That a log is not there takes more than was allowed.
    #[error(
        "block {block} has no log of {filter}, but its bloom filter does not exclude one: only all its {receipts} receipts of \
         {bytes} bytes prove it, for some {gas} gas of proving (docs/statements.md says what that is); `all_receipts` \
         (--all-receipts) asks for that"
    )]
    NeedsReceipts {
        /// Address and topics.
        filter: String,
        /// Number of the block.
        block: u64,
        /// How many receipts it has.
        receipts: usize,
        /// What they come to in the statement.
        bytes: u64,
        /// What they add to its cost, by estimate.
        gas: u64,
    },
    /// A header that hashes as it should, and is none.
    #[error("a block's header: {0}")]
    Header(#[from] HeaderError),
    /// A receipt of the block cannot be read.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}
