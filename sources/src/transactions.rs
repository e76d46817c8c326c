//! A block's transactions from execution nodes, believed when their trie has the root that the
//! block's header names, which the caller knows. And the block that a transaction is in, which is the node's word.

use serde::Deserialize;
use serde_json::{Value, json};
use sextant_consensus::{hash::Root, json::hex_array, ordered::ordered_root};

use crate::{
    ExecutionNodes, Reason, SourceError,
    execution::{call, hex, parsed, result},
    input::transaction,
    pool::Rated,
};

/// Largest answer: a block of 10 MiB (EIP-7934) in hex, three times over.
const TRANSACTIONS_LIMIT: u64 = 64 << 20;
/// Largest receipt, which is asked for to know its block.
const RECEIPT_LIMIT: u64 = 32 << 20;

#[derive(Deserialize)]
struct Transactions {
    transactions: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(with = "hex_array")]
    transaction_hash: Root,
    #[serde(with = "hex_array")]
    block_hash: Root,
    block_number: String,
}

impl ExecutionNodes {
    /// All transactions of the block with this hash, as their trie holds them (EIP-2718), by index. The trie's root is
    /// `transactions_root`.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn transactions(
        &self,
        block: &Root,
        transactions_root: &Root,
    ) -> Result<Vec<Vec<u8>>, SourceError> {
        let text = hex(block);
        let name = format!("transactions of block {text}");
        let request = call(name, "eth_getBlockByHash", json!([text, true]), TRANSACTIONS_LIMIT);
        self.pool
            .ask(&request, |answer| {
                let block: Transactions = parsed(result(&answer)?)?;
                let envelopes: Vec<_> = (0..)
                    .zip(block.transactions)
                    .map(|(index, json): (u32, Value)| transaction::envelope(index, json))
                    .collect::<Result<_, _>>()
                    .map_err(Reason::Refused)?;
                match ordered_root(&envelopes) {
                    root if root == *transactions_root => Ok(envelopes),
                    root => {
                        Err(Reason::mismatch("root of the transactions", hex(&root), hex(transactions_root)))
                    }
                }
            })
            .await
    }

    /// Number and hash of the block that a transaction is in, by the node's word; `None` where none knows of any.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn place(&self, transaction: &Root) -> Result<Option<(u64, Root)>, SourceError> {
        let text = hex(transaction);
        let name = format!("block of transaction {text}");
        let request = call(name, "eth_getTransactionReceipt", json!([text]), RECEIPT_LIMIT);
        self.pool
            .ask_best(&request, |answer| {
                let receipt = result(&answer)?;
                if receipt.is_null() {
                    // Another node may be further.
                    return Ok(Rated { value: None, whole: false, worth: 0 });
                }
                let place: Place = parsed(receipt)?;
                if place.transaction_hash != *transaction {
                    return Err(Reason::mismatch("transaction", hex(&place.transaction_hash), &text));
                }
                let number = quantity(&place.block_number)
                    .ok_or_else(|| Reason::refused("blockNumber is no quantity"))?;
                Ok(Rated::whole(Some((number, place.block_hash))))
            })
            .await
    }
}

fn quantity(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}
