//! `sync`: a store is fed update by update, forced on and upgraded, and compared after each step.

use serde::Deserialize;
use sextant_consensus::bls::Plain;
use sextant_consensus::chain::{ChainConfig, Fork};
use sextant_consensus::light_client::{LightClientBootstrap, LightClientHeader, LightClientUpdate};
use sextant_consensus::store::LightClientStore;

use crate::case::{Case, Failure};
use crate::config::{Config, bytes};

#[derive(Deserialize)]
pub(crate) struct Meta {
    genesis_validators_root: String,
    pub(crate) trusted_block_root: String,
    pub(crate) bootstrap_fork_digest: String,
    #[serde(flatten)]
    store_fork: StoreFork,
}

/// The fork of a store's objects. The specification's generator names it by its version since 2026; the archives
/// released before name it by a fork digest, as they do all other objects.
#[derive(Deserialize)]
enum StoreFork {
    #[serde(rename = "store_fork_version")]
    Version(String),
    #[serde(rename = "store_fork_digest")]
    Digest(String),
}

/// One of three, named by the field that is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) process_update: Option<ProcessUpdate>,
    pub(crate) force_update: Option<ForceUpdate>,
    pub(crate) upgrade_store: Option<UpgradeStore>,
}

#[derive(Deserialize)]
pub(crate) struct ProcessUpdate {
    pub(crate) update_fork_digest: String,
    pub(crate) update: String,
    pub(crate) current_slot: u64,
    checks: Checks,
}

#[derive(Deserialize)]
pub(crate) struct ForceUpdate {
    pub(crate) current_slot: u64,
    checks: Checks,
}

#[derive(Deserialize)]
pub(crate) struct UpgradeStore {
    #[serde(flatten)]
    store_fork: StoreFork,
    checks: Checks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    finalized_header: HeaderCheck,
    optimistic_header: HeaderCheck,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderCheck {
    slot: u64,
    beacon_root: String,
    execution_root: Option<String>,
}

/// A case with its objects decoded on demand.
pub(crate) struct Play<'a> {
    case: &'a Case,
    config: Config,
    pub(crate) chain: ChainConfig,
    pub(crate) meta: Meta,
    pub(crate) steps: Vec<Step>,
}

impl<'a> Play<'a> {
    pub(crate) fn new(case: &'a Case) -> Result<Self, Failure> {
        let config: Config = case.yaml("config.yaml")?;
        let meta: Meta = case.yaml("meta.yaml")?;
        let chain = config.chain(&case.preset, bytes(&meta.genesis_validators_root)?)?;
        Ok(Self { case, config, chain, meta, steps: case.yaml("steps.yaml")? })
    }

    fn fork_of(&self, digest: &str) -> Result<Fork, Failure> {
        let digests = self.config.digests(&self.chain);
        digests.get(&bytes(digest)?).copied().ok_or_else(|| format!("unknown fork digest {digest}"))
    }

    fn store_fork(&self, named: &StoreFork) -> Result<Fork, Failure> {
        let version: [u8; 4] = match named {
            StoreFork::Digest(digest) => return self.fork_of(digest),
            StoreFork::Version(version) => bytes(version)?,
        };
        let position = self.chain.forks.0.iter().position(|fork| fork.version == version);
        position.map(|index| Fork::ALL[index]).ok_or_else(|| format!("unknown fork version {version:02x?}"))
    }

    pub(crate) fn bootstrap(&self) -> Result<LightClientBootstrap, Failure> {
        let fork = self.fork_of(&self.meta.bootstrap_fork_digest)?;
        let ssz = self.case.ssz("bootstrap")?;
        LightClientBootstrap::from_ssz(fork, self.chain.size(), &ssz).map_err(|e| format!("bootstrap: {e}"))
    }

    pub(crate) fn store(&self) -> Result<LightClientStore, Failure> {
        let fork = self.store_fork(&self.meta.store_fork)?;
        let trusted = bytes(&self.meta.trusted_block_root)?;
        LightClientStore::new(&self.chain, fork, &trusted, self.bootstrap()?)
            .map_err(|e| format!("bootstrap: {e}"))
    }

    pub(crate) fn update(&self, step: &ProcessUpdate) -> Result<LightClientUpdate, Failure> {
        let fork = self.fork_of(&step.update_fork_digest)?;
        LightClientUpdate::from_ssz(fork, self.chain.size(), &self.case.ssz(&step.update)?)
            .map_err(|e| format!("{}: {e}", step.update))
    }

    /// Takes one step and compares the store with what is due.
    pub(crate) fn step(&self, store: &mut LightClientStore, step: &Step) -> Result<(), Failure> {
        let checks = match step {
            Step { process_update: Some(step), force_update: None, upgrade_store: None } => {
                store
                    .update(self.update(step)?, step.current_slot, &mut Plain)
                    .map_err(|e| format!("{}: {e}", step.update))?;
                &step.checks
            }
            Step { process_update: None, force_update: Some(step), upgrade_store: None } => {
                store.force_update(step.current_slot).map_err(|e| format!("force_update: {e}"))?;
                &step.checks
            }
            Step { process_update: None, force_update: None, upgrade_store: Some(step) } => {
                store.upgrade(self.store_fork(&step.store_fork)?);
                &step.checks
            }
            _ => return Err("a step of no known kind".to_owned()),
        };
        for (name, header, check) in [
            ("finalized_header", &store.finalized_header, &checks.finalized_header),
            ("optimistic_header", &store.optimistic_header, &checks.optimistic_header),
        ] {
            self.check(header, check).map_err(|e| format!("{name}: {e}"))?;
        }
        Ok(())
    }

    fn check(&self, header: &LightClientHeader, check: &HeaderCheck) -> Result<(), Failure> {
        let execution_root = header.execution_root(&self.chain);
        let got = (header.beacon.slot, header.beacon.root(), execution_root);
        let execution = check.execution_root.as_deref().map(bytes).transpose()?;
        // Stores before Capella have no execution root to compare.
        let due = (check.slot, bytes(&check.beacon_root)?, execution.or(execution_root));
        if got == due { Ok(()) } else { Err(format!("{got:02x?} where {due:02x?} is due")) }
    }
}

pub(super) fn run(case: &Case) -> Result<usize, Failure> {
    let play = Play::new(case)?;
    let mut store = play.store()?;
    for (index, step) in play.steps.iter().enumerate() {
        play.step(&mut store, step).map_err(|e| format!("step {index}: {e}"))?;
    }
    Ok(play.steps.len())
}
