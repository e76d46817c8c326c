//! A chain of committees in a file: one proof of constant size that leads from the committee that was trusted first to the newest
//! one, whatever time has passed. It is extended by the handovers that were proven since. Who begins with that committee needs
//! this file and no other.

use std::path::Path;

use sextant_consensus::{
    Program,
    committee_chain::{self, Input, MAX_CHANGES},
    public_values::{CommitteeChain, Learned, Statement},
};
use sextant_protocol::{ProofKind, ProofRecord};

use crate::{Event, FollowError, Follower, ProofEntry, Prover, StateError, event::OnEvent, status::hex};

/// The chain as it lies in its file.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    record: ProofRecord,
    pub(crate) chain: CommitteeChain,
}

impl<P: Prover> Follower<P> {
    /// Reads the chain, once, if one is kept and was begun.
    pub(crate) async fn open_chain(&mut self) -> Result<(), FollowError> {
        let Some(file) = self.config.chain.as_deref().filter(|_| self.chain.is_none()) else { return Ok(()) };
        let Some(record) = read(file)? else { return Ok(()) };
        let other = |reason: String| FollowError::ChainFile { file: file.into(), reason };
        if record.kind != ProofKind::Compressed {
            return Err(other(format!("a {} proof, which nothing extends", record.kind)));
        }
        let statement = self.prover.verify(record.clone()).await;
        let chain = match statement.map_err(|error| other(error.to_string()))? {
            Statement::Chain(chain) => chain,
            statement => return Err(other(format!("a proof of {}", statement.program()))),
        };
        let Learned { period, committee_root } = chain.newest;
        match self.state.committee(period)? {
            Some(committee) if committee.root() != committee_root => {
                Err(other(format!("it leads to another committee of period {period} than this folder's")))
            }
            Some(_) => {
                self.chain = Some(Kept { record, chain });
                Ok(())
            }
            None => Err(other(format!("it leads to period {period}, of which this folder has no committee"))),
        }
    }

    /// Extends the chain by all handovers that were proven since, or begins it.
    pub(crate) async fn extend_chain(&mut self, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        let Some(file) = self.config.chain.clone() else { return Ok(()) };
        loop {
            let changes = self.changes_ahead()?;
            let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Ok(()) };
            on_event(Event::Chaining { from_period: first.from_period, to_period: last.to_period });
            let mut proofs: Vec<_> = self.chain.iter().map(|kept| kept.record.clone()).collect();
            for change in &changes {
                let missing = StateError::Content("proof of a handover that the chain goes on with");
                proofs.push(self.state.found_proof(&change.file).ok_or(missing)?);
            }
            let proven = self.prover.chain_of(proofs.clone()).await?;
            let Statement::Chain(chain) = proven.statement else { return Err(FollowError::OtherStatement) };
            let record = proven.record;
            let same = record.public_values == chain.abi_encode() && is_of(&chain, &proofs);
            if !same || record.kind != ProofKind::Compressed || record.program != Program::Chain.tag() {
                return Err(FollowError::OtherStatement);
            }
            let bytes = record.to_file_bytes();
            // First where it begins: a file that is there is one of this chain.
            self.state.write_chain_anchor(chain.anchor().period)?;
            self.state.write_file(&file, &bytes)?;
            on_event(Event::Chain {
                file: file.display().to_string(),
                bytes: bytes.len() as u64,
                anchor_period: chain.anchor().period,
                anchor_committee_root: hex(&chain.anchor().committee_root),
                newest_period: chain.newest.period,
            });
            self.chain = Some(Kept { record, chain });
        }
    }

    /// Whether the chain has still to be extended by this proof.
    pub(crate) fn chain_needs(&self, entry: &ProofEntry) -> bool {
        let behind = self.chain.as_ref().is_some_and(|kept| entry.from_period < kept.chain.newest.period);
        self.config.chain.is_some() && is_change(entry) && !behind
    }

    /// The handovers that were proven and follow what the chain has, as many as it is extended by at once. Where it is still to
    /// be begun, it is with the first of those that lead on without a gap.
    fn changes_ahead(&self) -> Result<Vec<ProofEntry>, FollowError> {
        let newest = match &self.chain {
            Some(kept) => Some(kept.chain.newest.period),
            None => self.state.chain_anchor()?,
        };
        let changes = self.state.proofs()?.into_iter().filter(is_change);
        let mut ahead: Vec<ProofEntry> = Vec::new();
        let mut skipped = None;
        for change in changes {
            let from = change.from_period;
            match ahead.last().map(|last| last.to_period).or(newest) {
                None => ahead.push(change),
                Some(expected) if from == expected => ahead.push(change),
                Some(expected) if from > expected && newest.is_none() => ahead = vec![change],
                Some(expected) if from > expected => skipped = skipped.or(Some((expected, from))),
                // Of an earlier period: it was proven once more.
                Some(_) => {}
            }
        }
        match skipped {
            Some((expected, got)) if ahead.is_empty() => Err(FollowError::ChainGap { expected, got }),
            _ => {
                ahead.truncate(MAX_CHANGES);
                Ok(ahead)
            }
        }
    }
}

/// A proof that a chain is made of.
fn is_change(entry: &ProofEntry) -> bool {
    entry.program == Program::CommitteeChange.as_str() && entry.kind == ProofKind::Compressed.as_str()
}

/// Whether this is what these proofs come to.
fn is_of(chain: &CommitteeChain, proofs: &[ProofRecord]) -> bool {
    let statements = proofs.iter().map(|proof| Some((proof.program()?, proof.public_values.clone())));
    let Some(statements) = statements.collect::<Option<Vec<_>>>() else { return false };
    // Whether its key is the right one was looked at when it was verified.
    let input = Input::of(chain.program_key, statements);
    input.and_then(|input| committee_chain::check(&input)).is_ok_and(|expected| expected == *chain)
}

/// The proof in a file, if there is a file.
fn read(file: &Path) -> Result<Option<ProofRecord>, FollowError> {
    let failed = |error| StateError::File { file: file.into(), error };
    match std::fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error).into()),
        Ok(bytes) => match ProofRecord::from_file_bytes(&bytes) {
            Ok(record) => Ok(Some(record)),
            Err(error) => Err(FollowError::ChainFile { file: file.into(), reason: error.to_string() }),
        },
    }
}
