//! Transactions and logs of one block, with what proves them: found in all its transactions and receipts, which are believed
//! by the roots in its header.

use std::collections::{BTreeMap, BTreeSet};

use sextant_consensus::{
    bloom::Bloom,
    build::TransactionNodes,
    events::LogFilter,
    execution_header::ExecutionHeader,
    hash::{Root, keccak256},
    ordered::ordered_path,
    receipt::{Receipt, ReceiptError},
};

use crate::{LogName, Parts, QuestionError, Questions};

/// Gas of proving, by all receipts of a block, that a log is not there: for each byte of them. Measured over 57 receipts of
/// 30,098 bytes (`docs/statements.md`, "no log, by 57 receipts" less "no log, by the filter").
const GAS_PER_RECEIPT_BYTE: u64 = 27;

/// Adds what the bloom filter in a block's header answers to `parts`. Returns the filters of logs that it leaves open, or
/// none where nothing else is asked of the block.
///
/// # Errors
/// [`QuestionError::Header`].
pub fn left_open(
    header: &ExecutionHeader<'_>,
    questions: &Questions,
    parts: &mut Parts,
) -> Result<Option<Vec<LogFilter>>, QuestionError> {
    let bloom = Bloom(header.logs_bloom()?);
    let (excluded, open): (Vec<_>, Vec<_>) = questions
        .filters
        .iter()
        .cloned()
        .partition(|filter: &LogFilter| bloom.excludes(&filter.address, &filter.topics));
    parts.no_logs = excluded;
    let is_answered = open.is_empty() && questions.transactions.is_empty() && questions.logs.is_empty();
    Ok((!is_answered).then_some(open))
}

/// Adds everything else that is asked to `parts`, from all that is in the block; `open` are the filters that its header leaves
/// open.
///
/// # Errors
/// [`QuestionError`]: what is asked for by name is not there, or takes more than was allowed.
pub fn find_in(
    block: Block,
    open: Vec<LogFilter>,
    questions: &Questions,
    parts: &mut Parts,
) -> Result<(), QuestionError> {
    let mut wanted = block.named(questions)?;
    let mut unseen = Vec::new();
    for filter in open {
        let found = block.matching(&filter)?;
        if found.is_empty() {
            unseen.push(filter);
        }
        for (index, position) in found {
            wanted.entry(index).or_default().insert(position);
        }
    }
    if let Some(filter) = unseen.first()
        && !questions.all_receipts
    {
        return Err(block.needs_receipts(filter));
    }
    let by_all = !unseen.is_empty();
    parts.no_logs.extend(unseen);
    parts.transactions = wanted
        .into_iter()
        .map(|(index, logs)| TransactionNodes {
            index,
            transaction: ordered_path(&block.transactions, index),
            receipt: if by_all { Vec::new() } else { ordered_path(&block.receipts, index) },
            logs: logs.into_iter().collect(),
        })
        .collect();
    if by_all {
        parts.receipts = block.receipts;
    }
    Ok(())
}

/// Positions of logs in their receipts, by the indices of their transactions.
type Wanted = BTreeMap<u32, BTreeSet<u32>>;

/// All transactions and receipts of a block, by index, as their tries hold them (EIP-2718).
#[derive(Clone, Debug)]
pub struct Block {
    /// The block's number.
    pub number: u64,
    /// Its transactions.
    pub transactions: Vec<Vec<u8>>,
    /// Its receipts.
    pub receipts: Vec<Vec<u8>>,
}

impl Block {
    /// What is asked for by name.
    fn named(&self, questions: &Questions) -> Result<Wanted, QuestionError> {
        let hashes: BTreeMap<Root, u32> =
            (0..).zip(&self.transactions).map(|(index, envelope)| (keccak256(envelope), index)).collect();
        let index = |hash: &Root| {
            let (transaction, block) = (*hash, self.number);
            hashes.get(hash).copied().ok_or(QuestionError::NotInBlock { transaction, block })
        };
        let mut wanted = Wanted::new();
        for hash in &questions.transactions {
            wanted.entry(index(hash)?).or_default();
        }
        for name in &questions.logs {
            let (index, positions) = match name {
                LogName::Of { transaction, position } => {
                    let index = index(transaction)?;
                    let count = self.count(index)?;
                    match position {
                        None => (index, (0..count).collect()),
                        Some(position) if *position < count => (index, vec![*position]),
                        Some(position) => {
                            let place = format!("transaction 0x{}", hex::encode(transaction));
                            return Err(QuestionError::NoLog { log: *position, place, count });
                        }
                    }
                }
                LogName::InBlock(log) => {
                    let (index, position) = self.place(*log)?;
                    (index, vec![position])
                }
            };
            wanted.entry(index).or_default().extend(positions);
        }
        Ok(wanted)
    }

    fn receipt(&self, index: u32) -> Result<Receipt<'_>, ReceiptError> {
        Receipt::read(self.receipts.get(index as usize).map_or(&[][..], |receipt| receipt))
    }

    /// How many logs a transaction has.
    fn count(&self, index: u32) -> Result<u32, ReceiptError> {
        Ok(self.receipt(index)?.logs().count() as u32)
    }

    /// Index and position of a log, by its place among all of the block.
    fn place(&self, log: u32) -> Result<(u32, u32), QuestionError> {
        let mut before = 0;
        for index in 0..self.receipts.len() as u32 {
            let count = self.count(index)?;
            if log - before < count {
                return Ok((index, log - before));
            }
            before += count;
        }
        Err(QuestionError::NoLog { log, place: format!("block {}", self.number), count: before })
    }

    /// Indices and positions of all logs that pass.
    fn matching(&self, filter: &LogFilter) -> Result<Vec<(u32, u32)>, ReceiptError> {
        let mut found = Vec::new();
        for index in 0..self.receipts.len() as u32 {
            for (position, log) in (0..).zip(self.receipt(index)?.logs()) {
                if log?.matches(&filter.address, &filter.topics)? {
                    found.push((index, position));
                }
            }
        }
        Ok(found)
    }

    fn needs_receipts(&self, filter: &LogFilter) -> QuestionError {
        let bytes = self.receipts.iter().map(Vec::len).sum::<usize>() as u64;
        let topics: Vec<_> = filter.topics.iter().map(|topic| format!("0x{}", hex::encode(topic))).collect();
        let with = if topics.is_empty() { String::new() } else { format!(" with {}", topics.join(", ")) };
        QuestionError::NeedsReceipts {
            filter: format!("0x{}{with}", hex::encode(filter.address)),
            block: self.number,
            receipts: self.receipts.len(),
            bytes,
            gas: bytes * GAS_PER_RECEIPT_BYTE,
        }
    }
}
