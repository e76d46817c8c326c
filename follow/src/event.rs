//! What a follower tells while it works: one event, one line.

use std::{fmt, time::Duration};

use serde::Serialize;

use crate::{FollowError, ProofEntry};

/// Who hears of events.
pub(crate) type OnEvent<'a> = &'a mut (dyn FnMut(Event) + Send);

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The follower is ready, for the first time or again.
    Started {
        /// Slot of the finalized header known so far.
        finalized_slot: u64,
        /// Period up to which committees are proven.
        proven_period: u64,
        /// Whether an earlier run's state goes on.
        resumed: bool,
    },
    /// A new finalized head was checked and is kept.
    Head {
        /// Its slot.
        finalized_slot: u64,
        /// Its root, hex.
        finalized_root: String,
        /// Last period whose committee is known.
        known_period: u64,
    },
    /// A proof is asked for.
    Proving {
        /// `committee-change` or `inclusion`.
        program: &'static str,
        /// Slot of the finalized header in it.
        finalized_slot: u64,
        /// How many handovers, accounts or logs.
        items: usize,
    },
    /// The proof is verified and lies on disk; it is recorded next.
    Written {
        /// The file.
        file: String,
        /// Whether it was there already, left by a run that was ended in between.
        found: bool,
    },
    /// A verified proof is recorded.
    Proof(ProofEntry),
    /// Nothing that is watched has changed.
    Unchanged {
        /// Slot of the finalized header.
        finalized_slot: u64,
    },
    /// One proof of several statements is asked for.
    Bundling {
        /// The bundle's file, once it is proven.
        file: String,
        /// The files of the statements' proofs, in its order.
        statements: Vec<String>,
    },
    /// A bundle is not submitted. Those of its statements that are still due are, in another one or alone.
    Dissolved {
        /// The bundle's file.
        file: String,
        /// Why.
        reason: String,
    },
    /// The chain of committees is to be extended, or begun.
    Chaining {
        /// The period whose committee it leads to so far, or begins with.
        from_period: u64,
        /// The period that it is to lead to.
        to_period: u64,
    },
    /// The chain of committees was extended: it is verified, and lies in its file.
    Chain {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
        /// The period of the committee that it begins with.
        anchor_period: u64,
        /// That committee's root, hex.
        anchor_committee_root: String,
        /// The period that it leads to.
        newest_period: u64,
    },
    /// A transaction that submits a proof is kept, and sent next.
    Sent {
        /// The proof's file.
        file: String,
        /// The transaction's hash.
        transaction: String,
    },
    /// The contract accepted a proof.
    Submitted {
        /// The proof's file.
        file: String,
        /// The transaction's hash.
        transaction: String,
        /// Number of its block.
        block: u64,
        /// Gas that it used.
        gas_used: u64,
    },
    /// The contract accepted a proof that contradicts what it knew: one of the two lies.
    Contradicts {
        /// The proof's file.
        file: String,
        /// The transaction's hash.
        transaction: String,
        /// Number of its block.
        block: u64,
    },
    /// The contract knew what a proof says; nothing was spent on it.
    Known {
        /// The proof's file.
        file: String,
        /// In the contract's words.
        reason: String,
    },
    /// Proof files were removed: there were more than are to be kept, and the contract has no need of them.
    Pruned {
        /// How many.
        files: usize,
    },
    /// A fork that this program is not prepared for has got its date.
    ForkAhead {
        /// Its name.
        fork: String,
        /// Its first epoch.
        epoch: u64,
        /// Unix time at which it begins, seconds.
        time: u64,
        /// Whole days until then.
        days: u64,
    },
    /// Something failed, and is tried again.
    Trouble {
        /// One line.
        message: String,
        /// After how many milliseconds.
        retry_ms: u64,
    },
    /// Asked to end, and ended.
    Stopped,
}

impl Event {
    /// Something failed, and is tried again after a pause.
    pub(crate) fn trouble(error: &FollowError, pause: Duration) -> Self {
        let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        Self::Trouble { message: error.to_string(), retry_ms }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { finalized_slot, proven_period, resumed } => {
                let how = if *resumed { "goes on" } else { "starts" };
                write!(
                    f,
                    "{how} at finalized slot {finalized_slot}, committees proven to period {proven_period}"
                )
            }
            Self::Head { finalized_slot, finalized_root, known_period } => {
                write!(
                    f,
                    "finalized slot {finalized_slot} ({finalized_root}), committees known to period {known_period}"
                )
            }
            Self::Proving { program, finalized_slot, items } => {
                let what = if *program == "inclusion" { "accounts or logs" } else { "handovers" };
                write!(f, "asking for a proof: {program} at finalized slot {finalized_slot}, {what}: {items}")
            }
            Self::Written { file, found: false } => write!(f, "verified: {file}"),
            Self::Written { file, found: true } => write!(f, "verified, found from before: {file}"),
            Self::Proof(entry) => write!(f, "recorded: {entry}"),
            Self::Unchanged { finalized_slot } => {
                write!(f, "nothing watched has changed at finalized slot {finalized_slot}")
            }
            Self::Bundling { file, statements } => {
                write!(f, "asking for one proof of {}: {file}: {}", statements.len(), statements.join(", "))
            }
            Self::Chaining { from_period, to_period } => {
                write!(f, "asking for the chain of committees from period {from_period} on to {to_period}")
            }
            Self::Chain { file, bytes, anchor_period, anchor_committee_root, newest_period } => write!(
                f,
                "chain of committees: {file}, from period {anchor_period} ({anchor_committee_root}) to {newest_period}, \
                 {bytes} bytes"
            ),
            Self::Dissolved { file, reason } => write!(f, "no bundle any more: {file}: {reason}"),
            Self::Sent { file, transaction } => write!(f, "submitting {file}: transaction {transaction}"),
            Self::Submitted { file, transaction, block, gas_used } => {
                write!(f, "accepted: {file}, transaction {transaction} in block {block}, {gas_used} gas")
            }
            Self::Contradicts { file, transaction, block } => write!(
                f,
                "accepted as a CONTRADICTION of what the contract knew: {file}, transaction {transaction} in block {block}"
            ),
            Self::Known { file, reason } => write!(f, "not submitted: {file}: {reason}"),
            Self::Pruned { files } => write!(f, "removed {files} proof files beyond those to be kept"),
            Self::ForkAhead { fork, epoch, days, .. } => write!(
                f,
                "fork {fork} begins in {days} days, at epoch {epoch}: this program is not prepared for it, install a \
                 version that is before then"
            ),
            Self::Trouble { message, retry_ms } => {
                write!(f, "trouble: {message} (again in {:.1} s)", *retry_ms as f64 / 1e3)
            }
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
