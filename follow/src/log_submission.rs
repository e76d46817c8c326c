//! Submitting proofs of logs. Each tells of other events, so that each is submitted, the oldest first: whatever is not on
//! the contract is due, and is looked for anew with each new head until it has been there for a while.
//!
//! A proof that the contract cannot take any more, because it is too old there, has too few signers, is about the chain
//! before a fork or is no proof, is made anew under the latest finalized header: the logs are the same.

use std::collections::BTreeMap;

use sextant_consensus::{
    Program,
    light_client::LightClientFinalityUpdate,
    public_values::{Inclusion, Statement},
};
use sextant_protocol::ProofKind;
use sextant_sources::{
    input::Sourced,
    prepare::{self, BlockName, LogName, Questions},
};
use sextant_submit::{Meaning, SubmitError};

use crate::{
    FollowError, Follower, ProofEntry, Prover, StateError, Submit,
    contract::View,
    event::OnEvent,
    submission::{MAX_BEHIND, is_for_contracts},
};

/// Seconds on the contract's clock after which what it has accepted is not reorganised away any more. What lies there for
/// so long is looked for no more.
const SETTLED: u64 = 60 * 60;

/// How one proof of logs stands with the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// There for good, or nothing that this contract is given.
    Settled,
    /// There, or waiting for a committee.
    Open,
}

impl<P: Prover> Follower<P> {
    /// Submits the recorded proofs of logs that the contract does not have. `finality` is what they may be made anew under.
    pub(crate) async fn submit_logs(
        &mut self,
        finality: Option<&Sourced<LightClientFinalityUpdate>>,
        view: &View,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(contract) = self.submission.as_deref() else { return Ok(()) };
        let settled = self.journal(contract)?.logs_settled;
        let due = self.state.logs_since(settled)?;
        let look = (self.client.finalized().slot, view.known_period, due.last().map(|(number, _)| *number));
        if self.logs_looked == Some(look) {
            return Ok(());
        }
        let mut first = Ok(());
        let mut through = settled;
        let mut whole = true;
        for (number, entry) in due {
            match self.submit_logs_of(contract, (number, entry), finality, view, on_event).await {
                Ok(standing) => whole &= standing == Standing::Settled,
                // About this proof alone: others may fare better.
                Err(error) if is_its_own(&error) => {
                    whole = false;
                    first = first.and(Err(error));
                }
                Err(error) => return Err(error),
            }
            if whole {
                through = number + 1;
            }
        }
        if through > settled {
            let mut journal = self.journal(contract)?;
            journal.logs_settled = through;
            self.state.write_journal(&journal)?;
        }
        first?;
        if self.state.logs_since(settled)?.iter().any(|(_, entry)| entry.to_bundle) {
            // What was made anew is looked at once more.
            self.bundled_looked = None;
        }
        // Without finality nothing was made anew.
        self.logs_looked = finality.map(|_| look);
        Ok(())
    }

    /// Whether a recorded proof may still have to be submitted for the logs in it.
    pub(crate) fn logs_are_due(&self, number: u64, entry: &ProofEntry) -> bool {
        let settled = self.submission.as_deref().and_then(|contract| self.journal(contract).ok());
        settled.is_some_and(|journal| number >= journal.logs_settled) && is_of_a_form(entry)
    }

    async fn submit_logs_of(
        &self,
        contract: &dyn Submit,
        (number, entry): (u64, ProofEntry),
        finality: Option<&Sourced<LightClientFinalityUpdate>>,
        view: &View,
        on_event: OnEvent<'_>,
    ) -> Result<Standing, FollowError> {
        // What was proven in another form was not for contracts.
        if !is_of_a_form(&entry) {
            return Ok(Standing::Settled);
        }
        if let Some(time) = contract.proven_at(&bytes(&entry)?).await? {
            let is_old = view.knowledge.time.saturating_sub(time) >= SETTLED;
            return Ok(if is_old { Standing::Settled } else { Standing::Open });
        }
        let signed = match signers(contract, &entry, view).await? {
            Signers::ToCome => return Ok(Standing::Open),
            // What happened before the contract began is not told to it.
            Signers::Before => return Ok(Standing::Settled),
            Signers::Known => true,
            Signers::LeftOut => false,
        };
        let fits = signed && view.is_taken_now(entry.finalized_slot) && self.is_for(&entry, view);
        if fits && entry.to_bundle {
            return Ok(Standing::Open);
        }
        let refused = match fits {
            true => match self.submit_entry(&entry, on_event).await {
                Err(error) if is_outdated(&error) => Some(error),
                outcome => return outcome.map(|()| Standing::Open),
            },
            false => None,
        };
        match self.made_anew(number, &entry, finality, view, on_event).await? {
            // It waits for its bundle.
            Some(entry) if entry.to_bundle => {}
            Some(entry) => self.submit_entry(&entry, on_event).await?,
            // There is no later header yet.
            None => refused.map_or(Ok(()), Err)?,
        }
        Ok(Standing::Open)
    }

    /// The same logs, proven under the latest finalized header and recorded in the old proof's place. None where there is
    /// no later one, and the old proof is there.
    async fn made_anew(
        &self,
        number: u64,
        entry: &ProofEntry,
        finality: Option<&Sourced<LightClientFinalityUpdate>>,
        view: &View,
        on_event: OnEvent<'_>,
    ) -> Result<Option<ProofEntry>, FollowError> {
        let Some(finality) = finality else { return Ok(None) };
        let later = finality.value.finalized_header.beacon.slot > entry.finalized_slot;
        if !later && self.is_for(entry, view) {
            return Ok(None);
        }
        let execution = self.execution.as_ref().ok_or(FollowError::NoExecution)?;
        let config = self.statement_config(finality.value.signature_slot, Some(view))?;
        let questions = asked_again(entry)?;
        let prepared = prepare::inclusion_of(&self.client, &config, finality, execution, &questions).await?;
        let mut anew = self.prove(prepared, questions.logs.len(), on_event).await?;
        anew.logs = entry.logs;
        self.state.replace_proof(number, entry, &anew)?;
        self.recorded(&anew, on_event)?;
        Ok(Some(anew))
    }
}

/// What a contract knows of the committee that signed for a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signers {
    /// The committee.
    Known,
    /// None yet of this period or a later one, or the node that answers is behind.
    ToCome,
    /// Later ones alone: it began after this period.
    Before,
    /// Earlier and later ones: it was led over this period.
    LeftOut,
}

pub(crate) async fn signers(
    contract: &dyn Submit,
    entry: &ProofEntry,
    view: &View,
) -> Result<Signers, FollowError> {
    let period = entry.from_period;
    if view.knowledge.committees.contains_key(&period) {
        return Ok(Signers::Known);
    }
    let start = period.saturating_sub(32);
    let count = (view.known_period + 1).saturating_sub(start).clamp(1, MAX_BEHIND);
    // In one answer: a node that is behind knows of none of them.
    let known = contract.knowledge(start, count).await?.committees;
    Ok(Signers::among(&known, period))
}

impl Signers {
    /// What one who knows the committees of these periods knows of this one.
    fn among<T>(known: &BTreeMap<u64, T>, period: u64) -> Self {
        match (known.range(..period).next(), known.range(period + 1..).next()) {
            _ if known.contains_key(&period) => Self::Known,
            (_, None) => Self::ToCome,
            (None, Some(_)) => Self::Before,
            (Some(_), Some(_)) => Self::LeftOut,
        }
    }
}

/// Whether contracts take its form, or what is to be made of it.
fn is_of_a_form(entry: &ProofEntry) -> bool {
    let is_for_contracts = || entry.kind.parse::<ProofKind>().is_ok_and(is_for_contracts);
    entry.logs.is_some() && (entry.to_bundle || is_for_contracts())
}

/// Whether an error is about one proof, and not about those who are asked for all.
fn is_its_own(error: &FollowError) -> bool {
    matches!(error, FollowError::Prepare(_) | FollowError::Submission { error: SubmitError::Refused(_), .. })
}

/// Whether a newer proof of the same may be taken.
fn is_outdated(error: &FollowError) -> bool {
    match error {
        FollowError::Submission { error: SubmitError::Refused(refusal), .. } => {
            refusal.meaning() == Meaning::Outdated
        }
        _ => false,
    }
}

fn bytes(entry: &ProofEntry) -> Result<Vec<u8>, StateError> {
    let digits = entry.public_values.trim_start_matches("0x");
    hex::decode(digits).map_err(|_| StateError::Content("public values of a proof"))
}

/// The questions that a recorded proof of logs answers.
fn asked_again(entry: &ProofEntry) -> Result<Questions, FollowError> {
    let missing = StateError::Content("logs of a proof");
    let Ok(Statement::Inclusion(said)) = Statement::abi_decode(Program::Inclusion, &bytes(entry)?) else {
        return Err(missing.into());
    };
    let Inclusion { facts, transactions, logs, .. } = said;
    let named = logs.iter().map(|log| {
        let transaction = transactions.iter().find(|transaction| transaction.index == log.transaction)?;
        Some(LogName::Of { transaction: transaction.hash, position: Some(log.position) })
    });
    let logs = named.collect::<Option<Vec<_>>>().ok_or(missing)?;
    Ok(Questions { block: Some(BlockName::Hash(facts.hash)), logs, ..Questions::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_that_began_later_is_told_apart_from_one_that_is_behind() {
        let known =
            |periods: &[u64]| Signers::among(&periods.iter().map(|period| (*period, ())).collect(), 7);
        assert_eq!(known(&[6, 7, 8]), Signers::Known);
        assert_eq!(known(&[]), Signers::ToCome, "a node that is behind");
        assert_eq!(known(&[5, 6]), Signers::ToCome);
        assert_eq!(known(&[8, 9]), Signers::Before);
        assert_eq!(known(&[6, 8]), Signers::LeftOut, "its guardian named the committee of period 8");
    }
}
