//! Why a follower cannot start, or go on.

use std::{path::PathBuf, time::Duration};

use sextant_consensus::{StatementError, hash::Root};
use sextant_sources::{ChainMismatch, LightClientError, SourceError, prepare::PrepareError};
use sextant_submit::SubmitError;

use crate::{ProverError, StateError};

/// Why a follower cannot start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// No node gave a usable answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The light client cannot go on.
    #[error(transparent)]
    LightClient(#[from] LightClientError),
    /// The nodes' answers make no statement.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A statement was built that does not hold. Nothing was sent.
    #[error("the statement does not hold: {0}")]
    Statement(#[from] StatementError),
    /// No proof came.
    #[error("prover: {0}")]
    Prover(#[from] ProverError),
    /// A proof came, of something else.
    #[error("prover: a proof of another statement than the one asked for; it is not recorded")]
    OtherStatement,
    /// The contract does not answer.
    #[error("contract: {0}")]
    Submit(#[from] SubmitError),
    /// A proof is not on the contract's chain.
    #[error("submitting {file}: {error}")]
    Submission {
        /// The proof's file.
        file: String,
        /// Why not.
        error: SubmitError,
    },
    /// The contract knows none of this chain's committees.
    #[error(
        "{contract} knows no committee of the periods up to {period}: it began elsewhere, or on another chain"
    )]
    Stranger {
        /// The contract.
        contract: String,
        /// The last period whose committee is known here.
        period: u64,
    },
    /// The contract knows another committee.
    #[error(
        "for period {period} the contract knows committee 0x{}, the chain that is followed has 0x{}",
        hex::encode(.theirs), hex::encode(.ours)
    )]
    OtherCommittee {
        /// The period.
        period: u64,
        /// The one known here.
        ours: Root,
        /// The contract's.
        theirs: Root,
    },
    /// The contract takes statements about another chain, or another fork schedule.
    #[error(
        "the contract takes statements about the chain with digest {theirs}, those made here have 0x{}: its guardian has          to replace it, or this program is to be upgraded", hex::encode(.ours)
    )]
    ContractChain {
        /// Digest of the statements made here.
        ours: Root,
        /// The contract's, hex.
        theirs: String,
    },
    /// One proof has to go as far as a header that the contract finds young enough, and the nodes do not have it.
    #[error(
        "the nodes have handovers from period {from} to {got} only: the contract takes no header that old, it takes          those to period {wanted} in one proof"
    )]
    TooFewUpdates {
        /// The period whose committee the contract knows.
        from: u64,
        /// How far the nodes' updates go.
        got: u64,
        /// How far they have to go.
        wanted: u64,
    },
    /// What lies where the chain of committees is kept is not this folder's chain.
    #[error("{}: {reason}: this file is to be a chain of committees that goes on with this folder's; move it away to begin anew", .file.display())]
    ChainFile {
        /// The file.
        file: PathBuf,
        /// What it is.
        reason: String,
    },
    /// Handovers that the chain of committees has to be extended by are not here in compressed form.
    #[error(
        "the chain of committees leads to period {expected}, and the next handover that is here in compressed form is of \
         period {got}: `sextant prove committee-change --kind compressed` makes what is missing, `sextant chain` extends the file"
    )]
    ChainGap {
        /// The period that it leads to.
        expected: u64,
        /// The first period after it of which there is a handover.
        got: u64,
    },
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The state belongs to another chain.
    #[error("the state in this folder: {0}")]
    OtherChain(#[from] ChainMismatch),
    /// Nothing to start from.
    #[error("no checkpoint: the first start needs the root of a beacon block that you trust")]
    NoCheckpoint,
    /// The state was started from another block.
    #[error(
        "this folder was started from checkpoint 0x{}, not from 0x{}: use another folder to start anew",
        hex::encode(.started), hex::encode(.given)
    )]
    OtherCheckpoint {
        /// The state's.
        started: Root,
        /// The one given now.
        given: Root,
    },
    /// The checkpoint is too old to be trusted without a second thought.
    #[error(
        "the checkpoint is of slot {slot}, {} days ago: older than {} days, within which whoever signed for it can \
         still be held to it (weak subjectivity)",
        .age.as_secs() / 86_400, .limit.as_secs() / 86_400
    )]
    OldCheckpoint {
        /// Its slot.
        slot: u64,
        /// Its age.
        age: Duration,
        /// The limit.
        limit: Duration,
    },
    /// Accounts or logs are watched, and there is no execution node to ask.
    #[error("accounts or logs are watched, but no execution node is given")]
    NoExecution,
}

impl FollowError {
    /// Whether it is worth going on: nodes, provers, contracts and disks come and go.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Submit(error) | Self::Submission { error, .. } => !matches!(
                error,
                SubmitError::Kind(_)
                    | SubmitError::Program(_)
                    | SubmitError::Signer(_)
                    | SubmitError::OtherChain { .. }
            ),
            Self::State(error) => error.is_passing(),
            Self::Source(_)
            | Self::LightClient(_)
            | Self::Prepare(_)
            | Self::Prover(_)
            | Self::OtherStatement
            | Self::Statement(_)
            | Self::Stranger { .. }
            | Self::OtherCommittee { .. }
            | Self::ContractChain { .. }
            | Self::ChainGap { .. }
            | Self::TooFewUpdates { .. } => true,
            _ => false,
        }
    }

    /// Whether it lasts until somebody changes a prover or a contract: it is looked at again, and told once.
    pub(crate) fn stands(&self) -> bool {
        match self {
            Self::Prover(error) => error.stands,
            Self::Submission { error, .. } => matches!(error, SubmitError::Refused(_)),
            Self::Stranger { .. }
            | Self::OtherCommittee { .. }
            | Self::ContractChain { .. }
            | Self::ChainGap { .. } => true,
            _ => false,
        }
    }

    /// Whether a first start is worth another try: nobody has said anything that is final.
    pub(crate) fn passes_at_start(&self) -> bool {
        match self {
            Self::Source(error) | Self::LightClient(LightClientError::Source(error)) => error.is_passing(),
            _ => false,
        }
    }

    /// How long to wait at least.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Prover(error) => error.retry_after,
            _ => None,
        }
    }
}
