//! What was sent to the contract: kept before any node has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sextant_submit::Sent;

/// Of so many proofs the transactions are kept.
const KEPT: usize = 16;
/// So many bundles are, in case that a block is reorganised away.
const BUNDLES_KEPT: usize = 4;
/// So many statements that no bundle takes.
const ALONE_KEPT: usize = 128;

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
    /// The last bundles, oldest first.
    #[serde(default)]
    pub(crate) bundles: Vec<BundleNote>,
    /// Since when something has been due that is to be bundled, Unix time in seconds.
    #[serde(default)]
    pub(crate) due_since: Option<u64>,
    /// Files of statements for which a bundle was refused.
    #[serde(default)]
    pub(crate) alone: Vec<String>,
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

/// A bundle that is to be submitted, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BundleNote {
    /// File of its proof.
    pub(crate) file: String,
    /// Files of its statements' proofs, in its order.
    pub(crate) statements: Vec<String>,
}

impl Journal {
    /// Notes a bundle. Returns those that are forgotten for it.
    pub(crate) fn note(&mut self, note: BundleNote) -> Vec<BundleNote> {
        self.bundles.retain(|before| before.file != note.file);
        self.bundles.push(note);
        let surplus = self.bundles.len().saturating_sub(BUNDLES_KEPT);
        self.bundles.drain(..surplus).collect()
    }

    /// Forgets a bundle; these of its statements are not bundled again.
    pub(crate) fn dissolve(&mut self, note: &BundleNote, alone: Vec<String>) {
        self.bundles.retain(|before| before.file != note.file);
        self.files.remove(&note.file);
        self.alone.retain(|file| !alone.contains(file));
        self.alone.extend(alone);
        let surplus = self.alone.len().saturating_sub(ALONE_KEPT);
        self.alone.drain(..surplus);
    }

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
