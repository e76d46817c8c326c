//! Why a follower cannot start, or go on.

use std::time::Duration;

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
    /// A proof is not on the contract's chain.
    #[error("submission: {0}")]
    Submit(#[from] SubmitError),
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
    /// Accounts are watched, and there is no execution node to ask.
    #[error("accounts are watched, but no execution node is given")]
    NoExecution,
}

impl FollowError {
    /// Whether it is worth going on: nodes and provers come and go.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Submit(error) => error.is_passing(),
            Self::Source(_)
            | Self::LightClient(_)
            | Self::Prepare(_)
            | Self::Prover(_)
            | Self::OtherStatement
            | Self::Statement(_) => true,
            _ => false,
        }
    }

    /// Whether the nodes are to blame.
    pub(crate) fn is_nodes(&self) -> bool {
        matches!(self, Self::Source(_) | Self::LightClient(_) | Self::Prepare(_))
    }

    /// How long to wait at least.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Prover(error) => error.retry_after,
            _ => None,
        }
    }
}
