//! Runs block execution vectors against `sextant-execution`: BlockchainTests of ethereum/tests ([`case`], [`chain`]), whose
//! witness is the whole state ([`world`]); inputs with the outputs that are due ([`inputs`]), recorded and made by the
//! executable specification; and inputs that are broken in every place ([`mutations`]).
//!
//! Where the vectors come from: the `README.md` in `tests/data/ethereum-tests`, `tests/data/execution` and
//! `tests/data/execution-spec-vectors`.

pub mod archive;
pub mod case;
pub mod chain;
pub mod inputs;
pub mod mutations;
pub mod report;
pub mod world;

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sextant_execution::crypto;

use case::Case;
use report::Report;

/// How many cases the archives checked in have; a run of fewer has not run them.
pub const CASES: usize = 2_277 + 10;

/// How many inputs the executable specification has made, all of them and those to be refused.
pub const SPEC_INPUTS: (usize, usize) = (976, 386);

/// The folder of archives checked in.
pub fn archives() -> PathBuf {
    data().join("ethereum-tests")
}

/// The folder of inputs checked in.
pub fn blocks() -> PathBuf {
    data().join("execution")
}

/// The folder of inputs that the executable specification has made.
pub fn spec_inputs() -> PathBuf {
    data().join("execution-spec-vectors")
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data")
}

/// Runs every case of the network `Cancun` in the archives below `folder`, with the cryptography that the guest uses.
///
/// # Errors
/// Those of reading the archives; what is wrong with a case is in the report.
pub fn run_archives(folder: &Path) -> io::Result<Report> {
    crypto::install();
    let mut report = Report::default();
    for path in archive::below(folder)? {
        let files = archive::json(&path)?;
        let cases: Vec<(String, Case)> = files
            .into_par_iter()
            .map(|(name, json)| Case::all(&name, &json).map_err(io::Error::other))
            .collect::<io::Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .filter(|(_, case)| case.network == "Cancun")
            .collect();
        let outcomes: Vec<_> = cases.par_iter().map(|(name, case)| (name, chain::run(case))).collect();
        outcomes.into_iter().for_each(|(name, outcome)| report.add(name, outcome));
    }
    Ok(report)
}
