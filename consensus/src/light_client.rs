//! The light-client objects that beacon nodes serve (altair/light-client and its later forks).
//!
//! One type serves all forks: what a fork does not have is `None`. Nothing here is trusted; the statements are
//! checked on inputs made from these by [`crate::build`], and a store checks them by [`crate::store`]'s rules.

mod header;
mod upgrade;

use alloc::vec::Vec;

pub use header::HeaderError;

use crate::beacon::{BeaconBlockHeader, PublicKey, committee_root};
use crate::hash::{Root, hash_pair};
use crate::merkle::{container_root, merkle_root, u64_root};

/// `SyncCommittee`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct SyncCommittee {
    /// One key a seat.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_arrays"))]
    pub pubkeys: Vec<PublicKey>,
    /// The sum of all keys.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub aggregate_pubkey: PublicKey,
}

impl SyncCommittee {
    /// `hash_tree_root`.
    pub fn root(&self) -> Root {
        committee_root(&self.pubkeys, &self.aggregate_pubkey)
    }

    /// `SyncCommittee()`: what stands where none is known.
    pub fn empty(size: usize) -> Self {
        Self { pubkeys: alloc::vec![[0; 48]; size], aggregate_pubkey: [0; 48] }
    }

    /// Whether this is [`Self::empty`].
    pub fn is_empty(&self) -> bool {
        self.aggregate_pubkey == [0; 48] && self.pubkeys.iter().all(|key| *key == [0; 48])
    }
}

/// `SyncAggregate`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct SyncAggregate {
    /// One bit a seat, lowest bit of the first byte first.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_bytes"))]
    pub sync_committee_bits: Vec<u8>,
    /// The signature of those whose bit is set.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub sync_committee_signature: [u8; 96],
}

impl SyncAggregate {
    /// Seats that signed.
    pub fn participants(&self) -> u64 {
        self.sync_committee_bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Whether two thirds of the seats signed.
    pub fn has_supermajority(&self) -> bool {
        self.participants() * 3 >= self.sync_committee_bits.len() as u64 * 8 * 2
    }
}

/// `ExecutionPayloadHeader` of Capella; since Deneb with two fields more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[allow(missing_docs)] // The names are the specification's.
pub struct ExecutionPayloadHeader {
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub parent_hash: Root,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub fee_recipient: [u8; 20],
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub state_root: Root,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub receipts_root: Root,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub logs_bloom: [u8; 256],
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub prev_randao: Root,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub block_number: u64,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub gas_limit: u64,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub gas_used: u64,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub timestamp: u64,
    /// At most 32 bytes.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_bytes"))]
    pub extra_data: Vec<u8>,
    /// Little-endian, as SSZ has it.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal_u256"))]
    pub base_fee_per_gas: [u8; 32],
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub block_hash: Root,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub transactions_root: Root,
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
    pub withdrawals_root: Root,
    /// Since Deneb.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::json::optional_decimal"))]
    pub blob_gas_used: Option<u64>,
    /// Since Deneb.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::json::optional_decimal"))]
    pub excess_blob_gas: Option<u64>,
}

impl Default for ExecutionPayloadHeader {
    /// `ExecutionPayloadHeader()` of Capella.
    fn default() -> Self {
        Self {
            parent_hash: [0; 32],
            fee_recipient: [0; 20],
            state_root: [0; 32],
            receipts_root: [0; 32],
            logs_bloom: [0; 256],
            prev_randao: [0; 32],
            block_number: 0,
            gas_limit: 0,
            gas_used: 0,
            timestamp: 0,
            extra_data: Vec::new(),
            base_fee_per_gas: [0; 32],
            block_hash: [0; 32],
            transactions_root: [0; 32],
            withdrawals_root: [0; 32],
            blob_gas_used: None,
            excess_blob_gas: None,
        }
    }
}

impl ExecutionPayloadHeader {
    /// The same header in the shape of `fork`: Deneb's two fields are zero in the headers before it.
    pub(crate) fn shaped(mut self, fork: crate::chain::Fork) -> Self {
        if fork >= crate::chain::Fork::Deneb {
            self.blob_gas_used.get_or_insert(0);
            self.excess_blob_gas.get_or_insert(0);
        } else {
            self.blob_gas_used.take_if(|amount| *amount == 0);
            self.excess_blob_gas.take_if(|amount| *amount == 0);
        }
        self
    }

    /// Roots of the fields, in order: 15 of Capella, or 17 where both blob fields are there.
    pub fn field_roots(&self) -> Vec<Root> {
        let mut fee_recipient = [0; 32];
        fee_recipient[..20].copy_from_slice(&self.fee_recipient);
        let mut bloom = [[0; 32]; 8];
        bloom.as_flattened_mut().copy_from_slice(&self.logs_bloom);
        let mut extra_data = [0; 32];
        let length = self.extra_data.len().min(32);
        extra_data[..length].copy_from_slice(&self.extra_data[..length]);
        let mut fields = alloc::vec![
            self.parent_hash,
            fee_recipient,
            self.state_root,
            self.receipts_root,
            merkle_root(&bloom),
            self.prev_randao,
            u64_root(self.block_number),
            u64_root(self.gas_limit),
            u64_root(self.gas_used),
            u64_root(self.timestamp),
            hash_pair(&extra_data, &u64_root(self.extra_data.len() as u64)),
            self.base_fee_per_gas,
            self.block_hash,
            self.transactions_root,
            self.withdrawals_root,
        ];
        fields.extend([self.blob_gas_used, self.excess_blob_gas].into_iter().flatten().map(u64_root));
        fields
    }

    /// `hash_tree_root`.
    pub fn root(&self) -> Root {
        container_root(&self.field_roots())
    }
}

/// `LightClientHeader`. Before Capella the execution fields are missing; until Fulu there is the payload's header,
/// since Gloas the execution block's hash alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct LightClientHeader {
    /// The beacon block's header.
    pub beacon: BeaconBlockHeader,
    /// Its execution payload's header.
    #[cfg_attr(feature = "serde", serde(default))]
    pub execution: Option<ExecutionPayloadHeader>,
    /// Hash of an execution block.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::json::optional_hex_array"))]
    pub execution_block_hash: Option<Root>,
    /// From the payload header, or the block hash, to the body root.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::json::hex_arrays"))]
    pub execution_branch: Vec<Root>,
}

/// `LightClientBootstrap`: a trusted block and the committee of its period.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct LightClientBootstrap {
    /// The trusted block.
    pub header: LightClientHeader,
    /// The committee of its period.
    pub current_sync_committee: SyncCommittee,
    /// From the committee to the header's state root.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_arrays"))]
    pub current_sync_committee_branch: Vec<Root>,
}

/// `LightClientUpdate`: a signed header, its finalized one, and the next period's committee.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct LightClientUpdate {
    /// The header that was signed.
    pub attested_header: LightClientHeader,
    /// The committee of the next period.
    pub next_sync_committee: SyncCommittee,
    /// From that committee to the attested state root.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_arrays"))]
    pub next_sync_committee_branch: Vec<Root>,
    /// The header that the attested state holds finalized.
    pub finalized_header: LightClientHeader,
    /// From its root to the attested state root.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_arrays"))]
    pub finality_branch: Vec<Root>,
    /// Who signed.
    pub sync_aggregate: SyncAggregate,
    /// Slot of the block that carries the signature.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub signature_slot: u64,
}

/// `LightClientFinalityUpdate`: a signed header and its finalized one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct LightClientFinalityUpdate {
    /// The header that was signed.
    pub attested_header: LightClientHeader,
    /// The header that the attested state holds finalized.
    pub finalized_header: LightClientHeader,
    /// From its root to the attested state root.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_arrays"))]
    pub finality_branch: Vec<Root>,
    /// Who signed.
    pub sync_aggregate: SyncAggregate,
    /// Slot of the block that carries the signature.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub signature_slot: u64,
}

/// `LightClientOptimisticUpdate`: a signed header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct LightClientOptimisticUpdate {
    /// The header that was signed.
    pub attested_header: LightClientHeader,
    /// Who signed.
    pub sync_aggregate: SyncAggregate,
    /// Slot of the block that carries the signature.
    #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
    pub signature_slot: u64,
}

impl LightClientUpdate {
    /// `is_sync_committee_update`: whether it brings the next committee.
    pub fn has_sync_committee(&self) -> bool {
        !is_zero(&self.next_sync_committee_branch)
    }

    /// `is_finality_update`: whether it brings a finalized header.
    pub fn has_finality(&self) -> bool {
        !is_zero(&self.finality_branch)
    }

    /// The same signed header without the next committee.
    pub fn finality_update(&self) -> LightClientFinalityUpdate {
        LightClientFinalityUpdate {
            attested_header: self.attested_header.clone(),
            finalized_header: self.finalized_header.clone(),
            finality_branch: self.finality_branch.clone(),
            sync_aggregate: self.sync_aggregate.clone(),
            signature_slot: self.signature_slot,
        }
    }
}

fn is_zero(branch: &[Root]) -> bool {
    branch.iter().all(|node| *node == [0; 32])
}
