//! Beacon nodes. Every answer is checked for shape and for being about what was asked; what it claims is for the caller's
//! `accept` to judge. An endpoint whose answer is not accepted is as bad as one that does not answer.

use std::{fmt::Display, sync::Arc};

use serde::Deserialize;
use sextant_consensus::{
    beacon::BeaconBlockHeader,
    chain::ChainConfig,
    chain_spec::Genesis,
    hash::Root,
    json::hex_array,
    light_client::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate, LightClientUpdate,
    },
};

use crate::{
    Chain, Endpoint, Expected, PoolError, Reason, SourceConfig, SourceError,
    http::Request,
    input::{self, Answer, Encoding, InputError, Sourced, json::Document, read},
    pool::{Pool, Rated},
    spec::{self, GenesisTime},
};

/// Most updates that a node answers at once: `MAX_REQUEST_LIGHT_CLIENT_UPDATES` (altair/light-client/p2p-interface.md).
pub const MAX_UPDATES: u64 = 128;

/// Largest object with a committee: twice what its JSON has.
const COMMITTEE_LIMIT: u64 = 256 << 10;
/// Largest object without one.
const SMALL_LIMIT: u64 = 64 << 10;
/// Largest specification: some thirty times today's.
const SPEC_LIMIT: u64 = 256 << 10;

/// A beacon node's API, behind one or more endpoints.
#[derive(Clone, Debug)]
pub struct BeaconNodes {
    pool: Arc<Pool>,
}

/// What a header query may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockId {
    /// The node's latest finalized block.
    Finalized,
    /// The node's head.
    Head,
    /// A block by its root.
    Root(Root),
    /// The canonical block of a slot.
    Slot(u64),
}

impl BeaconNodes {
    /// Nodes to ask, the first one first.
    ///
    /// # Errors
    /// [`PoolError`].
    pub fn new(endpoints: Vec<Endpoint>, config: SourceConfig) -> Result<Self, PoolError> {
        Ok(Self { pool: Arc::new(Pool::new(endpoints, config)?) })
    }

    /// The chain: `/eth/v1/config/spec` and `/eth/v1/beacon/genesis`, which must be the expected one. Genesis time and
    /// slot length are the node's word only where nobody else knows them.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn chain(&self, expected: &Expected) -> Result<Chain, SourceError> {
        let genesis = get("genesis", "/eth/v1/beacon/genesis", SMALL_LIMIT);
        let (genesis, time): (Genesis, GenesisTime) = self
            .pool
            .ask(&genesis, |answer| Ok((data(&answer)?.decode()?.value, data(&answer)?.decode()?.value)))
            .await?;
        let spec = get("specification", "/eth/v1/config/spec", SPEC_LIMIT);
        self.pool.ask(&spec, |answer| spec::chain(data(&answer)?, &genesis, &time, expected)).await
    }

    /// `/eth/v1/beacon/headers/{block_id}`: a header and its root, which belong together.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn header(&self, block: BlockId) -> Result<(Root, BeaconBlockHeader), SourceError> {
        let id = match block {
            BlockId::Finalized => "finalized".into(),
            BlockId::Head => "head".into(),
            BlockId::Root(root) => format!("0x{}", hex::encode(root)),
            BlockId::Slot(slot) => slot.to_string(),
        };
        let request = get(format!("header of {id}"), format!("/eth/v1/beacon/headers/{id}"), SMALL_LIMIT);
        self.pool
            .ask(&request, |answer| {
                let header: HeaderData = data(&answer)?.decode()?.value;
                let (root, header) = (header.root, header.header.message);
                same_root("header root", &header.root(), &root)?;
                match block {
                    BlockId::Root(asked) => same_root("block root", &root, &asked)?,
                    BlockId::Slot(slot) if slot != header.slot => {
                        return Err(Reason::mismatch("slot", header.slot, slot));
                    }
                    _ => {}
                }
                Ok((root, header))
            })
            .await
    }

    /// `/eth/v1/beacon/light_client/bootstrap/{block_root}`: of the block with this very root.
    ///
    /// # Errors
    /// [`SourceError`], also where `accept` refuses every endpoint's answer.
    pub async fn bootstrap<T, E: Display>(
        &self,
        chain: &ChainConfig,
        root: &Root,
        accept: impl Fn(Sourced<LightClientBootstrap>) -> Result<T, E>,
    ) -> Result<T, SourceError> {
        let root_hex = format!("0x{}", hex::encode(root));
        let request = Request {
            name: format!("bootstrap of {root_hex}"),
            path: format!("/eth/v1/beacon/light_client/bootstrap/{root_hex}"),
            ..light_client(COMMITTEE_LIMIT)
        };
        self.pool
            .ask(&request, |answer| {
                let bootstrap = read::bootstrap(chain, &answer)?;
                same_root("block root", &bootstrap.value.header.beacon.root(), root)?;
                accept(bootstrap).map_err(Reason::refused)
            })
            .await
    }

    /// `/eth/v1/beacon/light_client/updates`: those of the periods from `start`, one each, at most `count`. `accept`
    /// says besides how many of them are of use: where that is less than asked for, the other nodes are asked too, and
    /// the most counts.
    ///
    /// # Errors
    /// [`SourceError`], also where `accept` refuses every endpoint's answer.
    pub async fn updates<T, E: Display>(
        &self,
        chain: &ChainConfig,
        start: u64,
        count: u64,
        accept: impl Fn(Vec<Sourced<LightClientUpdate>>) -> Result<(T, usize), E>,
    ) -> Result<T, SourceError> {
        let count = count.clamp(1, MAX_UPDATES);
        let query = |count: u64| vec![("start_period", start.to_string()), ("count", count.to_string())];
        let request = Request {
            name: match count {
                1 => format!("update of period {start}"),
                _ => format!("updates of periods {start} to {}", start.saturating_add(count - 1)),
            },
            path: "/eth/v1/beacon/light_client/updates".into(),
            query: query(count),
            // Some nodes refuse a range whose last period is still to come.
            less: (count > 1).then(|| query(count - 1)),
            // Some answer one more than asked for.
            ..light_client(COMMITTEE_LIMIT * (count + 1))
        };
        self.pool
            .ask_best(&request, |answer| {
                let mut updates = match read::updates(chain, &answer) {
                    // A node that has none of these periods.
                    Err(InputError::Empty { .. }) => Vec::new(),
                    updates => updates?,
                };
                updates.truncate(usize::try_from(count).unwrap_or(usize::MAX));
                let period = |update: &Sourced<LightClientUpdate>| {
                    chain.period(update.value.attested_header.beacon.slot)
                };
                match updates.first().map(period) {
                    Some(got) if got != start => return Err(Reason::mismatch("period", got, start)),
                    _ => {}
                }
                // What lies beyond a gap does not connect.
                let row =
                    updates.iter().zip(start..).take_while(|(update, due)| period(update) == *due).count();
                updates.truncate(row);
                for (update, period) in updates.iter_mut().zip(start..) {
                    update.source = format!("update of period {period}");
                }
                let (value, of_use) = accept(updates).map_err(Reason::refused)?;
                let worth = of_use as u64;
                Ok(Rated { value, whole: worth >= count, worth })
            })
            .await
    }

    /// `/eth/v1/beacon/light_client/finality_update`.
    ///
    /// # Errors
    /// [`SourceError`], also where `accept` refuses every endpoint's answer.
    pub async fn finality_update<T, E: Display>(
        &self,
        chain: &ChainConfig,
        accept: impl Fn(Sourced<LightClientFinalityUpdate>) -> Result<T, E>,
    ) -> Result<T, SourceError> {
        let request = Request {
            name: "finality update".into(),
            path: "/eth/v1/beacon/light_client/finality_update".into(),
            ..light_client(SMALL_LIMIT)
        };
        self.pool
            .ask(&request, |answer| accept(read::finality_update(chain, &answer)?).map_err(Reason::refused))
            .await
    }

    /// `/eth/v1/beacon/light_client/optimistic_update`.
    ///
    /// # Errors
    /// [`SourceError`], also where `accept` refuses every endpoint's answer.
    pub async fn optimistic_update<T, E: Display>(
        &self,
        chain: &ChainConfig,
        accept: impl Fn(Sourced<LightClientOptimisticUpdate>) -> Result<T, E>,
    ) -> Result<T, SourceError> {
        let request = Request {
            name: "optimistic update".into(),
            path: "/eth/v1/beacon/light_client/optimistic_update".into(),
            ..light_client(SMALL_LIMIT)
        };
        self.pool
            .ask(&request, |answer| accept(read::optimistic_update(chain, &answer)?).map_err(Reason::refused))
            .await
    }
}

/// A query that only JSON answers.
fn get(name: impl Into<String>, path: impl Into<String>, limit: u64) -> Request {
    Request { name: name.into(), path: path.into(), ssz: false, ..light_client(limit) }
}

/// A query that SSZ may answer too.
fn light_client(limit: u64) -> Request {
    let (path, query) = (String::new(), Vec::new());
    Request { name: String::new(), path, query, call: None, ssz: true, less: None, limit }
}

/// The `data` of a JSON answer.
fn data(answer: &Answer) -> Result<Document, Reason> {
    if answer.encoding != Encoding::Json {
        return Err(Reason::ContentType("application/octet-stream".into()));
    }
    let document = input::json::only(answer)?;
    document.refuse_api_error()?;
    document.enter("data").map_err(|document| document.field("data", "is missing").into())
}

fn same_root(what: &'static str, got: &Root, expected: &Root) -> Result<(), Reason> {
    let text = |root: &Root| format!("0x{}", hex::encode(root));
    if got == expected { Ok(()) } else { Err(Reason::mismatch(what, text(got), text(expected))) }
}

#[derive(Deserialize)]
struct HeaderData {
    #[serde(with = "hex_array")]
    root: Root,
    header: SignedHeader,
}

#[derive(Deserialize)]
struct SignedHeader {
    message: BeaconBlockHeader,
}
