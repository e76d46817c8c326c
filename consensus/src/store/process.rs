//! What a valid update does to the store: `process_light_client_update` and its relatives.

use super::{LightClientStore, UpdateError, is_better_update};
use crate::bls::AggregateVerifier;
use crate::light_client::{
    LightClientFinalityUpdate, LightClientHeader, LightClientOptimisticUpdate, LightClientUpdate,
    SyncCommittee,
};

/// What became of a valid update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Two thirds signed something new and finalized: the store moved on.
    Applied,
    /// It may have moved the optimistic header, or wait as the best update so far.
    Noted,
}

impl LightClientStore {
    /// `process_light_client_update`, at `current_slot` by the caller's clock.
    ///
    /// # Errors
    /// [`UpdateError`] names the rule; the store is then as it was.
    pub fn update(
        &mut self,
        mut update: LightClientUpdate,
        current_slot: u64,
        bls: &mut impl AggregateVerifier,
    ) -> Result<Outcome, UpdateError> {
        update.upgrade(&self.chain, self.fork);
        self.validate(&update, current_slot, bls)?;
        let applies = self.applies(&update);
        if applies {
            self.check_applicable(&update)?;
        }

        let participants = update.sync_aggregate.participants();
        self.current_max_active_participants = self.current_max_active_participants.max(participants);
        let attested = &update.attested_header;
        if participants > self.safety_threshold() && attested.beacon.slot > self.optimistic_header.beacon.slot
        {
            self.optimistic_header = attested.clone();
        }
        if applies {
            self.apply(update);
            self.best_valid_update = None;
            return Ok(Outcome::Applied);
        }
        if self.best_valid_update.as_ref().is_none_or(|best| is_better_update(&self.chain, &update, best)) {
            self.best_valid_update = Some(update);
        }
        Ok(Outcome::Noted)
    }

    /// `process_light_client_finality_update`.
    ///
    /// # Errors
    /// [`UpdateError`] names the rule; the store is then as it was.
    pub fn finality_update(
        &mut self,
        update: LightClientFinalityUpdate,
        current_slot: u64,
        bls: &mut impl AggregateVerifier,
    ) -> Result<Outcome, UpdateError> {
        let update = LightClientUpdate {
            attested_header: update.attested_header,
            next_sync_committee: SyncCommittee::empty(self.chain.size()),
            next_sync_committee_branch: alloc::vec::Vec::new(),
            finalized_header: update.finalized_header,
            finality_branch: update.finality_branch,
            sync_aggregate: update.sync_aggregate,
            signature_slot: update.signature_slot,
        };
        self.update(update, current_slot, bls)
    }

    /// `process_light_client_optimistic_update`.
    ///
    /// # Errors
    /// [`UpdateError`] names the rule; the store is then as it was.
    pub fn optimistic_update(
        &mut self,
        update: LightClientOptimisticUpdate,
        current_slot: u64,
        bls: &mut impl AggregateVerifier,
    ) -> Result<Outcome, UpdateError> {
        let update = LightClientFinalityUpdate {
            attested_header: update.attested_header,
            finalized_header: LightClientHeader::default(),
            finality_branch: alloc::vec::Vec::new(),
            sync_aggregate: update.sync_aggregate,
            signature_slot: update.signature_slot,
        };
        self.finality_update(update, current_slot, bls)
    }

    /// `process_light_client_store_force_update`: after a whole period (`UPDATE_TIMEOUT`) without finality, goes on
    /// with the best update there is, as if its attested header were final. For clients that would rather follow a
    /// minority than stand still: no statement is ever made this way.
    ///
    /// # Errors
    /// [`UpdateError::FinalizedPeriod`], where the best update leads past a period whose committee is not known.
    pub fn force_update(&mut self, current_slot: u64) -> Result<Outcome, UpdateError> {
        let timeout = self.chain.slots_per_epoch * self.chain.epochs_per_period;
        let finalized = self.finalized_header.beacon.slot;
        if current_slot <= finalized.saturating_add(timeout) {
            return Ok(Outcome::Noted);
        }
        let Some(mut update) = self.best_valid_update.take() else { return Ok(Outcome::Noted) };
        if update.finalized_header.beacon.slot <= finalized {
            update.finalized_header = update.attested_header.clone();
        }
        self.check_applicable(&update)?;
        self.apply(update);
        Ok(Outcome::Applied)
    }

    /// `get_safety_threshold`.
    fn safety_threshold(&self) -> u64 {
        self.previous_max_active_participants.max(self.current_max_active_participants) / 2
    }

    /// Whether two thirds signed something that the store does not have yet.
    fn applies(&self, update: &LightClientUpdate) -> bool {
        let (attested, finalized) = (update.attested_header.beacon.slot, update.finalized_header.beacon.slot);
        let learns_finalized_committee = self.next_sync_committee.is_none()
            && update.has_sync_committee()
            && update.has_finality()
            && self.chain.period(finalized) == self.chain.period(attested);
        update.sync_aggregate.has_supermajority()
            && (finalized > self.finalized_header.beacon.slot || learns_finalized_committee)
    }

    /// The one assertion inside `apply_light_client_update`.
    fn check_applicable(&self, update: &LightClientUpdate) -> Result<(), UpdateError> {
        let (got, expected) = (self.chain.period(update.finalized_header.beacon.slot), self.period());
        if self.next_sync_committee.is_none() && got != expected {
            return Err(UpdateError::FinalizedPeriod { got, expected });
        }
        Ok(())
    }

    /// `apply_light_client_update`.
    fn apply(&mut self, update: LightClientUpdate) {
        let period = self.chain.period(update.finalized_header.beacon.slot);
        let learned = Some(update.next_sync_committee).filter(|committee| !committee.is_empty());
        match &mut self.next_sync_committee {
            None => self.next_sync_committee = learned,
            Some(next) if period == self.chain.period(self.finalized_header.beacon.slot) + 1 => {
                core::mem::swap(&mut self.current_sync_committee, next);
                self.next_sync_committee = learned;
                self.previous_max_active_participants = self.current_max_active_participants;
                self.current_max_active_participants = 0;
            }
            Some(_) => {}
        }
        if update.finalized_header.beacon.slot > self.finalized_header.beacon.slot {
            self.finalized_header = update.finalized_header;
            if self.finalized_header.beacon.slot > self.optimistic_header.beacon.slot {
                self.optimistic_header = self.finalized_header.clone();
            }
        }
    }
}
