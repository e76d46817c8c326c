//! Inputs to stateless validation with the outputs that are due: `NAME.stateless-input.ssz.xz` (or `.ssz`) and
//! `NAME.stateless-output.hex`, which is 43 bytes; all zero where the input is to be refused. `NAME.reason` then has words of
//! the error that must refuse it, so that it is refused for its own rule. All of it may be in archives, `.tar.xz`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use sextant_execution::crypto;
use sextant_execution::statement::{OUTPUT_BYTES, validate};

use crate::archive::{self, unpack};

/// A file with an input, and the ones beside it.
const INPUT: &str = ".stateless-input.ssz";
const OUTPUT: &str = ".stateless-output.hex";
const REASON: &str = ".reason";

/// An input, and what a proof of it has to say.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name of its files.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
    /// The output that is due.
    pub expected: [u8; OUTPUT_BYTES],
    /// Words of the error that must refuse it, where that is said.
    pub reason: Option<String>,
}

impl Input {
    /// Whether it is to be refused.
    pub fn is_refusal(&self) -> bool {
        self.expected == [0; OUTPUT_BYTES]
    }

    /// Validates it.
    ///
    /// # Errors
    /// In words, if that is not as expected; else in how many words it was as expected.
    pub fn check(&self) -> Result<String, String> {
        crypto::install();
        match validate(&self.bytes) {
            Ok(validated) if validated.output() == self.expected => Ok(format!(
                "block {} ({} transactions, {} gas) is valid",
                validated.number, validated.transactions, validated.gas_used
            )),
            Ok(validated) => Err(format!(
                "output {}, expected {}",
                hex::encode(validated.output()),
                hex::encode(self.expected)
            )),
            Err(error) if self.is_refusal() => self.is_due(&error.to_string()),
            Err(error) => Err(format!("refused: {error}")),
        }
    }

    fn is_due(&self, error: &str) -> Result<String, String> {
        match &self.reason {
            Some(reason) if !error.contains(reason) => {
                Err(format!("refused: {error}; not for what it should be: {reason}"))
            }
            _ => Ok(format!("refused: {error}")),
        }
    }
}

/// The inputs in a folder and in its archives, in order.
///
/// # Errors
/// If one cannot be read, or has no output; or if there is an output or a reason without an input.
pub fn below(folder: &Path) -> io::Result<Vec<Input>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".tar.xz") {
            files.extend(archive::files(&path)?);
        } else if let Some(name) = name.strip_suffix(".xz") {
            if name.ends_with(INPUT) {
                files.insert(name.to_owned(), unpack(&path)?);
            }
        } else if [INPUT, OUTPUT, REASON].iter().any(|kind| name.ends_with(kind)) {
            files.insert(name, fs::read(&path)?);
        }
    }
    together(files).map_err(|error| io::Error::other(format!("{}: {error}", folder.display())))
}

/// Inputs with what belongs to them, from files of all three kinds.
fn together(mut files: BTreeMap<String, Vec<u8>>) -> Result<Vec<Input>, String> {
    let names: Vec<String> =
        files.keys().filter_map(|file| file.strip_suffix(INPUT).map(str::to_owned)).collect();
    let mut inputs = Vec::new();
    for name in names {
        let mut take = |kind| files.remove(&format!("{name}{kind}"));
        let bytes = take(INPUT).unwrap_or_default();
        let output = take(OUTPUT).ok_or_else(|| format!("{name} has no output"))?;
        let reason = take(REASON).map(|text| String::from_utf8_lossy(&text).trim().to_owned());
        let mut expected = [0; OUTPUT_BYTES];
        hex::decode_to_slice(
            output.trim_ascii().strip_prefix(b"0x").unwrap_or(output.trim_ascii()),
            &mut expected,
        )
        .map_err(|error| format!("{name}{OUTPUT}: {error}"))?;
        inputs.push(Input { name, bytes, expected, reason });
    }
    match files.keys().find(|file| file.ends_with(OUTPUT) || file.ends_with(REASON)) {
        Some(file) => Err(format!("{file} has no input")),
        None => Ok(inputs),
    }
}
