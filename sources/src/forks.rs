//! Forks that have a date and have not begun.
//!
//! A date that lies ahead changes nothing: [`sextant_verifier_rules::networks`] says why.

use sextant_consensus::chain::{ChainConfig, FAR_FUTURE_EPOCH, Fork};
pub use sextant_verifier_rules::networks::{agreeing, begun_by, with_digest};

/// A fork that a node has a date for, and that has not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// Its name, as the node writes it, in lower case.
    pub fork: String,
    /// Its first epoch.
    pub epoch: u64,
    /// Whether this program knows it, with that date: then nothing is to be done.
    pub prepared: bool,
}

/// What a node that does not know the unscheduled forks describes: without their versions.
pub(crate) fn without_names(chain: &ChainConfig) -> ChainConfig {
    let mut unnamed = chain.clone();
    let unscheduled = unnamed.forks.0.iter_mut().filter(|fork| fork.epoch == FAR_FUTURE_EPOCH);
    unscheduled.for_each(|fork| fork.version = [0; 4]);
    unnamed
}

/// The forks in a node's schedule that lie ahead, and whether `ours` has them with the same date.
pub(crate) fn ahead(node: &ChainConfig, ours: &ChainConfig, epoch: u64) -> Vec<Upcoming> {
    let pairs = Fork::ALL.iter().zip(node.forks.0.iter().zip(&ours.forks.0));
    let upcoming = pairs.filter(|(_, (node, _))| node.epoch > epoch && node.epoch != FAR_FUTURE_EPOCH);
    upcoming
        .map(|(fork, (node, ours))| Upcoming {
            fork: fork.to_string(),
            epoch: node.epoch,
            prepared: node == ours,
        })
        .collect()
}
