//! What the files of a folder of circuits should be: their sizes and digests, written when they are made or fetched.
//!
//! They are gigabytes: half of one looks like a file until a proof of many minutes fails over it. Sizes are compared
//! whenever the folder is opened; digests once for each state of a file, which a stamp beside them remembers.

use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{CircuitsError, FILES};

const MANIFEST: &str = "manifest.json";
const STAMP: &str = "manifest.checked.json";
/// Least that circuit and proving key have where no manifest says how much: they are gigabytes.
const LEAST: u64 = 100 << 20;

/// The files of a folder, by name.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Manifest(BTreeMap<String, Entry>);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    /// Hexadecimal.
    sha256: String,
}

/// States of files that were compared with the manifest: length and time of the last change, nanoseconds.
type Stamp = BTreeMap<String, (u64, u64)>;

impl Manifest {
    /// Reads all files of a folder and writes down what they are.
    #[cfg(any(test, feature = "snark"))]
    pub(super) fn write(folder: &Path) -> io::Result<()> {
        let entry = |name: &&str| {
            let path = folder.join(name);
            let entry = Entry { bytes: fs::metadata(&path)?.len(), sha256: digest(&path)? };
            Ok(((*name).to_owned(), entry))
        };
        let manifest = Self(FILES.iter().map(entry).collect::<io::Result<_>>()?);
        fs::write(folder.join(MANIFEST), serde_json::to_vec_pretty(&manifest)?)
    }

    /// The manifest of a folder, if it has one.
    fn read(folder: &Path) -> Result<Option<Self>, CircuitsError> {
        let path = folder.join(MANIFEST);
        let failed = |source| CircuitsError::File { path: path.clone(), source };
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| failed(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Compares the sizes of a folder's files with its manifest, or with what no circuit falls short of.
pub(super) fn check_sizes(folder: &Path) -> Result<(), CircuitsError> {
    let manifest = Manifest::read(folder)?;
    for name in FILES {
        let path = folder.join(name);
        let got = metadata(&path)?.len();
        let fits = match manifest.as_ref().map(|manifest| manifest.0.get(name)) {
            Some(Some(entry)) => got == entry.bytes,
            Some(None) => false,
            None => name == super::VERIFYING_KEY || got >= LEAST,
        };
        if !fits {
            return Err(CircuitsError::Incomplete { path, reason: format!("{got} bytes are not its size") });
        }
    }
    Ok(())
}

/// Compares the digests of a folder's files with its manifest, if it has one, unless that was done since they changed.
pub(super) fn check_digests(folder: &Path) -> Result<(), CircuitsError> {
    let Some(manifest) = Manifest::read(folder)? else {
        tracing::warn!(folder = %folder.display(), "circuits without a manifest: whether they are whole is not known");
        return Ok(());
    };
    let stamp = folder.join(STAMP);
    let mut checked: Stamp =
        fs::read(&stamp).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    for (name, entry) in &manifest.0 {
        let path = folder.join(name);
        let state = state(&metadata(&path)?);
        if checked.get(name) == Some(&state) {
            continue;
        }
        tracing::info!(file = %path.display(), bytes = entry.bytes, "comparing with the manifest, once");
        let got = digest(&path).map_err(|source| CircuitsError::File { path: path.clone(), source })?;
        if got != entry.sha256 {
            let reason = format!("its SHA-256 is {got}, not {}", entry.sha256);
            return Err(CircuitsError::Incomplete { path, reason });
        }
        checked.insert(name.clone(), state);
        let written =
            serde_json::to_vec(&checked).map_err(io::Error::from).and_then(|text| fs::write(&stamp, text));
        if let Err(error) = written {
            tracing::info!(file = %stamp.display(), %error, "circuits will be compared at each start");
        }
    }
    Ok(())
}

fn metadata(path: &Path) -> Result<Metadata, CircuitsError> {
    fs::metadata(path).map_err(|source| CircuitsError::File { path: PathBuf::from(path), source })
}

fn state(metadata: &Metadata) -> (u64, u64) {
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    (metadata.len(), changed.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            fs::write(folder.path().join(name), name.repeat(100)).unwrap();
        }
        folder
    }

    #[test]
    fn half_a_file_is_refused_by_its_size() {
        let folder = folder();
        Manifest::write(folder.path()).unwrap();
        assert!(check_sizes(folder.path()).is_ok());
        for name in FILES {
            let file = File::options().write(true).open(folder.path().join(name)).unwrap();
            let whole = file.metadata().unwrap().len();
            file.set_len(whole / 2).unwrap();
            let error = check_sizes(folder.path()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("size"), "{error}");
            file.set_len(whole).unwrap();
        }
    }

    #[test]
    fn without_a_manifest_what_cannot_be_a_circuit_is_refused() {
        let folder = folder();
        assert!(check_sizes(folder.path()).is_err());
        for name in FILES {
            // Sparse: no such file is written.
            File::create(folder.path().join(name)).unwrap().set_len(LEAST).unwrap();
        }
        assert!(check_sizes(folder.path()).is_ok());
        assert!(check_digests(folder.path()).is_ok());
    }

    #[test]
    fn a_changed_file_of_the_right_size_is_refused_by_its_digest() {
        let folder = folder();
        Manifest::write(folder.path()).unwrap();
        check_digests(folder.path()).unwrap();
        let path = folder.path().join(FILES[1]);
        let mut bytes = fs::read(&path).unwrap();
        bytes[7] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(check_sizes(folder.path()).is_ok());
        let error = check_digests(folder.path()).unwrap_err().to_string();
        assert!(error.contains(FILES[1]) && error.contains("SHA-256"), "{error}");
        // And mended, it is accepted again.
        bytes[7] ^= 1;
        fs::write(&path, bytes).unwrap();
        check_digests(folder.path()).unwrap();
    }

    #[test]
    fn digests_are_compared_once_for_each_state_of_a_file() {
        let folder = folder();
        Manifest::write(folder.path()).unwrap();
        check_digests(folder.path()).unwrap();
        // A manifest that is wrong by now shows whether files are read again.
        let text = fs::read_to_string(folder.path().join(MANIFEST)).unwrap();
        let wrong = digest(&folder.path().join(FILES[0])).unwrap();
        fs::write(folder.path().join(MANIFEST), text.replace(&wrong, &"0".repeat(64))).unwrap();
        assert!(check_digests(folder.path()).is_ok(), "not read again");
        let file = File::options().write(true).open(folder.path().join(FILES[0])).unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        assert!(check_digests(folder.path()).is_err(), "changed, and read again");
    }
}
