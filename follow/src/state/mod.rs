//! What a follower must not forget: one database file, every step of which is a transaction, and the proofs beside it.
//!
//! `known` has the numbers and committees that following goes on from, `proofs` the list of what was proven, `notes` what
//! was submitted, and `files` the proofs themselves. A proof is written and synced before it is recorded: whoever is killed
//! in between finds the file again.

mod error;
mod files;
mod known;
mod notes;
mod proofs;

use std::{
    fs,
    path::{Path, PathBuf},
};

use redb::{Database, DatabaseError, WriteTransaction};

pub use error::StateError;
pub use known::Known;
pub(crate) use known::LogsDone;
pub use proofs::{LogsOf, ProofEntry};

const DATABASE: &str = "state.redb";

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

    /// One transaction over all tables, on disk when this returns.
    fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let transaction = self.database.begin_write().map_err(boxed)?;
        known::make_tables(&transaction)?;
        proofs::make_table(&transaction)?;
        change(&transaction)?;
        transaction.commit().map_err(boxed)
    }
}

fn boxed(error: impl Into<redb::Error>) -> StateError {
    StateError::Database(Box::new(error.into()))
}
