//! What is due: handovers from the last committee that is proven, or that the contract knows, on; then the watched accounts.

use std::time::{SystemTime, UNIX_EPOCH};

use sextant_consensus::{
    StatementError,
    bls::Plain,
    chain::ChainConfig,
    check_statement,
    hash::keccak256,
    light_client::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
    public_values::Statement,
};
use sextant_protocol::{ProofKind, ProofRecord, StatementInput};
use sextant_sources::{
    MAX_UPDATES, forks,
    input::{self, Prepared, Signers, Sourced},
    prepare::{self, PrepareError},
};

use crate::{
    Cadence, Event, FollowError, Follower, ProofEntry, Prover, StateError, Status, contract::View,
    event::OnEvent, status::hex,
};

impl<P: Prover> Follower<P> {
    /// Proves handovers until the last known committee is proven, or where there is a contract, known to it. Those that are
    /// to be `bundled` are left to be submitted.
    pub(crate) async fn hand_over(
        &mut self,
        view: &mut Option<View>,
        bundled: &mut Vec<ProofEntry>,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        // As the contract will be with them.
        let mut ahead = view.clone();
        loop {
            let from = ahead.as_ref().map_or(self.known.proven_period, |view| view.known_period);
            if from >= self.client.known_period() {
                return Ok(());
            }
            let recorded = ahead.as_ref().map(|view| self.recorded_handover(view)).transpose()?.flatten();
            let entry = match recorded {
                Some(entry) => entry,
                None => self.prove_handovers(from, ahead.as_ref(), on_event).await?,
            };
            if let (Some(ahead), Some(view)) = (&mut ahead, view.as_mut()) {
                match entry.to_bundle {
                    true => bundled.push(entry.clone()),
                    // It begins with a committee that the contract does not know yet.
                    false if !bundled.is_empty() => return Ok(()),
                    false => {
                        self.submit_entry(&entry, on_event).await?;
                        view.learn(&entry);
                        self.note(view)?;
                    }
                }
                ahead.learn(&entry);
            }
        }
    }

    /// Proves the next handovers from `from` on.
    async fn prove_handovers(
        &mut self,
        from: u64,
        view: Option<&View>,
        on_event: OnEvent<'_>,
    ) -> Result<ProofEntry, FollowError> {
        let signers = self.signers(from, view).await?;
        let count = self.handovers_at_once(from, view);
        let updates = self.handovers(&signers, count).await?;
        let Some(last) = updates.last().map(|update| update.value.clone()) else {
            return Err(StateError::Content("handovers").into());
        };
        let items = updates.len() as u64;
        // Fewer than asked for are worth a proof only where they are young enough by themselves.
        let slot = last.finalized_header.beacon.slot;
        match view {
            Some(view) if items < count && !view.is_young(slot) => {
                return Err(FollowError::TooFewUpdates { from, got: from + items, wanted: from + count });
            }
            _ => {}
        }
        let config = self.statement_config(last.signature_slot, view)?;
        let prepared = self.change(&config, &signers, updates).await?;
        let entry = self.prove(prepared, items as usize, on_event).await?;
        self.state.record_change(&entry, &last.next_sync_committee)?;
        self.known.proven_period = self.known.proven_period.max(entry.to_period);
        self.recorded(&entry, on_event)?;
        Ok(entry)
    }

    /// How many handovers go into one proof: at most as many as are wanted, but as many as it takes for a contract to
    /// find the last header young enough.
    fn handovers_at_once(&self, from: u64, view: Option<&View>) -> u64 {
        let config = &self.client.chain().config;
        let due = (self.client.known_period() - from).min(MAX_UPDATES);
        let wanted = self.config.max_handovers.clamp(1, due.max(1));
        let Some(view) = view else { return wanted };
        let first_slot = |period: u64| period * config.slots_per_epoch * config.epochs_per_period;
        (wanted..=due).find(|count| view.is_young(first_slot(from + count - 1))).unwrap_or(due)
    }

    /// What a statement with this signature is made with: a schedule that the contract takes, if there is one.
    pub(crate) fn statement_config(
        &self,
        signature_slot: u64,
        view: Option<&View>,
    ) -> Result<ChainConfig, FollowError> {
        let chain = self.client.chain();
        let taken = |digest| forks::with_digest(&chain.config, &digest, signature_slot);
        let Some(view) = view else {
            // A chain goes on under the schedule that it began with, as long as that holds.
            let kept = self.chain.as_ref().and_then(|kept| taken(kept.chain.head.chain_digest));
            return Ok(kept.unwrap_or_else(|| chain.statement_config()));
        };
        view.digests().find_map(taken).ok_or_else(|| FollowError::ContractChain {
            ours: chain.statement_config().digest(),
            theirs: Self::digests(view),
        })
    }

    /// Proves the watched accounts, if there is a new head and, where only changes count, a change.
    pub(crate) async fn prove_inclusion(
        &mut self,
        finality: &Sourced<LightClientFinalityUpdate>,
        view: Option<&View>,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let finalized_slot = finality.value.finalized_header.beacon.slot;
        if self.config.watched.is_empty() || finalized_slot <= self.known.included_slot {
            return Ok(());
        }
        let execution = self.execution.as_ref().ok_or(FollowError::NoExecution)?;
        let config = self.statement_config(finality.value.signature_slot, view)?;
        let watched = &self.config.watched;
        let prepared = prepare::inclusion_for(&self.client, &config, finality, execution, watched).await?;
        if self.config.cadence == Cadence::OnChange && self.is_unchanged(&prepared.input, view).await? {
            self.state.record_unchanged(finalized_slot)?;
            self.known.included_slot = finalized_slot;
            Status::write(&self.state)?;
            on_event(Event::Unchanged { finalized_slot });
            return Ok(());
        }
        let items = self.config.watched.len();
        let entry = self.prove(prepared, items, on_event).await?;
        self.state.record_inclusion(&entry)?;
        self.known.included_slot = finalized_slot;
        self.recorded(&entry, on_event)
    }

    /// Updates that hand over from `signers`, at most `count`; checked as a statement before they are used, so that a
    /// node that lies is passed over, and one that has fewer counts only where none has more.
    async fn handovers(
        &self,
        signers: &Signers,
        count: u64,
    ) -> Result<Vec<Sourced<LightClientUpdate>>, FollowError> {
        let (chain, from) = (self.client.chain(), signers.period);
        let accept = |updates: Vec<Sourced<LightClientUpdate>>| {
            let proving = |update: &Sourced<LightClientUpdate>| prepare::hands_over(chain, &update.value);
            let updates: Vec<_> = updates.into_iter().take_while(proving).collect();
            if updates.is_empty() {
                return Err(format!("no update of period {from} by which two thirds hand over"));
            }
            let prepared = input::committee_change(&chain.config, signers, updates.clone(), None)
                .map_err(|error| error.to_string())?;
            check(&prepared.input).map_err(|error| prepared.explain(&error))?;
            let of_use = updates.len();
            Ok((updates, of_use))
        };
        Ok(self.client.beacon().updates(&chain.config, from, count, accept).await?)
    }

    /// The statement of these handovers, since Gloas with the execution block of the last.
    async fn change(
        &self,
        config: &ChainConfig,
        signers: &Signers,
        updates: Vec<Sourced<LightClientUpdate>>,
    ) -> Result<Prepared, FollowError> {
        let hash = updates.last().and_then(|update| update.value.finalized_header.execution_block_hash);
        let block = match (&self.execution, hash) {
            (Some(execution), Some(hash)) => Some(execution.block_header(&hash).await?),
            _ => None,
        };
        let prepared = input::committee_change(config, signers, updates, block.as_ref());
        Ok(prepared.map_err(PrepareError::from)?)
    }

    /// The committee of a period: as it is kept, or that which the contract knows, by its root, from the update before.
    async fn signers(&self, period: u64, view: Option<&View>) -> Result<Signers, FollowError> {
        let source = format!("committee of period {period}");
        if let Some(committee) = self.state.committee(period)? {
            return Ok(Signers { source, period, committee });
        }
        let missing = StateError::Content("committee that is to hand over");
        let (Some(view), Some(before)) = (view, period.checked_sub(1)) else { return Err(missing.into()) };
        let accept = |mut updates: Vec<Sourced<LightClientUpdate>>| match updates.pop() {
            Some(update) if update.value.next_sync_committee.root() == view.committee_root => {
                Ok((update.value.next_sync_committee, 1))
            }
            Some(_) => Err(format!("teaches another committee of period {period} than the contract knows")),
            None => Err(format!("no update of period {before}")),
        };
        let config = &self.client.chain().config;
        let committee: SyncCommittee = self.client.beacon().updates(config, before, 1, accept).await?;
        Ok(Signers { source, period, committee })
    }

    /// Has a statement proven, and puts the verified proof on disk.
    pub(crate) async fn prove(
        &self,
        prepared: Prepared,
        items: usize,
        on_event: OnEvent<'_>,
    ) -> Result<ProofEntry, FollowError> {
        let expected = checked(prepared.input.clone()).await?;
        let head = *expected.head().expect("what is followed is about a chain");
        on_event(Event::Proving {
            program: head.program.as_str(),
            finalized_slot: head.finalized_slot,
            items,
        });
        let values = expected.abi_encode();
        let digest = hex::encode(&keccak256(&values)[..4]);
        let kind = self.form();
        let name = format!("{}-{}-{digest}-{kind}.proof", head.program, head.finalized_slot);
        let found = self.find(&name, &expected, kind).await.is_some();
        if !found {
            let proven = self.prover.prove(prepared.input, kind).await?;
            let same = proven.statement == expected && proven.record.public_values == values;
            if !same || proven.record.kind != kind || proven.record.program != head.program.tag() {
                return Err(FollowError::OtherStatement);
            }
            self.state.write_proof(&name, &proven.record)?;
        }
        on_event(Event::Written { file: self.state.proof_file(&name).display().to_string(), found });
        Ok(ProofEntry {
            program: head.program.as_str().into(),
            kind: kind.as_str().into(),
            file: name,
            finalized_slot: head.finalized_slot,
            block_number: head.block_number,
            from_period: head.signer_period,
            to_period: match &expected {
                Statement::CommitteeChange(change) => {
                    change.learned.last().map_or(head.signer_period, |learned| learned.period)
                }
                Statement::Chain(chain) => chain.newest.period,
                Statement::Inclusion(_) | Statement::Bundle(_) => head.signer_period,
            },
            public_values: hex(&values),
            recorded_at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            logs: None,
            to_bundle: kind != self.config.kind,
        })
    }

    /// This very proof, if it lies there already, from a run that was ended before it could record it.
    pub(crate) async fn find(
        &self,
        name: &str,
        expected: &Statement,
        kind: ProofKind,
    ) -> Option<ProofRecord> {
        let record = self.state.found_proof(name)?;
        if record.kind != kind || record.public_values != expected.abi_encode() {
            return None;
        }
        let statement = self.prover.verify(record.clone()).await.ok()?;
        (statement == *expected).then_some(record)
    }

    pub(crate) fn recorded(&self, entry: &ProofEntry, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        Status::write(&self.state)?;
        on_event(Event::Proof(entry.clone()));
        Ok(())
    }

    /// Whether the watched accounts are as the last recorded proof has them, and the contract has that or can have it.
    async fn is_unchanged(&self, input: &StatementInput, view: Option<&View>) -> Result<bool, FollowError> {
        if let Some(view) = view
            && self.inclusion_is_lost(view).await?
        {
            return Ok(false);
        }
        let Statement::Inclusion(now) = checked(input.clone()).await? else { return Ok(false) };
        let proofs = self.state.proofs()?;
        let last = proofs.iter().rev().find(|proof| proof.is_of_accounts());
        let values = last.and_then(|proof| hex::decode(proof.public_values.strip_prefix("0x")?).ok());
        let before = values.and_then(|values| Statement::abi_decode(now.head.program, &values).ok());
        Ok(matches!(before, Some(Statement::Inclusion(before)) if before.accounts == now.accounts))
    }
}

fn check(input: &StatementInput) -> Result<Statement, StatementError> {
    let program = input.program().expect("an input that was built here");
    check_statement(program, &input.bytes, &mut Plain)
}

/// [`check`], away from the async threads.
async fn checked(input: StatementInput) -> Result<Statement, FollowError> {
    let checked = tokio::task::spawn_blocking(move || check(&input)).await;
    Ok(checked.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?)
}
