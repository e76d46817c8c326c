//! Reading nodes' SSZ: the same objects as their JSON, and what is said about broken bytes.

mod common;

use std::fs;

use common::Folder;
use sextant_client::input;
use sextant_fixtures::devnet::{ELECTRA, ELECTRA_TO_FULU, FULU};

#[test]
fn ssz_and_json_of_one_answer_are_the_same_object() {
    for net in [ELECTRA, ELECTRA_TO_FULU, FULU] {
        let chain = net.chain();
        let bootstraps =
            ["ssz", "json"].map(|form| input::bootstrap(&chain, &net.file(&format!("bootstrap.{form}"))));
        let [ssz, json] = bootstraps.map(|read| read.unwrap().value);
        assert_eq!(ssz, json);
        let updates =
            ["ssz", "json"].map(|form| input::updates(&chain, &net.file(&format!("updates.{form}"))));
        let [ssz, json] =
            updates.map(|read| read.unwrap().into_iter().map(|update| update.value).collect::<Vec<_>>());
        assert!(!ssz.is_empty());
        assert_eq!(ssz, json);
        let finality = ["ssz", "json"]
            .map(|form| input::finality_update(&chain, &net.file(&format!("finality_update.{form}"))));
        let [ssz, json] = finality.map(|read| read.unwrap().value);
        assert_eq!(ssz, json);
    }
}

#[test]
fn a_single_update_is_read_as_well_as_the_list() {
    let chain = ELECTRA.chain();
    let list = fs::read(ELECTRA.file("updates.ssz")).unwrap();
    // A chunk: length, fork digest, update.
    let single = Folder::new();
    let path = single.write("update.ssz", &list[12..]);
    let [from_list] = &input::updates(&chain, &ELECTRA.file("updates.ssz")).unwrap()[..] else {
        panic!("one update")
    };
    assert_eq!(input::updates(&chain, &path).unwrap()[0].value, from_list.value);
}

#[test]
fn truncated_ssz_is_refused_with_file_and_field() {
    let (folder, chain) = (Folder::new(), ELECTRA.chain());
    let bytes = fs::read(ELECTRA.file("bootstrap.ssz")).unwrap();
    for length in [4, 100, 1000, 24_000, bytes.len() - 1] {
        let path = folder.write("cut.ssz", &bytes[..length]);
        let error = input::bootstrap(&chain, &path).unwrap_err().to_string();
        assert!(error.contains("cut.ssz: ssz"), "{length} bytes: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let bytes = fs::read(ELECTRA.file("updates.ssz")).unwrap();
    for length in [9, 20_000, bytes.len() - 1] {
        let path = folder.write("cut.ssz", &bytes[..length]);
        let error = input::updates(&chain, &path).unwrap_err().to_string();
        assert!(error.contains("cut.ssz: ssz.payload"), "{length} bytes: {error}");
    }
}
