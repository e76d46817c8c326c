//! Light-client objects as the beacon API serves them: `{"version", "data"}`, a list of those, or `data` alone.

use std::path::Path;

use serde::de::DeserializeOwned;
use sextant_consensus::{
    chain::{ChainConfig, Fork},
    light_client::{LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate},
};

use super::{
    InputError, Sourced,
    json::{self, Document},
};

/// Reads `/eth/v1/beacon/light_client/bootstrap/{block_root}`.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn bootstrap(chain: &ChainConfig, file: &Path) -> Result<Sourced<LightClientBootstrap>, InputError> {
    open(json::read_one(file)?, chain, |bootstrap: &LightClientBootstrap| bootstrap.header.beacon.slot)
}

/// Reads `/eth/v1/beacon/light_client/updates`, or single updates: every update of the file in its order.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn updates(chain: &ChainConfig, file: &Path) -> Result<Vec<Sourced<LightClientUpdate>>, InputError> {
    let slot = |update: &LightClientUpdate| update.attested_header.beacon.slot;
    json::read(file)?.into_iter().map(|document| open(document, chain, slot)).collect()
}

/// Reads `/eth/v1/beacon/light_client/finality_update`.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn finality_update(
    chain: &ChainConfig,
    file: &Path,
) -> Result<Sourced<LightClientFinalityUpdate>, InputError> {
    open(json::read_one(file)?, chain, |update: &LightClientFinalityUpdate| {
        update.attested_header.beacon.slot
    })
}

/// Takes the envelope off, and compares its version with the fork of the object's own slot.
fn open<T: DeserializeOwned>(
    document: Document,
    chain: &ChainConfig,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    let version = version(&document)?;
    // An error answer of the API: {"code": 404, "message": "..."}.
    if document.member("code").is_some()
        && let Some(message) = document.member("message")
    {
        return Err(InputError::node(&document, message));
    }
    let data = document.enter("data").unwrap_or_else(|bare| bare);
    let object: Sourced<T> = data.decode()?;
    if let Some(version) = version {
        let slot = slot(&object.value);
        let fork = chain.fork_at(slot).map(Fork::as_str).unwrap_or("phase0");
        if version != fork {
            return Err(InputError::Field {
                source_file: object.source,
                path: "version".into(),
                reason: format!("says {version:?}, but slot {slot} is of fork {fork} on this network"),
            });
        }
    }
    Ok(object)
}

fn version(document: &Document) -> Result<Option<String>, InputError> {
    match document.member("version") {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some(name) if Fork::from_name(name).is_some() => Ok(Some(name.into())),
            _ => {
                let known = Fork::ALL.map(Fork::as_str).join(", ");
                Err(document.field("version", format!("{value} is not a known fork ({known})")))
            }
        },
    }
}
