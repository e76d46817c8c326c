//! A block's transactions from execution nodes: rebuilt from their JSON, and believed when their trie has the root that the
//! block's header names, which the caller knows. And the block that a transaction is in, which is the node's word.

use alloy_consensus::TxEnvelope;
use alloy_eips::Encodable2718;
use serde::Deserialize;
use serde_json::{Value, json};
use sextant_consensus::{
    hash::{Root, keccak256},
    json::hex_array,
    ordered::ordered_root,
    receipt::{NEWEST_TYPE, ReceiptError},
};

use crate::{
    ExecutionNodes, Reason, SourceError,
    execution::{call, hex, parsed, result},
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
struct Claims {
    #[serde(with = "hex_array")]
    hash: Root,
    r#type: Option<String>,
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
                    .map(|(index, transaction)| envelope(index, transaction))
                    .collect::<Result<_, _>>()?;
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

/// The envelope of a transaction in JSON; it hashes to the hash that the node names.
fn envelope(index: u32, transaction: Value) -> Result<Vec<u8>, Reason> {
    let refuse = |error: &dyn std::fmt::Display| Reason::refused(format!("transaction {index}: {error}"));
    let claims: Claims = Deserialize::deserialize(&transaction).map_err(|error| refuse(&error))?;
    // By its name, before the whole is read: of an unknown type nothing else is.
    match claims.r#type.as_deref().map(quantity) {
        None => {}
        Some(Some(known)) if known <= NEWEST_TYPE.into() => {}
        Some(Some(unknown)) => {
            return Err(refuse(&ReceiptError::UnknownType(u8::try_from(unknown).unwrap_or(u8::MAX))));
        }
        Some(None) => return Err(refuse(&"its type is no quantity")),
    }
    let rebuilt: TxEnvelope = serde_json::from_value(transaction).map_err(|error| refuse(&error))?;
    let envelope = rebuilt.encoded_2718();
    match keccak256(&envelope) {
        hash if hash == claims.hash => Ok(envelope),
        hash => {
            Err(refuse(&format!("its fields hash to {}, not to its hash {}", hex(&hash), hex(&claims.hash))))
        }
    }
}

fn quantity(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_consensus::rlp::{encode_list, encode_string};
    use sextant_test_nodes::transactions::transaction;

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        encode_list(&items.concat())
    }

    /// An envelope of each type, with lists where it has them, as `transaction` describes it.
    fn envelopes() -> Vec<Vec<u8>> {
        let string = |bytes: &[u8]| encode_string(bytes);
        let (nonce, price, gas) = (string(&[9]), string(&[1, 0]), string(&[0x52, 0x08]));
        let (to, value, input) = (string(&[0x22; 20]), string(&[]), string(&[0xca, 0xfe, 0, 1]));
        let access = list(&[list(&[string(&[0x33; 20]), list(&[string(&[0; 32]), string(&[7; 32])])])]);
        let signature = [string(&[1]), string(&[5; 32]), string(&[6; 31])];
        let call = [gas, to.clone(), value, input];
        let authorization =
            list(&[string(&[1]), to, string(&[3]), string(&[]), string(&[8; 32]), string(&[4; 32])]);
        let chain = string(&[1]);
        let legacy_signature = [string(&[0x1b]), string(&[5; 32]), string(&[6; 32])];
        let typed = |kind: u8, head: Vec<Vec<u8>>, tail: Vec<Vec<u8>>| {
            [&[kind][..], &list(&[head, call.to_vec(), tail, signature.to_vec()].concat())].concat()
        };
        let fees = || vec![chain.clone(), nonce.clone(), string(&[2]), price.clone()];
        let hashes = list(&[string(&[1; 32]), string(&[2; 32])]);
        vec![
            list(&[vec![nonce.clone(), price.clone()], call.to_vec(), legacy_signature.to_vec()].concat()),
            typed(1, vec![chain.clone(), nonce.clone(), price.clone()], vec![access.clone()]),
            typed(2, fees(), vec![access.clone()]),
            typed(3, fees(), vec![access.clone(), string(&[9, 9]), hashes]),
            typed(4, fees(), vec![access.clone(), list(&[authorization])]),
        ]
    }

    #[test]
    fn every_type_is_rebuilt_as_it_was() {
        for (index, bytes) in envelopes().into_iter().enumerate() {
            let json = transaction(&bytes, index, &[0; 32], 7);
            assert_eq!(envelope(index as u32, json).unwrap(), bytes, "type {index}");
        }
    }

    /// A field that is wrong, or a type of the future, is never taken for something else.
    #[test]
    fn what_hashes_otherwise_is_refused() {
        let json = transaction(&envelopes()[2], 0, &[0; 32], 7);
        for (field, value, reason) in [
            ("nonce", "0xa", "its fields hash to"),
            ("input", "0x", "its fields hash to"),
            ("type", "0x5", "transaction type 5 is not known"),
            ("type", "0x1ff", "transaction type 255 is not known"),
            ("type", "two", "type is no quantity"),
            ("hash", "0x12", "transaction 0"),
            ("maxFeePerGas", "none", "transaction 0"),
        ] {
            let mut wrong = json.clone();
            wrong[field] = value.into();
            let error = envelope(0, wrong).unwrap_err().to_string();
            assert!(error.contains(reason), "{field}: {error}");
        }
    }
}
