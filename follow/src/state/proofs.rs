//! The list of what was proven.

use std::{collections::BTreeMap, fmt, fs, io};

use redb::{ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use sextant_consensus::{Program, light_client::SyncCommittee, public_values::Statement};

use super::{LogsDone, State, StateError, boxed, known};

/// Recorded proofs by number, as JSON.
const PROOFS: TableDefinition<u64, &[u8]> = TableDefinition::new("proofs");

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
    /// The logs in it, if it is a proof of logs.
    #[serde(default)]
    pub logs: Option<LogsOf>,
    /// Whether it is compressed to be bundled for a contract.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub to_bundle: bool,
}

/// Which logs a proof has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsOf {
    /// Number of the block that they are in.
    pub block: u64,
    /// How many.
    pub count: usize,
}

impl ProofEntry {
    /// Whether it is of the watched accounts.
    pub fn is_of_accounts(&self) -> bool {
        self.program == "inclusion" && self.logs.is_none()
    }

    /// What it says.
    pub(crate) fn statement(&self) -> Option<Statement> {
        let values = hex::decode(self.public_values.strip_prefix("0x")?).ok()?;
        let program = Program::ALL.into_iter().find(|program| program.as_str() == self.program)?;
        Statement::abi_decode(program, &values).ok()
    }
}

impl fmt::Display for ProofEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, kind, finalized_slot, from_period, to_period, file, .. } = self;
        write!(f, "{program} ({kind}), finalized slot {finalized_slot}, ")?;
        match from_period == to_period {
            true => write!(f, "period {from_period}")?,
            false => write!(f, "periods {from_period} to {to_period}")?,
        }
        if let Some(LogsOf { block, count }) = self.logs {
            write!(f, ", logs of block {block}: {count}")?;
        }
        write!(f, ": {file}")
    }
}

impl State {
    /// Every recorded proof that was not pruned, in order.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn proofs(&self) -> Result<Vec<ProofEntry>, StateError> {
        Ok(self.numbered_proofs()?.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Recorded proofs of logs with their numbers, from this number on.
    pub(crate) fn logs_since(&self, number: u64) -> Result<Vec<(u64, ProofEntry)>, StateError> {
        let mut proofs = self.numbered_proofs()?;
        proofs.retain(|(at, entry)| *at >= number && entry.logs.is_some());
        Ok(proofs)
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

    /// How many proofs were ever recorded.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn recorded(&self) -> Result<u64, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let proofs = transaction.open_table(PROOFS).map_err(boxed)?;
        Ok(proofs.last().map_err(boxed)?.map_or(0, |(number, _)| number.value() + 1))
    }

    /// Records a proof of handovers, with the committee that the next one begins with.
    pub(crate) fn record_change(&self, entry: &ProofEntry, last: &SyncCommittee) -> Result<(), StateError> {
        let proven = self.known()?.map_or(0, |known| known.proven_period).max(entry.to_period);
        self.write(|transaction| {
            known::put_proven(transaction, proven, (entry.to_period, last))?;
            put_proof(transaction, entry)
        })
    }

    /// Records a proof of the watched accounts.
    pub(crate) fn record_inclusion(&self, entry: &ProofEntry) -> Result<(), StateError> {
        self.write(|transaction| {
            known::put(transaction, "included_slot", &entry.finalized_slot)?;
            put_proof(transaction, entry)
        })
    }

    /// Records a proof of logs, and what of its block is done with it.
    pub(crate) fn record_logs(&self, entry: &ProofEntry, done: &LogsDone) -> Result<(), StateError> {
        self.write(|transaction| {
            known::put_logs(transaction, done)?;
            put_proof(transaction, entry)
        })
    }

    /// Puts a proof in the place of the one with this number, which says the same under an earlier header or in another form;
    /// its file goes.
    pub(crate) fn replace_proof(
        &self,
        number: u64,
        before: &ProofEntry,
        entry: &ProofEntry,
    ) -> Result<(), StateError> {
        let json = serde_json::to_vec(entry).map_err(|_| StateError::Content("proof"))?;
        self.write(|transaction| {
            let mut proofs = transaction.open_table(PROOFS).map_err(boxed)?;
            proofs.insert(number, &json[..]).map_err(boxed)?;
            Ok(())
        })?;
        if before.file == entry.file { Ok(()) } else { self.remove_proof(&before.file) }
    }

    /// As [`Self::replace_proof`], of the one in this file.
    pub(crate) fn replace_file(&self, before: &ProofEntry, entry: &ProofEntry) -> Result<(), StateError> {
        let proofs = self.numbered_proofs()?;
        let number = proofs.iter().find(|(_, stored)| stored.file == before.file).map(|(number, _)| *number);
        self.replace_proof(number.ok_or(StateError::Content("proof to be replaced"))?, before, entry)
    }

    /// Removes a proof's file, if it is there.
    pub(crate) fn remove_proof(&self, name: &str) -> Result<(), StateError> {
        let file = self.proof_file(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::File { file, error }),
            _ => Ok(()),
        }
    }

    /// Forgets proofs, and removes their files, but for the last `keep` of each kind of statement and those that are `needed`.
    /// Returns how many.
    pub(crate) fn prune(
        &self,
        keep: u64,
        needed: impl Fn(u64, &ProofEntry) -> bool,
    ) -> Result<usize, StateError> {
        let mut newer: BTreeMap<(String, bool), u64> = BTreeMap::new();
        let mut old = Vec::new();
        for (number, entry) in self.numbered_proofs()?.into_iter().rev() {
            let count = newer.entry((entry.program.clone(), entry.logs.is_some())).or_default();
            *count += 1;
            // The last one of each says where to go on.
            if *count > keep.max(1) && !needed(number, &entry) {
                old.push((number, entry));
            }
        }
        if old.is_empty() {
            return Ok(0);
        }
        // Files first: one that is left over would be known to nobody.
        for (_, entry) in &old {
            self.remove_proof(&entry.file)?;
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
}

/// So that every reader finds it.
pub(super) fn make_table(transaction: &WriteTransaction) -> Result<(), StateError> {
    transaction.open_table(PROOFS).map_err(boxed)?;
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
