//! Light-client objects as the beacon API serves them. In JSON: `{"version", "data"}`, a list of those, or `data`
//! alone. In SSZ: the object, or for updates also the API's list of chunks.

use serde::de::DeserializeOwned;
use sextant_consensus::{
    chain::{ChainConfig, Fork},
    light_client::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate, LightClientUpdate,
    },
    ssz::{SszError, of_any_fork, split_updates},
};

use crate::{
    Answer, Encoding, InputError, Sourced,
    json::{self, Document},
};

/// Reads `/eth/v1/beacon/light_client/bootstrap/{block_root}`.
///
/// # Errors
/// [`InputError`] names source, field and reason.
pub fn bootstrap(chain: &ChainConfig, answer: &Answer) -> Result<Sourced<LightClientBootstrap>, InputError> {
    object(chain, answer, LightClientBootstrap::from_ssz, |bootstrap| bootstrap.header.beacon.slot)
}

/// Reads `/eth/v1/beacon/light_client/finality_update`.
///
/// # Errors
/// [`InputError`] names source, field and reason.
pub fn finality_update(
    chain: &ChainConfig,
    answer: &Answer,
) -> Result<Sourced<LightClientFinalityUpdate>, InputError> {
    object(chain, answer, LightClientFinalityUpdate::from_ssz, |update| update.attested_header.beacon.slot)
}

/// Reads `/eth/v1/beacon/light_client/optimistic_update`.
///
/// # Errors
/// [`InputError`] names source, field and reason.
pub fn optimistic_update(
    chain: &ChainConfig,
    answer: &Answer,
) -> Result<Sourced<LightClientOptimisticUpdate>, InputError> {
    object(chain, answer, LightClientOptimisticUpdate::from_ssz, |update| update.attested_header.beacon.slot)
}

/// Reads `/eth/v1/beacon/light_client/updates`, or a single update: every update of the answer in its order.
///
/// # Errors
/// [`InputError`] names source, field and reason.
pub fn updates(chain: &ChainConfig, answer: &Answer) -> Result<Vec<Sourced<LightClientUpdate>>, InputError> {
    let slot = |update: &LightClientUpdate| update.attested_header.beacon.slot;
    if answer.encoding == Encoding::Json {
        return json::split(answer)?.into_iter().map(open).collect();
    }
    let decode = |bytes: &[u8], source| decode(chain, bytes, source, LightClientUpdate::from_ssz, slot);
    // The API's list has each update behind its length. A single update begins with an offset and a committee's keys,
    // which as a length would reach far beyond the answer.
    match split_updates(&answer.bytes) {
        Ok(chunks) => {
            let (source, count) = (&answer.source, chunks.len());
            let named = |index| if count == 1 { source.clone() } else { format!("{source}[{index}]") };
            let decode = |(index, ssz)| decode(ssz, named(index));
            chunks.into_iter().map(|chunk| chunk.ssz).enumerate().map(decode).collect()
        }
        Err(list) => {
            decode(&answer.bytes, answer.source.clone()).map(|update| vec![update]).map_err(|single| {
                match answer.bytes.get(4..8) {
                    Some([0, 0, 0, 0]) => InputError::Ssz { source_file: answer.source.clone(), error: list },
                    _ => single,
                }
            })
        }
    }
}

/// Reads an answer that holds one object.
fn object<T: DeserializeOwned>(
    chain: &ChainConfig,
    answer: &Answer,
    from_ssz: impl Fn(Fork, usize, &[u8]) -> Result<T, SszError>,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    match answer.encoding {
        Encoding::Json => open(json::only(answer)?),
        Encoding::Ssz => decode(chain, &answer.bytes, answer.source.clone(), from_ssz, slot),
    }
}

/// Decodes SSZ of whichever fork it is. What the answer's header names is not asked: nodes label by the fork of the
/// signature, or of the attested header, and the slot in the object says which it is.
fn decode<T>(
    chain: &ChainConfig,
    bytes: &[u8],
    source: String,
    from_ssz: impl Fn(Fork, usize, &[u8]) -> Result<T, SszError>,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    match of_any_fork(chain, bytes, from_ssz, &slot) {
        Ok((_, value)) => Ok(Sourced { source, value }),
        Err(error) => Err(InputError::Ssz { source_file: source, error }),
    }
}

/// Takes the envelope off. Its version has to be a fork's name, and counts no further: fields have names in JSON.
fn open<T: DeserializeOwned>(document: Document) -> Result<Sourced<T>, InputError> {
    check_version(&document)?;
    document.refuse_api_error()?;
    document.enter("data").unwrap_or_else(|bare| bare).decode()
}

fn check_version(document: &Document) -> Result<(), InputError> {
    match document.member("version") {
        None => Ok(()),
        Some(value) => match value.as_str() {
            Some(name) if Fork::from_name(&name.to_ascii_lowercase()).is_some() => Ok(()),
            _ => {
                let known = Fork::ALL.map(Fork::as_str).join(", ");
                Err(document.field("version", format!("{value} is not a known fork ({known})")))
            }
        },
    }
}
