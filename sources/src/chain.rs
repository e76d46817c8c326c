//! A chain and its clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sextant_consensus::{chain::ChainConfig, hash::Root};

use crate::forks::{self, Upcoming};

/// A chain as its beacon nodes describe it: what proofs bind, and what a client needs beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its rules: presets and fork schedule.
    pub config: ChainConfig,
    /// The digest that it was asked for by, if it was: then every statement has that one.
    pub pinned: Option<Root>,
    /// Unix time of slot 0, in seconds.
    pub genesis_time: u64,
    /// Length of a slot.
    pub slot: Duration,
    /// `DEPOSIT_CHAIN_ID`: what execution nodes of this chain answer to `eth_chainId`.
    pub execution_chain_id: Option<u64>,
    /// Forks ahead that the node has a date for.
    pub ahead: Vec<Upcoming>,
}

impl Chain {
    /// What statements are made with, and bind by its digest: forks that have not begun have no date in it, unless the
    /// digest that was asked for has one.
    pub fn statement_config(&self) -> ChainConfig {
        match self.pinned {
            Some(_) => self.config.clone(),
            None => forks::begun_by(&self.config, self.current_epoch()),
        }
    }

    /// The slot at `now`; 0 before genesis.
    pub fn slot_at(&self, now: SystemTime) -> u64 {
        slot_at(self.genesis_time, self.slot, now)
    }

    /// The slot by this machine's clock, and one more: clocks differ by less than that.
    pub fn current_slot(&self) -> u64 {
        self.slot_at(SystemTime::now()).saturating_add(1)
    }

    /// The epoch by this machine's clock.
    pub fn current_epoch(&self) -> u64 {
        self.config.epoch(self.slot_at(SystemTime::now()))
    }

    /// How long ago `slot` began.
    pub fn age(&self, slot: u64) -> Duration {
        let slots = self.slot_at(SystemTime::now()).saturating_sub(slot);
        self.slot.saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
    }

    /// Unix time at which an epoch begins, seconds.
    pub fn time_of_epoch(&self, epoch: u64) -> u64 {
        self.time_of_slot(epoch.saturating_mul(self.config.slots_per_epoch))
    }

    /// Unix time at which a slot begins, seconds.
    pub fn time_of_slot(&self, slot: u64) -> u64 {
        let millis = u64::try_from(self.slot.as_millis()).unwrap_or(u64::MAX);
        self.genesis_time.saturating_add(slot.saturating_mul(millis) / 1000)
    }
}

/// The slot at a time, by a clock; 0 before genesis.
pub(crate) fn slot_at(genesis_time: u64, slot: Duration, now: SystemTime) -> u64 {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since_genesis = since_epoch.saturating_sub(Duration::from_secs(genesis_time));
    u64::try_from(since_genesis.as_millis() / slot.as_millis().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_consensus::networks::MAINNET;

    fn chain(genesis_time: u64) -> Chain {
        Chain {
            config: MAINNET,
            pinned: None,
            genesis_time,
            slot: Duration::from_secs(12),
            execution_chain_id: None,
            ahead: Vec::new(),
        }
    }

    #[test]
    fn slots_follow_from_the_clock() {
        let chain = chain(1000);
        let at = |seconds| chain.slot_at(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1000), at(1011), at(1012), at(1024)], [0, 0, 0, 1, 2]);
        assert_eq!(chain.time_of_epoch(2), 1000 + 2 * 32 * 12);
    }

    #[test]
    fn statements_have_the_forks_that_have_begun() {
        let mut chain = chain(1_606_824_023);
        chain.config.forks.0[7].epoch = chain.current_epoch() + 100;
        assert_eq!(chain.statement_config(), MAINNET);
        chain.pinned = Some(chain.config.digest());
        assert_eq!(chain.statement_config(), chain.config, "as it was pinned");
        chain.pinned = None;
        chain.config.forks.0[7].epoch = chain.current_epoch();
        assert_eq!(chain.statement_config(), chain.config);
    }
}
