//! Submitting several statements with one proof. What is to be submitted is proven in compressed form; when something has been
//! due for long enough, all that is due by then goes into one bundle, and to the contract in one transaction. What is due alone
//! gets a proof for contracts of its own, and is submitted like any other.
//!
//! What is due follows from what the contract knows, looked at anew each time. A bundle is noted before it is asked for: as long
//! as one of its statements is missing on the contract, it is this bundle that is handed in, by its own transactions first, and
//! no other with the same statement.

use sextant_consensus::{
    Program,
    bundle::{self, Input, MAX_STATEMENTS},
    codec::Blob,
    hash::{Root, keccak256},
    public_values::Statement,
};
use sextant_protocol::{ProofKind, ProofRecord};
use sextant_submit::{Meaning, SubmitError};

use crate::{
    Event, FollowError, Follower, ProofEntry, Prover, StateError, Submit,
    contract::View,
    event::OnEvent,
    journal::BundleNote,
    log_submission::{Signers, signers},
    prover::Proven,
    status::unix_now,
    submission::is_for_contracts,
};

impl<P: Prover> Follower<P> {
    /// Whether what is proven now is to be bundled.
    fn is_bundling(&self) -> bool {
        self.config.bundle_for.is_some() && self.submission.is_some() && is_for_contracts(self.config.kind)
    }

    /// The form in which statements are proven.
    pub(crate) fn form(&self) -> ProofKind {
        if self.is_bundling() { ProofKind::Compressed } else { self.config.kind }
    }

    /// Submits what was proven to be bundled and is due: `handovers`, which lead on from the contract's last committee, the
    /// latest proof of the watched accounts, and those of logs.
    pub(crate) async fn submit_bundled(
        &mut self,
        view: &mut View,
        handovers: &[ProofEntry],
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(contract) = self.submission.as_deref() else { return Ok(()) };
        let mut journal = self.journal(contract)?;
        let window = self.config.bundle_for.unwrap_or_default().as_secs();
        let is_ripe = |since: u64| unix_now() >= since.saturating_add(window);
        let look = (self.client.finalized().slot, view.known_period, self.state.recorded()?);
        if self.bundled_looked == Some(look) && !journal.due_since.is_some_and(is_ripe) {
            return Ok(());
        }
        let mut due = self.due(contract, view, handovers).await?;
        let takes_bundles = view.knowledge.trust.bundle_key.is_some();
        let is_due = |file: &String| due.iter().any(|due| due.entry.file == *file);
        if let Some(note) = journal.bundles.iter().find(|note| note.statements.iter().any(is_due)).cloned() {
            return match takes_bundles {
                true => self.hand_in_bundle(&note, view, handovers, on_event).await,
                false => {
                    let reason = "the contract trusts no bundle program now";
                    self.dissolve(&note, Vec::new(), reason, on_event)
                }
            };
        }
        // Where nothing is left, what comes next has its own time to wait.
        let since = due.first().map(|_| journal.due_since.unwrap_or_else(unix_now));
        if journal.due_since != since {
            journal.due_since = since;
            self.state.write_journal(&journal)?;
        }
        // Those of which nothing is to be bundled need a proof of their own each.
        let bundles = takes_bundles && self.is_bundling();
        let is_alone = |due: &Due| !bundles || journal.alone.contains(&due.entry.file);
        // A handover that goes alone goes after those before it; what comes after it has to wait for that.
        let bundled = due.iter().position(|due| !is_alone(due)).unwrap_or(due.len());
        if let Some(at) = due[bundled..].iter().position(|due| due.is_handover() && is_alone(due)) {
            due.truncate(bundled + at);
        }
        let (alone, mut rest): (Vec<_>, Vec<_>) = due.into_iter().partition(is_alone);
        for Due { entry, .. } in alone {
            self.submit_alone(&entry, view, on_event).await?;
        }
        let Some(chain) = rest.first().map(|due| due.chain) else {
            self.bundled_looked = Some(look);
            return Ok(());
        };
        if !since.is_some_and(is_ripe) && rest.len() < MAX_STATEMENTS {
            self.bundled_looked = Some(look);
            return Ok(());
        }
        // Around a fork some may be about another schedule: those are another bundle's.
        rest.retain(|due| due.chain == chain);
        rest.truncate(MAX_STATEMENTS);
        if let [Due { entry, .. }] = &rest[..] {
            return self.submit_alone(entry, view, on_event).await;
        }
        let note = self.noted(rest.into_iter().map(|due| due.entry.file).collect())?;
        self.hand_in_bundle(&note, view, handovers, on_event).await
    }

    /// What was proven to be bundled, is not on the contract, and would be taken there in this order.
    async fn due(
        &self,
        contract: &dyn Submit,
        view: &View,
        handovers: &[ProofEntry],
    ) -> Result<Vec<Due>, FollowError> {
        // With what is submitted along with it.
        let mut ahead = view.clone();
        let mut due = Vec::new();
        for entry in handovers {
            ahead.learn(entry);
            due.push(Due::of(entry.clone())?);
        }
        let fits = |entry: &ProofEntry| {
            entry.to_bundle && ahead.is_taken_now(entry.finalized_slot) && self.is_for(entry, &ahead)
        };
        for (_, entry) in self.state.logs_since(self.journal(contract)?.logs_settled)? {
            if fits(&entry)
                && !self.has(&entry).await?
                && signers(contract, &entry, &ahead).await? == Signers::Known
            {
                due.push(Due::of(entry)?);
            }
        }
        if let Some(entry) = self.last_inclusion()?
            && fits(&entry)
            && entry.from_period <= ahead.known_period
            && !self.has(&entry).await?
        {
            due.push(Due::of(entry)?);
        }
        Ok(due)
    }

    /// Has a proof for contracts made of a compressed one, and records it in its place. A handover is submitted with it, all
    /// else later in the same look, as if it had been proven so.
    async fn submit_alone(
        &mut self,
        entry: &ProofEntry,
        view: &mut View,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let entry = self.wrapped(entry, on_event).await?;
        (self.bundled_looked, self.logs_looked) = (None, None);
        if is_handover(&entry) {
            self.submit_entry(&entry, on_event).await?;
            view.learn(&entry);
            self.note(view)?;
        }
        Ok(())
    }

    /// The same statement with a proof for contracts, recorded in the compressed one's place.
    async fn wrapped(&self, entry: &ProofEntry, on_event: OnEvent<'_>) -> Result<ProofEntry, FollowError> {
        let missing = StateError::Content("proof to be wrapped");
        let Some(record) = self.state.found_proof(&entry.file) else { return Err(missing.into()) };
        let program = record.program().ok_or(missing)?;
        let expected = Statement::abi_decode(program, &record.public_values)
            .map_err(|_| StateError::Content("public values of a proof"))?;
        let (before, kind) = (format!("-{}.proof", entry.kind), self.config.kind);
        let name = format!("{}-{kind}.proof", entry.file.strip_suffix(&before).unwrap_or(&entry.file));
        let values = record.public_values.clone();
        let found = self.find(&name, &expected, kind).await;
        if found.is_none() {
            self.keep(&name, self.prover.snark_of(record).await?, &expected, &values)?;
        }
        let file = self.state.proof_file(&name).display().to_string();
        on_event(Event::Written { file, found: found.is_some() });
        let wrapped =
            ProofEntry { file: name, kind: kind.as_str().into(), to_bundle: false, ..entry.clone() };
        self.state.replace_file(entry, &wrapped)?;
        self.recorded(&wrapped, on_event)?;
        Ok(wrapped)
    }

    /// Writes a proof that was made, if it is the one that was asked for.
    fn keep(
        &self,
        name: &str,
        proven: Proven,
        expected: &Statement,
        values: &[u8],
    ) -> Result<ProofRecord, FollowError> {
        let Proven { record, statement, .. } = proven;
        let same = statement == *expected && record.public_values == values;
        if !same || record.kind != self.config.kind || record.program != expected.program().tag() {
            return Err(FollowError::OtherStatement);
        }
        self.state.write_proof(name, &record)?;
        Ok(record)
    }

    /// Notes that the statements in these files are to be one bundle.
    fn noted(&self, statements: Vec<String>) -> Result<BundleNote, FollowError> {
        let Some(contract) = self.submission.as_deref() else {
            return Err(StateError::Content("contract of a bundle").into());
        };
        let records = self.records(&statements).ok_or(StateError::Content("statements of a bundle"))?;
        let values = bundle_of(&records)?.abi_encode();
        let (count, digest) = (records.len(), hex::encode(&keccak256(&values)[..4]));
        let note =
            BundleNote { file: format!("bundle-{count}-{digest}-{}.proof", self.config.kind), statements };
        let mut journal = self.journal(contract)?;
        let gone = journal.note(note.clone());
        self.state.write_journal(&journal)?;
        for old in gone {
            self.state.remove_proof(&old.file)?;
        }
        Ok(note)
    }

    /// The proofs in these files; `None` if one is gone.
    fn records(&self, files: &[String]) -> Option<Vec<ProofRecord>> {
        files.iter().map(|file| self.state.found_proof(file)).collect()
    }

    /// Has a noted bundle proven, if it is not, and submits it. One that is refused for a statement in it is none any more.
    async fn hand_in_bundle(
        &mut self,
        note: &BundleNote,
        view: &mut View,
        handovers: &[ProofEntry],
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(statements) = self.records(&note.statements) else {
            let reason = "the proof of one of its statements is gone";
            return self.dissolve(note, Vec::new(), reason, on_event);
        };
        let expected = bundle_of(&statements)?;
        let found = self.find(&note.file, &expected, self.config.kind).await;
        let record = match found {
            Some(record) => record,
            None => {
                let (file, files) = (note.file.clone(), note.statements.clone());
                on_event(Event::Bundling { file, statements: files });
                let proven = self.prover.bundle_of(statements.clone(), self.config.kind).await?;
                let record = self.keep(&note.file, proven, &expected, &expected.abi_encode())?;
                let file = self.state.proof_file(&note.file).display().to_string();
                on_event(Event::Written { file, found: false });
                record
            }
        };
        match self.submit_proof(&note.file, &record, Some(&statements), on_event).await {
            Ok(()) => {}
            Err(FollowError::Submission { error: SubmitError::Bundled { index, refusal }, .. }) => {
                let file = note.statements.get(index).cloned();
                let reason = format!("{}: {refusal}", file.as_deref().unwrap_or("a statement"));
                return self.dissolve(note, file.into_iter().collect(), &reason, on_event);
            }
            Err(FollowError::Submission { error: SubmitError::Refused(refusal), .. })
                if refusal.meaning() == Meaning::Outdated =>
            {
                // Whose statement's fault it is does not come out.
                return self.dissolve(note, note.statements.clone(), &refusal.to_string(), on_event);
            }
            Err(error) => return Err(error),
        }
        self.bundled_looked = None;
        for entry in handovers.iter().filter(|entry| note.statements.contains(&entry.file)) {
            view.learn(entry);
        }
        self.note(view)
    }

    /// Forgets a bundle. Its statements are due as before, these `alone` from now on.
    fn dissolve(
        &mut self,
        note: &BundleNote,
        alone: Vec<String>,
        reason: &str,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let Some(contract) = self.submission.as_deref() else { return Ok(()) };
        let mut journal = self.journal(contract)?;
        journal.dissolve(note, alone);
        self.state.write_journal(&journal)?;
        self.state.remove_proof(&note.file)?;
        self.bundled_looked = None;
        on_event(Event::Dissolved { file: note.file.clone(), reason: reason.into() });
        Ok(())
    }
}

/// A recorded proof that is to be submitted, and the chain that it is about.
#[derive(Debug)]
struct Due {
    entry: ProofEntry,
    chain: Root,
}

impl Due {
    fn of(entry: ProofEntry) -> Result<Self, FollowError> {
        let chain = entry.statement().map(|statement| statement.chain_digest());
        let chain = chain.ok_or(StateError::Content("public values of a proof"))?;
        Ok(Self { entry, chain })
    }

    fn is_handover(&self) -> bool {
        is_handover(&self.entry)
    }
}

fn is_handover(entry: &ProofEntry) -> bool {
    entry.program == Program::CommitteeChange.as_str()
}

/// What a bundle of these says.
fn bundle_of(records: &[ProofRecord]) -> Result<Statement, FollowError> {
    let statements = records.iter().map(|record| Blob(record.public_values.clone())).collect();
    let said = bundle::check(&Input { statements });
    Ok(Statement::Bundle(said.map_err(|_| StateError::Content("statements of a bundle"))?))
}
