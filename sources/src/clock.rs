//! The clocks of networks known by name. A node's word about them is not bound by any signature: whoever believed it would
//! take old committees for young ones.
//!
//! Sources: genesis times from ChainSafe/lodestar, `packages/config/src/networks.ts`; `SECONDS_PER_SLOT` and
//! `DEPOSIT_CHAIN_ID` from `metadata/config.yaml` of eth-clients/mainnet, eth-clients/sepolia, eth-clients/holesky and
//! eth-clients/hoodi, and from gnosischain/configs, `mainnet/config.yaml`.

use std::time::Duration;

use sextant_consensus::{
    chain::ChainConfig,
    hash::Root,
    networks::{HOLESKY, HOODI, MAINNET, SEPOLIA},
};

use crate::{Chain, ChainMismatch};

/// Gnosis Chain's `hash_tree_root` of the validators at genesis.
const GNOSIS: Root = [
    0xf5, 0xdc, 0xb5, 0x56, 0x4e, 0x82, 0x9a, 0xab, 0x27, 0x26, 0x4b, 0x9b, 0xec, 0xd5, 0xdf, 0xaa, 0x01,
    0x70, 0x85, 0x61, 0x12, 0x24, 0xcb, 0x30, 0x36, 0xf5, 0x73, 0x36, 0x8d, 0xbb, 0x9d, 0x47,
];

/// What is known of a chain's time, and of its execution layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Unix time of slot 0, in seconds.
    pub genesis_time: u64,
    /// Length of a slot.
    pub slot: Duration,
    /// `DEPOSIT_CHAIN_ID`.
    pub execution_chain_id: u64,
}

impl Clock {
    /// That of the network with this root of its validators at genesis, if it is one known by name.
    pub fn of(genesis_validators_root: &Root) -> Option<Self> {
        let clock = |genesis_time, seconds, execution_chain_id| {
            Some(Self { genesis_time, slot: Duration::from_secs(seconds), execution_chain_id })
        };
        match *genesis_validators_root {
            root if root == MAINNET.genesis_validators_root => clock(1_606_824_023, 12, 1),
            root if root == SEPOLIA.genesis_validators_root => clock(1_655_733_600, 12, 11_155_111),
            root if root == HOLESKY.genesis_validators_root => clock(1_695_902_400, 12, 17_000),
            root if root == HOODI.genesis_validators_root => clock(1_742_213_400, 12, 560_048),
            GNOSIS => clock(1_638_993_340, 5, 100),
            _ => None,
        }
    }

    /// Compares what a node says with what is known of its network, if anything is.
    ///
    /// # Errors
    /// [`ChainMismatch::Differs`] names the first difference.
    pub fn confirm(chain: &Chain) -> Result<(), ChainMismatch> {
        // Chains of somebody's making may borrow a root; the preset numbers tell them apart, and a digest binds both.
        let preset =
            |config: &ChainConfig| (config.slots_per_epoch, config.epochs_per_period, config.committee_size);
        let Some(known) = Self::of(&chain.config.genesis_validators_root) else { return Ok(()) };
        if chain.config.genesis_validators_root != GNOSIS && preset(&chain.config) != preset(&MAINNET) {
            return Ok(());
        }
        let same = |what: &str, got: u64, expected: u64| match got == expected {
            true => Ok(()),
            false => Err(ChainMismatch::Differs {
                what: what.into(),
                got: got.to_string(),
                expected: expected.to_string(),
            }),
        };
        same("the genesis time", chain.genesis_time, known.genesis_time)?;
        let millis = |slot: Duration| u64::try_from(slot.as_millis()).unwrap_or(u64::MAX);
        same("the length of a slot in milliseconds", millis(chain.slot), millis(known.slot))?;
        match chain.execution_chain_id {
            Some(id) => same("DEPOSIT_CHAIN_ID", id, known.execution_chain_id),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_word_about_a_known_networks_clock_is_compared() {
        for network in [MAINNET, SEPOLIA, HOLESKY, HOODI] {
            let Clock { genesis_time, slot, execution_chain_id } =
                Clock::of(&network.genesis_validators_root).unwrap();
            let execution_chain_id = Some(execution_chain_id);
            let chain = Chain {
                config: network,
                pinned: None,
                genesis_time,
                slot,
                execution_chain_id,
                ahead: Vec::new(),
            };
            assert_eq!(Clock::confirm(&chain), Ok(()));
            let named = |chain: Chain| Clock::confirm(&chain).unwrap_err().to_string();
            let shifted = Chain { genesis_time: genesis_time + 31_536_000, ..chain.clone() };
            assert!(named(shifted).contains("genesis time"));
            let shorter = Chain { slot: Duration::from_secs(1), ..chain.clone() };
            assert!(named(shorter).contains("is 1000, expected 12000"));
            let other = Chain { execution_chain_id: Some(2), ..chain.clone() };
            assert!(named(other).contains("DEPOSIT_CHAIN_ID"));
            assert_eq!(Clock::confirm(&Chain { execution_chain_id: None, ..chain }), Ok(()));
        }
    }

    #[test]
    fn of_other_chains_nothing_is_known() {
        let mut config = MAINNET;
        config.genesis_validators_root[0] ^= 1;
        assert_eq!(Clock::of(&config.genesis_validators_root), None);
        let slot = Duration::from_millis(500);
        let chain = |config| Chain {
            config,
            pinned: None,
            genesis_time: 1,
            slot,
            execution_chain_id: Some(7),
            ahead: Vec::new(),
        };
        assert_eq!(Clock::confirm(&chain(config)), Ok(()));
        let own = ChainConfig { slots_per_epoch: 8, ..HOODI };
        assert_eq!(Clock::confirm(&chain(own)), Ok(()), "a chain of somebody's making");
        assert_eq!(Clock::of(&GNOSIS).unwrap().slot, Duration::from_secs(5));
    }
}
