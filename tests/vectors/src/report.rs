//! The outcome: a table per preset, fork and handler, and every failure in words.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use sextant_consensus::chain::Fork;

use crate::case::{Case, Failure};

/// Cases of one preset, fork and handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Cases run.
    pub run: usize,
    /// Cases that agreed.
    pub passed: usize,
    /// Single steps compared: updates, ranked pairs, proofs.
    pub steps: usize,
}

/// What a run showed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    counts: BTreeMap<(String, usize, String, String), Count>,
    /// Case and reason.
    pub failures: Vec<(String, Failure)>,
    /// Files that no handler read.
    pub unread: Vec<PathBuf>,
}

impl Report {
    pub(crate) fn add(&mut self, case: &Case, result: Result<usize, Failure>, unread: Vec<PathBuf>) {
        // Forks in their own order.
        let order = Fork::from_name(&case.fork).map_or(usize::MAX, |fork| fork as usize);
        let key = (case.preset.clone(), order, case.fork.clone(), case.handler.clone());
        let count = self.counts.entry(key).or_default();
        count.run += 1;
        match result {
            Ok(steps) => {
                count.passed += 1;
                count.steps += steps;
            }
            Err(failure) => self.failures.push((case.title(), failure)),
        }
        self.unread.extend(unread);
    }

    pub(crate) fn stray(&mut self, path: PathBuf) {
        self.unread.push(path);
    }

    /// All cases together.
    pub fn total(&self) -> Count {
        self.counts.values().fold(Count::default(), |sum, count| Count {
            run: sum.run + count.run,
            passed: sum.passed + count.passed,
            steps: sum.steps + count.steps,
        })
    }

    /// Whether there was anything to run, all of it passed, and every file was read.
    pub fn is_clean(&self) -> bool {
        self.total().run > 0 && self.failures.is_empty() && self.unread.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<9} {:<10} {:<20} {:>5} {:>7} {:>7}",
            "preset", "fork", "handler", "run", "passed", "steps"
        )?;
        for ((preset, _, fork, handler), count) in &self.counts {
            let Count { run, passed, steps } = count;
            writeln!(f, "{preset:<9} {fork:<10} {handler:<20} {run:>5} {passed:>7} {steps:>7}")?;
        }
        for (case, failure) in &self.failures {
            writeln!(f, "FAILED {case}: {failure}")?;
        }
        for path in &self.unread {
            writeln!(f, "UNREAD {}", path.display())?;
        }
        let Count { run, passed, steps } = self.total();
        write!(
            f,
            "{run} cases run, {passed} passed, {} failed, {} unread files, {steps} steps",
            self.failures.len(),
            self.unread.len()
        )
    }
}
