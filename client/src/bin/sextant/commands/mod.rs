//! One file per command.

mod asking;
pub mod bundle;
pub mod chain;
pub mod check_block;
pub mod deploy;
pub mod describe;
pub mod follow;
pub mod inspect;
pub mod prove;
pub mod server;
mod statements;
pub mod status;
pub mod submit;
mod terms;
pub mod verify;
pub mod wrap;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sextant_client::ProofRecord;

use crate::failure::Code;
pub use crate::failure::Failure;

/// How every command ends.
pub type Outcome = Result<(), Failure>;

/// Larger than any proof file; anything above is not read.
const MAX_PROOF_FILE: u64 = sextant_verifier::rules::MAX_FILE as u64;

/// Reads a file of `limit` bytes at most; `-` is standard input. A larger one is a failure of kind `too_large`.
pub fn read_file(file: &Path, limit: u64, too_large: Code) -> Result<Vec<u8>, Failure> {
    let name = file.display();
    let mut bytes = Vec::new();
    let read = match file.to_str() {
        Some("-") => io::stdin().lock().take(limit + 1).read_to_end(&mut bytes),
        _ => File::open(file).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::new(Code::Failed, format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::new(too_large, format!("{name}: more than {limit} bytes are too many")));
    }
    Ok(bytes)
}

/// Reads a proof file; `-` is standard input.
pub fn read_proof(file: &Path) -> Result<ProofRecord, Failure> {
    let bytes = read_file(file, MAX_PROOF_FILE, Code::InvalidProof)?;
    ProofRecord::from_file_bytes(&bytes)
        .map_err(|error| Failure::new(Code::InvalidProof, format!("{}: {error}", file.display())))
}
