//! Which chain a digest names.
//!
//! A proof binds the whole schedule by its digest, so that a date which becomes known would make another chain of it. Up
//! to the day it begins, though, a schedule with that date and one without it say the same of every slot; a signature of
//! before that day holds under both, and one of after it only under the one that has it, because the version that is
//! signed for is another (`compute_domain`, phase0/beacon-chain.md). So a date that lies ahead changes nothing.

use sextant_consensus::{
    chain::{ChainConfig, FAR_FUTURE_EPOCH},
    hash::Root,
    networks,
    public_values::Statement,
};

/// The schedule as of an epoch: forks that begin later have no date.
pub fn begun_by(chain: &ChainConfig, epoch: u64) -> ChainConfig {
    let mut begun = chain.clone();
    begun.forks.0.iter_mut().filter(|fork| fork.epoch > epoch).for_each(|fork| fork.epoch = FAR_FUTURE_EPOCH);
    begun
}

/// Every schedule that says of `epoch` and all before it what `chain` says: the one with no later date first, then with
/// one date more each.
pub fn agreeing(chain: &ChainConfig, epoch: u64) -> Vec<ChainConfig> {
    let dates = chain.forks.0.iter().map(|fork| fork.epoch).filter(|date| *date > epoch);
    let mut schedules: Vec<_> =
        std::iter::once(epoch).chain(dates).map(|until| begun_by(chain, until)).collect();
    schedules.dedup();
    schedules
}

/// The schedule with this digest among those that agree on a signature in `slot`.
pub fn with_digest(chain: &ChainConfig, digest: &Root, slot: u64) -> Option<ChainConfig> {
    // The version that is signed for is that of the slot before (altair/light-client/sync-protocol.md).
    let epoch = chain.epoch(slot.max(1) - 1);
    agreeing(chain, epoch).into_iter().find(|schedule| schedule.digest() == *digest)
}

/// The digest that a proof of this statement must name to be about `network`: that with the forks that had begun, and of
/// those with more dates in them the proof's own, which says the same.
pub fn expected_digest(network: &ChainConfig, statement: &Statement) -> Root {
    // A bundle says nothing about a time: whichever forks its statements name, each of them has to be one of those.
    let epoch = statement.head().map_or(0, |head| network.epoch(head.finalized_slot));
    let agreeing = agreeing(network, epoch);
    let same = agreeing.iter().map(ChainConfig::digest).find(|digest| *digest == statement.chain_digest());
    same.unwrap_or_else(|| network.digest())
}

/// The name of a chain with this digest, if it is a known one, whichever of its forks have a date in it.
pub fn name_of(digest: &Root) -> Option<&'static str> {
    let has = |config: &ChainConfig| agreeing(config, 0).iter().any(|chain| chain.digest() == *digest);
    networks::NETWORKS.iter().find(|(_, config)| has(config)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_consensus::networks::{HOODI, MAINNET};

    #[test]
    fn a_date_ahead_is_left_out_and_a_later_signature_needs_it() {
        let gloas = HOODI.forks.0[7].epoch;
        let before = begun_by(&HOODI, gloas - 1);
        assert_ne!(before.digest(), HOODI.digest());
        assert_eq!(begun_by(&HOODI, gloas), HOODI);
        assert_eq!(agreeing(&HOODI, gloas - 1), [before.clone(), HOODI]);
        assert_eq!(agreeing(&MAINNET, u64::MAX - 1), [MAINNET]);

        let first = gloas * HOODI.slots_per_epoch;
        let found = |digest: Root, slot| with_digest(&HOODI, &digest, slot);
        assert_eq!(found(before.digest(), first - 1), Some(before.clone()));
        assert_eq!(found(HOODI.digest(), first - 1), Some(HOODI));
        // Signed for the version of the slot before.
        assert_eq!(found(before.digest(), first), Some(before.clone()));
        assert_eq!(found(before.digest(), first + 1), None);
        assert_eq!(found(HOODI.digest(), first + 1), Some(HOODI));
        assert_eq!(found(MAINNET.digest(), first), None);
        for slot in [0, first / 2, first - 1] {
            assert_eq!(before.fork_at(slot), HOODI.fork_at(slot));
            assert_eq!(before.signing_domain(slot + 1), HOODI.signing_domain(slot + 1));
        }
        assert_ne!(before.signing_domain(first + 1), HOODI.signing_domain(first + 1));
    }
}
