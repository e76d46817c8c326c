//! Light-client objects as the beacon API serves them. In JSON: `{"version", "data"}`, a list of those, or `data`
//! alone. In SSZ: the object, or for updates also the API's list of chunks. The file's first byte tells which.

use std::path::Path;

use serde::de::DeserializeOwned;
use sextant_consensus::{
    chain::{ChainConfig, Fork},
    light_client::{LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate},
    ssz::{SszError, of_any_fork, split_updates},
};

use super::{
    InputError, Sourced,
    file::Content,
    json::{self, Document},
};

/// Reads `/eth/v1/beacon/light_client/bootstrap/{block_root}`.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn bootstrap(chain: &ChainConfig, file: &Path) -> Result<Sourced<LightClientBootstrap>, InputError> {
    let slot = |bootstrap: &LightClientBootstrap| bootstrap.header.beacon.slot;
    match Content::read(file)? {
        Content::Json(text) => open(json::only(file, &text)?, chain, slot),
        Content::Ssz(bytes) => decode(file, chain, &bytes, LightClientBootstrap::from_ssz, slot),
    }
}

/// Reads `/eth/v1/beacon/light_client/updates`, or single updates: every update of the file in its order.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn updates(chain: &ChainConfig, file: &Path) -> Result<Vec<Sourced<LightClientUpdate>>, InputError> {
    let slot = |update: &LightClientUpdate| update.attested_header.beacon.slot;
    let bytes = match Content::read(file)? {
        Content::Json(text) => {
            return json::split(file, &text)?
                .into_iter()
                .map(|document| open(document, chain, slot))
                .collect();
        }
        Content::Ssz(bytes) => bytes,
    };
    // The API's list has each update behind its length. A single update begins with an offset and a committee's keys,
    // which as a length would reach far beyond the file.
    match split_updates(&bytes) {
        Ok(chunks) => chunks
            .into_iter()
            .map(|chunk| decode(file, chain, chunk.ssz, LightClientUpdate::from_ssz, slot))
            .collect(),
        Err(list) => decode(file, chain, &bytes, LightClientUpdate::from_ssz, slot)
            .map(|update| vec![update])
            .map_err(|single| match bytes.get(4..8) {
                Some([0, 0, 0, 0]) => InputError::Ssz { file: file.into(), error: list },
                _ => single,
            }),
    }
}

/// Reads `/eth/v1/beacon/light_client/finality_update`.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn finality_update(
    chain: &ChainConfig,
    file: &Path,
) -> Result<Sourced<LightClientFinalityUpdate>, InputError> {
    let slot = |update: &LightClientFinalityUpdate| update.attested_header.beacon.slot;
    match Content::read(file)? {
        Content::Json(text) => open(json::only(file, &text)?, chain, slot),
        Content::Ssz(bytes) => decode(file, chain, &bytes, LightClientFinalityUpdate::from_ssz, slot),
    }
}

/// Decodes SSZ of whichever fork it is.
fn decode<T>(
    file: &Path,
    chain: &ChainConfig,
    bytes: &[u8],
    from_ssz: impl Fn(Fork, usize, &[u8]) -> Result<T, SszError>,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    let (_, value) = of_any_fork(chain, bytes, from_ssz, slot)
        .map_err(|error| InputError::Ssz { file: file.into(), error })?;
    Ok(Sourced { source: file.display().to_string(), value })
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
