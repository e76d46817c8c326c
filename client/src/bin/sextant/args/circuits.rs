//! Which SNARKs count.

use std::path::{Path, PathBuf};

use clap::Args;
use sextant_client::verify::{LocalVerifier, circuit_selector};

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
        let Some((path, key)) = self.development_key()? else { return Ok(LocalVerifier::default()) };
        // Even with -q: what such proofs say is worth nothing.
        eprintln!(
            "warning: SNARKs by the development circuits of {} are accepted: for tests only",
            path.display()
        );
        Ok(LocalVerifier::allow_development_circuits(key))
    }

    /// The first four bytes of the proofs that count: of the development circuits, where they are named.
    pub fn selector(&self) -> Result<[u8; 4], String> {
        Ok(circuit_selector(self.development_key()?.as_ref().map(|(_, key)| &key[..])))
    }

    fn development_key(&self) -> Result<Option<(&Path, Vec<u8>)>, String> {
        let Some(path) = &self.allow_dev_circuits else { return Ok(None) };
        let key = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Some((path, key)))
    }
}
