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

use super::{
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
        let documents = json::split(answer)?;
        let count = documents.len();
        let open = |(index, document)| open(document, chain, answer.version_of(index, count), slot);
        return documents.into_iter().enumerate().map(open).collect();
    }
    let decode = |bytes: &[u8], source, version| {
        decode(chain, bytes, source, version, LightClientUpdate::from_ssz, slot)
    };
    // The API's list has each update behind its length. A single update begins with an offset and a committee's keys,
    // which as a length would reach far beyond the answer.
    match split_updates(&answer.bytes) {
        Ok(chunks) => {
            let (source, count) = (&answer.source, chunks.len());
            let named = |index| if count == 1 { source.clone() } else { format!("{source}[{index}]") };
            let decode = |(index, ssz)| decode(ssz, named(index), answer.version_of(index, count));
            chunks.into_iter().map(|chunk| chunk.ssz).enumerate().map(decode).collect()
        }
        Err(list) => decode(&answer.bytes, answer.source.clone(), answer.version_of(0, 1))
            .map(|update| vec![update])
            .map_err(|single| match answer.bytes.get(4..8) {
                Some([0, 0, 0, 0]) => InputError::Ssz { source_file: answer.source.clone(), error: list },
                _ => single,
            }),
    }
}

/// Reads an answer that holds one object.
fn object<T: DeserializeOwned>(
    chain: &ChainConfig,
    answer: &Answer,
    from_ssz: impl Fn(Fork, usize, &[u8]) -> Result<T, SszError>,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    let version = answer.version_of(0, 1);
    match answer.encoding {
        Encoding::Json => open(json::only(answer)?, chain, version, slot),
        Encoding::Ssz => decode(chain, &answer.bytes, answer.source.clone(), version, from_ssz, slot),
    }
}

/// Decodes SSZ of whichever fork it is, and compares that with the fork that the answer's header names.
fn decode<T>(
    chain: &ChainConfig,
    bytes: &[u8],
    source: String,
    version: Option<&str>,
    from_ssz: impl Fn(Fork, usize, &[u8]) -> Result<T, SszError>,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    match of_any_fork(chain, bytes, from_ssz, &slot) {
        Ok((_, value)) => {
            let sourced = Sourced { source, value };
            check_version(chain, &sourced, version, HEADER, slot)?;
            Ok(sourced)
        }
        Err(error) => Err(InputError::Ssz { source_file: source, error }),
    }
}

/// Takes the envelope off, and compares its version with the fork of the object's own slot.
fn open<T: DeserializeOwned>(
    document: Document,
    chain: &ChainConfig,
    header: Option<&str>,
    slot: impl Fn(&T) -> u64,
) -> Result<Sourced<T>, InputError> {
    let version = version(&document)?;
    document.refuse_api_error()?;
    let data = document.enter("data").unwrap_or_else(|bare| bare);
    let object: Sourced<T> = data.decode()?;
    check_version(chain, &object, version.as_deref(), "version", &slot)?;
    check_version(chain, &object, header, HEADER, slot)?;
    Ok(object)
}

const HEADER: &str = "Eth-Consensus-Version (header)";

fn check_version<T>(
    chain: &ChainConfig,
    object: &Sourced<T>,
    version: Option<&str>,
    path: &str,
    slot: impl Fn(&T) -> u64,
) -> Result<(), InputError> {
    let slot = slot(&object.value);
    let fork = chain.fork_at(slot).map(Fork::as_str).unwrap_or("phase0");
    match version {
        Some(version) if version != fork => Err(InputError::Field {
            source_file: object.source.clone(),
            path: path.into(),
            reason: format!("says {version:?}, but slot {slot} is of fork {fork} on this network"),
        }),
        _ => Ok(()),
    }
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
