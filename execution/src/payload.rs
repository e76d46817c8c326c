//! `NewPayloadRequest`: what a beacon node hands to an execution client, and what a proof is about.
//!
//! The containers of consensus-specs (deneb/beacon-chain.md `ExecutionPayload`, electra/beacon-chain.md
//! `ExecutionRequests`), in the shape of Cancun without requests and in that of Prague, Osaka and the blob parameter forks
//! with them. All is read in place. Nothing here says that a payload is *valid*: [`crate::block`] makes a block of it, whose
//! hash must be the one that the payload names, and [`crate::rules`] judge that.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bloom};
use sextant_consensus::hash::sha256;

use crate::schema::Fork;
use crate::ssz::{Field, SszError, array, byte_lists, container, elements, uint64};

/// `MAX_TRANSACTIONS_PER_PAYLOAD`.
pub(crate) const MAX_TRANSACTIONS: usize = 1 << 20;
/// `MAX_BYTES_PER_TRANSACTION`.
pub(crate) const MAX_TRANSACTION_BYTES: usize = 1 << 30;
/// `MAX_WITHDRAWALS_PER_PAYLOAD`.
pub(crate) const MAX_WITHDRAWALS: usize = 1 << 4;
/// `MAX_EXTRA_DATA_BYTES`.
pub(crate) const MAX_EXTRA_DATA_BYTES: usize = 32;
/// `MAX_BLOB_COMMITMENTS_PER_BLOCK`.
pub(crate) const MAX_VERSIONED_HASHES: usize = 1 << 12;
/// `MAX_DEPOSIT_REQUESTS_PER_PAYLOAD`.
pub(crate) const MAX_DEPOSITS: usize = 1 << 13;
/// `MAX_WITHDRAWAL_REQUESTS_PER_PAYLOAD`.
pub(crate) const MAX_WITHDRAWAL_REQUESTS: usize = 1 << 4;
/// `MAX_CONSOLIDATION_REQUESTS_PER_PAYLOAD`.
pub(crate) const MAX_CONSOLIDATIONS: usize = 1 << 1;

/// A `Withdrawal`: index, validator index, address, amount.
pub type WithdrawalBytes = [u8; 44];
/// A `DepositRequest`: public key, withdrawal credentials, amount, signature, index.
pub type DepositBytes = [u8; 192];
/// A `WithdrawalRequest`: source address, validator's public key, amount.
pub type WithdrawalRequestBytes = [u8; 76];
/// A `ConsolidationRequest`: source address, source's and target's public keys.
pub type ConsolidationBytes = [u8; 116];

/// A request of the Engine API to validate a payload, as SSZ has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayloadRequest<'a> {
    /// The block.
    pub payload: ExecutionPayload<'a>,
    /// The blobs that the beacon block commits to.
    ///
    /// SOUNDNESS: compared with those of the block's transactions where the block is made.
    pub versioned_hashes: &'a [[u8; 32]],
    /// Root of the beacon block before this one (EIP-4788).
    ///
    /// SOUNDNESS: in the block's header, and so under its hash.
    pub parent_beacon_block_root: B256,
    /// What the block asks of the consensus layer (EIP-7685); from Prague on.
    ///
    /// SOUNDNESS: its hash is in the block's header, and compared with what the block's execution asked for.
    pub requests: Option<ExecutionRequests<'a>>,
}

/// A block without those fields of its header that follow from it, and with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionPayload<'a> {
    /// Hash of the block before.
    pub parent_hash: B256,
    /// Who gets the priority fees.
    pub fee_recipient: Address,
    /// Root of the state after the block.
    pub state_root: B256,
    /// Root of the receipts.
    pub receipts_root: B256,
    /// Bloom filter of the logs.
    pub logs_bloom: Bloom,
    /// The beacon chain's randomness.
    pub prev_randao: B256,
    /// Number of the block.
    pub block_number: u64,
    /// Gas that its transactions may use.
    pub gas_limit: u64,
    /// Gas that they have used.
    pub gas_used: u64,
    /// Time in seconds.
    pub timestamp: u64,
    /// Up to 32 bytes of the builder's choice.
    pub extra_data: &'a [u8],
    /// Wei burnt for each gas: a `uint256`, little-endian.
    pub base_fee_per_gas: [u8; 32],
    /// Hash of the block.
    ///
    /// SOUNDNESS: recomputed from all other fields where the block is made.
    pub block_hash: B256,
    /// The transactions, as EIP-2718 encodes them.
    pub transactions: Vec<&'a [u8]>,
    /// The withdrawals.
    pub withdrawals: &'a [WithdrawalBytes],
    /// Blob gas that the transactions have used.
    pub blob_gas_used: u64,
    /// Blob gas above the target so far.
    pub excess_blob_gas: u64,
}

/// Requests from contracts to the consensus layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionRequests<'a> {
    /// Deposits (EIP-6110).
    pub deposits: &'a [DepositBytes],
    /// Withdrawals and exits (EIP-7002).
    pub withdrawals: &'a [WithdrawalRequestBytes],
    /// Consolidations (EIP-7251).
    pub consolidations: &'a [ConsolidationBytes],
}

const PAYLOAD: [Field; 17] = [
    ("parent_hash", Some(32)),
    ("fee_recipient", Some(20)),
    ("state_root", Some(32)),
    ("receipts_root", Some(32)),
    ("logs_bloom", Some(256)),
    ("prev_randao", Some(32)),
    ("block_number", Some(8)),
    ("gas_limit", Some(8)),
    ("gas_used", Some(8)),
    ("timestamp", Some(8)),
    ("extra_data", None),
    ("base_fee_per_gas", Some(32)),
    ("block_hash", Some(32)),
    ("transactions", None),
    ("withdrawals", None),
    ("blob_gas_used", Some(8)),
    ("excess_blob_gas", Some(8)),
];

const DENEB: [Field; 3] =
    [("execution_payload", None), ("versioned_hashes", None), ("parent_beacon_block_root", Some(32))];
const ELECTRA: [Field; 4] = [DENEB[0], DENEB[1], DENEB[2], ("execution_requests", None)];
const REQUESTS: [Field; 3] = [("deposits", None), ("withdrawal_requests", None), ("consolidations", None)];

impl<'a> NewPayloadRequest<'a> {
    /// Reads a request that takes up all of `bytes`, in the shape that `fork` has.
    ///
    /// # Errors
    /// [`SszError`].
    pub fn parse(fork: Fork, bytes: &'a [u8]) -> Result<Self, SszError> {
        let (payload, hashes, beacon_root, requests) = if fork.has_requests() {
            let [payload, hashes, beacon_root, requests] = container(bytes, &ELECTRA)?;
            (payload, hashes, beacon_root, Some(ExecutionRequests::parse(requests)?))
        } else {
            let [payload, hashes, beacon_root] = container(bytes, &DENEB)?;
            (payload, hashes, beacon_root, None)
        };
        Ok(Self {
            payload: ExecutionPayload::parse(payload)?,
            versioned_hashes: elements("versioned_hashes", hashes, MAX_VERSIONED_HASHES)?,
            parent_beacon_block_root: B256::new(array(beacon_root)),
            requests,
        })
    }
}

impl<'a> ExecutionPayload<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, SszError> {
        let [
            parent_hash,
            fee_recipient,
            state_root,
            receipts_root,
            logs_bloom,
            prev_randao,
            block_number,
            gas_limit,
            gas_used,
            timestamp,
            extra_data,
            base_fee_per_gas,
            block_hash,
            transactions,
            withdrawals,
            blob_gas_used,
            excess_blob_gas,
        ] = container(bytes, &PAYLOAD)?;
        elements::<1>("extra_data", extra_data, MAX_EXTRA_DATA_BYTES)?;
        Ok(Self {
            parent_hash: B256::new(array(parent_hash)),
            fee_recipient: Address::new(array(fee_recipient)),
            state_root: B256::new(array(state_root)),
            receipts_root: B256::new(array(receipts_root)),
            logs_bloom: Bloom::new(array(logs_bloom)),
            prev_randao: B256::new(array(prev_randao)),
            block_number: uint64(block_number),
            gas_limit: uint64(gas_limit),
            gas_used: uint64(gas_used),
            timestamp: uint64(timestamp),
            extra_data,
            base_fee_per_gas: array(base_fee_per_gas),
            block_hash: B256::new(array(block_hash)),
            transactions: byte_lists("transactions", transactions, MAX_TRANSACTIONS, MAX_TRANSACTION_BYTES)?,
            withdrawals: elements("withdrawals", withdrawals, MAX_WITHDRAWALS)?,
            blob_gas_used: uint64(blob_gas_used),
            excess_blob_gas: uint64(excess_blob_gas),
        })
    }
}

impl<'a> ExecutionRequests<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, SszError> {
        let [deposits, withdrawals, consolidations] = container(bytes, &REQUESTS)?;
        Ok(Self {
            deposits: elements("deposits", deposits, MAX_DEPOSITS)?,
            withdrawals: elements("withdrawal_requests", withdrawals, MAX_WITHDRAWAL_REQUESTS)?,
            consolidations: elements("consolidations", consolidations, MAX_CONSOLIDATIONS)?,
        })
    }

    /// What stands in the header for these requests (EIP-7685): a hash of the hashes of the lists that are not empty, each
    /// with its type in front. A list's bytes are its elements' bytes, in SSZ as on the execution layer.
    pub fn hash(&self) -> B256 {
        requests_hash([
            (0, self.deposits.as_flattened()),
            (1, self.withdrawals.as_flattened()),
            (2, self.consolidations.as_flattened()),
        ])
    }
}

/// EIP-7685 over lists of requests in ascending order of their types, `(type, data)`.
pub(crate) fn requests_hash<'a>(lists: impl IntoIterator<Item = (u8, &'a [u8])>) -> B256 {
    let filled = lists.into_iter().filter(|(_, data)| !data.is_empty());
    let hashes: Vec<[u8; 32]> = filled.map(|(kind, data)| sha256(&[&[kind], data])).collect();
    B256::new(sha256(&[hashes.as_flattened()]))
}

#[cfg(test)]
mod tests;
