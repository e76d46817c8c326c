//! The circuits that SNARKs are made with: a folder of files that are too large to embed, and what they are worth.
//!
//! The released circuits come from a ceremony; their verifying key is part of SP1's verifier. Circuits with any other
//! key are development circuits: whoever built them can forge, so they are used, and proofs by them accepted, only where
//! the configuration says so by name.

mod manifest;

use std::path::{Path, PathBuf};

use sextant_protocol::proof;
use sextant_verifier::{CIRCUIT_VERSION, release_key};

/// The files that proving needs; the last is the verifying key.
const FILES: [&str; 3] = ["groth16_circuit.bin", "groth16_pk.bin", VERIFYING_KEY];
const VERIFYING_KEY: &str = "groth16_vk.bin";

/// What the configuration says about circuits.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct CircuitsConfig {
    /// Folder with Groth16 circuits.
    #[arg(long = "circuits", value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Whether development circuits are used and accepted.
    #[arg(long = "allow-dev-circuits")]
    pub allow_development: bool,
}

/// Why there are no circuits to work with.
#[derive(Debug, thiserror::Error)]
pub enum CircuitsError {
    /// A file is missing or cannot be read.
    #[error("circuits: {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file is not the one that the folder's manifest names: half of one, most likely.
    #[error("circuits: {path}: {reason}")]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Development circuits, and nobody asked for them.
    #[error(
        "circuits: {} holds development circuits, whose proofs prove nothing to anybody else; for tests there is \
         --allow-dev-circuits",
        .0.display()
    )]
    Development(PathBuf),
}

/// A folder of circuits that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuits {
    /// The folder.
    pub folder: PathBuf,
    /// What proofs by them are worth.
    pub worth: proof::Circuits,
    /// Their verifying key.
    pub key: Vec<u8>,
}

impl CircuitsConfig {
    /// Where SP1 keeps the released circuits that it downloads, if they are there.
    pub fn standard_folder() -> Option<PathBuf> {
        standard_path().filter(|folder| folder.join(VERIFYING_KEY).is_file())
    }

    /// Looks at the folder, if there is one: whether its files have their sizes, and what they are worth.
    ///
    /// # Errors
    /// [`CircuitsError`] names the file, or says that the circuits are not what was asked for.
    pub fn open(&self) -> Result<Option<Circuits>, CircuitsError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let failed = |path: PathBuf| |source| CircuitsError::File { path, source };
        manifest::check_sizes(folder)?;
        let path = folder.join(VERIFYING_KEY);
        let key = std::fs::read(&path).map_err(failed(path))?;
        let worth =
            if key == release_key() { proof::Circuits::Release } else { proof::Circuits::Development };
        if worth == proof::Circuits::Development && !self.allow_development {
            return Err(CircuitsError::Development(folder.clone()));
        }
        Ok(Some(Circuits { folder: folder.clone(), worth, key }))
    }

    /// [`Self::open`], and compares the contents of files that have changed with the folder's manifest: seconds for each
    /// gigabyte, once.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_whole(&self) -> Result<Option<Circuits>, CircuitsError> {
        let circuits = self.open()?;
        if let Some(circuits) = &circuits {
            manifest::check_digests(&circuits.folder)?;
        }
        Ok(circuits)
    }

    /// These as arguments of a worker.
    pub(crate) fn arguments(&self) -> Vec<std::ffi::OsString> {
        let mut arguments = Vec::new();
        if let Some(folder) = &self.folder {
            arguments.extend(["--circuits".into(), folder.into()]);
        }
        if self.allow_development {
            arguments.push("--allow-dev-circuits".into());
        }
        arguments
    }
}

/// Writes down what the files of a folder are, which must be whole now.
///
/// # Errors
/// If they cannot be read, or the folder not be written to.
#[cfg(feature = "snark")]
pub(crate) fn write_manifest(folder: &Path) -> std::io::Result<()> {
    manifest::Manifest::write(folder)
}

fn standard_path() -> Option<PathBuf> {
    let home = std::env::var_os("HOME")?;
    Some(Path::new(&home).join(".sp1/circuits/groth16").join(CIRCUIT_VERSION))
}

/// Downloads the released circuits into `folder`, or to where the server looks for them, showing how far it is.
///
/// What comes is believed as far as its verifying key is the one that verifiers have built in. The rest needs no belief:
/// proofs by a wrong circuit or proving key do not verify, and the server verifies before it answers.
///
/// # Errors
/// The folder is there already, the download fails, or it is something else; nothing of it stays then.
#[cfg(feature = "snark")]
pub async fn fetch(folder: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    use anyhow::{Context, ensure};
    let folder = folder.or_else(standard_path).context("no home folder: name one for the circuits")?;
    ensure!(!folder.exists(), "{} is there already", folder.display());
    sextant_engine::groth16::download_released_circuits(&folder).await?;
    let fetched = CircuitsConfig { folder: Some(folder.clone()), allow_development: false };
    if let Err(error) = fetched.open() {
        std::fs::remove_dir_all(&folder)?;
        return Err(error).context("what was downloaded is not SP1's released circuits, and is removed");
    }
    write_manifest(&folder).with_context(|| format!("{}: its manifest", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(key: &[u8]) -> (tempfile::TempDir, CircuitsConfig) {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            std::fs::write(folder.path().join(name), key).unwrap();
        }
        manifest::Manifest::write(folder.path()).unwrap();
        let config = CircuitsConfig { folder: Some(folder.path().into()), allow_development: false };
        (folder, config)
    }

    #[test]
    fn released_circuits_are_known_by_their_key() {
        let (_folder, config) = folder_with(release_key());
        assert_eq!(config.open().unwrap().unwrap().worth, proof::Circuits::Release);
    }

    #[test]
    fn development_circuits_are_used_only_where_that_is_said() {
        let (_folder, mut config) = folder_with(b"homemade");
        assert!(matches!(config.open(), Err(CircuitsError::Development(_))));
        config.allow_development = true;
        assert_eq!(config.open().unwrap().unwrap().worth, proof::Circuits::Development);
    }

    /// Their sizes do not tell half a copy that was filled up from a whole one.
    #[test]
    fn what_is_worked_with_was_compared_whole() {
        let (_whole, config) = folder_with(release_key());
        assert_eq!(config.open_whole().unwrap(), config.open().unwrap());
        let (folder, config) = folder_with(release_key());
        let path = folder.path().join("groth16_pk.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[7] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(config.open().is_ok());
        let error = config.open_whole().unwrap_err().to_string();
        assert!(error.contains("groth16_pk.bin") && error.contains("SHA-256"), "{error}");
        // Without a manifest these are too small for circuits, whatever they hold.
        let (folder, config) = folder_with(release_key());
        std::fs::remove_file(folder.path().join("manifest.json")).unwrap();
        let error = config.open_whole().unwrap_err().to_string();
        assert!(error.contains("groth16_circuit.bin") && error.contains("size"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let (folder, config) = folder_with(release_key());
        std::fs::remove_file(folder.path().join("groth16_pk.bin")).unwrap();
        assert!(config.open().unwrap_err().to_string().contains("groth16_pk.bin"));
        assert_eq!(CircuitsConfig::default().open().unwrap(), None);
    }
}
