//! Which rules a block stands under: fork schedules by chain id, and what follows from a fork.
//!
//! An input names its fork in the schema id, which is public. For the chains whose schedules are known here it must be
//! the fork that the schedule has at the block's time. For any other chain id, a devnet's, the fork that is named *is*
//! the rule set: whoever reads the proof compares chain id and schema id with what that chain has at that time.
//!
//! Timestamps are those of the networks' genesis files (eth-clients/mainnet, /sepolia, /hoodi, /holesky) and of EIP-7569,
//! EIP-7600 and EIP-7607; a test compares them with `alloy-hardforks`. A fork that a chain schedules later than this was
//! written is not known here, and with it the end of the last fork: that is why the schema id has to be looked at.
//!
//! The specification's own vectors are of chains with mainnet's id whose clocks begin at 0. Their blocks are told apart by a
//! time before mainnet's first block, and count as a devnet's: no beacon block has such a payload.

use alloy_eips::{eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS, eip7840::BlobParams};
use alloy_evm::eth::spec::EthExecutorSpec;
use alloy_hardforks::{EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::{Address, address};

use crate::schema::{AMSTERDAM, Fork, SchemaError};

/// When mainnet began, in seconds (`alloy_hardforks::mainnet::MAINNET_FRONTIER_TIMESTAMP`).
const MAINNET_BEGINS: u64 = 1_438_226_773;
/// Chain id of mainnet.
pub const MAINNET: u64 = 1;
/// Chain id of Holesky.
pub const HOLESKY: u64 = 17_000;
/// Chain id of Hoodi.
pub const HOODI: u64 = 560_048;
/// Chain id of Sepolia.
pub const SEPOLIA: u64 = 11_155_111;

/// A chain that is known here.
struct Chain {
    id: u64,
    deposit_contract: Address,
    /// Index of a fork, as schema ids have it, and the time of its first block in seconds; ascending.
    schedule: &'static [(u8, u64)],
}

const CANCUN: u8 = Fork::Cancun.index();
const PRAGUE: u8 = Fork::Prague.index();
const OSAKA: u8 = Fork::Osaka.index();
const BPO1: u8 = Fork::Bpo1.index();
const BPO2: u8 = Fork::Bpo2.index();

static CHAINS: [Chain; 4] = [
    Chain {
        id: MAINNET,
        deposit_contract: MAINNET_DEPOSIT_CONTRACT_ADDRESS,
        schedule: &[
            (CANCUN, 1_710_338_135),
            (PRAGUE, 1_746_612_311),
            (OSAKA, 1_764_798_551),
            (BPO1, 1_765_290_071),
            (BPO2, 1_767_747_671),
        ],
    },
    Chain {
        id: HOLESKY,
        deposit_contract: address!("0x4242424242424242424242424242424242424242"),
        schedule: &[
            (CANCUN, 1_707_305_664),
            (PRAGUE, 1_740_434_112),
            (OSAKA, 1_759_308_480),
            (BPO1, 1_759_800_000),
            (BPO2, 1_760_389_824),
        ],
    },
    Chain {
        id: HOODI,
        deposit_contract: MAINNET_DEPOSIT_CONTRACT_ADDRESS,
        schedule: &[
            (CANCUN, 0),
            (PRAGUE, 1_742_999_832),
            (OSAKA, 1_761_677_592),
            (BPO1, 1_762_365_720),
            (BPO2, 1_762_955_544),
        ],
    },
    Chain {
        id: SEPOLIA,
        deposit_contract: address!("0x7f02c3e3c98b133055b8b348b2ac625669ed295d"),
        schedule: &[
            (CANCUN, 1_706_655_072),
            (PRAGUE, 1_741_159_776),
            (OSAKA, 1_760_427_360),
            (BPO1, 1_761_017_184),
            (BPO2, 1_761_607_008),
            (AMSTERDAM, 1_791_294_816),
        ],
    },
];

/// Why a block's fork is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// A known chain has another fork at that time than the schema id says.
    #[error("chain {chain_id} has {expected} at {timestamp}, and the schema id says {got}")]
    Schedule {
        /// The chain.
        chain_id: u64,
        /// The block's time in seconds.
        timestamp: u64,
        /// The fork that the schema id names.
        got: Fork,
        /// The fork that the schedule has.
        expected: Fork,
    },
    /// A known chain is at a fork that is not implemented.
    #[error("chain {chain_id} at {timestamp}: {error}")]
    NotImplemented {
        /// The chain.
        chain_id: u64,
        /// The block's time in seconds.
        timestamp: u64,
        /// Which fork.
        error: SchemaError,
    },
    /// The block is older than Cancun, the first fork that is implemented.
    #[error("chain {chain_id} at {timestamp}: blocks before Cancun are not supported")]
    BeforeCancun {
        /// The chain.
        chain_id: u64,
        /// The block's time in seconds.
        timestamp: u64,
    },
    /// A rule set that is not implemented was asked for.
    #[error("the rules of {0:?} are not supported")]
    Hardfork(EthereumHardfork),
}

/// Everything but block and state that the validity of a block depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    chain_id: u64,
    hardfork: EthereumHardfork,
    blob_params: BlobParams,
    deposit_contract: Address,
}

impl Rules {
    /// The rules for a block of chain `chain_id` at `timestamp` (seconds) whose schema id names `fork`.
    ///
    /// SOUNDNESS: the timestamp is the payload's, and so under the block's hash and the request's root.
    ///
    /// # Errors
    /// [`ForkError`] if the chain is known and has another fork at that time.
    pub fn at(chain_id: u64, fork: Fork, timestamp: u64) -> Result<Self, ForkError> {
        let is_vector = chain_id == MAINNET && timestamp < MAINNET_BEGINS;
        if let Some(chain) = chain(chain_id).filter(|_| !is_vector) {
            let active = chain.schedule.iter().rev().find(|(_, start)| timestamp >= *start);
            let (index, _) = active.ok_or(ForkError::BeforeCancun { chain_id, timestamp })?;
            let expected = Fork::from_index(*index).map_err(|error| ForkError::NotImplemented {
                chain_id,
                timestamp,
                error,
            })?;
            if fork != expected {
                return Err(ForkError::Schedule { chain_id, timestamp, got: fork, expected });
            }
        }
        Self::of(chain_id, fork.hardfork())
    }

    /// The rules of `hardfork` on a chain with this id, whatever its schedule: for vectors.
    ///
    /// # Errors
    /// [`ForkError::Hardfork`] for forks that are not implemented.
    pub fn of(chain_id: u64, hardfork: EthereumHardfork) -> Result<Self, ForkError> {
        let blob_params = match hardfork {
            EthereumHardfork::Cancun => BlobParams::cancun(),
            EthereumHardfork::Prague => BlobParams::prague(),
            EthereumHardfork::Osaka => BlobParams::osaka(),
            EthereumHardfork::Bpo1 => BlobParams::bpo1(),
            EthereumHardfork::Bpo2 => BlobParams::bpo2(),
            other => return Err(ForkError::Hardfork(other)),
        };
        // Devnets have the contract where mainnet has it (execution-specs knows no other place).
        let deposit_contract =
            chain(chain_id).map_or(MAINNET_DEPOSIT_CONTRACT_ADDRESS, |chain| chain.deposit_contract);
        Ok(Self { chain_id, hardfork, blob_params, deposit_contract })
    }

    /// The chain's id, which transactions are bound to.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The fork.
    pub const fn hardfork(&self) -> EthereumHardfork {
        self.hardfork
    }

    /// How many blobs, and at what price (EIP-7840).
    pub const fn blob_params(&self) -> &BlobParams {
        &self.blob_params
    }

    /// Whose logs are deposits (EIP-6110).
    pub const fn deposit_contract(&self) -> Address {
        self.deposit_contract
    }

    /// Whether blocks carry requests (EIP-7685).
    pub fn is_prague(&self) -> bool {
        self.hardfork >= EthereumHardfork::Prague
    }

    /// Whether Osaka's caps and prices hold (EIP-7825, EIP-7918, EIP-7934).
    pub fn is_osaka(&self) -> bool {
        self.hardfork >= EthereumHardfork::Osaka
    }
}

fn chain(id: u64) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.id == id)
}

/// The one fork of a block's rules, with all before it, as if active since genesis: a block is of one fork, and no rule
/// from Cancun on asks when that began.
impl EthereumHardforks for Rules {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        match fork {
            // No fork of rules, but an irregular change of the state of one old block.
            EthereumHardfork::Dao => ForkCondition::Never,
            fork if fork > self.hardfork => ForkCondition::Never,
            fork if fork >= EthereumHardfork::Shanghai => ForkCondition::Timestamp(0),
            _ => ForkCondition::Block(0),
        }
    }
}

impl EthExecutorSpec for Rules {
    fn deposit_contract_address(&self) -> Option<Address> {
        Some(self.deposit_contract)
    }
}

#[cfg(test)]
mod tests;
