//! Why answers do not make a statement input. Every error names the file or answer and the field or rule.

use std::{io, path::PathBuf};

use sextant_consensus::{build::BuildError, execution::ExecutionError, hash::Root, ssz::SszError};

/// A file or a node's answer that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is larger than any honest answer of a node.
    #[error("{}: {size} bytes, at most {limit} are read", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its length.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It is not JSON, or ends too early.
    #[error("{source_file}: not JSON: {error}")]
    Syntax {
        /// The file or answer.
        source_file: String,
        /// What the parser found, with line and column.
        error: serde_json::Error,
    },
    /// It is not the SSZ of the object expected.
    #[error("{source_file}: {error}")]
    Ssz {
        /// The file or answer.
        source_file: String,
        /// The field, and what is wrong with it.
        error: SszError,
    },
    /// A field is missing or has the wrong form.
    #[error("{source_file}: field `{path}`: {reason}")]
    Field {
        /// The file.
        source_file: String,
        /// Path of the field in it.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The node had answered with an error, and that was saved.
    #[error("{source_file}: the node answered with an error instead of a result: {message}")]
    NodeError {
        /// The file.
        source_file: String,
        /// The node's message.
        message: String,
    },
    /// The file holds an empty list.
    #[error("{source_file}: an empty list")]
    Empty {
        /// The file.
        source_file: String,
    },
    /// The objects do not have the shape that the chain's rules need.
    #[error("{source_file}: {error}")]
    Build {
        /// The file, or files.
        source_file: String,
        /// What is wrong.
        error: BuildError,
    },
    /// The execution block is not the one that the finalized header names.
    #[error("{source_file}: {error}")]
    Block {
        /// The block's file or answer.
        source_file: String,
        /// What is wrong.
        error: ExecutionError,
    },
    /// An update is not signed by the committee that is trusted.
    #[error(
        "{source_file}: does not connect: signed in period {got} (signature_slot {slot}), but the committee of \
         {signers} is that of period {expected}"
    )]
    Period {
        /// The update's file.
        source_file: String,
        /// Its signature slot.
        slot: u64,
        /// Period of that slot.
        got: u64,
        /// Where the committee comes from.
        signers: String,
        /// Its period.
        expected: u64,
    },
    /// Transactions or receipts that are not all of the block's.
    #[error(
        "{source_file}: these are not the {what} of block {block}: their trie has root 0x{}, the block's header names 0x{}",
        hex::encode(.got), hex::encode(.expected)
    )]
    Content {
        /// The file.
        source_file: String,
        /// `transactions` or `receipts`.
        what: &'static str,
        /// Number of the block.
        block: u64,
        /// The root that they have.
        got: Root,
        /// The root in the header.
        expected: Root,
    },
    /// Something about a block is asked for that takes an answer which is not there.
    #[error("block {block}: its {what} are needed for what is asked, and were not given")]
    Missing {
        /// Number of the block.
        block: u64,
        /// `header and transactions`, `transactions` or `receipts`.
        what: &'static str,
    },
    /// A block that is neither the finalized one nor on a way back from it.
    #[error("{source_file}: no way leads from the finalized block to block {number} (0x{}): {reason}", hex::encode(.hash))]
    Astray {
        /// The block's file.
        source_file: String,
        /// Its number.
        number: u64,
        /// Its hash.
        hash: Root,
        /// What is missing.
        reason: &'static str,
    },
    /// A proof of the history contract that names no block that was given.
    #[error("{source_file}: {reason}")]
    History {
        /// The proof's file.
        source_file: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The same account, or slot of an account, in two places.
    #[error("{what} is asked for twice: in {first} and in {second}")]
    Duplicate {
        /// The account or slot.
        what: String,
        /// Where it stands first.
        first: String,
        /// Where it stands again.
        second: String,
    },
}
