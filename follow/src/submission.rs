//! Submitting. What is to be submitted follows from what the contract itself knows, looked at anew in every step: a
//! transaction that was reorganised away, a refusal that has passed and another relayer's proof are all the same then.
//!
//! What is sent is on disk before any node has it, and stays there: a proof that seems to be missing on the contract is
//! asked after by its own transactions first. A node that is behind costs no second transaction so, and one that was
//! reorganised away is mined again.

use sextant_consensus::{
    hash::Root,
    public_values::{Head, Statement},
};
use sextant_protocol::{ProofKind, ProofRecord};
use sextant_submit::{Meaning, Outcome, Refusal, Sent, SubmitError, calldata};

use crate::{
    ContractStatus, Event, FollowError, Follower, Journal, ProofEntry, Prover, Status, Submit,
    contract::View,
    event::OnEvent,
    status::{hex, unix_now},
};

/// Most periods that a contract is asked about, from the last one known here backwards.
pub(crate) const MAX_BEHIND: u64 = 1024;
/// Of so many it is asked at once.
const AT_ONCE: u64 = 32;

/// Whether contracts verify proofs of this form.
pub(crate) fn is_for_contracts(kind: ProofKind) -> bool {
    matches!(kind, ProofKind::Groth16 | ProofKind::Plonk)
}

impl<P: Prover> Follower<P> {
    /// Submits to a contract what it does not know.
    #[must_use]
    pub fn with_submission(mut self, contract: Box<dyn Submit>) -> Self {
        self.submission = Some(contract);
        self
    }

    /// Looks at the contract; `None` if there is none.
    pub(crate) async fn view(&mut self) -> Result<Option<View>, FollowError> {
        let Some(contract) = &self.submission else { return Ok(None) };
        if !is_for_contracts(self.config.kind) {
            return Ok(None);
        }
        let last = self.client.known_period();
        let mut end = last;
        while last - end < MAX_BEHIND {
            let first = end.saturating_sub(AT_ONCE - 1);
            let knowledge = contract.knowledge(first, end - first + 1).await?;
            if let Some((period, root)) = knowledge.committees.iter().next_back() {
                let (known_period, committee_root) = (*period, Root::from(*root));
                self.agree(known_period, &committee_root)?;
                let view = View { knowledge, known_period, committee_root };
                self.note(&view)?;
                return Ok(Some(view));
            }
            match first.checked_sub(1) {
                Some(before) => end = before,
                None => break,
            }
        }
        Err(FollowError::Stranger { contract: contract.target(), period: last })
    }

    /// The committee that the contract knows must be the one that is known here.
    fn agree(&self, period: u64, theirs: &Root) -> Result<(), FollowError> {
        let known = self.client.signers(period).map(|signers| signers.committee);
        let Some(known) = known.map_or_else(|| self.state.committee(period), |known| Ok(Some(known)))? else {
            return Ok(());
        };
        let ours = known.root();
        if ours == *theirs {
            return Ok(());
        }
        Err(FollowError::OtherCommittee { period, ours, theirs: *theirs })
    }

    /// Keeps for readers what the contract knows; what is proven there needs no proof here.
    pub(crate) fn note(&mut self, view: &View) -> Result<(), FollowError> {
        let period = view.known_period;
        if period > self.known.proven_period
            && let Some(signers) = self.client.signers(period)
        {
            self.state.record_proven(period, &signers.committee)?;
            self.known.proven_period = period;
        }
        let target = self.submission.as_ref().map(|contract| contract.target()).unwrap_or_default();
        let status = ContractStatus {
            target,
            known_period: view.known_period,
            head_slot: view.knowledge.head_slot,
            in_step: view.known_period >= self.client.period(),
            looked_at: unix_now(),
        };
        self.state.write_contract(&status)?;
        Status::write(&self.state)?;
        Ok(())
    }

    /// A recorded proof that teaches the contract something, and that it takes: the one that goes furthest.
    pub(crate) fn recorded_handover(&self, view: &View) -> Result<Option<ProofEntry>, FollowError> {
        let proofs = self.state.proofs()?.into_iter();
        let fits = proofs.filter(|entry| {
            entry.program == "committee-change"
                && view.knowledge.committees.contains_key(&entry.from_period)
                && entry.to_period > view.known_period
                && view.is_taken_now(entry.finalized_slot)
                && self.is_for(entry, view)
        });
        Ok(fits.max_by_key(|entry| (entry.to_period, entry.finalized_slot)))
    }

    /// Whether the file is there, and its form, or what is made of it, and its chain are the contract's.
    pub(crate) fn is_for(&self, entry: &ProofEntry, view: &View) -> bool {
        let Some(record) = self.state.found_proof(&entry.file) else { return false };
        let statement =
            record.program().and_then(|program| Statement::abi_decode(program, &record.public_values).ok());
        let takes = |head: &Head| view.knowledge.takes_chain(&head.chain_digest.into(), head.finalized_slot);
        (entry.to_bundle || is_for_contracts(record.kind))
            && statement.as_ref().and_then(Statement::head).is_some_and(takes)
    }

    /// Submits the latest proof of the watched accounts, if the contract knows who signed it and does not have it. Those
    /// before it are superseded.
    pub(crate) async fn submit_inclusion(
        &mut self,
        view: &View,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(entry) = self.last_inclusion()? else { return Ok(()) };
        let known = entry.from_period <= view.known_period;
        // What is to be bundled is submitted elsewhere.
        if entry.to_bundle || !known || !view.is_taken_now(entry.finalized_slot) || !self.is_for(&entry, view)
        {
            return Ok(());
        }
        if !self.has(&entry).await? {
            self.submit_entry(&entry, on_event).await?;
        }
        Ok(())
    }

    /// Whether the latest proof of the watched accounts can never be had on the contract: it is too old there by now, or
    /// its file is gone.
    pub(crate) async fn inclusion_is_lost(&self, view: &View) -> Result<bool, FollowError> {
        let Some(entry) = self.last_inclusion()? else { return Ok(false) };
        let takes = view.is_taken_now(entry.finalized_slot) && self.is_for(&entry, view);
        Ok(!takes && !self.has(&entry).await?)
    }

    pub(crate) fn last_inclusion(&self) -> Result<Option<ProofEntry>, FollowError> {
        let proofs = self.state.proofs()?;
        Ok(proofs.into_iter().rev().find(ProofEntry::is_of_accounts))
    }

    pub(crate) async fn has(&self, entry: &ProofEntry) -> Result<bool, FollowError> {
        let Some(contract) = &self.submission else { return Ok(false) };
        let values = hex::decode(entry.public_values.trim_start_matches("0x")).unwrap_or_default();
        Ok(contract.proven_at(&values).await?.is_some())
    }

    /// Submits one proof. Every refusal is an error: whether it passes, the next look tells.
    pub(crate) async fn submit_entry(
        &self,
        entry: &ProofEntry,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(record) = self.state.found_proof(&entry.file) else { return Ok(()) };
        calldata(&record)?;
        self.submit_proof(&entry.file, &record, None, on_event).await
    }

    /// Submits the proof in a file, a bundle's with its statements.
    pub(crate) async fn submit_proof(
        &self,
        file: &str,
        record: &ProofRecord,
        statements: Option<&[ProofRecord]>,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(contract) = self.submission.as_deref() else { return Ok(()) };
        let mut journal = self.journal(contract)?;
        let file = file.to_owned();
        let outcome = self.hand_in(contract, &file, (record, statements), &mut journal, on_event).await;
        if let Err(SubmitError::Refused(refusal)) = &outcome
            && self.is_final(refusal, record.clone()).await
        {
            // It is of no use to anybody: the next look has it made anew.
            self.state.discard(&file)?;
        }
        let outcome = outcome.map_err(|error| FollowError::Submission { file: file.clone(), error })?;
        let event = match outcome {
            Outcome::Accepted(mined) => {
                let before = journal.of(&file).block.replace(mined.block);
                journal.accepted += u64::from(before.is_none());
                let transaction = mined.hash.to_string();
                let (block, gas_used) = (mined.block, mined.gas_used);
                // A node that was behind had only forgotten it.
                (before != Some(block)).then_some(Event::Submitted { file, transaction, block, gas_used })
            }
            Outcome::Contradicts(mined) => {
                let transaction = mined.hash.to_string();
                Some(Event::Contradicts { file, transaction, block: mined.block })
            }
            Outcome::Known(refusal) => Some(Event::Known { file, reason: refusal.to_string() }),
        };
        self.state.write_journal(&journal)?;
        Status::write(&self.state)?;
        if let Some(event) = event {
            on_event(event);
        }
        Ok(())
    }

    /// What was sent to this contract.
    pub(crate) fn journal(&self, contract: &dyn Submit) -> Result<Journal, FollowError> {
        let (journal, target) = (self.state.journal()?, contract.target());
        Ok(if journal.target == target { journal } else { Journal::new(target) })
    }

    async fn hand_in(
        &self,
        contract: &dyn Submit,
        file: &str,
        (record, statements): (&ProofRecord, Option<&[ProofRecord]>),
        journal: &mut Journal,
        on_event: OnEvent<'_>,
    ) -> Result<Outcome, SubmitError> {
        let earlier = journal.of(file).sent.clone();
        let state = &self.state;
        let mut on_sent = |sent: &Sent| {
            let submitted = journal.of(file);
            // Another nonce: the ones before it can be mined no more.
            submitted.sent.retain(|before| before.nonce == sent.nonce);
            submitted.sent.push(sent.clone());
            state.write_journal(journal).map_err(|error| error.to_string())?;
            on_event(Event::Sent { file: file.into(), transaction: sent.hash.to_string() });
            Ok(())
        };
        match statements {
            None => contract.submit(record, &earlier, &mut on_sent).await,
            Some(statements) => contract.submit_bundle(record, statements, &earlier, &mut on_sent).await,
        }
    }

    /// Whether no contract will ever take the proof. What this one does not take today, because of what it knows or trusts,
    /// it may take tomorrow.
    async fn is_final(&self, refusal: &Refusal, record: ProofRecord) -> bool {
        match refusal.meaning() {
            Meaning::Malformed => true,
            Meaning::Doubted => self.prover.verify(record).await.is_err(),
            Meaning::Known | Meaning::Outdated | Meaning::Passing => false,
        }
    }

    /// The digests that the contract takes, for messages.
    pub(crate) fn digests(view: &View) -> String {
        view.digests().map(|digest| hex(&digest)).collect::<Vec<_>>().join(" or ")
    }
}
