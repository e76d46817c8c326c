//! What an inclusion is asked to prove.

use sextant_consensus::{events::LogFilter, hash::Root};

/// An account, and the storage slots wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The address.
    pub address: [u8; 20],
    /// The slots' keys, 32 bytes as contracts address them.
    pub slots: Vec<[u8; 32]>,
}

/// What to prove, all of it about one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// The block. None: that of the transactions named, or else the finalized one.
    pub block: Option<BlockName>,
    /// Accounts and slots.
    pub accounts: Vec<Watched>,
    /// Transactions, by their hashes.
    pub transactions: Vec<Root>,
    /// Single logs.
    pub logs: Vec<LogName>,
    /// All logs that pass; where there are none, that there are none.
    pub filters: Vec<LogFilter>,
    /// Whether all receipts of the block may become part of the statement, where only they prove that a log is not there.
    pub all_receipts: bool,
}

/// A finalized block or an ancestor of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockName {
    /// By its number.
    Number(u64),
    /// By its hash.
    Hash(Root),
}

/// Which logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogName {
    /// One of a transaction, by its position in the receipt; none: all of them.
    Of {
        /// Hash of the transaction.
        transaction: Root,
        /// From 0.
        position: Option<u32>,
    },
    /// By its place among all logs of the block, from 0: `logIndex` in nodes' answers.
    InBlock(u32),
}

impl Questions {
    /// Accounts and slots alone.
    pub fn accounts(accounts: &[Watched]) -> Self {
        Self { accounts: accounts.to_vec(), ..Self::default() }
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.has_events()
    }

    /// Whether transactions or logs are asked about.
    pub fn has_events(&self) -> bool {
        !self.transactions.is_empty() || !self.logs.is_empty() || !self.filters.is_empty()
    }

    /// The transactions that are named, each as often as it is.
    pub fn named(&self) -> impl Iterator<Item = Root> {
        let of_logs = self.logs.iter().filter_map(|log| match log {
            LogName::Of { transaction, .. } => Some(*transaction),
            LogName::InBlock(_) => None,
        });
        self.transactions.iter().copied().chain(of_logs)
    }
}
