//! A beacon node's description of its chain, read as nodes write it and compared with what is expected.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use sextant_consensus::{
    chain::{ChainConfig, FAR_FUTURE_EPOCH, Fork},
    chain_spec::{Genesis, Spec},
};

use crate::{Chain, Clock, Expected, Reason, Upcoming, chain::slot_at, forks, input::json::Document};

/// What is wanted of `/eth/v1/beacon/genesis` beside what proofs bind.
#[derive(Deserialize)]
pub(crate) struct GenesisTime {
    #[serde(with = "sextant_consensus::json::decimal")]
    genesis_time: u64,
}

/// What is wanted of a specification beside what proofs bind.
#[derive(Deserialize)]
struct Numbers {
    #[serde(rename = "SLOTS_PER_EPOCH", default, deserialize_with = "number")]
    slots_per_epoch: Option<u64>,
    #[serde(rename = "SLOT_DURATION_MS", default, deserialize_with = "number")]
    slot_millis: Option<u64>,
    #[serde(rename = "SECONDS_PER_SLOT", default, deserialize_with = "number")]
    slot_seconds: Option<u64>,
    #[serde(rename = "DEPOSIT_CHAIN_ID", default, deserialize_with = "number")]
    deposit_chain_id: Option<u64>,
}

impl Numbers {
    /// Between a millisecond and an hour.
    fn slot(&self) -> Option<Duration> {
        let millis = self.slot_millis.or_else(|| self.slot_seconds?.checked_mul(1000))?;
        (1..=3_600_000).contains(&millis).then(|| Duration::from_millis(millis))
    }
}

/// A number in a string, as the API has it, or as some nodes have some of them bare; nothing where it is empty.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Number(number) if number.is_u64() => Ok(number.as_u64()),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map(Some).map_err(D::Error::custom)
        }
        other => Err(D::Error::custom(format!("{other} is not a number"))),
    }
}

/// The chain that a node describes, if it is the expected one.
pub(crate) fn chain(
    mut spec: Document,
    genesis: &Genesis,
    time: &GenesisTime,
    expected: &Expected,
) -> Result<Chain, Reason> {
    let numbers: Numbers = spec.copy().decode()?.value;
    let slot = numbers.slot().ok_or_else(|| Reason::refused("spec: no length of a slot"))?;
    let now =
        slot_at(time.genesis_time, slot, SystemTime::now()) / numbers.slots_per_epoch.unwrap_or(1).max(1);
    // Forks that this program does not know are nothing to it until they begin.
    let mut ahead = take_unknown_ahead(spec.value_mut(), now);
    let spec: Spec = spec.decode()?.value;
    let node = ChainConfig::from_spec(&spec, genesis).map_err(Reason::refused)?;
    let config = expected.confirm(&node, now).map_err(Reason::refused)?;
    ahead.extend(forks::ahead(&node, &config, now));
    ahead.sort_by_key(|fork| (fork.epoch, fork.fork.clone()));
    let pinned = match expected {
        Expected::Digest(digest) => Some(*digest),
        Expected::Config(_) => None,
    };
    let known = Clock::of(&config.genesis_validators_root).map(|clock| clock.execution_chain_id);
    let execution_chain_id = numbers.deposit_chain_id.or(known);
    let chain = Chain { config, pinned, genesis_time: time.genesis_time, slot, execution_chain_id, ahead };
    Clock::confirm(&chain).map_err(Reason::refused)?;
    Ok(chain)
}

/// Takes out of a specification what says nothing yet: dates that are empty, and those of unknown forks that lie ahead,
/// which are returned.
fn take_unknown_ahead(spec: &mut Value, now: u64) -> Vec<Upcoming> {
    let Some(values) = spec.as_object_mut() else { return Vec::new() };
    let mut ahead = Vec::new();
    values.retain(|name, value| {
        let Some(fork) = name.strip_suffix("_FORK_EPOCH").map(str::to_ascii_lowercase) else { return true };
        let text = value.as_str();
        let epoch = text.map_or_else(|| value.as_u64(), |text| text.parse().ok());
        match epoch {
            _ if text.is_some_and(str::is_empty) => false,
            Some(epoch) if epoch > now && Fork::from_name(&fork).is_none() => {
                if epoch != FAR_FUTURE_EPOCH {
                    ahead.push(Upcoming { fork, epoch, prepared: false });
                }
                false
            }
            _ => true,
        }
    });
    ahead
}
