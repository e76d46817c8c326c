//! `sextant check-block`: recorded blocks are executed again, and what is no valid block is refused by the rule that it breaks.

mod common;

use common::{Folder, assert_names, sextant, text};
use serde_json::Value;
use sextant_execution_vectors::{blocks, inputs};

/// The shortest recorded input, and a folder to put it into.
fn shortest() -> (Folder, inputs::Input) {
    let all = inputs::below(&blocks()).unwrap();
    (Folder::new(), all.into_iter().min_by_key(|input| input.bytes.len()).unwrap())
}

#[test]
fn a_valid_block_is_told_with_what_a_proof_would_say() {
    let (folder, input) = shortest();
    let file = folder.write("block.ssz", &input.bytes);

    let output = sextant(&["check-block", text(&file), "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = input.expected;
    assert_eq!(told["valid"], true);
    assert_eq!(told["output"], format!("0x{}", hex::encode(expected)));
    assert_eq!(told["new_payload_request_root"], format!("0x{}", hex::encode(&expected[..32])));
    let chain_id = u64::from_le_bytes(expected[33..41].try_into().unwrap());
    assert_eq!(told["chain_id"], chain_id);

    let output = sextant(&["check-block", text(&file)]);
    let table = String::from_utf8(output.stdout).unwrap();
    for part in ["VALID", "of which nothing is said", told["block_hash"].as_str().unwrap()] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn what_is_no_valid_block_is_refused_in_one_line() {
    let (folder, input) = shortest();
    let refused = |bytes: &[u8], names: &[&str]| {
        let file = folder.write("block.ssz", bytes);
        assert_names(&sextant(&["check-block", text(&file)]), names);
    };
    refused(b"", &["block.ssz", "no schema id"]);
    let amsterdam = [&[0x15, 1][..], &input.bytes[2..]].concat();
    refused(&amsterdam, &["block.ssz", "Amsterdam"]);
    // The witness is the last but the keys, and headers are the last in it: the parent's is another then.
    let mut edited = input.bytes.clone();
    *edited.last_mut().unwrap() ^= 1;
    refused(&edited, &["block.ssz", "witness"]);
    refused(&input.bytes[..input.bytes.len() / 2], &["block.ssz", "input"]);
    assert_names(&sextant(&["check-block", "nowhere.ssz"]), &["cannot read", "nowhere.ssz"]);
}
