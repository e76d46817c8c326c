//! Statement 1: the committee trusted for a period handed over to the next one, once or several times in a row.

use alloc::vec::Vec;

use crate::bls::AggregateVerifier;
use crate::chain::{ChainConfig, ChainError};
use crate::codec::record;
use crate::execution::{ExecutionError, ExecutionFacts};
use crate::finality::{FinalityError, Finalized, SignedFinality};
use crate::hash::Root;
use crate::merkle::{MerkleError, verify_branch};
use crate::program::Program;
use crate::public_values::{CommitteeChange, Head, Learned};
use crate::step;

record! {
    /// The statement and its evidence.
    pub struct Input {
        /// The chain; its digest becomes public.
        pub chain: ChainConfig,
        /// Period of the committee that is trusted to begin with.
        pub signer_period: u64,
        /// `hash_tree_root` of that committee. Public: whoever verifies compares it with the one they trust.
        pub signer_committee_root: Root,
        /// One per period, in order.
        pub handovers: Vec<Handover>,
        /// Execution facts of the last handover's finalized header.
        pub execution: ExecutionFacts,
    }
}

record! {
    /// One period's committee signing a header whose state names the next period's committee.
    pub struct Handover {
        /// The signed header and its finality.
        pub signed: SignedFinality,
        /// `hash_tree_root` of `next_sync_committee` in the attested state. Its 512 keys are never needed here.
        pub next_committee_root: Root,
        /// From that root to the attested state root.
        pub next_committee_branch: Vec<Root>,
    }
}

/// Why a committee change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeChangeError {
    /// The chain configuration is none this version speaks about.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// Nothing is asked.
    #[error("no handover: at least one update is needed")]
    Empty,
    /// One handover is refused.
    #[error("handover {index}: {error}")]
    Handover {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: HandoverError,
    },
    /// The execution facts do not belong to the last finalized header.
    #[error("execution facts: {0}")]
    Execution(#[from] ExecutionError),
}

/// Why one handover is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    /// The signed header is refused.
    #[error(transparent)]
    Finality(#[from] FinalityError),
    /// Signed, attested and finalized must lie in the period of the committee that hands over.
    #[error("{what} lies in period {got}, the trusted committee's period is {expected}")]
    Period {
        /// Which slot.
        what: &'static str,
        /// Its period.
        got: u64,
        /// The committee's period.
        expected: u64,
    },
    /// The next committee is not in the attested state.
    #[error("next sync committee branch: {0}")]
    NextCommittee(MerkleError),
}

/// Checks the statement and returns its public values.
///
/// # Errors
/// [`CommitteeChangeError`] names the rule and the handover.
pub fn check(
    input: &Input,
    bls: &mut impl AggregateVerifier,
) -> Result<CommitteeChange, CommitteeChangeError> {
    let chain = &input.chain;
    chain.validate()?;
    let trusted = Learned { period: input.signer_period, committee_root: input.signer_committee_root };
    let handed_over = hand_over(chain, trusted, &input.handovers, bls)
        .map_err(|(index, error)| CommitteeChangeError::Handover { index, error })?;
    let last = input.handovers.last().zip(handed_over.finalized);
    let (Handover { signed, .. }, finalized) = last.ok_or(CommitteeChangeError::Empty)?;
    let header = &signed.finalized;
    step!(Branches, input.execution.verify(finalized.finalized_fork, &header.body_root))?;
    Ok(CommitteeChange {
        head: Head {
            program: Program::CommitteeChange,
            chain_digest: chain.digest(),
            signer_period: input.signer_period,
            signer_committee_root: input.signer_committee_root,
            participation: handed_over.participation,
            finalized_slot: header.slot,
            finalized_root: finalized.finalized_root,
            block_number: input.execution.block_number,
            block_hash: input.execution.block_hash,
            state_root: input.execution.state_root,
        },
        learned: handed_over.learned,
    })
}

/// What handovers in a row come to.
pub(crate) struct HandedOver {
    /// The committees of the periods after the first one's, in order.
    pub(crate) learned: Vec<Learned>,
    /// The lowest number of seats that signed one; all seats where there is none.
    pub(crate) participation: u64,
    /// What the last one's signature stands for.
    pub(crate) finalized: Option<Finalized>,
}

/// Checks handovers in a row, the first of them by `trusted`. An error comes with the handover's number.
pub(crate) fn hand_over(
    chain: &ChainConfig,
    trusted: Learned,
    handovers: &[Handover],
    bls: &mut impl AggregateVerifier,
) -> Result<HandedOver, (usize, HandoverError)> {
    let mut committee = trusted;
    let mut sum = HandedOver {
        learned: Vec::with_capacity(handovers.len()),
        participation: chain.committee_size,
        finalized: None,
    };
    for (index, handover) in handovers.iter().enumerate() {
        let finalized = handover.verify(chain, &committee, bls).map_err(|error| (index, error))?;
        sum.participation = sum.participation.min(finalized.participation);
        committee = Learned { period: committee.period + 1, committee_root: handover.next_committee_root };
        sum.learned.push(committee);
        sum.finalized = Some(finalized);
    }
    Ok(sum)
}

impl Handover {
    /// Checks that `trusted` signed, within its own period, a finalized header and the committee after it.
    fn verify(
        &self,
        chain: &ChainConfig,
        trusted: &Learned,
        bls: &mut impl AggregateVerifier,
    ) -> Result<Finalized, HandoverError> {
        let signed = &self.signed;
        // The attested state names the committee of the period after its own. It is learned for good only if the
        // finalized header lies in the same period; and the signer must be the one before it, or nothing is learned.
        for (what, slot) in [
            ("signature slot", signed.signature_slot),
            ("attested header", signed.attested.slot),
            ("finalized header", signed.finalized.slot),
        ] {
            let got = chain.period(slot);
            if got != trusted.period {
                return Err(HandoverError::Period { what, got, expected: trusted.period });
            }
        }
        let attested_fork = chain.fork_at(signed.attested.slot).map_err(FinalityError::Chain)?;
        let gindex = attested_fork.next_sync_committee_gindex();
        let (root, branch) = (&self.next_committee_root, &self.next_committee_branch);
        step!(Branches, verify_branch(root, branch, gindex, &signed.attested.state_root))
            .map_err(HandoverError::NextCommittee)?;
        Ok(signed.verify(chain, &trusted.committee_root, bls)?)
    }
}
