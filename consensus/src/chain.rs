//! Which chain: genesis, preset and fork schedule, bound into one digest; and what follows from a slot.

use crate::codec::{self, Codec, record};
use crate::hash::{Root, hash_pair, sha256};

/// Forks of the consensus layer that a statement can be about, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Fork {
    /// Genesis; it has no sync committees.
    Phase0,
    /// Sync committees begin.
    Altair,
    /// Execution payloads begin.
    Bellatrix,
    /// Light-client headers carry the execution payload header.
    Capella,
    /// Blob gas in the execution payload header.
    Deneb,
    /// The beacon state grows: its generalized indices move.
    Electra,
    /// As Electra for light clients.
    Fulu,
    /// Payloads leave the block: headers name only the execution block hash, and indices move again.
    Gloas,
}

impl Fork {
    /// All forks, oldest first: the order of a schedule.
    pub const ALL: [Self; 8] = [
        Self::Phase0,
        Self::Altair,
        Self::Bellatrix,
        Self::Capella,
        Self::Deneb,
        Self::Electra,
        Self::Fulu,
        Self::Gloas,
    ];

    /// The name the beacon API uses in `version`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phase0 => "phase0",
            Self::Altair => "altair",
            Self::Bellatrix => "bellatrix",
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
            Self::Gloas => "gloas",
        }
    }

    /// The fork of a beacon API `version`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fork| fork.as_str() == name)
    }

    /// `FINALIZED_ROOT_GINDEX` in the beacon state.
    pub const fn finalized_root_gindex(self) -> u64 {
        match self {
            Self::Electra | Self::Fulu => 169,
            Self::Gloas => 735,
            _ => 105,
        }
    }

    /// `CURRENT_SYNC_COMMITTEE_GINDEX` in the beacon state.
    pub const fn current_sync_committee_gindex(self) -> u64 {
        match self {
            Self::Electra | Self::Fulu => 86,
            Self::Gloas => 2945,
            _ => 54,
        }
    }

    /// `NEXT_SYNC_COMMITTEE_GINDEX` in the beacon state.
    pub const fn next_sync_committee_gindex(self) -> u64 {
        match self {
            Self::Electra | Self::Fulu => 87,
            Self::Gloas => 2946,
            _ => 55,
        }
    }

    /// Where the block body holds the hash of an execution block; `None` before Capella, whose light-client headers
    /// prove nothing of it. Since Gloas it is the hash of the parent that the block builds on
    /// (`signed_execution_payload_bid.message.parent_block_hash`), the last one known to be complete.
    pub const fn execution_block_hash_gindex(self) -> Option<u64> {
        match self {
            Self::Phase0 | Self::Altair | Self::Bellatrix => None,
            Self::Capella => Some(412),
            Self::Deneb | Self::Electra | Self::Fulu => Some(812),
            Self::Gloas => Some(2856),
        }
    }
}

impl core::fmt::Display for Fork {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `FAR_FUTURE_EPOCH`: a fork that is not scheduled.
pub const FAR_FUTURE_EPOCH: u64 = u64::MAX;

record! {
    /// When a fork begins and the version that signatures name from then on.
    #[derive(Copy, Default)]
    pub struct ScheduledFork {
        /// First epoch; [`FAR_FUTURE_EPOCH`] if not scheduled.
        pub epoch: u64,
        /// `CURRENT_VERSION` of the fork.
        pub version: [u8; 4],
    }
}

record! {
    /// All that tells one chain from another for a light client. Whoever verifies a proof pins [`Self::digest`].
    pub struct ChainConfig {
        /// `hash_tree_root` of the validators at genesis.
        pub genesis_validators_root: Root,
        /// `SLOTS_PER_EPOCH`.
        pub slots_per_epoch: u64,
        /// `EPOCHS_PER_SYNC_COMMITTEE_PERIOD`.
        pub epochs_per_period: u64,
        /// `SYNC_COMMITTEE_SIZE`: 512, or 32 in the minimal preset.
        pub committee_size: u64,
        /// One entry per [`Fork::ALL`], in that order.
        pub forks: ForkSchedule,
    }
}

/// One entry per [`Fork::ALL`], in that order, epochs never descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkSchedule(pub [ScheduledFork; 8]);

impl Codec for ForkSchedule {
    fn write(&self, out: &mut alloc::vec::Vec<u8>) {
        self.0.iter().for_each(|fork| fork.write(out));
    }

    fn read(reader: &mut codec::Reader<'_>) -> Result<Self, codec::DecodeError> {
        let mut forks = [ScheduledFork::default(); 8];
        for fork in &mut forks {
            *fork = Codec::read(reader)?;
        }
        Ok(Self(forks))
    }
}

/// Why a chain configuration, or a slot under it, is not one this version can speak about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The preset is neither mainnet's nor minimal.
    #[error("committee size {0} is neither 512 (mainnet preset) nor 32 (minimal preset)")]
    CommitteeSize(u64),
    /// A number of the preset is zero or absurd.
    #[error("preset numbers out of range")]
    Preset,
    /// Fork epochs descend.
    #[error("fork schedule: {0} begins before the fork that precedes it")]
    Schedule(Fork),
    /// The slot lies before sync committees existed.
    #[error("slot {0} lies before Altair: there was no sync committee")]
    BeforeAltair(u64),
}

impl ChainConfig {
    /// SHA-256 of the 152-byte encoding: genesis validators root, the three preset numbers, and epoch and version
    /// of each fork.
    pub fn digest(&self) -> Root {
        sha256(&[&codec::encode(self)])
    }

    /// Refuses presets and schedules that the rules were not written for.
    ///
    /// # Errors
    /// [`ChainError`] names the number.
    pub fn validate(&self) -> Result<(), ChainError> {
        if !matches!(self.committee_size, 512 | 32) {
            return Err(ChainError::CommitteeSize(self.committee_size));
        }
        let small = |number: u64| (1..=1 << 16).contains(&number);
        if !small(self.slots_per_epoch) || !small(self.epochs_per_period) {
            return Err(ChainError::Preset);
        }
        for (fork, pair) in Fork::ALL[1..].iter().zip(self.forks.0.windows(2)) {
            if pair[1].epoch < pair[0].epoch {
                return Err(ChainError::Schedule(*fork));
            }
        }
        Ok(())
    }

    /// `compute_epoch_at_slot`.
    pub const fn epoch(&self, slot: u64) -> u64 {
        slot / self.slots_per_epoch
    }

    /// `compute_sync_committee_period_at_slot`.
    pub const fn period(&self, slot: u64) -> u64 {
        self.epoch(slot) / self.epochs_per_period
    }

    /// The fork in force at `slot`.
    ///
    /// # Errors
    /// [`ChainError::BeforeAltair`].
    pub fn fork_at(&self, slot: u64) -> Result<Fork, ChainError> {
        match Fork::ALL[self.index_at(self.epoch(slot))] {
            Fork::Phase0 => Err(ChainError::BeforeAltair(slot)),
            fork => Ok(fork),
        }
    }

    /// Whether `fork` has a date.
    pub(crate) fn schedules(&self, fork: Fork) -> bool {
        self.forks.0[fork as usize].epoch != FAR_FUTURE_EPOCH
    }

    /// The fork in force at `slot`, [`Fork::Phase0`] before Altair.
    pub(crate) fn fork_or_genesis(&self, slot: u64) -> Fork {
        Fork::ALL[self.index_at(self.epoch(slot))]
    }

    /// Number of validators in a committee that a branch or bit list speaks about, as a length.
    pub const fn size(&self) -> usize {
        self.committee_size as usize
    }

    /// The domain a committee signs in at `signature_slot`: the version is that of the slot before, as
    /// `validate_light_client_update` has it (altair/light-client/sync-protocol.md).
    pub fn signing_domain(&self, signature_slot: u64) -> [u8; 32] {
        const DOMAIN_SYNC_COMMITTEE: [u8; 4] = [7, 0, 0, 0];
        let epoch = self.epoch(signature_slot.max(1) - 1);
        let mut version = [0; 32];
        version[..4].copy_from_slice(&self.forks.0[self.index_at(epoch)].version);
        let fork_data_root = hash_pair(&version, &self.genesis_validators_root);
        let mut domain = [0; 32];
        domain[..4].copy_from_slice(&DOMAIN_SYNC_COMMITTEE);
        domain[4..].copy_from_slice(&fork_data_root[..28]);
        domain
    }

    fn index_at(&self, epoch: u64) -> usize {
        self.forks
            .0
            .iter()
            .rposition(|fork| fork.epoch <= epoch && fork.epoch != FAR_FUTURE_EPOCH)
            .unwrap_or(0)
    }
}
