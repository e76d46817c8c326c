//! The proofs, and what else lies beside the database: files that are there whole or not at all.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use sextant_protocol::ProofRecord;

use super::{State, StateError};

impl State {
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

    /// Writes a file anywhere, whole or not at all.
    pub(crate) fn write_file(&self, file: &Path, bytes: &[u8]) -> Result<(), StateError> {
        replace(file, bytes)
    }

    /// Writes a file beside the database, whole or not at all.
    pub(crate) fn write_beside(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        replace(&self.folder.join(name), bytes)
    }
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
