//! One file per command.

pub mod inspect;
pub mod prove;
pub mod server;
pub mod verify;

use std::{error::Error, fs, path::Path};

use sextant_client::ProofRecord;

/// How every command ends: the error becomes one line.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Larger than any proof file; anything above is not read.
const MAX_PROOF_FILE: u64 = 33 << 20;

/// Reads a proof file.
pub fn read_proof(file: &Path) -> Result<ProofRecord, Box<dyn Error + Send + Sync>> {
    let name = file.display();
    let size = fs::metadata(file).map_err(|error| format!("cannot read {name}: {error}"))?.len();
    if size > MAX_PROOF_FILE {
        return Err(format!("{name}: {size} bytes is too large for a proof file").into());
    }
    let bytes = fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    Ok(ProofRecord::from_file_bytes(&bytes).map_err(|error| format!("{name}: {error}"))?)
}
