//! What happened in a block: transactions, their logs, and logs that are not there.

use alloc::vec::Vec;

use crate::bloom::Bloom;
use crate::codec::{Blob, record};
use crate::execution_header::{ExecutionHeader, HeaderError};
use crate::hash::{Root, keccak256};
use crate::ordered::ordered_root;
use crate::public_values::{Log, LogData, NoLog, Transaction};
use crate::receipt::{Receipt, ReceiptError, ReceiptLog, open_envelope};
use crate::trie_nodes::{PathError, TrieNodes};

record! {
    /// One transaction, and what is asked of its receipt.
    pub struct TransactionProof {
        /// Its place in the block, from 0.
        pub index: u32,
        /// The path from the transactions root: positions in the statement's nodes. Empty: its hash is not proven.
        pub transaction: Vec<u16>,
        /// The path from the receipts root. Empty where all receipts are given.
        pub receipt: Vec<u16>,
        /// Positions in the receipt of the logs asked for, strictly ascending.
        pub logs: Vec<u32>,
    }
}

record! {
    /// Logs of which the block has none: those of an address whose first topics are these.
    #[derive(PartialOrd, Ord)]
    pub struct LogFilter {
        /// Who would have emitted it.
        pub address: [u8; 20],
        /// Its first topics, at most four. None: any log of the address.
        pub topics: Vec<Root>,
    }
}

/// Topics of a log, at most (yellow paper, 9.4.1: LOG0 to LOG4).
const MAX_TOPICS: usize = 4;

/// Why events are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// The roots stand in the block's header.
    #[error("the block's header is needed: it names the roots of transactions and receipts")]
    NoHeader,
    /// The receipts given are not those of the block.
    #[error("receipts: their trie does not have the block's receipts root")]
    Receipts,
    /// All receipts are given, and nothing is read in them.
    #[error("receipts are given that no transaction and no log needs")]
    UnusedReceipts,
    /// Transactions are repeated or unordered.
    #[error("transaction {0}: indices must be unique and ascending")]
    TransactionOrder(usize),
    /// A transaction is refused.
    #[error("transaction {transaction}: {error}")]
    Transaction {
        /// Which of those asked for, from 0.
        transaction: usize,
        /// Why.
        error: TransactionError,
    },
    /// Absent logs are repeated or unordered.
    #[error("absent log {0}: addresses and topics must be unique and ascending")]
    NoLogOrder(usize),
    /// The absence of a log is refused.
    #[error("absent log {no_log}: {error}")]
    NoLog {
        /// Which of those asked for, from 0.
        no_log: usize,
        /// Why.
        error: NoLogError,
    },
}

/// Why a transaction is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// The transaction's path is refused.
    #[error("transactions trie: {0}")]
    Transactions(PathError),
    /// The receipt's path is refused.
    #[error("receipts trie: {0}")]
    Receipts(PathError),
    /// All receipts are given, and a path too.
    #[error("a path to a receipt, where all receipts are given")]
    SurplusPath,
    /// The block has fewer transactions.
    #[error("the block has no transaction of this index")]
    Missing,
    /// The envelope or the receipt is refused.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// Positions are repeated or unordered.
    #[error("log {0}: positions must be unique and ascending")]
    LogOrder(usize),
}

/// Why the absence of a log is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLogError {
    /// No log has so many topics.
    #[error("{0} topics, where a log has at most 4")]
    Topics(usize),
    /// The block's header has no filter.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The filter does not exclude it, and only all receipts can.
    #[error("the block's bloom filter does not exclude it: all receipts of the block are needed")]
    NotExcluded,
    /// There is such a log.
    #[error("transaction {transaction} has it: log {position} of its receipt")]
    Found {
        /// Index of the transaction.
        transaction: usize,
        /// Position in its receipt.
        position: usize,
    },
    /// A receipt is refused.
    #[error("receipt {0}: {1}")]
    Receipt(usize, ReceiptError),
}

/// What is asked about the events of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Questions<'a> {
    pub(crate) transactions: &'a [TransactionProof],
    pub(crate) no_logs: &'a [LogFilter],
    /// All receipts of the block, or none.
    pub(crate) receipts: &'a [Blob],
}

/// The answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) logs: Vec<Log>,
    pub(crate) no_logs: Vec<NoLog>,
}

impl Questions<'_> {
    const fn is_empty(&self) -> bool {
        self.transactions.is_empty() && self.no_logs.is_empty()
    }

    /// Answers them from a block's header, which is proven.
    pub(crate) fn answer(
        &self,
        header: Option<&ExecutionHeader<'_>>,
        nodes: &mut TrieNodes<'_>,
    ) -> Result<Events, EventsError> {
        let mut events = Events::default();
        if self.is_empty() {
            let nothing = self.receipts.is_empty();
            return if nothing { Ok(events) } else { Err(EventsError::UnusedReceipts) };
        }
        let header = header.ok_or(EventsError::NoHeader)?;
        if !self.receipts.is_empty() && ordered_root(self.receipts) != header.receipts_root {
            return Err(EventsError::Receipts);
        }
        for (transaction, proof) in self.transactions.iter().enumerate() {
            if events.transactions.last().is_some_and(|before| before.index >= proof.index) {
                return Err(EventsError::TransactionOrder(transaction));
            }
            let facts = self
                .transaction(header, proof, nodes, &mut events.logs)
                .map_err(|error| EventsError::Transaction { transaction, error })?;
            events.transactions.push(facts);
        }
        let scanned = self.absences(header)?;
        if !self.receipts.is_empty() && self.transactions.is_empty() && !scanned {
            return Err(EventsError::UnusedReceipts);
        }
        let no_log = |filter: &LogFilter| NoLog { address: filter.address, topics: filter.topics.clone() };
        events.no_logs = self.no_logs.iter().map(no_log).collect();
        Ok(events)
    }

    /// A transaction with its status; the logs asked of it go to `logs`.
    fn transaction(
        &self,
        header: &ExecutionHeader<'_>,
        proof: &TransactionProof,
        nodes: &mut TrieNodes<'_>,
        logs: &mut Vec<Log>,
    ) -> Result<Transaction, TransactionError> {
        let hash = if proof.transaction.is_empty() {
            [0; 32]
        } else {
            let envelope = nodes
                .lookup_index(&header.transactions_root, proof.index, &proof.transaction)
                .map_err(TransactionError::Transactions)?
                .ok_or(TransactionError::Missing)?;
            open_envelope(envelope)?;
            keccak256(envelope)
        };
        let receipt = if self.receipts.is_empty() {
            nodes
                .lookup_index(&header.receipts_root, proof.index, &proof.receipt)
                .map_err(TransactionError::Receipts)?
        } else if proof.receipt.is_empty() {
            self.receipts.get(proof.index as usize).map(|receipt| &receipt[..])
        } else {
            return Err(TransactionError::SurplusPath);
        };
        let receipt = Receipt::read(receipt.ok_or(TransactionError::Missing)?)?;
        if let Some(at) = proof.logs.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(TransactionError::LogOrder(at + 1));
        }
        for (position, log) in proof.logs.iter().zip(receipt.logs_at(&proof.logs)) {
            logs.push(public_log(proof.index, *position, &log?)?);
        }
        Ok(Transaction { hash, index: proof.index, succeeded: receipt.succeeded })
    }

    /// Checks that the block has none of the logs in `no_logs`; says whether the receipts had to be read for it.
    fn absences(&self, header: &ExecutionHeader<'_>) -> Result<bool, EventsError> {
        let refuse = |no_log, error| EventsError::NoLog { no_log, error };
        // The first one that the filter does not exclude.
        let mut left = None;
        for (no_log, filter) in self.no_logs.iter().enumerate() {
            if no_log > 0 && self.no_logs[no_log - 1] >= *filter {
                return Err(EventsError::NoLogOrder(no_log));
            }
            if filter.topics.len() > MAX_TOPICS {
                return Err(refuse(no_log, NoLogError::Topics(filter.topics.len())));
            }
            let bloom = Bloom(header.logs_bloom().map_err(|error| refuse(no_log, error.into()))?);
            if left.is_none() && !bloom.excludes(&filter.address, &filter.topics) {
                left = Some(no_log);
            }
        }
        let Some(left) = left else { return Ok(false) };
        if self.receipts.is_empty() {
            return Err(refuse(left, NoLogError::NotExcluded));
        }
        for (transaction, receipt) in self.receipts.iter().enumerate() {
            let unread = |error| refuse(left, NoLogError::Receipt(transaction, error));
            for (position, log) in Receipt::read(receipt).map_err(unread)?.logs().enumerate() {
                if let Some(no_log) = log.and_then(|log| self.denied(&log)).map_err(unread)? {
                    return Err(refuse(no_log, NoLogError::Found { transaction, position }));
                }
            }
        }
        Ok(true)
    }

    /// Which of the absent logs this one is. They ascend, so that each log is looked up and not compared with all: many
    /// of both, which strangers may send, would take minutes.
    fn denied(&self, log: &ReceiptLog<'_>) -> Result<Option<usize>, ReceiptError> {
        let first = self.no_logs.partition_point(|filter| filter.address < *log.address);
        if self.no_logs.get(first).is_none_or(|filter| filter.address != *log.address) {
            return Ok(None);
        }
        let topics: Vec<Root> =
            log.topics().take(MAX_TOPICS).map(|topic| topic.copied()).collect::<Result<_, _>>()?;
        Ok((0..=topics.len()).find_map(|count| {
            let wanted = (log.address, &topics[..count]);
            self.no_logs.binary_search_by(|filter| (&filter.address, &filter.topics[..]).cmp(&wanted)).ok()
        }))
    }
}

/// A log as public values show it.
fn public_log(transaction: u32, position: u32, log: &ReceiptLog<'_>) -> Result<Log, ReceiptError> {
    Ok(Log {
        transaction,
        position,
        address: *log.address,
        topics: log.topics().map(|topic| topic.copied()).collect::<Result<_, _>>()?,
        data: LogData::of(log.data),
    })
}
