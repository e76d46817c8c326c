//! What a follower must not forget: one database file, every step of which is a transaction, and the proofs beside it.
//!
//! A proof is written and synced before it is recorded. Whoever is killed in between finds the file again.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sextant_consensus::{
    beacon::BeaconBlockHeader,
    chain::ChainConfig,
    codec::{self, Codec},
    hash::Root,
    light_client::SyncCommittee,
};
use sextant_protocol::ProofRecord;

use crate::{ContractStatus, Journal};

/// Single values by name.
const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");
/// Committees by period: keys, then the aggregate.
const COMMITTEES: TableDefinition<u64, &[u8]> = TableDefinition::new("committees");
/// Recorded proofs by number, as JSON.
const PROOFS: TableDefinition<u64, &[u8]> = TableDefinition::new("proofs");

/// Layout of the tables.
const FORMAT: u64 = 1;
const DATABASE: &str = "state.redb";
/// Name of the submissions' journal among the values.
const JOURNAL: &str = "sent";
/// Name of what the contract knows among the values.
const CONTRACT: &str = "contract";
/// Committees of so many periods are kept: whoever submits may have to begin at an old one. 24 KB each.
const COMMITTEES_KEPT: u64 = 1024;

/// Why a state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("{} is in use: another follower runs on this folder", .0.display())]
    InUse(PathBuf),
    /// The database's own reason.
    #[error("database: {0}")]
    Database(#[from] Box<redb::Error>),
    /// A file beside the database.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Made by another version, or damaged.
    #[error("database: {0} is missing or not as it was written")]
    Content(&'static str),
}

impl StateError {
    /// Whether another try may help: a disk that is full now may have room later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::File { .. } => true,
            Self::Database(error) => matches!(**error, redb::Error::Io(_) | redb::Error::PreviousIo),
            Self::InUse(_) | Self::Content(_) => false,
        }
    }
}

/// A recorded proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofEntry {
    /// `committee-change` or `inclusion`.
    pub program: String,
    /// Form of the proof.
    pub kind: String,
    /// File name in the folder of proofs.
    pub file: String,
    /// Slot of the finalized header in it.
    pub finalized_slot: u64,
    /// Number of the execution block in it; 0 where none is proven.
    pub block_number: u64,
    /// Period of the committee that signed.
    pub from_period: u64,
    /// Last period learned; the signers' own for an inclusion.
    pub to_period: u64,
    /// What it says, hex.
    pub public_values: String,
    /// Unix time of its recording, seconds.
    pub recorded_at: u64,
}

impl fmt::Display for ProofEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, kind, finalized_slot, from_period, to_period, file, .. } = self;
        write!(f, "{program} ({kind}), finalized slot {finalized_slot}, ")?;
        match from_period == to_period {
            true => write!(f, "period {from_period}: {file}"),
            false => write!(f, "periods {from_period} to {to_period}: {file}"),
        }
    }
}

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

/// An open state. Only one process can have it.
#[derive(Debug)]
pub struct State {
    database: Database,
    folder: PathBuf,
}

impl State {
    /// Opens the state in a folder, making both where there is none.
    ///
    /// # Errors
    /// [`StateError::InUse`] if another process has it; else what cannot be read.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let proofs = folder.join("proofs");
        fs::create_dir_all(&proofs).map_err(|error| StateError::File { file: proofs, error })?;
        let file = folder.join(DATABASE);
        let database = match Database::create(&file) {
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StateError::InUse(file)),
            other => other.map_err(boxed)?,
        };
        let state = Self { database, folder: folder.into() };
        // So that every reader finds the tables.
        state.write(|_| Ok(()))?;
        Ok(state)
    }

    /// Opens the database once more, after an error of its disk.
    ///
    /// # Errors
    /// [`StateError`]: then the state answers nothing, until this succeeds.
    pub(crate) fn reopen(&mut self) -> Result<(), StateError> {
        // The file can be open once only: something else stands in meanwhile.
        let nowhere = Database::builder().create_with_backend(redb::backends::InMemoryBackend::new());
        drop(std::mem::replace(&mut self.database, nowhere.map_err(boxed)?));
        self.database = Self::open(&self.folder)?.database;
        Ok(())
    }

    /// Whether a folder has a state.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(DATABASE).exists()
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

    /// Every recorded proof that was not pruned, in order.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn proofs(&self) -> Result<Vec<ProofEntry>, StateError> {
        Ok(self.numbered_proofs()?.into_iter().map(|(_, entry)| entry).collect())
    }

    fn numbered_proofs(&self) -> Result<Vec<(u64, ProofEntry)>, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let proofs = transaction.open_table(PROOFS).map_err(boxed)?;
        let read = |entry: Result<(_, redb::AccessGuard<'_, &[u8]>), redb::StorageError>| {
            let (number, value): (redb::AccessGuard<'_, u64>, _) = entry.map_err(boxed)?;
            let entry = serde_json::from_slice(value.value()).map_err(|_| StateError::Content("proof"))?;
            Ok((number.value(), entry))
        };
        proofs.iter().map_err(boxed)?.map(read).collect()
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

    /// Records a proof of handovers, with the committee that the next one begins with.
    pub(crate) fn record_change(&self, entry: &ProofEntry, last: &SyncCommittee) -> Result<(), StateError> {
        let proven = self.known()?.map_or(0, |known| known.proven_period).max(entry.to_period);
        self.write(|transaction| {
            put(transaction, "proven_period", &proven)?;
            put_committees(transaction, &[(entry.to_period, last.clone())])?;
            let kept = transaction.open_table(COMMITTEES).and_then(|mut committees| {
                Ok(committees.retain(|period, _| period.saturating_add(COMMITTEES_KEPT) >= proven)?)
            });
            kept.map_err(boxed)?;
            put_proof(transaction, entry)
        })
    }

    /// Records that somebody has proven committees up to this period to the contract.
    pub(crate) fn record_proven(&self, period: u64, committee: &SyncCommittee) -> Result<(), StateError> {
        self.write(|transaction| {
            put(transaction, "proven_period", &period)?;
            put_committees(transaction, &[(period, committee.clone())])
        })
    }

    /// Records a proof of the watched accounts.
    pub(crate) fn record_inclusion(&self, entry: &ProofEntry) -> Result<(), StateError> {
        self.write(|transaction| {
            put(transaction, "included_slot", &entry.finalized_slot)?;
            put_proof(transaction, entry)
        })
    }

    /// Records that nothing watched has changed.
    pub(crate) fn record_unchanged(&self, finalized_slot: u64) -> Result<(), StateError> {
        self.write(|transaction| put(transaction, "included_slot", &finalized_slot))
    }

    /// What was submitted.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn journal(&self) -> Result<Journal, StateError> {
        Ok(self.json(JOURNAL)?.unwrap_or_default())
    }

    /// Records what was submitted; on disk when this returns.
    pub(crate) fn write_journal(&self, journal: &Journal) -> Result<(), StateError> {
        self.write_json(JOURNAL, journal)
    }

    /// What the contract knew when it was last looked at.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn contract(&self) -> Result<Option<ContractStatus>, StateError> {
        self.json(CONTRACT)
    }

    /// Records what the contract knows.
    pub(crate) fn write_contract(&self, contract: &ContractStatus) -> Result<(), StateError> {
        self.write_json(CONTRACT, contract)
    }

    fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let values = transaction.open_table(VALUES).map_err(boxed)?;
        let Some(bytes) = values.get(name).map_err(boxed)? else { return Ok(None) };
        serde_json::from_slice(bytes.value()).map(Some).map_err(|_| StateError::Content(name))
    }

    fn write_json<T: Serialize>(&self, name: &'static str, value: &T) -> Result<(), StateError> {
        let json = serde_json::to_vec(value).map_err(|_| StateError::Content(name))?;
        self.write(|transaction| {
            let mut values = transaction.open_table(VALUES).map_err(boxed)?;
            values.insert(name, &json[..]).map_err(boxed)?;
            Ok(())
        })
    }

    /// How many proofs were ever recorded.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn recorded(&self) -> Result<u64, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let proofs = transaction.open_table(PROOFS).map_err(boxed)?;
        Ok(proofs.last().map_err(boxed)?.map_or(0, |(number, _)| number.value() + 1))
    }

    /// Forgets proofs, and removes their files, but for the last `keep` of each program and those that are `needed`.
    /// Returns how many.
    pub(crate) fn prune(&self, keep: u64, needed: impl Fn(&ProofEntry) -> bool) -> Result<usize, StateError> {
        let mut newer: BTreeMap<String, u64> = BTreeMap::new();
        let mut old = Vec::new();
        for (number, entry) in self.numbered_proofs()?.into_iter().rev() {
            let count = newer.entry(entry.program.clone()).or_default();
            *count += 1;
            // The last one of each says where to go on.
            if *count > keep.max(1) && !needed(&entry) {
                old.push((number, entry));
            }
        }
        if old.is_empty() {
            return Ok(0);
        }
        // Files first: one that is left over would be known to nobody.
        for (_, entry) in &old {
            let file = self.proof_file(&entry.file);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StateError::File { file, error });
                }
                _ => {}
            }
        }
        self.write(|transaction| {
            let mut proofs = transaction.open_table(PROOFS).map_err(boxed)?;
            for (number, _) in &old {
                proofs.remove(number).map_err(boxed)?;
            }
            Ok(())
        })?;
        Ok(old.len())
    }

    /// Where a proof of this name lies.
    pub fn proof_file(&self, name: &str) -> PathBuf {
        self.folder.join("proofs").join(name)
    }

    /// A proof left by a run that ended between writing and recording it.
    pub(crate) fn found_proof(&self, name: &str) -> Option<ProofRecord> {
        ProofRecord::from_file_bytes(&fs::read(self.proof_file(name)).ok()?).ok()
    }

    /// Removes a proof that is none.
    pub(crate) fn discard(&self, name: &str) -> Result<(), StateError> {
        let file = self.proof_file(name);
        fs::remove_file(&file).map_err(|error| StateError::File { file, error })
    }

    /// Writes a proof: under its name there is either nothing or all of it.
    pub(crate) fn write_proof(&self, name: &str, record: &ProofRecord) -> Result<(), StateError> {
        replace(&self.proof_file(name), &record.to_file_bytes())
    }

    /// Writes a file beside the database, whole or not at all.
    pub(crate) fn write_beside(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        replace(&self.folder.join(name), bytes)
    }

    /// One transaction over all tables, on disk when this returns.
    fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let transaction = self.database.begin_write().map_err(boxed)?;
        for table in [COMMITTEES, PROOFS] {
            transaction.open_table(table).map_err(boxed)?;
        }
        transaction.open_table(VALUES).map_err(boxed)?;
        change(&transaction)?;
        transaction.commit().map_err(boxed)
    }
}

fn put<T: Codec>(transaction: &WriteTransaction, name: &str, value: &T) -> Result<(), StateError> {
    let mut values = transaction.open_table(VALUES).map_err(boxed)?;
    values.insert(name, &codec::encode(value)[..]).map_err(boxed)?;
    Ok(())
}

fn put_committees(transaction: &WriteTransaction, new: &[(u64, SyncCommittee)]) -> Result<(), StateError> {
    let mut committees = transaction.open_table(COMMITTEES).map_err(boxed)?;
    for (period, committee) in new {
        let bytes = [committee.pubkeys.as_flattened(), &committee.aggregate_pubkey].concat();
        committees.insert(period, &bytes[..]).map_err(boxed)?;
    }
    Ok(())
}

fn put_proof(transaction: &WriteTransaction, entry: &ProofEntry) -> Result<(), StateError> {
    let mut proofs = transaction.open_table(PROOFS).map_err(boxed)?;
    let json = serde_json::to_vec(entry).map_err(|_| StateError::Content("proof"))?;
    let next = proofs.last().map_err(boxed)?.map_or(0, |(number, _)| number.value() + 1);
    // Proven once more, because its file was gone: one entry for each file.
    let mut same = None;
    for stored in proofs.iter().map_err(boxed)? {
        let (number, value) = stored.map_err(boxed)?;
        let before: ProofEntry =
            serde_json::from_slice(value.value()).map_err(|_| StateError::Content("proof"))?;
        if before.file == entry.file {
            same = Some(number.value());
        }
    }
    proofs.insert(same.unwrap_or(next), &json[..]).map_err(boxed)?;
    Ok(())
}

fn decode<T: Codec>(name: &'static str, bytes: Option<Vec<u8>>) -> Result<T, StateError> {
    bytes.and_then(|bytes| codec::decode(&bytes).ok()).ok_or(StateError::Content(name))
}

fn boxed(error: impl Into<redb::Error>) -> StateError {
    StateError::Database(Box::new(error.into()))
}

/// Replaces a file: written beside it, synced, renamed, and the folder synced.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let partial = file.with_extension("partial");
    let write = || {
        let mut out = fs::File::create(&partial)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&partial, file)?;
        match file.parent() {
            Some(folder) => fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(|error| StateError::File { file: file.into(), error })
}
