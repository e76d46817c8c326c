//! A whole block as execution nodes give it: its header, its transactions, and in an answer of its own its receipts.

use serde_json::Value;
use sextant_consensus::{
    block_header::BlockJson,
    hash::{Root, keccak256},
    receipt_json::ReceiptJson,
};

use crate::{
    Answer, InputError, Sourced,
    execution::result,
    json::{self, Document},
    transaction,
};

/// A block. Its header hashes to its hash; that the transactions are its own, the root in the header tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header, RLP.
    pub header: Vec<u8>,
    /// All transactions as their trie holds them (EIP-2718), by index; none where the answer has only their hashes.
    pub transactions: Option<Vec<Vec<u8>>>,
}

impl Block {
    /// Its hash.
    pub fn hash(&self) -> Root {
        keccak256(&self.header)
    }
}

/// Reads every block of the answer (`eth_getBlockByHash` or `eth_getBlockByNumber`, with transactions or without), in its
/// order.
///
/// # Errors
/// [`InputError`] names source, field and reason; a block whose fields do not hash to its hash is refused, and so is a
/// transaction whose fields do not.
pub fn blocks(answer: &Answer) -> Result<Vec<Sourced<Block>>, InputError> {
    json::split(answer)?.into_iter().map(block).collect()
}

fn block(document: Document) -> Result<Sourced<Block>, InputError> {
    let document = result(document)?;
    let transactions = match document.member("transactions").and_then(Value::as_array) {
        Some(list) if list.iter().all(Value::is_object) => Some(list.clone()),
        _ => None,
    };
    let envelopes = transactions.map(|list| {
        let envelope = |(index, json)| transaction::envelope(index, json);
        (0..).zip(list).map(envelope).collect::<Result<Vec<_>, _>>()
    });
    let transactions = envelopes.transpose().map_err(|reason| document.field("transactions", reason))?;
    let named = document.copy();
    let Sourced { source, value: block } = document.decode::<BlockJson>()?;
    match block.to_rlp() {
        Ok(header) => Ok(Sourced { source, value: Block { header, transactions } }),
        Err(error) => Err(named.field("hash", error.to_string())),
    }
}

/// Reads all receipts of the answers, in the order of the indices that they state: a block's (`eth_getBlockReceipts`), or
/// single ones (`eth_getTransactionReceipt`). As their trie holds them.
///
/// # Errors
/// [`InputError`] names source, field and reason.
pub fn receipts(answers: &[Answer]) -> Result<Sourced<Vec<Vec<u8>>>, InputError> {
    let mut all = Vec::new();
    for answer in answers {
        for document in json::split(answer)? {
            let document = result(document)?;
            match document.value() {
                Value::Array(_) => {
                    let Sourced { source, value } = document.decode::<Vec<ReceiptJson>>()?;
                    all.extend(value.into_iter().map(|receipt| (source.clone(), receipt)));
                }
                _ => {
                    let Sourced { source, value } = document.decode::<ReceiptJson>()?;
                    all.push((source, value));
                }
            }
        }
    }
    all.sort_by_key(|(_, receipt)| receipt.index());
    let envelope = |(source, receipt): &(String, ReceiptJson)| {
        receipt.to_envelope().map_err(|error| InputError::Field {
            source_file: source.clone(),
            path: format!("receipt of transaction {}", receipt.index().unwrap_or(u32::MAX)),
            reason: error.to_string(),
        })
    };
    let value = all.iter().map(envelope).collect::<Result<_, _>>()?;
    let names: Vec<_> = answers.iter().map(|answer| answer.source.clone()).collect();
    Ok(Sourced { source: names.join(", "), value })
}
