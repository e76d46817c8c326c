//! Blocks that are carried with the repository (`tests/data/execution`), and inputs with a payload that is changed.
#![allow(dead_code, reason = "each test uses some of it")]

pub mod convert;

use std::fs;
use std::path::{Path, PathBuf};

use sextant_execution::block::{Block, FormatError};
use sextant_execution::encode::stateless_input;
use sextant_execution::input::StatelessInput;
use sextant_execution::payload::NewPayloadRequest;
use sextant_execution::statement::{ExecutionError, Validated, validate};

/// The folder of blocks.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/execution")
}

/// A file of the folder.
pub fn read(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The input of a carried block.
pub fn input(name: &str) -> Vec<u8> {
    let compressed = read(&format!("{name}.stateless-input.ssz.xz"));
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut &compressed[..], &mut bytes)
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    bytes
}

/// The output that a proof of a carried block must have.
pub fn output(name: &str) -> Vec<u8> {
    let text = String::from_utf8(read(&format!("{name}.stateless-output.hex"))).unwrap();
    hex::decode(text.trim().trim_start_matches("0x")).unwrap()
}

/// The verdict on an input whose request is changed and whose block then gets its own hash again: what refuses it is a
/// rule, and not the hash.
pub fn resealed(
    bytes: &[u8],
    change: impl FnOnce(&mut StatelessInput<'_>),
) -> Result<Validated, ExecutionError> {
    let mut input = StatelessInput::parse(bytes).unwrap();
    change(&mut input);
    seal(&mut input.request);
    validate(&encode(&input))
}

/// An input's bytes.
pub fn encode(input: &StatelessInput<'_>) -> Vec<u8> {
    stateless_input(input.schema, &input.request.encode(), &input.witness, input.chain_id, input.public_keys)
}

fn seal(request: &mut NewPayloadRequest<'_>) {
    if let Err(FormatError::Hash { got, .. }) = Block::of_request(request) {
        request.payload.block_hash = got;
    }
}
