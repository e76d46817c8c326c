//! What the native verifier says of every recorded proof and of each with a byte changed: the table by which the verifier
//! for browsers is held to the same words (`verifier/wasm/test`).

use std::path::Path;

use serde_json::Value;
use sextant_client::verify::{Expectation, LocalVerifier, expected_digest};
use sextant_consensus::{hash::sha256, networks::MAINNET};
use sextant_protocol::ProofRecord;

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect(path)
}

fn edited(row: &Value) -> Vec<u8> {
    let mut file = read(&format!("tests/data/{}.proof", row["file"].as_str().expect("a file")));
    if let Some(offset) = row["offset"].as_u64() {
        file[usize::try_from(offset).expect("an offset")] ^= 1;
    }
    if row["mend"] == true {
        let end = file.len() - 32;
        let checksum = sha256(&[&file[..end]]);
        file[end..].copy_from_slice(&checksum);
    }
    file
}

fn verdict(verifier: &LocalVerifier, file: &[u8]) -> String {
    let record = match ProofRecord::from_file_bytes(file) {
        Ok(record) => record,
        Err(error) => return error.to_string(),
    };
    let statement = match verifier.verify(&record) {
        Ok(statement) => statement,
        Err(error) => return error.to_string(),
    };
    let expected =
        Expectation { chain_digest: Some(expected_digest(&MAINNET, &statement)), committee_root: None };
    expected.check(&statement).map_or_else(|error| format!("a valid proof, but {error}"), |()| "valid".into())
}

#[test]
fn native_verdicts_are_those_of_the_table() {
    let table: Vec<Value> = serde_json::from_slice(&read("verifier/wasm/test/verdicts.json")).expect("JSON");
    let verifier =
        LocalVerifier::allow_development_circuits(read("tests/data/recorded-snarks/groth16_vk.bin"));
    assert!(table.iter().filter(|row| row["verdict"] == "valid").count() >= 4, "what is recorded is valid");
    for row in &table {
        assert_eq!(verdict(&verifier, &edited(row)), row["verdict"], "{}: {}", row["file"], row["name"]);
    }
}
