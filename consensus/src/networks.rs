//! Networks known by name. Sources: the `config.yaml` and genesis of each network in eth-clients/mainnet,
//! eth-clients/sepolia, eth-clients/holesky and eth-clients/hoodi.

use crate::chain::{ChainConfig, FAR_FUTURE_EPOCH, ForkSchedule, ScheduledFork};
use crate::hash::Root;

/// Ethereum mainnet.
pub const MAINNET: ChainConfig = network(
    hex(b"4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    [0, 74240, 144896, 194048, 269568, 364032, 411392, FAR_FUTURE_EPOCH],
    [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07],
    [0, 0, 0],
);

/// Every network known by name.
pub const NETWORKS: [(&str, &ChainConfig); 1] = [("mainnet", &MAINNET)];

/// The network of a name.
pub fn by_name(name: &str) -> Option<&'static ChainConfig> {
    NETWORKS.iter().find(|(known, _)| *known == name).map(|(_, config)| *config)
}

/// A network of the mainnet preset whose fork versions differ in the first byte.
const fn network(genesis: Root, epochs: [u64; 8], first: [u8; 8], rest: [u8; 3]) -> ChainConfig {
    let mut forks = [ScheduledFork { epoch: 0, version: [0; 4] }; 8];
    let mut i = 0;
    while i < forks.len() {
        forks[i] = ScheduledFork { epoch: epochs[i], version: [first[i], rest[0], rest[1], rest[2]] };
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
