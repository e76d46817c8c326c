//! What the tests and tools of the whole system share: the committed guests
//! without proving, the real server, and workers that only seem to prove.

use std::collections::BTreeMap;

pub mod executor;
pub mod guest;
pub mod memory;
#[cfg(doctest)]
mod readmes;
pub mod scripted;
pub mod server;
pub mod torture;

/// Gas of each recorded statement as committed in `tests/gas.json`.
///
/// # Panics
/// If the file is not there or is no map of numbers: it is checked in.
pub fn committed_gas() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(sextant_fixtures::repository().join("tests/gas.json"));
    serde_json::from_str(&text.expect("tests/gas.json")).expect("tests/gas.json: fixture to gas")
}

/// Where the tools put what they write: the tool itself lies in a profile's folder of the target folder.
///
/// # Errors
/// If this program's own file is not known.
pub fn target_folder() -> std::io::Result<std::path::PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or(std::io::ErrorKind::NotFound)?.to_owned())
}
