//! A transaction as its block's trie holds it (EIP-2718), rebuilt from the JSON of execution nodes.

use alloy_consensus::TxEnvelope;
use alloy_eips::Encodable2718;
use serde::Deserialize;
use serde_json::Value;
use sextant_consensus::{
    hash::{Root, keccak256},
    json::hex_array,
    receipt::{NEWEST_TYPE, ReceiptError},
};

#[derive(Deserialize)]
struct Claims {
    #[serde(with = "hex_array")]
    hash: Root,
    r#type: Option<String>,
}

/// The envelope of the transaction of this index in JSON; it hashes to the hash that the node names.
///
/// # Errors
/// What is wrong, with the index.
pub fn envelope(index: u32, transaction: Value) -> Result<Vec<u8>, String> {
    let refuse = |error: &dyn std::fmt::Display| format!("transaction {index}: {error}");
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
            let [got, named] = [hash, claims.hash].map(hex::encode);
            Err(refuse(&format!("its fields hash to 0x{got}, not to its hash 0x{named}")))
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
            let error = envelope(0, wrong).unwrap_err();
            assert!(error.contains(reason), "{field}: {error}");
        }
    }
}
