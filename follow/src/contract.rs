//! The contract's side: what it knows, and handing it a proof.

use std::{fmt, future::Future, pin::Pin};

use serde::{Deserialize, Serialize};
use sextant_consensus::hash::Root;
use sextant_protocol::ProofRecord;
use sextant_submit::{Knowledge, OnSent, Outcome, Sent, SubmitError, Submitter, learned};

use crate::ProofEntry;

/// What is asked of a contract.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, SubmitError>> + Send + 'a>>;

/// A submission under way.
pub type Submission<'a> = Asked<'a, Outcome>;

/// A contract that takes proofs, and tells what it knows.
pub trait Submit: fmt::Debug + Send + Sync {
    /// The chain and the contract: another name, another journal.
    fn target(&self) -> String;

    /// What it is and knows now, with its committees of `count` periods from `first_period` on.
    fn knowledge(&self, first_period: u64, count: u64) -> Asked<'_, Knowledge>;

    /// When it accepted these public values, Unix time in seconds.
    fn proven_at<'a>(&'a self, public_values: &'a [u8]) -> Asked<'a, Option<u64>>;

    /// Submits a proof, unless the contract knows it; as [`sextant_submit::Submitter::submit`].
    fn submit<'a>(
        &'a self,
        record: &'a ProofRecord,
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a>;

    /// Submits a bundle with its statements, unless the contract knows all of them; as
    /// [`sextant_submit::Submitter::submit_bundle`].
    fn submit_bundle<'a>(
        &'a self,
        bundle: &'a ProofRecord,
        statements: &'a [ProofRecord],
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a>;
}

impl Submit for Submitter {
    fn target(&self) -> String {
        format!("contract {} on chain {}", self.contract(), self.sender().chain_id())
    }

    fn knowledge(&self, first_period: u64, count: u64) -> Asked<'_, Knowledge> {
        Box::pin(Self::knowledge(self, first_period, count))
    }

    fn proven_at<'a>(&'a self, public_values: &'a [u8]) -> Asked<'a, Option<u64>> {
        Box::pin(Self::proven_at(self, public_values))
    }

    fn submit<'a>(
        &'a self,
        record: &'a ProofRecord,
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        Box::pin(Self::submit(self, record, earlier, on_sent))
    }

    fn submit_bundle<'a>(
        &'a self,
        bundle: &'a ProofRecord,
        statements: &'a [ProofRecord],
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        Box::pin(Self::submit_bundle(self, bundle, statements, earlier, on_sent))
    }
}

/// What a contract knew when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractStatus {
    /// The chain and the contract.
    pub target: String,
    /// The last period whose committee it knows.
    pub known_period: u64,
    /// The highest finalized slot that it knows.
    pub head_slot: u64,
    /// Whether it knows the committee of the finalized head's period.
    pub in_step: bool,
    /// Unix time of the look, seconds.
    pub looked_at: u64,
}

/// What a contract knows, as of one look.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub knowledge: Knowledge,
    /// The last period, up to the one that is known here, whose committee it knows.
    pub known_period: u64,
    /// The root of that committee.
    pub committee_root: Root,
}

impl View {
    /// Whether a statement about this finalized slot is taken, also when it is proven and in a block.
    pub fn is_young(&self, slot: u64) -> bool {
        self.is_taken(slot, margin(self.knowledge.rules.max_age))
    }

    /// Whether a statement about this finalized slot is taken now.
    pub fn is_taken_now(&self, slot: u64) -> bool {
        self.is_taken(slot, 0)
    }

    fn is_taken(&self, slot: u64, margin: u64) -> bool {
        !self.knowledge.is_too_old(slot, self.knowledge.time.saturating_add(margin))
    }

    /// What a proof of handovers says is known there now, whatever a node that is behind may answer to the next question.
    pub fn learn(&mut self, entry: &ProofEntry) {
        let statement = entry.statement();
        for learned in statement.iter().flat_map(learned) {
            self.knowledge.committees.insert(learned.period, learned.committee_root.into());
            (self.known_period, self.committee_root) = (learned.period, learned.committee_root);
        }
    }

    /// Digests of the chain that it takes statements about, the one without its next fork first.
    pub fn digests(&self) -> impl Iterator<Item = Root> {
        let trust = &self.knowledge.trust;
        let next = trust.next_fork.as_ref().map(|fork| fork.digest);
        std::iter::once(trust.chain_digest).chain(next).map(Into::into)
    }
}

/// What is left for proving and for a transaction to be mined: two hours, where the limit is days.
fn margin(max_age: u64) -> u64 {
    (max_age / 8).min(2 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_to_stay_young_while_it_is_proven() {
        let hour = 60 * 60;
        assert_eq!([margin(14 * 24 * hour), margin(8 * hour), margin(80)], [2 * hour, hour, 10]);
    }
}
