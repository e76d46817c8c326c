//! A block: made of a payload, whose hash it must have, or read from RLP. What is in it is not judged here; that it is one
//! block and no other is.

use alloc::vec::Vec;

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EthereumTxEnvelope, Header, Transaction, TxEip4844, proofs};
use alloy_eips::{
    eip2718::{Decodable2718, Eip2718Error, Encodable2718},
    eip4895::Withdrawal,
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Encodable;
use sextant_consensus::rlp::{Item, RlpError};

use crate::payload::{NewPayloadRequest, WithdrawalBytes};
use crate::ssz::{array, uint64};

/// A transaction as blocks hold it: one with blobs is without its sidecar, and would be refused with it.
pub type BlockTransaction = EthereumTxEnvelope<TxEip4844>;

/// A block, its hash, and those roots of its parts that its header must name.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    pub(crate) header: Header,
    pub(crate) hash: B256,
    pub(crate) transactions: Vec<BlockTransaction>,
    /// The bytes of each of them.
    pub(crate) encoded: Vec<&'a [u8]>,
    /// Root of `encoded`, not the header's word for it.
    pub(crate) transactions_root: B256,
    pub(crate) withdrawals: Vec<Withdrawal>,
    /// Root of `withdrawals`, not the header's word for it.
    pub(crate) withdrawals_root: B256,
    pub(crate) has_ommers: bool,
    /// Bytes of the block in RLP (EIP-7934).
    pub(crate) size: usize,
}

/// Why bytes are no block, or not the block that they claim to be.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A part of the block is not canonical RLP.
    #[error("{what}: {error}")]
    Rlp {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        error: RlpError,
    },
    /// A header or withdrawal is not made of what it should be.
    #[error("{what}: {error}")]
    Fields {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        error: alloy_rlp::Error,
    },
    /// A transaction cannot be decoded as one of a block; one with its blobs' sidecar cannot.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Its position in the block.
        index: usize,
        /// What is wrong with it.
        error: Eip2718Error,
    },
    /// Other bytes would be written for the same value.
    #[error("{what} {index} is not in its one encoding")]
    Encoding {
        /// Which kind of part.
        what: &'static str,
        /// Its position in the block.
        index: usize,
    },
    /// The base fee is more than a header of ours can hold.
    #[error("base fee of {0} wei is above 2^64 - 1")]
    BaseFee(U256),
    /// The payload's hash is not that of the block it describes.
    #[error("block hash {expected} in the payload, and {got} by its fields")]
    Hash {
        /// Hash of the block made of the payload's fields.
        got: B256,
        /// The payload's word for it.
        expected: B256,
    },
    /// The beacon block commits to other blobs than the transactions (EIP-4844).
    #[error("the request names {expected} versioned hashes, which are not the {got} of the transactions")]
    VersionedHashes {
        /// How many the transactions have.
        got: usize,
        /// How many the request has.
        expected: usize,
    },
}

impl<'a> Block<'a> {
    /// The block of a payload (execution-specs, `engine_newPayload`): the header is put together from the payload's fields
    /// and must have the payload's hash; the blobs must be those that the request names.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn of_request(request: &NewPayloadRequest<'a>) -> Result<Self, FormatError> {
        let payload = &request.payload;
        let base_fee = U256::from_le_bytes(payload.base_fee_per_gas);
        let base_fee_per_gas = u64::try_from(base_fee).map_err(|_| FormatError::BaseFee(base_fee))?;
        let withdrawals: Vec<Withdrawal> = payload.withdrawals.iter().map(withdrawal).collect();
        let header = Header {
            parent_hash: payload.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: payload.fee_recipient,
            state_root: payload.state_root,
            transactions_root: proofs::ordered_trie_root_encoded(&payload.transactions),
            receipts_root: payload.receipts_root,
            logs_bloom: payload.logs_bloom,
            number: payload.block_number,
            gas_limit: payload.gas_limit,
            gas_used: payload.gas_used,
            timestamp: payload.timestamp,
            extra_data: Bytes::copy_from_slice(payload.extra_data),
            mix_hash: payload.prev_randao,
            base_fee_per_gas: Some(base_fee_per_gas),
            withdrawals_root: Some(proofs::calculate_withdrawals_root(&withdrawals)),
            blob_gas_used: Some(payload.blob_gas_used),
            excess_blob_gas: Some(payload.excess_blob_gas),
            parent_beacon_block_root: Some(request.parent_beacon_block_root),
            requests_hash: request.requests.as_ref().map(|requests| requests.hash()),
            ..Header::default()
        };
        let got = header.hash_slow();
        if got != payload.block_hash {
            return Err(FormatError::Hash { got, expected: payload.block_hash });
        }
        let block = Self {
            hash: got,
            transactions: transactions(&payload.transactions)?,
            encoded: payload.transactions.clone(),
            transactions_root: header.transactions_root,
            withdrawals_root: header.withdrawals_root.unwrap_or_default(),
            has_ommers: false,
            size: size(&header, &payload.transactions, &withdrawals),
            withdrawals,
            header,
        };
        if !block.versioned_hashes().eq(request.versioned_hashes.iter().map(<&B256>::from)) {
            let got = block.versioned_hashes().count();
            return Err(FormatError::VersionedHashes { got, expected: request.versioned_hashes.len() });
        }
        Ok(block)
    }

    /// Reads a block of Shanghai or later that takes up all of `bytes`: header, transactions, ommers, withdrawals.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn from_rlp(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let list = |what, bytes| {
            let item = Item::take(bytes).and_then(|(item, own, rest)| Ok((item.list()?, own, rest)));
            item.map_err(|error| FormatError::Rlp { what, error })
        };
        let block = Item::only(bytes).and_then(Item::list);
        let block = block.map_err(|error| FormatError::Rlp { what: "block", error })?;
        let (_, header_rlp, rest) = list("header", block)?;
        let (transactions_rlp, _, rest) = list("transactions", rest)?;
        let (ommers, _, rest) = list("ommers", rest)?;
        let (_, withdrawals_rlp, rest) = list("withdrawals", rest)?;
        if !rest.is_empty() {
            return Err(FormatError::Rlp { what: "block", error: RlpError::Trailing });
        }
        let fields = |what| move |error| FormatError::Fields { what, error };
        let header: Header = alloy_rlp::decode_exact(header_rlp).map_err(fields("header"))?;
        let hash = header.hash_slow();
        if hash != keccak256(header_rlp) {
            return Err(FormatError::Encoding { what: "header", index: 0 });
        }
        let withdrawals: Vec<Withdrawal> =
            alloy_rlp::decode_exact(withdrawals_rlp).map_err(fields("withdrawals"))?;
        let encoded = items(transactions_rlp)?;
        Ok(Self {
            hash,
            transactions: transactions(&encoded)?,
            transactions_root: proofs::ordered_trie_root_encoded(&encoded),
            encoded,
            withdrawals_root: proofs::calculate_withdrawals_root(&withdrawals),
            withdrawals,
            has_ommers: !ommers.is_empty(),
            size: bytes.len(),
            header,
        })
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The header's hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// The transactions.
    pub fn transactions(&self) -> &[BlockTransaction] {
        &self.transactions
    }

    /// The transactions' bytes (EIP-2718).
    pub fn encoded_transactions(&self) -> &[&'a [u8]] {
        &self.encoded
    }

    /// The withdrawals (EIP-4895).
    pub fn withdrawals(&self) -> &[Withdrawal] {
        &self.withdrawals
    }

    /// The blobs of all transactions, in their order.
    pub fn versioned_hashes(&self) -> impl Iterator<Item = &B256> {
        self.transactions.iter().filter_map(|transaction| transaction.blob_versioned_hashes()).flatten()
    }
}

/// The EIP-2718 bytes of each transaction in a block's list: a legacy one is a list itself, others are strings.
fn items(mut rlp: &[u8]) -> Result<Vec<&[u8]>, FormatError> {
    let mut encoded = Vec::new();
    while !rlp.is_empty() {
        let error = |error| FormatError::Rlp { what: "transactions", error };
        let (item, own, rest) = Item::take(rlp).map_err(error)?;
        encoded.push(match item {
            Item::List(_) => own,
            // A legacy transaction in a string would be the same one in a second encoding.
            Item::String([0..=0x7f, ..]) => item.string().map_err(error)?,
            Item::String(_) => return Err(error(RlpError::Expected("typed transaction"))),
        });
        rlp = rest;
    }
    Ok(encoded)
}

fn transactions(encoded: &[&[u8]]) -> Result<Vec<BlockTransaction>, FormatError> {
    let mut written = Vec::new();
    let transactions = encoded.iter().enumerate().map(|(index, bytes)| {
        let transaction = BlockTransaction::decode_2718_exact(bytes)
            .map_err(|error| FormatError::Transaction { index, error })?;
        // What is executed is the value, what is hashed are the bytes: there must be no two for one.
        written.clear();
        transaction.encode_2718(&mut written);
        if written != **bytes {
            return Err(FormatError::Encoding { what: "transaction", index });
        }
        Ok(transaction)
    });
    transactions.collect()
}

/// Bytes of the block in RLP: what EIP-7934 limits.
fn size(header: &Header, transactions: &[&[u8]], withdrawals: &Vec<Withdrawal>) -> usize {
    let listed = |payload: usize| alloy_rlp::length_of_length(payload) + payload;
    let transactions = transactions.iter().map(|bytes| match bytes.first() {
        Some(0xc0..) => bytes.len(),
        _ => listed(bytes.len()),
    });
    let no_ommers = 1;
    listed(header.length() + listed(transactions.sum()) + no_ommers + withdrawals.length())
}

fn withdrawal(bytes: &WithdrawalBytes) -> Withdrawal {
    Withdrawal {
        index: uint64(&bytes[..8]),
        validator_index: uint64(&bytes[8..16]),
        address: Address::new(array(&bytes[16..36])),
        amount: uint64(&bytes[36..]),
    }
}

#[cfg(test)]
pub(crate) mod tests;
