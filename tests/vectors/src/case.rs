//! One case: its place in the layout, its files, and which of them have been read.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sextant_consensus::chain::Fork;

/// What is wrong with a case, in words.
pub type Failure = String;

/// One folder of files.
#[derive(Debug)]
pub struct Case {
    path: PathBuf,
    /// `mainnet` or `minimal`.
    pub preset: String,
    /// The fork's folder: of a transition case the one before.
    pub fork: String,
    /// What kind of case it is.
    pub handler: String,
    /// The suite; of Merkle proofs the SSZ type.
    pub suite: String,
    /// Its name.
    pub name: String,
    read: RefCell<BTreeSet<String>>,
}

impl Case {
    pub(crate) fn new(root: &Path, path: PathBuf) -> io::Result<Self> {
        let below = path.strip_prefix(root).map_err(io::Error::other)?;
        let parts: Vec<String> =
            below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let [preset, fork, _runner, handler, suite, name] =
            <[String; 6]>::try_from(parts).map_err(|_| io::Error::other("not the layout of a case"))?;
        Ok(Self { path, preset, fork, handler, suite, name, read: RefCell::default() })
    }

    /// The fork that the folder names.
    ///
    /// # Errors
    /// For a fork this version does not know.
    pub fn fork(&self) -> Result<Fork, Failure> {
        Fork::from_name(&self.fork).ok_or_else(|| format!("unknown fork {}", self.fork))
    }

    /// The name of the case with all that leads to it.
    pub fn title(&self) -> String {
        format!("{}/{}/{}/{}/{}", self.preset, self.fork, self.handler, self.suite, self.name)
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn bytes(&self, file: &str) -> Result<Vec<u8>, Failure> {
        self.read.borrow_mut().insert(file.to_owned());
        fs::read(self.path.join(file)).map_err(|e| format!("{file}: {e}"))
    }

    /// A YAML file.
    ///
    /// # Errors
    /// If it cannot be read, or is not what is expected.
    pub fn yaml<T: DeserializeOwned>(&self, file: &str) -> Result<T, Failure> {
        serde_norway::from_slice(&self.bytes(file)?).map_err(|e| format!("{file}: {e}"))
    }

    /// The SSZ of `name`: raw snappy, not framed.
    ///
    /// # Errors
    /// If it cannot be read or decompressed.
    pub fn ssz(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let file = format!("{name}.ssz_snappy");
        let bytes = self.bytes(&file)?;
        snap::raw::Decoder::new().decompress_vec(&bytes).map_err(|e| format!("{file}: {e}"))
    }

    /// Checks the case's own description of itself, where it has one.
    pub(crate) fn check_manifest(&self) -> Result<(), Failure> {
        #[derive(serde::Deserialize)]
        struct Manifest {
            preset: String,
            fork: String,
            runner: String,
            handler: String,
            suite: String,
            case: String,
        }
        if !self.path.join("manifest.yaml").exists() {
            return Ok(());
        }
        let told: Manifest = self.yaml("manifest.yaml")?;
        let places = [
            (&told.preset, &self.preset),
            (&told.fork, &self.fork),
            (&told.runner, &"light_client".to_owned()),
            (&told.handler, &self.handler),
            (&told.suite, &self.suite),
            (&told.case, &self.name),
        ]
        .map(|(told, place)| told == place);
        if places == [true; 6] { Ok(()) } else { Err("manifest.yaml speaks of another case".to_owned()) }
    }

    /// Files that nobody has read.
    ///
    /// # Errors
    /// Those of reading the folder.
    pub fn unread(&self) -> io::Result<Vec<PathBuf>> {
        let read = self.read.borrow();
        let mut unread = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if !read.contains(&*entry.file_name().to_string_lossy()) {
                unread.push(entry.path());
            }
        }
        Ok(unread)
    }
}
