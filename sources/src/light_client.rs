//! A light client of our own over beacon nodes: the specification's store, started from a trusted block root, to which
//! every update is shown before anybody uses it.

use std::time::Duration;

use sextant_consensus::{
    beacon::BeaconBlockHeader,
    bls::Plain,
    build::inclusion_input,
    chain::Fork,
    hash::Root,
    light_client::{LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, SyncCommittee},
    store::LightClientStore,
};

use crate::{
    BeaconNodes, Chain, SourceError,
    input::{Signers, Sourced},
};

/// Updates asked for at once: enough that a year takes a few seconds, few enough for one answer to be small.
const UPDATES_AT_ONCE: u64 = 16;

/// What a light client knows, on top of one chain's beacon nodes.
#[derive(Debug)]
pub struct LightClient {
    beacon: BeaconNodes,
    chain: Chain,
    store: LightClientStore,
    max_age: Option<Duration>,
}

/// Why a light client cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LightClientError {
    /// No node gave an answer that is usable and true.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The nodes go no further.
    #[error(
        "no update of period {period} that two thirds signed: period {wanted} cannot be reached; if nothing was final in \
         that period, only a later checkpoint leads on"
    )]
    Stuck {
        /// The period whose committee would have to hand over.
        period: u64,
        /// The period to be reached.
        wanted: u64,
    },
}

/// What a step forward brought.
#[derive(Clone, Debug)]
pub struct Advance {
    /// One update a period, each of which taught the next committee.
    pub updates: Vec<Sourced<LightClientUpdate>>,
    /// The latest finality.
    pub finality: Sourced<LightClientFinalityUpdate>,
}

impl LightClient {
    /// Starts from a block root that the caller trusts.
    ///
    /// # Errors
    /// [`LightClientError::Source`].
    pub async fn start(beacon: BeaconNodes, chain: Chain, root: &Root) -> Result<Self, LightClientError> {
        let open = |bootstrap: Sourced<_>| {
            LightClientStore::new(&chain.config, Fork::Capella, root, bootstrap.value)
        };
        let store = beacon.bootstrap(&chain.config, root, open).await?;
        Ok(Self { beacon, chain, store, max_age: None })
    }

    /// Goes on from what an earlier one knew: its finalized header and the committees of that header's period and the next.
    pub fn resume(
        beacon: BeaconNodes,
        chain: Chain,
        finalized: BeaconBlockHeader,
        committee: SyncCommittee,
        next: Option<SyncCommittee>,
    ) -> Self {
        // Only the slot counts: a store never looks again into what it has accepted.
        let header = LightClientHeader { beacon: finalized, ..LightClientHeader::default() };
        let store = LightClientStore {
            chain: chain.config.clone(),
            fork: Fork::Capella,
            finalized_header: header.clone(),
            current_sync_committee: committee,
            next_sync_committee: next,
            best_valid_update: None,
            optimistic_header: header,
            previous_max_active_participants: 0,
            current_max_active_participants: 0,
        };
        Self { beacon, chain, store, max_age: None }
    }

    /// Refuses nodes whose head is older than this by the local clock: they are behind. Default: no limit.
    pub fn with_max_age(mut self, max_age: Option<Duration>) -> Self {
        self.max_age = max_age;
        self
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain as it is described now: the same, but for forks that have got dates.
    pub fn set_chain(&mut self, chain: Chain) {
        self.store.chain = chain.config.clone();
        self.chain = chain;
    }

    /// The nodes.
    pub fn beacon(&self) -> &BeaconNodes {
        &self.beacon
    }

    /// The finalized header.
    pub fn finalized(&self) -> &BeaconBlockHeader {
        &self.store.finalized_header.beacon
    }

    /// Period of the finalized header.
    pub fn period(&self) -> u64 {
        self.store.period()
    }

    /// The last period whose committee is known.
    pub fn known_period(&self) -> u64 {
        self.period() + u64::from(self.store.next_sync_committee.is_some())
    }

    /// The committee of a period, if that is the finalized header's or, once known, the next.
    pub fn signers(&self, period: u64) -> Option<Signers> {
        let source = format!("committee of period {period}");
        let committee = match period.checked_sub(self.period())? {
            0 => self.store.current_sync_committee.clone(),
            1 => self.store.next_sync_committee.clone()?,
            _ => return None,
        };
        Some(Signers { source, period, committee })
    }

    /// Takes the latest finality, and after it one update a period as far as there are any.
    ///
    /// # Errors
    /// [`LightClientError`]; what was learned before it stays learned.
    pub async fn advance(&mut self) -> Result<Advance, LightClientError> {
        let (mut updates, finality) = self.finality().await?;
        updates.extend(self.learn_on(u64::MAX).await?);
        Ok(Advance { updates, finality })
    }

    /// Takes the latest finality, and before it the updates that it takes to know who signed: none within the period of
    /// the finalized header that is known and, once that is taught, the next.
    ///
    /// # Errors
    /// [`LightClientError`]; what was learned before it stays learned.
    pub async fn finality(
        &mut self,
    ) -> Result<(Vec<Sourced<LightClientUpdate>>, Sourced<LightClientFinalityUpdate>), LightClientError> {
        let config = self.chain.config.clone();
        let look = |update: Sourced<LightClientFinalityUpdate>| {
            let wanted = config.period(update.value.signature_slot);
            // From far behind it only says how far to go; whether it is true is seen when the committees are known.
            match self.signers(wanted) {
                Some(signers) => self.try_finality(update, &signers).map(|checked| (wanted, Some(checked))),
                None => self.check_usable(&update.value).map(|()| (wanted, None)),
            }
        };
        let (wanted, checked) = self.beacon.finality_update(&config, look).await?;
        if let Some((store, finality)) = checked {
            self.store = store;
            return Ok((Vec::new(), finality));
        }
        let updates = self.learn(wanted.saturating_sub(1)).await?;
        if self.signers(wanted).is_none() {
            return Err(LightClientError::Stuck { period: self.known_period(), wanted });
        }
        let accept = |update: Sourced<LightClientFinalityUpdate>| {
            let period = config.period(update.value.signature_slot);
            let signers = self.signers(period).ok_or_else(|| format!("signed in period {period}"))?;
            self.try_finality(update, &signers)
        };
        let (store, finality) = self.beacon.finality_update(&config, accept).await?;
        self.store = store;
        Ok((updates, finality))
    }

    /// Learns on from where the finalized header is, up to the committee that period `last` hands over to. Nothing is
    /// asked for in a period of which nothing is final yet, because nothing in it hands over then.
    ///
    /// # Errors
    /// [`LightClientError::Source`]; what was learned before it stays learned.
    pub async fn learn_on(&mut self, last: u64) -> Result<Vec<Sourced<LightClientUpdate>>, LightClientError> {
        Ok(self.learn(last.min(self.period())).await?)
    }

    /// Learns the committees up to that of period `to`, without asking for the latest finality.
    ///
    /// # Errors
    /// [`LightClientError::Source`]; what was learned before it stays learned.
    pub async fn learn_to(&mut self, to: u64) -> Result<Vec<Sourced<LightClientUpdate>>, LightClientError> {
        Ok(self.learn(to.saturating_sub(1)).await?)
    }

    /// A store that has seen a finality update.
    fn try_finality(
        &self,
        update: Sourced<LightClientFinalityUpdate>,
        signers: &Signers,
    ) -> Result<(LightClientStore, Sourced<LightClientFinalityUpdate>), String> {
        self.check_usable(&update.value)?;
        let mut store = self.store.clone();
        if update.value.attested_header.beacon.slot > self.finalized().slot {
            let applied = store.finality_update(update.value.clone(), self.chain.current_slot(), &mut Plain);
            applied.map_err(|error| error.to_string())?;
        }
        // What a statement demands more than the light client does is to be said of this node, and of no other later.
        let input = inclusion_input(&self.chain.config, &signers.committee, &update.value, &[]);
        let signed = input.map_err(|error| error.to_string())?.signed;
        let verified = signed.verify(&self.chain.config, &signers.committee.root(), &mut Plain);
        verified.map_err(|error| error.to_string())?;
        Ok((store, update))
    }

    /// Learns the committees that the periods up to `last` hand over to, as far as there are updates for it.
    async fn learn(&mut self, last: u64) -> Result<Vec<Sourced<LightClientUpdate>>, SourceError> {
        let mut learned = Vec::new();
        loop {
            let start = self.known_period();
            if start > last {
                return Ok(learned);
            }
            let count = (last - start + 1).min(UPDATES_AT_ONCE);
            let accept = |updates: Vec<Sourced<LightClientUpdate>>| {
                self.try_updates(updates).map(|(store, new)| {
                    let of_use = new.len();
                    ((store, new), of_use)
                })
            };
            let (store, new) = self.beacon.updates(&self.chain.config, start, count, accept).await?;
            self.store = store;
            if new.is_empty() {
                return Ok(learned);
            }
            learned.extend(new);
        }
    }

    /// A store that has seen the updates, and those that taught it a committee.
    fn try_updates(
        &self,
        updates: Vec<Sourced<LightClientUpdate>>,
    ) -> Result<(LightClientStore, Vec<Sourced<LightClientUpdate>>), String> {
        let (mut store, mut learned) = (self.store.clone(), Vec::new());
        for update in updates {
            let next = store.next_sync_committee.is_some();
            let period = store.period();
            store
                .update(update.value.clone(), self.chain.current_slot(), &mut Plain)
                .map_err(|error| format!("{}: {error}", update.source))?;
            let moved = store.period() > period || !next;
            if !(moved && store.next_sync_committee.is_some()) {
                break;
            }
            learned.push(update);
        }
        Ok((store, learned))
    }

    /// Signed by two thirds over something final, not older than what is known, neither in the future nor, where there is a
    /// limit, long ago.
    fn check_usable(&self, update: &LightClientFinalityUpdate) -> Result<(), String> {
        let (attested, known) = (update.attested_header.beacon.slot, self.finalized().slot);
        if attested < known {
            return Err(format!("stale: attested slot {attested}, but slot {known} is final already"));
        }
        if update.finalized_header.beacon.slot == 0 {
            return Err("nothing is final in it: its finalized header is empty, or that of genesis".into());
        }
        let (signed, seats) = (update.sync_aggregate.participants(), self.chain.config.committee_size);
        if !update.sync_aggregate.has_supermajority() {
            return Err(format!("participation {signed} of {seats} is below two thirds"));
        }
        let (slot, current) = (update.attested_header.beacon.slot, self.chain.current_slot());
        if update.signature_slot > current {
            return Err(format!("signed in slot {}, now is slot {current}", update.signature_slot));
        }
        let age = self.chain.age(slot);
        match self.max_age {
            Some(limit) if age > limit => Err(format!(
                "behind: its finality update is of slot {slot}, {} s ago, at most {} s are accepted",
                age.as_secs(),
                limit.as_secs()
            )),
            _ => Ok(()),
        }
    }
}
