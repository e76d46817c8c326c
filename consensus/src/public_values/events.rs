//! Transactions, logs, and logs that are not there.

use alloc::vec::Vec;

use super::{Log, LogData, MAX_LOG_DATA, NoLog, Transaction};
use crate::abi::{AbiError, Reader, Writer, array_word, bool_word, u64_word};
use crate::hash::Root;

/// Words of a [`Transaction`].
const TRANSACTION_WORDS: u64 = 3;
/// Words of a [`Log`] before its two lists.
const LOG_WORDS: u64 = 6;
/// Words of a [`NoLog`] before its list.
const NO_LOG_WORDS: u64 = 2;

/// Bytes of the list of transactions, with its length.
pub(super) fn transactions_size(transactions: &[Transaction]) -> u64 {
    32 + transactions.len() as u64 * TRANSACTION_WORDS * 32
}

pub(super) fn write_transactions(transactions: &[Transaction], out: &mut Writer) {
    out.word(u64_word(transactions.len() as u64));
    for transaction in transactions {
        out.word(transaction.hash);
        out.word(u64_word(transaction.index.into()));
        out.word(bool_word(transaction.succeeded));
    }
}

pub(super) fn read_transactions(reader: &mut Reader<'_>) -> Result<Vec<Transaction>, AbiError> {
    let count = reader.count("transactions", TRANSACTION_WORDS)?;
    (0..count)
        .map(|_| {
            Ok(Transaction {
                hash: reader.word()?,
                index: reader.u32("transaction index")?,
                succeeded: reader.bool("transaction status")?,
            })
        })
        .collect()
}

/// Bytes of the list of logs, with its length.
pub(super) fn logs_size(logs: &[Log]) -> u64 {
    32 + logs.iter().map(|log| 32 + log_size(log)).sum::<u64>()
}

pub(super) fn write_logs(logs: &[Log], out: &mut Writer) {
    out.list(logs, log_size);
    logs.iter().for_each(|log| log.write(out));
}

pub(super) fn read_logs(reader: &mut Reader<'_>) -> Result<Vec<Log>, AbiError> {
    reader.list("logs", "log offset", 3 + LOG_WORDS, Log::read, log_size)
}

/// Bytes of the list of absent logs, with its length.
pub(super) fn no_logs_size(no_logs: &[NoLog]) -> u64 {
    32 + no_logs.iter().map(|no_log| 32 + no_log_size(no_log)).sum::<u64>()
}

pub(super) fn write_no_logs(no_logs: &[NoLog], out: &mut Writer) {
    out.list(no_logs, no_log_size);
    for no_log in no_logs {
        out.word(array_word(&no_log.address));
        out.word(u64_word(NO_LOG_WORDS * 32));
        write_topics(&no_log.topics, out);
    }
}

pub(super) fn read_no_logs(reader: &mut Reader<'_>) -> Result<Vec<NoLog>, AbiError> {
    let read = |reader: &mut Reader<'_>| {
        let address = reader.array("absent log's address")?;
        reader.expect("absent log's topics offset", NO_LOG_WORDS * 32)?;
        Ok(NoLog { address, topics: read_topics(reader)? })
    };
    reader.list("absent logs", "absent log offset", 2 + NO_LOG_WORDS, read, no_log_size)
}

fn no_log_size(no_log: &NoLog) -> u64 {
    NO_LOG_WORDS * 32 + topics_size(&no_log.topics)
}

fn log_size(log: &Log) -> u64 {
    let data = match &log.data {
        LogData::Whole(bytes) => bytes.len() as u64,
        LogData::Hash(_) => 0,
    };
    LOG_WORDS * 32 + topics_size(&log.topics) + 32 + data.next_multiple_of(32)
}

const fn topics_size(topics: &[Root]) -> u64 {
    32 + topics.len() as u64 * 32
}

fn write_topics(topics: &[Root], out: &mut Writer) {
    out.word(u64_word(topics.len() as u64));
    topics.iter().for_each(|topic| out.word(*topic));
}

fn read_topics(reader: &mut Reader<'_>) -> Result<Vec<Root>, AbiError> {
    let count = reader.count("topics", 1)?;
    (0..count).map(|_| reader.word()).collect()
}

impl Log {
    fn write(&self, out: &mut Writer) {
        let (hash, data) = match &self.data {
            LogData::Whole(bytes) => ([0; 32], &bytes[..]),
            LogData::Hash(hash) => (*hash, &[][..]),
        };
        out.word(u64_word(self.transaction.into()));
        out.word(u64_word(self.position.into()));
        out.word(array_word(&self.address));
        out.word(hash);
        out.word(u64_word(LOG_WORDS * 32));
        out.word(u64_word(LOG_WORDS * 32 + topics_size(&self.topics)));
        write_topics(&self.topics, out);
        out.bytes(data);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, AbiError> {
        let transaction = reader.u32("log's transaction")?;
        let position = reader.u32("log's position")?;
        let address = reader.array("log's address")?;
        let hash = reader.word()?;
        reader.expect("log's topics offset", LOG_WORDS * 32)?;
        let data_offset = reader.u64("log's data offset")?;
        let topics = read_topics(reader)?;
        if data_offset != LOG_WORDS * 32 + topics_size(&topics) {
            return Err(AbiError::Unexpected("log's data offset"));
        }
        let data = reader.bytes("log's data")?;
        let data = match (hash == [0; 32], data.len()) {
            (true, ..=MAX_LOG_DATA) => LogData::Whole(data.to_vec()),
            (false, 0) => LogData::Hash(hash),
            _ => return Err(AbiError::Unexpected("log's data")),
        };
        Ok(Self { transaction, position, address, topics, data })
    }
}
