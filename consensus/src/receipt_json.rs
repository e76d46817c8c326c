//! Receipts as their trie holds them, from the JSON that execution nodes serve them in (`eth_getBlockReceipts`,
//! `eth_getTransactionReceipt`).
//!
//! Whether they are right and all of them, the root of their trie tells.

use alloc::vec::Vec;

use serde::Deserialize;

use crate::hash::Root;
use crate::receipt::{NEWEST_TYPE, ReceiptError};
use crate::rlp::{encode_list, write_string};
use crate::rlp_json::{Bytes, Quantity};

/// A receipt as execution nodes describe it, as far as it goes into the trie, and what tells which one it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptJson {
    /// Hash of the transaction, as the node claims.
    #[serde(with = "crate::json::hex_array")]
    pub transaction_hash: Root,
    transaction_index: Quantity,
    r#type: Option<Quantity>,
    /// Before Byzantium there is a `root` in its place.
    status: Option<Quantity>,
    cumulative_gas_used: Quantity,
    logs_bloom: Bytes,
    logs: Vec<LogJson>,
}

#[derive(Clone, Debug, Deserialize)]
struct LogJson {
    address: Bytes,
    topics: Vec<Bytes>,
    data: Bytes,
}

impl ReceiptJson {
    /// Its place in the block, as the node claims; `None` if that is no number of 32 bits.
    pub fn index(&self) -> Option<u32> {
        let index = self.transaction_index.0.iter().try_fold(0u64, |index, digit| {
            let index = index << 8 | u64::from(*digit);
            (index <= u64::from(u32::MAX)).then_some(index)
        });
        index.map(|index| index as u32)
    }

    /// The envelope (EIP-2718): type, and RLP of status, gas used so far, filter and logs.
    ///
    /// # Errors
    /// [`ReceiptError`] for a type that is not known, or a receipt without status.
    pub fn to_envelope(&self) -> Result<Vec<u8>, ReceiptError> {
        let kind = match self.r#type.as_ref().map_or(&[][..], |kind| &kind.0) {
            [] => None,
            [known @ 1..=NEWEST_TYPE] => Some(*known),
            [unknown, ..] => return Err(ReceiptError::UnknownType(*unknown)),
        };
        let status = self.status.as_ref().ok_or(ReceiptError::PreByzantium)?;
        let mut fields = Vec::new();
        for field in [&status.0, &self.cumulative_gas_used.0, &self.logs_bloom.0] {
            write_string(field, &mut fields);
        }
        let logs: Vec<u8> = self.logs.iter().flat_map(LogJson::to_rlp).collect();
        fields.extend(encode_list(&logs));
        Ok([kind.as_slice(), &encode_list(&fields)].concat())
    }
}

impl LogJson {
    fn to_rlp(&self) -> Vec<u8> {
        let mut topics = Vec::new();
        self.topics.iter().for_each(|topic| write_string(&topic.0, &mut topics));
        let mut fields = Vec::new();
        write_string(&self.address.0, &mut fields);
        fields.extend(encode_list(&topics));
        write_string(&self.data.0, &mut fields);
        encode_list(&fields)
    }
}
