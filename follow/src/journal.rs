//! What was sent to the contract: kept before any node has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sextant_submit::Sent;

/// Of so many proofs the transactions are kept.
const KEPT: usize = 16;

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// [`crate::Submit::target`].
    pub target: String,
    /// Transactions by the file of the proof that they submit.
    #[serde(default)]
    pub files: BTreeMap<String, Submitted>,
    /// How many submissions the contract accepted.
    #[serde(default)]
    pub accepted: u64,
    /// Of recorded proofs with lower numbers nothing is left to be submitted to the contract for the logs in them.
    #[serde(default)]
    pub(crate) logs_settled: u64,
    /// Counts the files, oldest first.
    #[serde(default)]
    next: u64,
}

/// The transactions of one proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Where it stands in the order of files.
    number: u64,
    /// All that were signed, with one nonce.
    pub sent: Vec<Sent>,
    /// The block that one of them was accepted in.
    pub block: Option<u64>,
}

impl Journal {
    /// An empty one.
    pub(crate) fn new(target: String) -> Self {
        Self { target, ..Self::default() }
    }

    /// Those of a proof.
    pub(crate) fn of(&mut self, file: &str) -> &mut Submitted {
        if !self.files.contains_key(file) {
            let number = self.next;
            self.next += 1;
            self.files.insert(file.into(), Submitted { number, ..Submitted::default() });
            let oldest = self.next.saturating_sub(KEPT as u64);
            self.files.retain(|_, entry| entry.number >= oldest);
        }
        self.files.entry(file.into()).or_default()
    }
}
