//! One file per command.

pub mod deploy;
pub mod follow;
pub mod inspect;
pub mod prove;
pub mod server;
pub mod status;
pub mod submit;
mod terms;
pub mod verify;

use std::{error::Error, fs, path::Path};

use sextant_client::ProofRecord;

/// What ends a command before its time: it becomes one line.
pub type Failure = Box<dyn Error + Send + Sync>;

/// How every command ends.
pub type Outcome = Result<(), Failure>;

/// Larger than any proof file; anything above is not read.
const MAX_PROOF_FILE: u64 = 33 << 20;

/// Reads a proof file.
pub fn read_proof(file: &Path) -> Result<ProofRecord, Failure> {
    let name = file.display();
    let size = fs::metadata(file).map_err(|error| format!("cannot read {name}: {error}"))?.len();
    if size > MAX_PROOF_FILE {
        return Err(format!("{name}: {size} bytes is too large for a proof file").into());
    }
    let bytes = fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    Ok(ProofRecord::from_file_bytes(&bytes).map_err(|error| format!("{name}: {error}"))?)
}
