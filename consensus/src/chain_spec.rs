//! A chain configuration from a beacon node: `/eth/v1/config/spec` and `/eth/v1/beacon/genesis`, for devnets.
//!
//! Nothing here is trusted: who follows a chain so described pins the digest, as with a network known by name.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::chain::{ChainConfig, ChainError, FAR_FUTURE_EPOCH, Fork, ForkSchedule, ScheduledFork};
use crate::hash::Root;

/// The `data` of `/eth/v1/config/spec`: values by name. What is neither text nor a number is left out.
#[derive(Clone, Debug, Deserialize)]
pub struct Spec(BTreeMap<String, Value>);

/// The `data` of `/eth/v1/beacon/genesis`, as far as a light client needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Genesis {
    /// `genesis_validators_root`.
    #[serde(with = "crate::json::hex_array")]
    pub genesis_validators_root: Root,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(u64),
    Other(IgnoredAny),
}

/// Why a specification is no chain configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// A value is missing.
    #[error("spec: {0} is missing")]
    Missing(String),
    /// A value is not what stands under that name.
    #[error("spec: {name}: {value:?} is not {expected}")]
    Value {
        /// Which.
        name: String,
        /// What stands there.
        value: String,
        /// What is due.
        expected: &'static str,
    },
    /// A fork is scheduled that this version does not know: from then on it would read headers wrongly.
    #[error("spec: {name} is {epoch}, a fork this version does not know")]
    UnknownFork {
        /// Which.
        name: String,
        /// Its epoch.
        epoch: u64,
    },
    /// The whole makes no sense.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Spec {
    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Other(_) => None,
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, SpecError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        let number = if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok() } else { None };
        number.map(Some).ok_or(SpecError::Value { name: name.into(), value, expected: "a uint64" })
    }

    fn required(&self, name: &str) -> Result<u64, SpecError> {
        self.number(name)?.ok_or_else(|| SpecError::Missing(name.into()))
    }

    fn version(&self, name: &str) -> Result<Option<[u8; 4]>, SpecError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        let mut version = [0; 4];
        match value.strip_prefix("0x").map(|digits| hex::decode_to_slice(digits, &mut version)) {
            Some(Ok(())) => Ok(Some(version)),
            _ => Err(SpecError::Value { name: name.into(), value, expected: "4 bytes of hex" }),
        }
    }

    /// A fork that a node does not know is not scheduled and has version 0.
    fn fork(&self, fork: Fork) -> Result<ScheduledFork, SpecError> {
        let name = fork.as_str().to_ascii_uppercase();
        if fork == Fork::Phase0 {
            let name = "GENESIS_FORK_VERSION";
            let version = self.version(name)?.ok_or_else(|| SpecError::Missing(name.into()))?;
            return Ok(ScheduledFork { epoch: 0, version });
        }
        let epoch = self.number(&format!("{name}_FORK_EPOCH"))?.unwrap_or(FAR_FUTURE_EPOCH);
        let version_name = format!("{name}_FORK_VERSION");
        match self.version(&version_name)? {
            Some(version) => Ok(ScheduledFork { epoch, version }),
            None if epoch == FAR_FUTURE_EPOCH => Ok(ScheduledFork { epoch, version: [0; 4] }),
            None => Err(SpecError::Missing(version_name)),
        }
    }

    fn refuse_unknown_forks(&self) -> Result<(), SpecError> {
        for name in self.0.keys() {
            let Some(fork) = name.strip_suffix("_FORK_EPOCH") else { continue };
            let epoch = self.number(name)?.unwrap_or(FAR_FUTURE_EPOCH);
            if epoch != FAR_FUTURE_EPOCH && Fork::from_name(&fork.to_ascii_lowercase()).is_none() {
                return Err(SpecError::UnknownFork { name: name.clone(), epoch });
            }
        }
        Ok(())
    }
}

impl ChainConfig {
    /// The chain that a node's specification and genesis describe.
    ///
    /// # Errors
    /// [`SpecError`] names the value; a scheduled fork that this version does not know is refused.
    pub fn from_spec(spec: &Spec, genesis: &Genesis) -> Result<Self, SpecError> {
        spec.refuse_unknown_forks()?;
        let mut forks = [ScheduledFork::default(); 8];
        for (scheduled, fork) in forks.iter_mut().zip(Fork::ALL) {
            *scheduled = spec.fork(fork)?;
        }
        let chain = Self {
            genesis_validators_root: genesis.genesis_validators_root,
            slots_per_epoch: spec.required("SLOTS_PER_EPOCH")?,
            epochs_per_period: spec.required("EPOCHS_PER_SYNC_COMMITTEE_PERIOD")?,
            committee_size: spec.required("SYNC_COMMITTEE_SIZE")?,
            forks: ForkSchedule(forks),
        };
        chain.validate()?;
        Ok(chain)
    }
}
