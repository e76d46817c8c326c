//! What a light client contract is made of and knows: what a relayer chooses by what to prove and what to submit.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, FixedBytes};
use sextant_consensus::public_values::{Learned, Statement};

use crate::contract::LightClient;

/// What a contract takes on trust besides its first committee. Its guardian may replace it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Verifier of proofs, or a gateway to several.
    pub verifier: Address,
    /// First four bytes of every proof: the circuits that count.
    pub selector: FixedBytes<4>,
    /// Hash of the committee change program's verifying key.
    pub committee_change_key: B256,
    /// Hash of the inclusion program's verifying key.
    pub inclusion_key: B256,
    /// Hash of the bundle program's verifying key; `None` where bundles are not accepted.
    pub bundle_key: Option<B256>,
    /// Digest of the chain that is followed.
    pub chain_digest: B256,
    /// Its next fork, if that is dated.
    pub next_fork: Option<NextFork>,
}

/// A fork that the chain's digest does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextFork {
    /// Its first slot: from there on only proofs under `digest` count, below it those under both.
    pub slot: u64,
    /// Digest of the chain with it.
    pub digest: B256,
}

/// What a contract demands of statements. Fixed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Unix time of slot 0, seconds.
    pub genesis_time: u64,
    /// Length of a slot, seconds.
    pub seconds_per_slot: u64,
    /// Seconds that a statement's finalized slot may lie back.
    pub max_age: u64,
    /// Seats of the committee that must have signed.
    pub min_participation: u32,
}

/// What a contract is and knows, in one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// What it trusts now.
    pub trust: Trust,
    /// What it demands.
    pub rules: Rules,
    /// Who may replace what is trusted; `None` for nobody.
    pub guardian: Option<Address>,
    /// Seconds that a replacement is announced ahead.
    pub delay: u64,
    /// The block's time, Unix time in seconds.
    pub time: u64,
    /// The highest finalized slot that it knows.
    pub head_slot: u64,
    /// Roots of the committees that it knows, by period, of those periods that were asked for.
    pub committees: BTreeMap<u64, B256>,
}

/// The committees that a contract learns from a statement, in the order of their periods: those of a committee change, and
/// those of an inclusion that begins with handovers.
pub fn learned(statement: &Statement) -> &[Learned] {
    match statement {
        Statement::CommitteeChange(change) => &change.learned,
        Statement::Inclusion(inclusion) => &inclusion.learned,
        Statement::Bundle(_) | Statement::Chain(_) => &[],
    }
}

impl Knowledge {
    /// Whether a statement with this finalized slot is too old there at `time`, Unix time in seconds.
    pub fn is_too_old(&self, finalized_slot: u64, time: u64) -> bool {
        let begun = finalized_slot.saturating_mul(self.rules.seconds_per_slot);
        time.saturating_sub(self.rules.genesis_time.saturating_add(begun)) > self.rules.max_age
    }

    /// Whether statements about the chain with this digest count at this finalized slot.
    pub fn takes_chain(&self, digest: &B256, finalized_slot: u64) -> bool {
        match self.trust.next_fork {
            Some(next) if *digest == next.digest => true,
            Some(next) if finalized_slot >= next.slot => false,
            _ => *digest == self.trust.chain_digest,
        }
    }

    pub(crate) fn of(first_period: u64, answer: LightClient::Knowledge) -> Self {
        let roots = (first_period..).zip(answer.committees);
        Self {
            trust: Trust::of(&answer.trust),
            rules: Rules {
                genesis_time: answer.rules.genesisTime,
                seconds_per_slot: answer.rules.secondsPerSlot,
                max_age: answer.rules.maxAge,
                min_participation: answer.rules.minParticipation,
            },
            guardian: (!answer.guardian.is_zero()).then_some(answer.guardian),
            delay: answer.delay,
            time: answer.time,
            head_slot: answer.headSlot,
            committees: roots.filter(|(_, root)| !root.is_zero()).collect(),
        }
    }
}

impl Trust {
    fn of(trust: &LightClient::Trust) -> Self {
        Self {
            verifier: trust.verifier,
            selector: trust.selector,
            committee_change_key: trust.committeeChangeKey,
            inclusion_key: trust.inclusionKey,
            bundle_key: (!trust.bundleKey.is_zero()).then_some(trust.bundleKey),
            chain_digest: trust.chainDigest,
            next_fork: (trust.forkSlot != 0)
                .then_some(NextFork { slot: trust.forkSlot, digest: trust.nextChainDigest }),
        }
    }

    pub(crate) fn abi(&self) -> LightClient::Trust {
        let (slot, digest) = self.next_fork.map_or((0, B256::ZERO), |next| (next.slot, next.digest));
        LightClient::Trust {
            verifier: self.verifier,
            selector: self.selector,
            forkSlot: slot,
            committeeChangeKey: self.committee_change_key,
            inclusionKey: self.inclusion_key,
            bundleKey: self.bundle_key.unwrap_or_default(),
            chainDigest: self.chain_digest,
            nextChainDigest: digest,
        }
    }
}

impl Rules {
    pub(crate) fn abi(&self) -> LightClient::Rules {
        LightClient::Rules {
            genesisTime: self.genesis_time,
            secondsPerSlot: self.seconds_per_slot,
            maxAge: self.max_age,
            minParticipation: self.min_participation,
        }
    }
}
