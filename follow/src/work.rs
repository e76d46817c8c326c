//! What is due: handovers from the last proven committee on, then the watched accounts.

use std::time::{SystemTime, UNIX_EPOCH};

use sextant_consensus::{
    StatementError,
    bls::Plain,
    check_statement,
    hash::keccak256,
    light_client::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
    public_values::Statement,
};
use sextant_protocol::StatementInput;
use sextant_sources::{
    input::{self, Prepared, Signers, Sourced},
    prepare::{self, PrepareError},
};

use crate::{Cadence, Event, FollowError, Follower, ProofEntry, Prover, StateError, Status, status::hex};

pub(crate) type OnEvent<'a> = &'a mut (dyn FnMut(Event) + Send);

impl<P: Prover> Follower<P> {
    /// Proves handovers until the last known committee is proven.
    pub(crate) async fn prove_handovers(&mut self, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        while self.known.proven_period < self.client.known_period() {
            let from = self.known.proven_period;
            let count = (self.client.known_period() - from).min(self.config.max_handovers.max(1));
            let updates = self.handovers(from, count).await?;
            let Some(last) = updates.last().map(|update| update.value.next_sync_committee.clone()) else {
                return Ok(());
            };
            let items = updates.len();
            let prepared = self.change(from, updates).await?;
            let entry = self.prove(prepared, items, on_event).await?;
            self.state.record_change(&entry, &last)?;
            self.known.proven_period = entry.to_period;
            self.recorded(entry, on_event)?;
        }
        Ok(())
    }

    /// Proves the watched accounts, if there is a new head and, where only changes count, a change.
    pub(crate) async fn prove_inclusion(
        &mut self,
        finality: &Sourced<LightClientFinalityUpdate>,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let finalized_slot = finality.value.finalized_header.beacon.slot;
        if self.config.watched.is_empty() || finalized_slot <= self.known.included_slot {
            return Ok(());
        }
        let execution = self.execution.as_ref().ok_or(FollowError::NoExecution)?;
        let prepared =
            prepare::inclusion_under(&self.client, finality, execution, &self.config.watched).await?;
        if self.config.cadence == Cadence::OnChange && self.is_unchanged(&prepared.input).await? {
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
        self.recorded(entry, on_event)
    }

    /// Updates that hand over from the committee of `from`, at most `count`; checked as a statement before they are
    /// used, so that a node that lies is passed over.
    async fn handovers(&self, from: u64, count: u64) -> Result<Vec<Sourced<LightClientUpdate>>, FollowError> {
        let (chain, signers) = (self.client.chain(), self.signers(from)?);
        let accept = |updates: Vec<Sourced<LightClientUpdate>>| {
            let proving = |update: &Sourced<LightClientUpdate>| prepare::hands_over(chain, &update.value);
            let updates: Vec<_> = updates.into_iter().take_while(proving).collect();
            if updates.is_empty() {
                return Err(format!("no update of period {from} by which two thirds hand over"));
            }
            let prepared = input::committee_change(&chain.config, &signers, updates.clone(), None)
                .map_err(|error| error.to_string())?;
            check(&prepared.input).map_err(|error| prepared.explain(&error))?;
            Ok(updates)
        };
        Ok(self.client.beacon().updates(&chain.config, from, count, accept).await?)
    }

    /// The statement of these handovers, since Gloas with the execution block of the last.
    async fn change(
        &self,
        from: u64,
        updates: Vec<Sourced<LightClientUpdate>>,
    ) -> Result<Prepared, FollowError> {
        let hash = updates.last().and_then(|update| update.value.finalized_header.execution_block_hash);
        let block = match (&self.execution, hash) {
            (Some(execution), Some(hash)) => Some(execution.block_header(&hash).await?),
            _ => None,
        };
        let config = &self.client.chain().config;
        let prepared = input::committee_change(config, &self.signers(from)?, updates, block.as_ref());
        Ok(prepared.map_err(PrepareError::from)?)
    }

    fn signers(&self, period: u64) -> Result<Signers, StateError> {
        let committee: Option<SyncCommittee> = self.state.committee(period)?;
        let committee = committee.ok_or(StateError::Content("committee that is to hand over"))?;
        Ok(Signers { source: format!("committee of period {period}"), period, committee })
    }

    /// Has a statement proven, and puts the verified proof on disk.
    async fn prove(
        &self,
        prepared: Prepared,
        items: usize,
        on_event: OnEvent<'_>,
    ) -> Result<ProofEntry, FollowError> {
        let expected = checked(prepared.input.clone()).await?;
        let head = *expected.head();
        on_event(Event::Proving {
            program: head.program.as_str(),
            finalized_slot: head.finalized_slot,
            items,
        });
        let values = expected.abi_encode();
        let digest = hex::encode(&keccak256(&values)[..4]);
        let kind = self.config.kind;
        let name = format!("{}-{}-{digest}-{kind}.proof", head.program, head.finalized_slot);
        let found = self.find(&name, &expected, &values).await;
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
                Statement::Inclusion(_) => head.signer_period,
            },
            public_values: hex(&values),
            recorded_at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        })
    }

    /// Whether this very proof lies there already, from a run that was ended before it could record it.
    async fn find(&self, name: &str, expected: &Statement, values: &[u8]) -> bool {
        match self.state.found_proof(name) {
            Some(record) if record.public_values == values && record.kind == self.config.kind => {
                self.prover.verify(record).await.is_ok_and(|statement| statement == *expected)
            }
            _ => false,
        }
    }

    fn recorded(&self, entry: ProofEntry, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        Status::write(&self.state)?;
        on_event(Event::Proof(entry));
        Ok(())
    }

    /// Whether the watched accounts are as the last recorded proof has them.
    async fn is_unchanged(&self, input: &StatementInput) -> Result<bool, FollowError> {
        let Statement::Inclusion(now) = checked(input.clone()).await? else { return Ok(false) };
        let proofs = self.state.proofs()?;
        let last = proofs.iter().rev().find(|proof| proof.program == now.head.program.as_str());
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
