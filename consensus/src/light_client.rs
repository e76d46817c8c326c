//! The light-client objects that beacon nodes serve (altair/light-client and its later forks).
//!
//! One type serves all forks: what a fork does not have is `None`. Nothing here is trusted; the statements are
//! checked on inputs made from these by [`crate::build`].

use alloc::vec::Vec;

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

impl ExecutionPayloadHeader {
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

/// `LightClientHeader`. Before Capella the execution fields are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct LightClientHeader {
    /// The beacon block's header.
    pub beacon: BeaconBlockHeader,
    /// Its execution payload's header.
    #[cfg_attr(feature = "serde", serde(default))]
    pub execution: Option<ExecutionPayloadHeader>,
    /// From the payload header to the body root.
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

impl LightClientUpdate {
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
