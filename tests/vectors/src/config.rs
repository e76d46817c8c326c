//! A case's chain: the preset's numbers, `config.yaml`'s schedule, and the fork digests that name data.

use std::collections::BTreeMap;

use serde::Deserialize;
use sextant_consensus::chain::{ChainConfig, FAR_FUTURE_EPOCH, Fork, ForkSchedule, ScheduledFork};
use sextant_consensus::hash::{Root, hash_pair, sha256};

use crate::case::Failure;

/// `config.yaml`, as far as it matters here. It has the fields of the case's own forks only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // The names are the specification's.
pub struct Config {
    pub genesis_fork_version: String,
    pub altair_fork_version: Option<String>,
    pub altair_fork_epoch: Option<u64>,
    pub bellatrix_fork_version: Option<String>,
    pub bellatrix_fork_epoch: Option<u64>,
    pub capella_fork_version: Option<String>,
    pub capella_fork_epoch: Option<u64>,
    pub deneb_fork_version: Option<String>,
    pub deneb_fork_epoch: Option<u64>,
    pub electra_fork_version: Option<String>,
    pub electra_fork_epoch: Option<u64>,
    pub fulu_fork_version: Option<String>,
    pub fulu_fork_epoch: Option<u64>,
    pub gloas_fork_version: Option<String>,
    pub gloas_fork_epoch: Option<u64>,
    pub max_blobs_per_block_electra: Option<u64>,
    #[serde(default)]
    pub blob_schedule: Vec<BlobParameters>,
}

/// An entry of `BLOB_SCHEDULE`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // The names are the specification's.
pub struct BlobParameters {
    pub epoch: u64,
    pub max_blobs_per_block: u64,
}

/// The numbers of a preset: slots in an epoch, epochs in a period, seats in a committee.
///
/// # Errors
/// For any preset but two.
pub fn preset(name: &str) -> Result<[u64; 3], Failure> {
    match name {
        "mainnet" => Ok([32, 256, 512]),
        "minimal" => Ok([8, 8, 32]),
        _ => Err(format!("unknown preset {name}")),
    }
}

impl Config {
    fn fork(&self, fork: Fork) -> (Option<&String>, Option<u64>) {
        match fork {
            Fork::Phase0 => (Some(&self.genesis_fork_version), Some(0)),
            Fork::Altair => (self.altair_fork_version.as_ref(), self.altair_fork_epoch),
            Fork::Bellatrix => (self.bellatrix_fork_version.as_ref(), self.bellatrix_fork_epoch),
            Fork::Capella => (self.capella_fork_version.as_ref(), self.capella_fork_epoch),
            Fork::Deneb => (self.deneb_fork_version.as_ref(), self.deneb_fork_epoch),
            Fork::Electra => (self.electra_fork_version.as_ref(), self.electra_fork_epoch),
            Fork::Fulu => (self.fulu_fork_version.as_ref(), self.fulu_fork_epoch),
            Fork::Gloas => (self.gloas_fork_version.as_ref(), self.gloas_fork_epoch),
        }
    }

    /// The chain that the case plays on.
    ///
    /// # Errors
    /// For a version that is not four bytes of hex, or an unknown preset.
    pub fn chain(&self, preset_name: &str, genesis_validators_root: Root) -> Result<ChainConfig, Failure> {
        let [slots_per_epoch, epochs_per_period, committee_size] = preset(preset_name)?;
        let mut forks = [ScheduledFork::default(); 8];
        for (scheduled, fork) in forks.iter_mut().zip(Fork::ALL) {
            let (version, epoch) = self.fork(fork);
            scheduled.epoch = epoch.unwrap_or(FAR_FUTURE_EPOCH);
            if let Some(version) = version {
                scheduled.version = bytes(version)?;
            }
        }
        let forks = ForkSchedule(forks);
        Ok(ChainConfig { genesis_validators_root, slots_per_epoch, epochs_per_period, committee_size, forks })
    }

    /// The fork of data by the digest that names it (`compute_fork_digest`, phase0 and fulu/beacon-chain.md).
    pub fn digests(&self, chain: &ChainConfig) -> BTreeMap<[u8; 4], Fork> {
        let scheduled = |fork: &Fork| chain.forks.0[*fork as usize].epoch;
        let fulu = scheduled(&Fork::Fulu);
        let mut epochs: Vec<u64> = Fork::ALL.iter().map(scheduled).collect();
        epochs.extend(self.blob_schedule.iter().map(|entry| entry.epoch).filter(|epoch| *epoch >= fulu));
        epochs.retain(|epoch| *epoch != FAR_FUTURE_EPOCH);
        let digest = |epoch: u64| {
            let begun = |fork: &&Fork| scheduled(fork) <= epoch && scheduled(fork) != FAR_FUTURE_EPOCH;
            let fork = *Fork::ALL.iter().rev().find(begun).unwrap_or(&Fork::Phase0);
            let mut version = [0; 32];
            version[..4].copy_from_slice(&chain.forks.0[fork as usize].version);
            let mut root = hash_pair(&version, &chain.genesis_validators_root);
            if epoch >= fulu {
                let BlobParameters { epoch, max_blobs_per_block } =
                    self.blobs(epoch, scheduled(&Fork::Electra));
                let mask = sha256(&[&epoch.to_le_bytes(), &max_blobs_per_block.to_le_bytes()]);
                root.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
            }
            ([root[0], root[1], root[2], root[3]], fork)
        };
        epochs.into_iter().map(digest).collect()
    }

    /// `get_blob_parameters`.
    fn blobs(&self, epoch: u64, electra: u64) -> BlobParameters {
        let begun = self.blob_schedule.iter().filter(|entry| entry.epoch <= epoch);
        begun.max_by_key(|entry| entry.epoch).copied().unwrap_or(BlobParameters {
            epoch: electra,
            max_blobs_per_block: self.max_blobs_per_block_electra.unwrap_or_default(),
        })
    }
}

/// Hex with `0x`.
///
/// # Errors
/// If it is not, or not of `N` bytes.
pub fn bytes<const N: usize>(text: &str) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    text.strip_prefix("0x")
        .ok_or_else(|| format!("{text:?} has no 0x"))
        .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).map_err(|e| format!("{text:?}: {e}")))?;
    Ok(bytes)
}
