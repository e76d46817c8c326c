//! The numbers and the committees that following goes on from.

use redb::{ReadableDatabase, TableDefinition, WriteTransaction};
use sextant_consensus::{
    beacon::BeaconBlockHeader,
    chain::ChainConfig,
    codec::{self, Codec},
    hash::Root,
    light_client::SyncCommittee,
};

use super::{State, StateError, boxed};

/// Single values by name.
pub(super) const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");
/// Committees by period: keys, then the aggregate.
const COMMITTEES: TableDefinition<u64, &[u8]> = TableDefinition::new("committees");

/// Name of [`LogsDone`] there.
const LOGS_DONE: &str = "logs_done";

/// Layout of the tables.
const FORMAT: u64 = 1;
/// Committees of so many periods are kept: whoever submits may have to begin at an old one. 24 KB each.
const COMMITTEES_KEPT: u64 = 1024;

/// The numbers of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The chain.
    pub chain: ChainConfig,
    /// Unix time of its slot 0, seconds.
    pub genesis_time: u64,
    /// Length of its slots, milliseconds.
    pub slot_millis: u64,
    /// The root it was started from.
    pub checkpoint: Root,
    /// The finalized header.
    pub finalized: BeaconBlockHeader,
    /// Period up to which committees are proven, from the checkpoint on.
    pub proven_period: u64,
    /// Finalized slot at which the watched accounts were last looked at.
    pub included_slot: u64,
}

/// How far watched logs are looked for and proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogsDone {
    /// Finalized slot at which was looked last, and everything found was proven.
    pub(crate) slot: u64,
    /// The last block of which nothing is left to be proven.
    pub(crate) block: u64,
    /// A later block that is proven in part,
    pub(crate) part_block: u64,
    /// and how many of its logs are.
    pub(crate) part: u64,
}

impl State {
    /// How far watched logs are; `None` before they were ever looked for.
    pub(crate) fn logs_done(&self) -> Result<Option<LogsDone>, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let values = transaction.open_table(VALUES).map_err(boxed)?;
        let Some(bytes) = values.get(LOGS_DONE).map_err(boxed)?.map(|value| value.value().to_vec()) else {
            return Ok(None);
        };
        let numbers: Vec<u64> = decode(LOGS_DONE, Some(bytes))?;
        let [slot, block, part_block, part] = numbers[..] else { return Err(StateError::Content(LOGS_DONE)) };
        Ok(Some(LogsDone { slot, block, part_block, part }))
    }

    /// Records how far watched logs are.
    pub(crate) fn record_logs_done(&self, done: &LogsDone) -> Result<(), StateError> {
        self.write(|transaction| put_logs(transaction, done))
    }

    /// What is known; `None` in a new state.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn known(&self) -> Result<Option<Known>, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let values = transaction.open_table(VALUES).map_err(boxed)?;
        let get = |name: &'static str| -> Result<Option<Vec<u8>>, StateError> {
            Ok(values.get(name).map_err(boxed)?.map(|value| value.value().to_vec()))
        };
        let Some(format) = get("format")? else { return Ok(None) };
        if decode::<u64>("format", Some(format))? != FORMAT {
            return Err(StateError::Content("format"));
        }
        Ok(Some(Known {
            chain: decode("chain", get("chain")?)?,
            genesis_time: decode("genesis_time", get("genesis_time")?)?,
            slot_millis: decode("slot_millis", get("slot_millis")?)?,
            checkpoint: decode("checkpoint", get("checkpoint")?)?,
            finalized: decode("finalized", get("finalized")?)?,
            proven_period: decode("proven_period", get("proven_period")?)?,
            included_slot: decode("included_slot", get("included_slot")?)?,
        }))
    }

    /// The committee of a period, if it is kept.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn committee(&self, period: u64) -> Result<Option<SyncCommittee>, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let committees = transaction.open_table(COMMITTEES).map_err(boxed)?;
        let Some(bytes) = committees.get(period).map_err(boxed)? else { return Ok(None) };
        let keys = |bytes: &[u8]| -> Option<SyncCommittee> {
            let (keys, []) = bytes.as_chunks::<48>() else { return None };
            let (aggregate_pubkey, pubkeys) = keys.split_last()?;
            Some(SyncCommittee { pubkeys: pubkeys.to_vec(), aggregate_pubkey: *aggregate_pubkey })
        };
        keys(bytes.value()).map(Some).ok_or(StateError::Content("committee"))
    }

    /// Records the start.
    pub(crate) fn begin(&self, known: &Known, committees: &[(u64, SyncCommittee)]) -> Result<(), StateError> {
        self.write(|transaction| {
            put(transaction, "format", &FORMAT)?;
            put(transaction, "chain", &known.chain)?;
            put(transaction, "genesis_time", &known.genesis_time)?;
            put(transaction, "slot_millis", &known.slot_millis)?;
            put(transaction, "checkpoint", &known.checkpoint)?;
            put(transaction, "finalized", &known.finalized)?;
            put(transaction, "proven_period", &known.proven_period)?;
            put(transaction, "included_slot", &known.included_slot)?;
            put_committees(transaction, committees)
        })
    }

    /// Records a finalized header and the committees known with it.
    pub(crate) fn advance(
        &self,
        finalized: &BeaconBlockHeader,
        committees: &[(u64, SyncCommittee)],
    ) -> Result<(), StateError> {
        self.write(|transaction| {
            put(transaction, "finalized", finalized)?;
            put_committees(transaction, committees)
        })
    }

    /// Records what is known of the chain's rules now.
    pub(crate) fn record_chain(&self, chain: &ChainConfig) -> Result<(), StateError> {
        self.write(|transaction| put(transaction, "chain", chain))
    }

    /// Records that somebody has proven committees up to this period to the contract.
    pub(crate) fn record_proven(&self, period: u64, committee: &SyncCommittee) -> Result<(), StateError> {
        self.write(|transaction| put_proven(transaction, period, (period, committee)))
    }

    /// Records that nothing watched has changed.
    pub(crate) fn record_unchanged(&self, finalized_slot: u64) -> Result<(), StateError> {
        self.write(|transaction| put(transaction, "included_slot", &finalized_slot))
    }
}

/// So that every reader finds them.
pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), StateError> {
    transaction.open_table(VALUES).map_err(boxed)?;
    transaction.open_table(COMMITTEES).map_err(boxed)?;
    Ok(())
}

/// Committees are proven up to period `proven`, to this one just now. Those of long ago go.
pub(super) fn put_proven(
    transaction: &WriteTransaction,
    proven: u64,
    (last, committee): (u64, &SyncCommittee),
) -> Result<(), StateError> {
    put(transaction, "proven_period", &proven)?;
    put_committees(transaction, &[(last, committee.clone())])?;
    let mut committees = transaction.open_table(COMMITTEES).map_err(boxed)?;
    committees.retain(|period, _| period.saturating_add(COMMITTEES_KEPT) >= proven).map_err(boxed)?;
    Ok(())
}

pub(super) fn put<T: Codec>(transaction: &WriteTransaction, name: &str, value: &T) -> Result<(), StateError> {
    let mut values = transaction.open_table(VALUES).map_err(boxed)?;
    values.insert(name, &codec::encode(value)[..]).map_err(boxed)?;
    Ok(())
}

pub(super) fn put_logs(transaction: &WriteTransaction, done: &LogsDone) -> Result<(), StateError> {
    put(transaction, LOGS_DONE, &vec![done.slot, done.block, done.part_block, done.part])
}

fn put_committees(transaction: &WriteTransaction, new: &[(u64, SyncCommittee)]) -> Result<(), StateError> {
    let mut committees = transaction.open_table(COMMITTEES).map_err(boxed)?;
    for (period, committee) in new {
        let bytes = [committee.pubkeys.as_flattened(), &committee.aggregate_pubkey].concat();
        committees.insert(period, &bytes[..]).map_err(boxed)?;
    }
    Ok(())
}

fn decode<T: Codec>(name: &'static str, bytes: Option<Vec<u8>>) -> Result<T, StateError> {
    bytes.and_then(|bytes| codec::decode(&bytes).ok()).ok_or(StateError::Content(name))
}
