//! What a proof says: the public values of the statements, ABI-encoded exactly as `abi.encode(struct)` of
//! Solidity would. `contracts` and clients read the same bytes.

mod accounts;
#[cfg(feature = "recursion")]
mod bundle;
#[cfg(feature = "chain")]
mod chain;
mod encoding;
mod events;

use alloc::vec::Vec;

#[cfg(feature = "recursion")]
pub use self::bundle::{Bundle, Bundled};
#[cfg(feature = "chain")]
pub use self::chain::CommitteeChain;
use crate::abi::AbiError;
pub use crate::execution_header::Block;
use crate::hash::{Root, keccak256};
use crate::program::Program;

/// Version of the public values' layout; the first word of each statement.
pub const VERSION: u64 = 2;

/// Bytes of a log's data that stand in public values; longer data are named by their hash.
pub const MAX_LOG_DATA: usize = 1024;

/// What statements about a chain begin with: eleven words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which statement.
    pub program: Program,
    /// [`crate::chain::ChainConfig::digest`].
    pub chain_digest: Root,
    /// Period of the committee that has to be trusted. It follows from the slot of the signature, which nobody signs:
    /// what is proven is that the committee below signed, in this period or, of an inclusion, in one of the attested
    /// header's period and the next. Whoever verifies compares the root with the one they trust for that period.
    pub signer_period: u64,
    /// `hash_tree_root` of that committee. Where an inclusion learns committees, it is the first one's, which handed over;
    /// the last one learned signed.
    pub signer_committee_root: Root,
    /// Seats that signed; the lowest number where several committees signed in a row.
    pub participation: u64,
    /// Slot of the finalized header.
    pub finalized_slot: u64,
    /// Beacon block root of the finalized header.
    pub finalized_root: Root,
    /// Execution block number; 0, together with a zero state root, if not proven.
    pub block_number: u64,
    /// Hash of the execution block that the finalized header proves: since Gloas that of the block it builds on.
    /// Zero before Capella.
    pub block_hash: Root,
    /// Execution state root under that block. Zero means "not proven", never "empty": before Capella nothing proves
    /// it, and since Gloas only a statement that brings the execution block's header does. An inclusion always has
    /// one.
    pub state_root: Root,
}

/// A committee that became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The period in which it signs.
    pub period: u64,
    /// `hash_tree_root(SyncCommittee)`.
    pub committee_root: Root,
}

/// Public values of a committee change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeChange {
    /// The trusted committee and the last finalized header.
    pub head: Head,
    /// The committees of the periods after it, in order.
    pub learned: Vec<Learned>,
}

/// A storage slot's proven content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The slot, 32 bytes as contracts address it.
    pub key: [u8; 32],
    /// Whether the trie holds it. Ethereum deletes zeros: an absent slot reads as zero.
    pub exists: bool,
    /// Big-endian; zero if absent.
    pub value: [u8; 32],
}

/// An account's proven content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address.
    pub address: [u8; 20],
    /// Whether the state holds it; all that follows is zero if not.
    pub exists: bool,
    /// Transactions sent, or contracts made.
    pub nonce: u64,
    /// Wei, big-endian.
    pub balance: [u8; 32],
    /// Root of its storage trie.
    pub storage_root: Root,
    /// Keccak-256 of its code.
    pub code_hash: Root,
    /// The slots that were asked for, ascending.
    pub slots: Vec<Slot>,
}

/// A transaction that is in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Keccak-256 of its envelope. Zero: not proven, only the receipt at its index is.
    pub hash: Root,
    /// Its place in the block, from 0.
    pub index: u32,
    /// Whether it succeeded, as its receipt says.
    pub succeeded: bool,
}

/// A log that is in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Index of its transaction, which stands in the statement too.
    pub transaction: u32,
    /// Its place in that transaction's receipt, from 0.
    pub position: u32,
    /// Who emitted it.
    pub address: [u8; 20],
    /// Its topics.
    pub topics: Vec<Root>,
    /// Its data.
    pub data: LogData,
}

/// A log's data: whole up to [`MAX_LOG_DATA`] bytes, and by their hash beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogData {
    /// The bytes.
    Whole(Vec<u8>),
    /// Keccak-256 of the bytes.
    Hash(Root),
}

impl LogData {
    /// What public values show of these data.
    pub fn of(data: &[u8]) -> Self {
        if data.len() <= MAX_LOG_DATA { Self::Whole(data.to_vec()) } else { Self::Hash(keccak256(data)) }
    }
}

/// A log that is not in the block: none of this address begins with these topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoLog {
    /// Who did not emit it.
    pub address: [u8; 20],
    /// Its first topics. None: no log of the address at all.
    pub topics: Vec<Root>,
}

/// Public values of an inclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The committee that has to be trusted, and the finalized header.
    pub head: Head,
    /// The block that all of the following is about: the finalized one, or an ancestor of it.
    pub facts: Block,
    /// The accounts that were asked for, ascending by address.
    pub accounts: Vec<Account>,
    /// The committees of the periods after the trusted one's up to the one that signed, in order; mostly none.
    pub learned: Vec<Learned>,
    /// The transactions that were asked for, ascending by index.
    pub transactions: Vec<Transaction>,
    /// The logs that were asked for, ascending by transaction and position.
    pub logs: Vec<Log>,
    /// The logs that are not there, ascending by address and topics.
    pub no_logs: Vec<NoLog>,
}

/// What a proof may state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Statement 1.
    CommitteeChange(CommitteeChange),
    /// Statement 2.
    Inclusion(Inclusion),
    /// Statement 3.
    #[cfg(feature = "recursion")]
    Bundle(Bundle),
    /// Statement 4.
    #[cfg(feature = "chain")]
    Chain(CommitteeChain),
}

impl Statement {
    /// Reads the public values of a proof by `program`.
    ///
    /// # Errors
    /// [`AbiError`] unless the bytes are exactly one encoding of that program's public values.
    pub fn abi_decode(program: Program, bytes: &[u8]) -> Result<Self, AbiError> {
        match program {
            Program::CommitteeChange => CommitteeChange::abi_decode(bytes).map(Self::CommitteeChange),
            Program::Inclusion => Inclusion::abi_decode(bytes).map(Self::Inclusion),
            #[cfg(feature = "recursion")]
            Program::Bundle => Bundle::abi_decode(bytes).map(Self::Bundle),
            #[cfg(feature = "chain")]
            Program::Chain => CommitteeChain::abi_decode(bytes).map(Self::Chain),
        }
    }

    /// The public values' bytes.
    pub fn abi_encode(&self) -> Vec<u8> {
        match self {
            Self::CommitteeChange(values) => values.abi_encode(),
            Self::Inclusion(values) => values.abi_encode(),
            #[cfg(feature = "recursion")]
            Self::Bundle(values) => values.abi_encode(),
            #[cfg(feature = "chain")]
            Self::Chain(values) => values.abi_encode(),
        }
    }

    /// Whose statement it is.
    pub fn program(&self) -> Program {
        match self {
            Self::CommitteeChange(_) => Program::CommitteeChange,
            Self::Inclusion(_) => Program::Inclusion,
            #[cfg(feature = "recursion")]
            Self::Bundle(_) => Program::Bundle,
            #[cfg(feature = "chain")]
            Self::Chain(_) => Program::Chain,
        }
    }

    /// The chain that it is about: [`crate::chain::ChainConfig::digest`].
    pub fn chain_digest(&self) -> Root {
        match self {
            Self::CommitteeChange(values) => values.head.chain_digest,
            Self::Inclusion(values) => values.head.chain_digest,
            #[cfg(feature = "recursion")]
            Self::Bundle(values) => values.chain_digest,
            #[cfg(feature = "chain")]
            Self::Chain(values) => values.head.chain_digest,
        }
    }

    /// The committee to trust and the finalized header, which a statement about a chain begins with. A bundle has none:
    /// each statement in it has its own.
    pub fn head(&self) -> Option<&Head> {
        match self {
            Self::CommitteeChange(values) => Some(&values.head),
            Self::Inclusion(values) => Some(&values.head),
            #[cfg(feature = "recursion")]
            Self::Bundle(_) => None,
            #[cfg(feature = "chain")]
            Self::Chain(values) => Some(&values.head),
        }
    }
}
