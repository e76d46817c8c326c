//! `validate_light_client_update`: each rule an error of its own.

use alloc::vec::Vec;

use super::LightClientStore;
use crate::bls::{AggregateVerifier, BlsError};
use crate::chain::ChainError;
use crate::hash::hash_pair;
use crate::light_client::{HeaderError, LightClientUpdate, SyncCommittee};
use crate::merkle::{MerkleError, verify_normalized_branch};

/// Why an update is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The slots are none that this chain configuration speaks about.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// A list has not the length of the chain's committees.
    #[error("{what} has {got} entries, the chain's committees have {expected} seats")]
    Size {
        /// Which.
        what: &'static str,
        /// Entries given.
        got: usize,
        /// Seats of a committee.
        expected: usize,
    },
    /// Nobody signed.
    #[error("nobody signed")]
    NoParticipants,
    /// A header is not valid.
    #[error("{what}: {error}")]
    Header {
        /// Which.
        what: &'static str,
        /// Why.
        error: HeaderError,
    },
    /// Slots must be ordered, and not lie in the future.
    #[error(
        "slots out of order: current {current} >= signature {signature} > attested {attested} >= finalized \
         {finalized} must hold"
    )]
    SlotOrder {
        /// Slot by the caller's clock.
        current: u64,
        /// `signature_slot`.
        signature: u64,
        /// Slot of the attested header.
        attested: u64,
        /// Slot of the finalized header.
        finalized: u64,
    },
    /// The store does not know the committee that signed.
    #[error("signed in period {got}, the store knows the committees from period {known} to {to}")]
    Period {
        /// Period of the signature.
        got: u64,
        /// Period of the store.
        known: u64,
        /// Last period whose committee is known.
        to: u64,
    },
    /// The store learns nothing from it.
    #[error(
        "attested slot {attested} is not after the finalized slot {finalized}, and no committee is learned"
    )]
    Irrelevant {
        /// Slot of the attested header.
        attested: u64,
        /// Slot of the store's finalized header.
        finalized: u64,
    },
    /// A finalized header without a branch, or one of genesis that is not empty.
    #[error("finalized_header is not proven by any branch, yet not empty")]
    FinalizedSurplus,
    /// The finalized header is not in the attested state.
    #[error("finality_branch: {0}")]
    Finality(MerkleError),
    /// A next committee without a branch.
    #[error("next_sync_committee is not proven by any branch, yet not empty")]
    CommitteeSurplus,
    /// The period's next committee is another than the one learned before.
    #[error("next_sync_committee is another than the one known for that period")]
    CommitteeConflict,
    /// The next committee is not in the attested state.
    #[error("next_sync_committee_branch: {0}")]
    Committee(MerkleError),
    /// The signature does not hold.
    #[error("signature: {0}")]
    Signature(#[from] BlsError),
    /// Applied without knowing the next committee, an update must be finalized in the store's period.
    #[error("finalized in period {got}, while the committee after period {expected} is not known")]
    FinalizedPeriod {
        /// Period of the update's finalized header.
        got: u64,
        /// Period of the store.
        expected: u64,
    },
}

impl LightClientStore {
    /// `validate_light_client_update`, of an update in the store's shape.
    ///
    /// # Errors
    /// [`UpdateError`] names the rule.
    pub fn validate(
        &self,
        update: &LightClientUpdate,
        current_slot: u64,
        bls: &mut impl AggregateVerifier,
    ) -> Result<(), UpdateError> {
        self.check_sizes(update)?;
        if update.sync_aggregate.participants() == 0 {
            return Err(UpdateError::NoParticipants);
        }
        let header = |what| move |error| UpdateError::Header { what, error };
        update.attested_header.validate(&self.chain).map_err(header("attested_header"))?;
        self.check_slots(update, current_slot)?;
        let signers = self.signers(update)?;
        self.check_relevance(update)?;
        self.check_finality(update)?;
        self.check_next_committee(update)?;
        self.check_signature(update, signers, bls)
    }

    fn check_sizes(&self, update: &LightClientUpdate) -> Result<(), UpdateError> {
        let expected = self.chain.size();
        for (what, got) in [
            ("sync_committee_bits", update.sync_aggregate.sync_committee_bits.len() * 8),
            ("next_sync_committee", update.next_sync_committee.pubkeys.len()),
        ] {
            if got != expected {
                return Err(UpdateError::Size { what, got, expected });
            }
        }
        Ok(())
    }

    fn check_slots(&self, update: &LightClientUpdate, current: u64) -> Result<(), UpdateError> {
        let (attested, finalized) = (update.attested_header.beacon.slot, update.finalized_header.beacon.slot);
        let signature = update.signature_slot;
        if current >= signature && signature > attested && attested >= finalized {
            Ok(())
        } else {
            Err(UpdateError::SlotOrder { current, signature, attested, finalized })
        }
    }

    /// The committee of the signature's period.
    fn signers(&self, update: &LightClientUpdate) -> Result<&SyncCommittee, UpdateError> {
        let (got, known) = (self.chain.period(update.signature_slot), self.period());
        match &self.next_sync_committee {
            _ if got == known => Ok(&self.current_sync_committee),
            Some(next) if got == known + 1 => Ok(next),
            next => Err(UpdateError::Period { got, known, to: known + u64::from(next.is_some()) }),
        }
    }

    fn check_relevance(&self, update: &LightClientUpdate) -> Result<(), UpdateError> {
        let attested = update.attested_header.beacon.slot;
        let finalized = self.finalized_header.beacon.slot;
        let learns = self.next_sync_committee.is_none()
            && update.has_sync_committee()
            && self.chain.period(attested) == self.period();
        if attested > finalized || learns {
            Ok(())
        } else {
            Err(UpdateError::Irrelevant { attested, finalized })
        }
    }

    fn check_finality(&self, update: &LightClientUpdate) -> Result<(), UpdateError> {
        let (attested, finalized) = (&update.attested_header.beacon, &update.finalized_header);
        // The genesis checkpoint's root is zero and names no header.
        if !update.has_finality() || finalized.beacon.slot == 0 {
            if !finalized.is_empty() {
                return Err(UpdateError::FinalizedSurplus);
            }
            if !update.has_finality() {
                return Ok(());
            }
        }
        let root = if finalized.beacon.slot == 0 {
            [0; 32]
        } else {
            let header = |error| UpdateError::Header { what: "finalized_header", error };
            finalized.validate(&self.chain).map_err(header)?;
            finalized.beacon.root()
        };
        let gindex = self.chain.fork_at(attested.slot)?.finalized_root_gindex();
        verify_normalized_branch(&root, &update.finality_branch, gindex, &attested.state_root)
            .map_err(UpdateError::Finality)
    }

    fn check_next_committee(&self, update: &LightClientUpdate) -> Result<(), UpdateError> {
        let (attested, committee) = (&update.attested_header.beacon, &update.next_sync_committee);
        if !update.has_sync_committee() {
            return if committee.is_empty() { Ok(()) } else { Err(UpdateError::CommitteeSurplus) };
        }
        let known =
            self.next_sync_committee.as_ref().filter(|_| self.chain.period(attested.slot) == self.period());
        if known.is_some_and(|known| known != committee) {
            return Err(UpdateError::CommitteeConflict);
        }
        let gindex = self.chain.fork_at(attested.slot)?.next_sync_committee_gindex();
        verify_normalized_branch(
            &committee.root(),
            &update.next_sync_committee_branch,
            gindex,
            &attested.state_root,
        )
        .map_err(UpdateError::Committee)
    }

    /// `FastAggregateVerify` over the signers, as everybody's aggregate less the absent: the aggregate is under the
    /// same root as the keys, and all keys of a state have been validated on deposit.
    fn check_signature(
        &self,
        update: &LightClientUpdate,
        signers: &SyncCommittee,
        bls: &mut impl AggregateVerifier,
    ) -> Result<(), UpdateError> {
        let bits = &update.sync_aggregate.sync_committee_bits;
        let signed = |seat: usize| bits[seat / 8] >> (seat % 8) & 1 == 1;
        let keys = signers.pubkeys.iter().enumerate();
        let absent: Vec<_> = keys.filter(|(seat, _)| !signed(*seat)).map(|(_, key)| *key).collect();
        let domain = self.chain.signing_domain(update.signature_slot);
        let message = hash_pair(&update.attested_header.beacon.root(), &domain);
        let signature = &update.sync_aggregate.sync_committee_signature;
        Ok(bls.verify(&signers.aggregate_pubkey, &absent, &message, signature)?)
    }
}
