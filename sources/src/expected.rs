//! Which chain is meant, and how a node's description of itself is compared with it.

use sextant_consensus::{
    chain::{ChainConfig, FAR_FUTURE_EPOCH, Fork, ScheduledFork},
    hash::Root,
};

use crate::forks;

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
    /// A fork has begun for which there is no date here.
    #[error(
        "fork {fork} has begun, at epoch {epoch}: this program has no date for it; a newer version has, or the chain's \
         digest, which is now 0x{}", hex::encode(.digest)
    )]
    Begun {
        /// The fork.
        fork: Fork,
        /// Its first epoch.
        epoch: u64,
        /// Digest of the chain with it.
        digest: Root,
    },
}

impl Expected {
    /// The configuration to go on with, if the node's own is that one. Forks that have not begun by `epoch` are not
    /// compared: their dates may become known, and move.
    ///
    /// # Errors
    /// [`ChainMismatch`] names the first difference.
    pub fn confirm(&self, node: &ChainConfig, epoch: u64) -> Result<ChainConfig, ChainMismatch> {
        match self {
            Self::Config(expected) => difference(node, expected, epoch).map(|()| expected.clone()),
            Self::Digest(expected) => pinned(node, expected, epoch),
        }
    }
}

/// The node's schedule as the digest has it: with all forks that have begun, and with or without dates that lie ahead.
fn pinned(node: &ChainConfig, expected: &Root, epoch: u64) -> Result<ChainConfig, ChainMismatch> {
    let found = |schedule: &ChainConfig| {
        [schedule.clone(), forks::without_names(schedule)]
            .into_iter()
            .find(|schedule| schedule.digest() == *expected)
    };
    if let Some(schedule) = forks::agreeing(node, epoch).iter().find_map(found) {
        return Ok(schedule);
    }
    let digest = forks::begun_by(node, epoch).digest();
    // A digest from before a fork began.
    let begun = Fork::ALL.into_iter().zip(node.forks.0).filter(|(_, fork)| (1..=epoch).contains(&fork.epoch));
    for (fork, ScheduledFork { epoch, .. }) in begun {
        if found(&forks::begun_by(node, epoch - 1)).is_some() {
            return Err(ChainMismatch::Begun { fork, epoch, digest });
        }
    }
    Err(ChainMismatch::Digest { got: digest, expected: *expected })
}

/// Compares everything up to `epoch`.
///
/// # Errors
/// [`ChainMismatch`] names the first difference.
pub fn difference(node: &ChainConfig, expected: &ChainConfig, epoch: u64) -> Result<(), ChainMismatch> {
    let root = |chain: &ChainConfig| format!("0x{}", hex::encode(chain.genesis_validators_root));
    differs("genesis validators root", root(node), root(expected))?;
    for (what, got, expected) in [
        ("SLOTS_PER_EPOCH", node.slots_per_epoch, expected.slots_per_epoch),
        ("EPOCHS_PER_SYNC_COMMITTEE_PERIOD", node.epochs_per_period, expected.epochs_per_period),
        ("SYNC_COMMITTEE_SIZE", node.committee_size, expected.committee_size),
    ] {
        differs(what, got.to_string(), expected.to_string())?;
    }
    for (fork, (got, ours)) in Fork::ALL.into_iter().zip(node.forks.0.iter().zip(&expected.forks.0)) {
        // What has not begun on either side says nothing about any slot yet.
        if got.epoch > epoch && ours.epoch > epoch {
            continue;
        }
        if ours.epoch == FAR_FUTURE_EPOCH {
            let digest = forks::begun_by(node, epoch).digest();
            return Err(ChainMismatch::Begun { fork, epoch: got.epoch, digest });
        }
        let text = |fork: &ScheduledFork| match fork.epoch {
            FAR_FUTURE_EPOCH => "not scheduled".into(),
            epoch => format!("at epoch {epoch} with version 0x{}", hex::encode(fork.version)),
        };
        differs(&format!("fork {fork}"), text(got), text(ours))?;
    }
    Ok(())
}

fn differs(what: &str, got: String, expected: String) -> Result<(), ChainMismatch> {
    if got == expected { Ok(()) } else { Err(ChainMismatch::Differs { what: what.into(), got, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_consensus::networks::{HOODI, MAINNET};

    /// Long after every fork that has a date today.
    const LATE: u64 = 1_000_000;

    #[test]
    fn another_chain_is_named_by_what_differs() {
        let expected = Expected::Config(MAINNET);
        assert_eq!(expected.confirm(&MAINNET, LATE), Ok(MAINNET));
        let named = |edit: fn(&mut ChainConfig)| {
            let mut node = MAINNET;
            edit(&mut node);
            expected.confirm(&node, LATE).unwrap_err().to_string()
        };
        assert!(named(|node| *node = HOODI).contains("genesis validators root"));
        assert!(named(|node| node.slots_per_epoch = 8).contains("SLOTS_PER_EPOCH is 8, expected 32"));
        assert!(named(|node| node.forks.0[5].version[0] ^= 1).contains("fork electra"));
        let moved = named(|node| node.forks.0[5].epoch += 1);
        assert!(moved.contains("fork electra is at epoch 364033"), "{moved}");
        // A version that nobody uses yet does not count.
        let mut older = MAINNET;
        older.forks.0[7].version = [0; 4];
        assert_eq!(expected.confirm(&older, LATE), Ok(MAINNET));
    }

    /// The day before a fork begins its date is of no account; from its first epoch on it counts.
    #[test]
    fn a_date_ahead_changes_nothing_until_it_is_there() {
        const DATE: u64 = 500_000;
        let mut node = MAINNET;
        node.forks.0[7].epoch = DATE;
        let [named, digest] = [Expected::Config(MAINNET), Expected::Digest(MAINNET.digest())];
        for expected in [&named, &digest] {
            assert_eq!(expected.confirm(&node, DATE - 1), Ok(MAINNET), "{expected:?}");
            let begun = expected.confirm(&node, DATE).unwrap_err();
            let expected = ChainMismatch::Begun { fork: Fork::Gloas, epoch: DATE, digest: node.digest() };
            assert_eq!(begun, expected);
        }
        // Who has the date needs nothing when it is there, and has a node that does not know it until then.
        let prepared = Expected::Config(node.clone());
        assert_eq!(prepared.confirm(&MAINNET, DATE - 1), Ok(node.clone()));
        assert_eq!(prepared.confirm(&node, DATE), Ok(node.clone()));
        assert!(prepared.confirm(&MAINNET, DATE).unwrap_err().to_string().contains("fork gloas"));
        // A digest with the date in it is pinned ahead.
        assert_eq!(Expected::Digest(node.digest()).confirm(&node, DATE - 1), Ok(node.clone()));
        // A node that has never heard of the fork, pinned, and upgraded.
        let mut unaware = MAINNET;
        unaware.forks.0[7].version = [0; 4];
        assert_eq!(Expected::Digest(unaware.digest()).confirm(&node, DATE - 1), Ok(unaware));
    }

    #[test]
    fn a_digest_says_it_all() {
        let expected = Expected::Digest(HOODI.digest());
        assert_eq!(expected.confirm(&HOODI, LATE), Ok(HOODI));
        let other = expected.confirm(&MAINNET, LATE).unwrap_err();
        assert_eq!(other, ChainMismatch::Digest { got: MAINNET.digest(), expected: HOODI.digest() });
    }
}
