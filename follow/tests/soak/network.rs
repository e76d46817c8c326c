//! The chain that is followed, whose nodes can be told to be poor, and whose next fork gets its date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sextant_consensus::chain::ChainConfig;
use sextant_sources::forks;
use sextant_submit::{NextFork, Rules};
use sextant_test_nodes::{
    Ask, Reply,
    simulated::{PERIOD, Simulated},
};

use crate::anvil::Beginning;

/// A chain whose last committee change is under a new fork.
pub trait Network: Send + Sync {
    /// The chain with that fork's date.
    fn chain(&self) -> ChainConfig;

    /// What the contract begins with: the same, and the committee of the first period.
    fn beginning(&self) -> Beginning;

    /// What a beacon node answers.
    fn answer(&self, ask: &Ask) -> Reply;

    /// What one answers in whose updates fewer than two thirds have signed.
    fn poor(&self, ask: &Ask) -> Reply;

    /// From now on nodes know when the fork begins.
    fn date_fork(&self);

    /// Lets the committee of a period hand over, as soon as it can.
    fn hand_over(&self, period: u64);

    /// Unix time, seconds, at which it can at the earliest.
    fn earliest(&self, period: u64) -> u64;

    /// How long a handover may take.
    fn patience(&self) -> Duration;
}

/// Unix time, seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The contract's trust at the beginning: a chain without its next fork, and that fork.
pub fn before_its_fork(chain: &ChainConfig, fork: usize) -> ([u8; 32], Option<NextFork>) {
    let slot = chain.forks.0[fork].epoch * chain.slots_per_epoch;
    (forks::begun_by(chain, 0).digest(), Some(NextFork { slot, digest: chain.digest().into() }))
}

/// A chain of our own making, of which each period is final as soon as it is wanted.
pub struct Quick {
    chain: Simulated,
    poor: Simulated,
}

/// Until the fork begins, seconds: it has its date long before.
const LEAD: u64 = 15;

impl Quick {
    /// One whose fork begins with the last of so many changes.
    pub fn new(changes: u64) -> Self {
        let last = changes - 1;
        let start = now() + LEAD - last * PERIOD;
        let forking = || Simulated::forking(start, changes + 2, last * 8);
        let network = Self { chain: forking(), poor: forking() };
        network.poor.absent(0, 16);
        network.hand_over(0);
        network
    }
}

impl Network for Quick {
    fn chain(&self) -> ChainConfig {
        self.chain.chain.clone()
    }

    fn beginning(&self) -> Beginning {
        let (digest, next_fork) = before_its_fork(&self.chain.chain, 7);
        let genesis_time = self.chain.genesis_time();
        Beginning {
            digest,
            next_fork,
            rules: Rules { genesis_time, seconds_per_slot: 1, max_age: 1_000_000, min_participation: 22 },
            slot: 2,
            root: self.chain.checkpoint(0),
            period: 0,
            committee_root: self.chain.committee_root(0),
        }
    }

    fn answer(&self, ask: &Ask) -> Reply {
        self.chain.beacon(ask)
    }

    fn poor(&self, ask: &Ask) -> Reply {
        match ask.path.contains("light_client") {
            true => self.poor.beacon(ask),
            false => self.chain.beacon(ask),
        }
    }

    fn date_fork(&self) {
        self.chain.date_fork();
    }

    fn hand_over(&self, period: u64) {
        self.chain.finalize(period * PERIOD + 8);
        self.poor.finalize(period * PERIOD + 8);
    }

    fn earliest(&self, period: u64) -> u64 {
        self.chain.genesis_time() + period * PERIOD + 27
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(180)
    }
}
