//! A block's receipts from execution nodes: believed when their trie has the root that the block's header names, which
//! the caller knows.

use serde::Deserialize;
use serde_json::{Value, json};
use sextant_consensus::{hash::Root, ordered::ordered_root, receipt_json::ReceiptJson};

use crate::{
    ExecutionNodes, Reason, SourceError,
    execution::{call, hex, parsed, result},
};

/// Largest answer: all receipts of a block of 30,000 transactions, in hex.
const RECEIPTS_LIMIT: u64 = 128 << 20;
/// Largest receipt: a block's whole gas spent on logs, in hex.
const RECEIPT_LIMIT: u64 = 32 << 20;

/// What a block says of its transactions where their content is not asked for.
#[derive(Deserialize)]
struct TransactionHashes {
    transactions: Vec<Value>,
}

impl ExecutionNodes {
    /// All receipts of the block with this hash, as their trie holds them, by index: `eth_getBlockReceipts` or, where no
    /// node has it or knows a block by its hash there, one `eth_getTransactionReceipt` for each transaction. The trie's root
    /// is `receipts_root`.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn receipts(&self, block: &Root, receipts_root: &Root) -> Result<Vec<Vec<u8>>, SourceError> {
        let text = hex(block);
        let request =
            call(format!("receipts of block {text}"), "eth_getBlockReceipts", json!([text]), RECEIPTS_LIMIT);
        let asked = self
            .pool
            .ask(&request, |answer| {
                let receipts: Vec<ReceiptJson> = parsed(result(&answer)?)?;
                let envelopes = envelopes(&receipts)?;
                complete(&envelopes, receipts_root)?;
                Ok(envelopes)
            })
            .await;
        match asked {
            Err(error) if error.is_unserved() => self.receipts_one_by_one(block, receipts_root).await,
            asked => asked,
        }
    }

    /// The same from nodes that serve single receipts only.
    async fn receipts_one_by_one(
        &self,
        block: &Root,
        receipts_root: &Root,
    ) -> Result<Vec<Vec<u8>>, SourceError> {
        let block = self.call("eth_getBlockByHash", json!([hex(block), false])).await?;
        let hashes =
            parsed::<TransactionHashes>(block).map_err(|reason| refused("eth_getBlockByHash", reason))?;
        let mut envelopes = Vec::with_capacity(hashes.transactions.len());
        for (index, hash) in hashes.transactions.iter().enumerate() {
            let name = format!("receipt of transaction {hash}");
            let request = call(name, "eth_getTransactionReceipt", json!([hash]), RECEIPT_LIMIT);
            let envelope = self
                .pool
                .ask(&request, |answer| {
                    let receipt: ReceiptJson = parsed(result(&answer)?)?;
                    match receipt.index() {
                        Some(got) if got as usize == index => envelope(&receipt),
                        got => {
                            let got = got.map_or("none".into(), |got| got.to_string());
                            Err(Reason::mismatch("transaction index", got, index))
                        }
                    }
                })
                .await?;
            envelopes.push(envelope);
        }
        complete(&envelopes, receipts_root).map_err(|reason| refused("eth_getTransactionReceipt", reason))?;
        Ok(envelopes)
    }
}

/// Refuses receipts that are not all of the block's.
fn complete(envelopes: &[Vec<u8>], receipts_root: &Root) -> Result<(), Reason> {
    match ordered_root(envelopes) {
        root if root == *receipts_root => Ok(()),
        root => Err(Reason::mismatch("root of the receipts", hex(&root), hex(receipts_root))),
    }
}

/// All receipts in the order of their indices, which they state.
fn envelopes(receipts: &[ReceiptJson]) -> Result<Vec<Vec<u8>>, Reason> {
    let mut sorted: Vec<&ReceiptJson> = receipts.iter().collect();
    sorted.sort_by_key(|receipt| receipt.index());
    sorted.into_iter().map(envelope).collect()
}

fn envelope(receipt: &ReceiptJson) -> Result<Vec<u8>, Reason> {
    receipt.to_envelope().map_err(Reason::refused)
}

/// What no endpoint is to blame for alone: several may have answered.
fn refused(request: &str, reason: Reason) -> SourceError {
    let failure = crate::Failure { endpoint: "together".into(), reason };
    SourceError { request: request.into(), failures: vec![failure] }
}
