//! Which SNARKs count.

use std::path::PathBuf;

use clap::Args;
use sextant_client::verify::LocalVerifier;

/// Which SNARKs count.
#[derive(Debug, Args)]
pub struct Circuits {
    /// Also accept SNARKs by the development circuits with this verifying key (groth16_vk.bin). They prove nothing: for
    /// tests
    #[arg(long, value_name = "FILE")]
    pub allow_dev_circuits: Option<PathBuf>,
}

impl Circuits {
    /// What verifies proofs here.
    pub fn verifier(&self) -> Result<LocalVerifier, String> {
        let Some(path) = &self.allow_dev_circuits else { return Ok(LocalVerifier::default()) };
        let key = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        eprintln!(
            "warning: SNARKs by the development circuits of {} are accepted: for tests only",
            path.display()
        );
        Ok(LocalVerifier::allow_development_circuits(key))
    }
}
