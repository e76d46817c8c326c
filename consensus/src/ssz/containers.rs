//! The objects that nodes serve, each from its SSZ in the fork that the answer names.
//!
//! `committee_size` is the preset's: [`crate::chain::ChainConfig::size`].

use super::{Field, Shape, SszError, array, branch_size, header, roots, split, uint64};
use crate::chain::Fork;
use crate::light_client::{
    LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader, LightClientOptimisticUpdate,
    LightClientUpdate, SyncAggregate, SyncCommittee,
};

/// Bytes of a public key.
const KEY: usize = 48;
/// Bytes of a signature.
const SIGNATURE: usize = 96;

impl Shape {
    fn header(self, name: &'static str) -> Field {
        (name, header::size(self.fork))
    }

    fn committee(self, name: &'static str) -> Field {
        (name, Some((self.committee_size + 1) * KEY))
    }

    fn aggregate(self) -> Field {
        ("sync_aggregate", Some(self.committee_size / 8 + SIGNATURE))
    }

    fn finality_branch(self) -> Field {
        ("finality_branch", Some(branch_size(self.fork.finalized_root_gindex())))
    }

    fn read_header(self, name: &'static str, bytes: &[u8]) -> Result<LightClientHeader, SszError> {
        header::light_client_header(self, bytes).map_err(|e| e.within(name))
    }

    fn read_committee(self, bytes: &[u8]) -> SyncCommittee {
        let (keys, aggregate) = bytes.split_at(self.committee_size * KEY);
        SyncCommittee {
            pubkeys: keys.chunks_exact(KEY).map(array).collect(),
            aggregate_pubkey: array(aggregate),
        }
    }

    fn read_aggregate(self, bytes: &[u8]) -> SyncAggregate {
        let (bits, signature) = bytes.split_at(self.committee_size / 8);
        SyncAggregate { sync_committee_bits: bits.to_vec(), sync_committee_signature: array(signature) }
    }
}

/// The slot of a block with a signature.
const SIGNATURE_SLOT: Field = ("signature_slot", Some(8));

impl LightClientBootstrap {
    /// Decodes a bootstrap of `fork`.
    ///
    /// # Errors
    /// [`SszError`] names the field.
    pub fn from_ssz(fork: Fork, committee_size: usize, bytes: &[u8]) -> Result<Self, SszError> {
        let shape = Shape::new(fork, committee_size)?;
        let branch = branch_size(fork.current_sync_committee_gindex());
        let [header, committee, branch] = split(
            bytes,
            [
                shape.header("header"),
                shape.committee("current_sync_committee"),
                ("current_sync_committee_branch", Some(branch)),
            ],
        )?;
        Ok(Self {
            header: shape.read_header("header", header)?,
            current_sync_committee: shape.read_committee(committee),
            current_sync_committee_branch: roots(branch),
        })
    }
}

impl LightClientUpdate {
    /// Decodes an update of `fork`, which is that of its attested header.
    ///
    /// # Errors
    /// [`SszError`] names the field.
    pub fn from_ssz(fork: Fork, committee_size: usize, bytes: &[u8]) -> Result<Self, SszError> {
        let shape = Shape::new(fork, committee_size)?;
        let branch = branch_size(fork.next_sync_committee_gindex());
        let [attested, committee, committee_branch, finalized, finality_branch, aggregate, slot] = split(
            bytes,
            [
                shape.header("attested_header"),
                shape.committee("next_sync_committee"),
                ("next_sync_committee_branch", Some(branch)),
                shape.header("finalized_header"),
                shape.finality_branch(),
                shape.aggregate(),
                SIGNATURE_SLOT,
            ],
        )?;
        Ok(Self {
            attested_header: shape.read_header("attested_header", attested)?,
            next_sync_committee: shape.read_committee(committee),
            next_sync_committee_branch: roots(committee_branch),
            finalized_header: shape.read_header("finalized_header", finalized)?,
            finality_branch: roots(finality_branch),
            sync_aggregate: shape.read_aggregate(aggregate),
            signature_slot: uint64(slot),
        })
    }
}

impl LightClientFinalityUpdate {
    /// Decodes a finality update of `fork`, which is that of its attested header.
    ///
    /// # Errors
    /// [`SszError`] names the field.
    pub fn from_ssz(fork: Fork, committee_size: usize, bytes: &[u8]) -> Result<Self, SszError> {
        let shape = Shape::new(fork, committee_size)?;
        let [attested, finalized, finality_branch, aggregate, slot] = split(
            bytes,
            [
                shape.header("attested_header"),
                shape.header("finalized_header"),
                shape.finality_branch(),
                shape.aggregate(),
                SIGNATURE_SLOT,
            ],
        )?;
        Ok(Self {
            attested_header: shape.read_header("attested_header", attested)?,
            finalized_header: shape.read_header("finalized_header", finalized)?,
            finality_branch: roots(finality_branch),
            sync_aggregate: shape.read_aggregate(aggregate),
            signature_slot: uint64(slot),
        })
    }
}

impl LightClientOptimisticUpdate {
    /// Decodes an optimistic update of `fork`, which is that of its attested header.
    ///
    /// # Errors
    /// [`SszError`] names the field.
    pub fn from_ssz(fork: Fork, committee_size: usize, bytes: &[u8]) -> Result<Self, SszError> {
        let shape = Shape::new(fork, committee_size)?;
        let [attested, aggregate, slot] =
            split(bytes, [shape.header("attested_header"), shape.aggregate(), SIGNATURE_SLOT])?;
        Ok(Self {
            attested_header: shape.read_header("attested_header", attested)?,
            sync_aggregate: shape.read_aggregate(aggregate),
            signature_slot: uint64(slot),
        })
    }
}
