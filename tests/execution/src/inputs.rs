//! Inputs to stateless validation with the outputs that are due: `NAME.stateless-input.ssz.xz` (or `.ssz`) and
//! `NAME.stateless-output.hex`, which is 43 bytes; all zero where the input is to be refused.

use std::fs;
use std::io;
use std::path::Path;

use sextant_execution::crypto;
use sextant_execution::statement::{OUTPUT_BYTES, validate};

use crate::archive::unpack;

/// A file with an input, and the one beside it.
const INPUT: &str = ".stateless-input.ssz";
const OUTPUT: &str = ".stateless-output.hex";

/// An input, and what a proof of it has to say.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name of both files.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
    /// The output that is due.
    pub expected: [u8; OUTPUT_BYTES],
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
            Err(error) if self.is_refusal() => Ok(format!("refused: {error}")),
            Err(error) => Err(format!("refused: {error}")),
        }
    }
}

/// The inputs in a folder, in order.
///
/// # Errors
/// If one cannot be read, or one of both files is not there.
pub fn below(folder: &Path) -> io::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let mut outputs = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        outputs += usize::from(file.ends_with(OUTPUT));
        let name = file.strip_suffix(".xz").unwrap_or(&file).strip_suffix(INPUT);
        let Some(name) = name.map(str::to_owned) else { continue };
        let bytes = if file.ends_with(".xz") { unpack(&path)? } else { fs::read(&path)? };
        let output = folder.join(format!("{name}{OUTPUT}"));
        let text = fs::read_to_string(&output)
            .map_err(|error| io::Error::other(format!("{}: {error}", output.display())))?;
        let mut expected = [0; OUTPUT_BYTES];
        hex::decode_to_slice(text.trim().trim_start_matches("0x"), &mut expected)
            .map_err(|error| io::Error::other(format!("{}: {error}", output.display())))?;
        inputs.push(Input { name, bytes, expected });
    }
    if outputs != inputs.len() {
        return Err(io::Error::other(format!("{outputs} outputs for {} inputs", inputs.len())));
    }
    inputs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(inputs)
}
