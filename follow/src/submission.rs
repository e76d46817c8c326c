//! Submitting: every recorded proof that a contract takes, in order, each once.
//!
//! What is sent is on disk before any node has it. A follower that was killed goes on with those transactions, and replaces
//! one that is stuck under its own nonce; it takes another nonce only where none of them can be mined any more. The contract
//! refuses what it knows, so that two followers by mistake pay for a transaction too many at worst.

use std::{fmt, future::Future, pin::Pin};

use serde::{Deserialize, Serialize};
use sextant_protocol::ProofRecord;
use sextant_submit::{Meaning, OnSent, Outcome, Refusal, Sent, SubmitError, Submitter, calldata};

use crate::{Event, FollowError, Follower, ProofEntry, Prover, StateError, Status, work::OnEvent};

/// A submission under way.
pub type Submission<'a> = Pin<Box<dyn Future<Output = Result<Outcome, SubmitError>> + Send + 'a>>;

/// A contract that takes proofs.
pub trait Submit: fmt::Debug + Send + Sync {
    /// The chain and the contract: another name, another journal.
    fn target(&self) -> String;

    /// Submits a proof, unless the contract knows it; as [`Submitter::submit`].
    fn submit<'a>(
        &'a self,
        record: &'a ProofRecord,
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a>;
}

impl Submit for Submitter {
    fn target(&self) -> String {
        format!("contract {} on chain {}", self.contract(), self.sender().chain_id())
    }

    fn submit<'a>(
        &'a self,
        record: &'a ProofRecord,
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        Box::pin(self.submit(record, earlier, on_sent))
    }
}

/// How far submitting has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// [`Submit::target`].
    pub target: String,
    /// How many of the recorded proofs are settled: accepted, known there, refused for good, or none for contracts.
    pub settled: u64,
    /// Transactions of the next one.
    pub sent: Vec<Sent>,
}

impl<P: Prover> Follower<P> {
    /// Submits every proof to a contract, from the first one recorded on.
    #[must_use]
    pub fn with_submission(mut self, contract: Box<dyn Submit>) -> Self {
        self.submission = Some(contract);
        self
    }

    /// Submits what is not settled yet.
    pub(crate) async fn submit_due(&self, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        let Some(contract) = &self.submission else { return Ok(()) };
        let mut journal = self.state.journal()?;
        if journal.target != contract.target() {
            journal = Journal { target: contract.target(), ..Journal::default() };
        }
        let skipped = usize::try_from(journal.settled).unwrap_or(usize::MAX);
        for entry in self.state.proofs()?.iter().skip(skipped) {
            if let Some(event) = self.submit_one(contract.as_ref(), entry, &mut journal, on_event).await? {
                on_event(event);
            }
            journal.settled += 1;
            journal.sent.clear();
            self.state.write_journal(&journal)?;
            Status::write(&self.state)?;
        }
        Ok(())
    }

    /// Settles one proof; what there is to tell of it.
    async fn submit_one(
        &self,
        contract: &dyn Submit,
        entry: &ProofEntry,
        journal: &mut Journal,
        on_event: OnEvent<'_>,
    ) -> Result<Option<Event>, FollowError> {
        let file = entry.file.clone();
        let Some(record) = self.state.found_proof(&file) else {
            return Err(StateError::Content("proof file that is to be submitted").into());
        };
        if matches!(calldata(&record), Err(SubmitError::Kind(_))) {
            return Ok(None);
        }
        let earlier = journal.sent.clone();
        let state = &self.state;
        let mut on_sent = |sent: &Sent| {
            journal.sent.push(sent.clone());
            state.write_journal(journal).map_err(|error| error.to_string())?;
            on_event(Event::Sent { file: entry.file.clone(), transaction: sent.hash.to_string() });
            Ok(())
        };
        match contract.submit(&record, &earlier, &mut on_sent).await {
            Ok(Outcome::Accepted(mined)) => Ok(Some(Event::Submitted {
                file,
                transaction: mined.hash.to_string(),
                block: mined.block,
                gas_used: mined.gas_used,
            })),
            Ok(Outcome::Known(refusal)) => Ok(Some(Event::Known { file, reason: refusal.to_string() })),
            Ok(Outcome::Contradicts(mined)) => {
                let transaction = mined.hash.to_string();
                Ok(Some(Event::Contradicts { file, transaction, block: mined.block }))
            }
            Err(SubmitError::Refused(refusal)) if self.is_final(&refusal, record).await => {
                Ok(Some(Event::Refused { file, reason: refusal.to_string() }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether no contract will ever take the proof. What this one does not take today, because of what it knows or trusts,
    /// it may take tomorrow: to settle that would leave a hole in its chain of committees for ever.
    async fn is_final(&self, refusal: &Refusal, record: ProofRecord) -> bool {
        match refusal.meaning() {
            Meaning::Malformed => true,
            Meaning::Doubted => self.prover.verify(record).await.is_err(),
            Meaning::Known | Meaning::Outdated | Meaning::Passing => false,
        }
    }
}
