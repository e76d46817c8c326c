//! Networks known by name.
//!
//! Sources: `metadata/config.yaml` of eth-clients/mainnet, eth-clients/sepolia (at 00d17b43), eth-clients/holesky and
//! eth-clients/hoodi; the forks after Electra also from ChainSafe/lodestar, `packages/config/src/chainConfig/networks`
//! (at 101bf338, hoodi's Gloas epoch) and sigp/lighthouse, `common/eth2_network_config` (at 044b604f). Genesis
//! validators roots: ChainSafe/lodestar, `packages/config/src/networks.ts`, and for hoodi the repository's own
//! `metadata/genesis_validators_root.txt`. A fork that gets its date changes the digest: until it is entered here, a
//! chain configuration can be given as data.

use crate::chain::{ChainConfig, FAR_FUTURE_EPOCH, ForkSchedule, ScheduledFork};
use crate::hash::Root;

/// Ethereum mainnet.
pub const MAINNET: ChainConfig = network(
    hex(b"4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    [0, 74240, 144896, 194048, 269568, 364032, 411392, FAR_FUTURE_EPOCH],
    0x00000000,
    0x01000000,
);

/// Sepolia. Its versions after genesis count 70 to 76 in hex digits.
pub const SEPOLIA: ChainConfig = {
    let mut chain = network(
        hex(b"d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"),
        [0, 50, 100, 56832, 132608, 222464, 272640, 353024],
        0x9000006f,
        0x00000001,
    );
    chain.forks.0[0].version = [0x90, 0x00, 0x00, 0x69];
    chain
};

/// Holesky, which ended before Gloas got a date on it.
pub const HOLESKY: ChainConfig = network(
    hex(b"9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1"),
    [0, 0, 0, 256, 29696, 115968, 165120, FAR_FUTURE_EPOCH],
    0x01017000,
    0x01000000,
);

/// Hoodi.
pub const HOODI: ChainConfig = network(
    hex(b"212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"),
    [0, 0, 0, 0, 0, 2048, 50688, 132352],
    0x10000910,
    0x10000000,
);

/// Every network known by name.
pub const NETWORKS: [(&str, &ChainConfig); 4] =
    [("mainnet", &MAINNET), ("sepolia", &SEPOLIA), ("holesky", &HOLESKY), ("hoodi", &HOODI)];

/// The network of a name.
pub fn by_name(name: &str) -> Option<&'static ChainConfig> {
    NETWORKS.iter().find(|(known, _)| *known == name).map(|(_, config)| *config)
}

/// A network of the mainnet preset whose fork versions begin at `version` and grow by `step`.
const fn network(genesis: Root, epochs: [u64; 8], version: u32, step: u32) -> ChainConfig {
    let mut forks = [ScheduledFork { epoch: 0, version: [0; 4] }; 8];
    let mut i = 0;
    while i < forks.len() {
        let version = version + step * i as u32;
        forks[i] = ScheduledFork { epoch: epochs[i], version: version.to_be_bytes() };
        i += 1;
    }
    ChainConfig {
        genesis_validators_root: genesis,
        slots_per_epoch: 32,
        epochs_per_period: 256,
        committee_size: 512,
        forks: ForkSchedule(forks),
    }
}

const fn hex(digits: &[u8; 64]) -> Root {
    let mut root = [0; 32];
    let mut i = 0;
    while i < 64 {
        let digit = match digits[i] {
            d @ b'0'..=b'9' => d - b'0',
            d @ b'a'..=b'f' => d - b'a' + 10,
            _ => panic!("not a hex digit"),
        };
        root[i / 2] = root[i / 2] << 4 | digit;
        i += 1;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_valid_and_digests_differ() {
        for (i, (name, chain)) in NETWORKS.iter().enumerate() {
            assert_eq!(chain.validate(), Ok(()), "{name}");
            assert_eq!(by_name(name), Some(*chain));
            assert!(NETWORKS[..i].iter().all(|(_, other)| other.digest() != chain.digest()), "{name}");
        }
    }

    #[test]
    fn versions_as_the_networks_publish_them() {
        let versions = |chain: &ChainConfig| chain.forks.0.map(|fork| u32::from_be_bytes(fork.version));
        assert_eq!(
            versions(&MAINNET),
            [0, 0x01000000, 0x02000000, 0x03000000, 0x04000000, 0x05000000, 0x06000000, 0x07000000]
        );
        assert_eq!(
            versions(&SEPOLIA),
            [0x90000069, 0x90000070, 0x90000071, 0x90000072, 0x90000073, 0x90000074, 0x90000075, 0x90000076]
        );
        assert_eq!(
            versions(&HOLESKY),
            [0x01017000, 0x02017000, 0x03017000, 0x04017000, 0x05017000, 0x06017000, 0x07017000, 0x08017000]
        );
        assert_eq!(
            versions(&HOODI),
            [0x10000910, 0x20000910, 0x30000910, 0x40000910, 0x50000910, 0x60000910, 0x70000910, 0x80000910]
        );
    }
}
