//! Which chain a beacon node is on, and its clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sextant_consensus::{
    chain::{ChainConfig, FAR_FUTURE_EPOCH, Fork},
    hash::Root,
};

/// A chain as its beacon nodes describe it: what proofs bind, and what a client needs beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What proofs bind by its digest.
    pub config: ChainConfig,
    /// Unix time of slot 0, in seconds.
    pub genesis_time: u64,
    /// Length of a slot.
    pub slot: Duration,
    /// `DEPOSIT_CHAIN_ID`: what execution nodes of this chain answer to `eth_chainId`.
    pub execution_chain_id: Option<u64>,
}

/// Which chain is meant: what a node says of itself is compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This one.
    Config(ChainConfig),
    /// The one with this digest, whatever it is.
    Digest(Root),
}

/// A node of another chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainMismatch {
    /// One of the numbers differs.
    #[error("another chain: {what} is {got}, expected {expected}")]
    Differs {
        /// Which.
        what: String,
        /// The node's.
        got: String,
        /// Ours.
        expected: String,
    },
    /// The whole differs.
    #[error("another chain: its digest is 0x{}, expected 0x{}", hex::encode(.got), hex::encode(.expected))]
    Digest {
        /// The node's.
        got: Root,
        /// Ours.
        expected: Root,
    },
}

impl Expected {
    /// The configuration to go on with, if the node's own is that one.
    ///
    /// # Errors
    /// [`ChainMismatch`] names the first difference.
    pub fn confirm(&self, node: &ChainConfig) -> Result<ChainConfig, ChainMismatch> {
        match self {
            Self::Config(expected) => match difference(node, expected) {
                None => Ok(expected.clone()),
                Some(mismatch) => Err(mismatch),
            },
            Self::Digest(expected) if *expected == node.digest() => Ok(node.clone()),
            Self::Digest(expected) => Err(ChainMismatch::Digest { got: node.digest(), expected: *expected }),
        }
    }
}

fn difference(node: &ChainConfig, expected: &ChainConfig) -> Option<ChainMismatch> {
    let differs = |what: &str, got: String, expected: String| {
        (got != expected).then(|| ChainMismatch::Differs { what: what.into(), got, expected })
    };
    let root = |chain: &ChainConfig| format!("0x{}", hex::encode(chain.genesis_validators_root));
    differs("genesis validators root", root(node), root(expected))
        .or_else(|| {
            differs("SLOTS_PER_EPOCH", node.slots_per_epoch.to_string(), expected.slots_per_epoch.to_string())
        })
        .or_else(|| {
            let name = "EPOCHS_PER_SYNC_COMMITTEE_PERIOD";
            differs(name, node.epochs_per_period.to_string(), expected.epochs_per_period.to_string())
        })
        .or_else(|| {
            differs(
                "SYNC_COMMITTEE_SIZE",
                node.committee_size.to_string(),
                expected.committee_size.to_string(),
            )
        })
        .or_else(|| {
            let forks = Fork::ALL.iter().zip(node.forks.0.iter().zip(&expected.forks.0));
            forks.into_iter().find_map(|(fork, (got, expected))| {
                // A node that does not know an unscheduled fork has no version for it.
                let unknown = got.epoch == FAR_FUTURE_EPOCH && expected.epoch == FAR_FUTURE_EPOCH;
                let text = |fork: &sextant_consensus::chain::ScheduledFork| match fork.epoch {
                    FAR_FUTURE_EPOCH => "not scheduled".into(),
                    epoch => format!("at epoch {epoch} with version 0x{}", hex::encode(fork.version)),
                };
                if unknown { None } else { differs(&format!("fork {fork}"), text(got), text(expected)) }
            })
        })
}

impl Chain {
    /// The slot at `now`; 0 before genesis.
    pub fn slot_at(&self, now: SystemTime) -> u64 {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let since_genesis = since_epoch.saturating_sub(Duration::from_secs(self.genesis_time));
        u64::try_from(since_genesis.as_millis() / self.slot.as_millis().max(1)).unwrap_or(u64::MAX)
    }

    /// The slot by this machine's clock, and one more: clocks differ by less than that.
    pub fn current_slot(&self) -> u64 {
        self.slot_at(SystemTime::now()).saturating_add(1)
    }

    /// How long ago `slot` began.
    pub fn age(&self, slot: u64) -> Duration {
        let slots = self.slot_at(SystemTime::now()).saturating_sub(slot);
        self.slot.saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_consensus::networks::{HOODI, MAINNET};

    #[test]
    fn another_chain_is_named_by_what_differs() {
        let expected = Expected::Config(MAINNET);
        assert_eq!(expected.confirm(&MAINNET), Ok(MAINNET));
        let named = |edit: fn(&mut ChainConfig)| {
            let mut node = MAINNET;
            edit(&mut node);
            expected.confirm(&node).unwrap_err().to_string()
        };
        assert!(named(|node| *node = HOODI).contains("genesis validators root"));
        assert!(named(|node| node.slots_per_epoch = 8).contains("SLOTS_PER_EPOCH is 8, expected 32"));
        let fork = named(|node| node.forks.0[7].epoch = 500_000);
        assert!(
            fork.contains("gloas is at epoch 500000") && fork.contains("expected not scheduled"),
            "{fork}"
        );
        assert!(named(|node| node.forks.0[5].version[0] ^= 1).contains("fork electra"));
        // A version that nobody uses yet does not count.
        let mut older = MAINNET;
        older.forks.0[7].version = [0; 4];
        assert_eq!(expected.confirm(&older), Ok(MAINNET));
    }

    #[test]
    fn a_digest_says_it_all() {
        let expected = Expected::Digest(HOODI.digest());
        assert_eq!(expected.confirm(&HOODI), Ok(HOODI));
        let other = expected.confirm(&MAINNET).unwrap_err();
        assert_eq!(other, ChainMismatch::Digest { got: MAINNET.digest(), expected: HOODI.digest() });
    }

    #[test]
    fn slots_follow_from_the_clock() {
        let chain = Chain {
            config: MAINNET,
            genesis_time: 1000,
            slot: Duration::from_secs(12),
            execution_chain_id: None,
        };
        let at = |seconds| chain.slot_at(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1000), at(1011), at(1012), at(1024)], [0, 0, 0, 1, 2]);
    }
}
