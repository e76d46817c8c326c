//! An execution block's header in RLP, from the JSON that execution nodes serve it in (`eth_getBlockByHash`).
//!
//! Which fields a header has depends on the fork: all that the node names are taken, in the yellow paper's order and
//! those that EIPs appended. Whether they are right and all of them, their hash tells.

use alloc::vec::Vec;

use serde::Deserialize;

use crate::hash::{Root, keccak256};
use crate::rlp;
use crate::rlp_json::{Bytes, Quantity};

/// A block as execution nodes describe it, as far as its header goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockJson {
    #[serde(with = "crate::json::hex_array")]
    hash: Root,
    parent_hash: Bytes,
    sha3_uncles: Bytes,
    miner: Bytes,
    state_root: Bytes,
    transactions_root: Bytes,
    receipts_root: Bytes,
    logs_bloom: Bytes,
    difficulty: Quantity,
    number: Quantity,
    gas_limit: Quantity,
    gas_used: Quantity,
    timestamp: Quantity,
    extra_data: Bytes,
    mix_hash: Bytes,
    nonce: Bytes,
    base_fee_per_gas: Option<Quantity>,
    withdrawals_root: Option<Bytes>,
    blob_gas_used: Option<Quantity>,
    excess_blob_gas: Option<Quantity>,
    parent_beacon_block_root: Option<Bytes>,
    requests_hash: Option<Bytes>,
    block_access_list_hash: Option<Bytes>,
    slot_number: Option<Quantity>,
}

/// Why a block's JSON gives no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The fields do not hash to the block's hash: one is wrong, or the header has fields that are not known here.
    #[error("the block's fields hash to 0x{}, not to its hash 0x{}", hex::encode(.got), hex::encode(.expected))]
    Hash {
        /// Hash of the fields.
        got: Root,
        /// The block's own.
        expected: Root,
    },
}

impl BlockJson {
    /// The header's RLP.
    ///
    /// # Errors
    /// [`BlockError::Hash`] unless it hashes to the block's hash.
    pub fn to_rlp(&self) -> Result<Vec<u8>, BlockError> {
        let mut fields = alloc::vec![
            self.parent_hash.0.clone(),
            self.sha3_uncles.0.clone(),
            self.miner.0.clone(),
            self.state_root.0.clone(),
            self.transactions_root.0.clone(),
            self.receipts_root.0.clone(),
            self.logs_bloom.0.clone(),
            self.difficulty.0.clone(),
            self.number.0.clone(),
            self.gas_limit.0.clone(),
            self.gas_used.0.clone(),
            self.timestamp.0.clone(),
            self.extra_data.0.clone(),
            self.mix_hash.0.clone(),
            self.nonce.0.clone(),
        ];
        // London, Shanghai, Cancun, Prague, Amsterdam.
        let quantity = |field: &Option<Quantity>| field.as_ref().map(|quantity| quantity.0.clone());
        let bytes = |field: &Option<Bytes>| field.as_ref().map(|bytes| bytes.0.clone());
        let appended = [
            quantity(&self.base_fee_per_gas),
            bytes(&self.withdrawals_root),
            quantity(&self.blob_gas_used),
            quantity(&self.excess_blob_gas),
            bytes(&self.parent_beacon_block_root),
            bytes(&self.requests_hash),
            bytes(&self.block_access_list_hash),
            quantity(&self.slot_number),
        ];
        fields.extend(appended.into_iter().flatten());
        let mut payload = Vec::new();
        fields.iter().for_each(|field| rlp::write_string(field, &mut payload));
        let rlp = rlp::encode_list(&payload);
        match keccak256(&rlp) {
            hash if hash == self.hash => Ok(rlp),
            got => Err(BlockError::Hash { got, expected: self.hash }),
        }
    }
}
