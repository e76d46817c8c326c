//! Reading nodes' JSON: the forms that are accepted, and what is said about each broken one.

mod common;

use std::path::Path;

use common::{
    BOOTSTRAP, FINALITY_UPDATE, Folder, INCLUSION_BOOTSTRAP, PROOF, UPDATE_1150, UPDATE_1151, at, file,
    recorded, remove,
};
use serde_json::{Value, json};
use sextant_client::{
    CheckedInput, StatementInput,
    input::{self, InputError, Prepared, Signers},
};
use sextant_consensus::{Program, codec, networks::MAINNET};

fn committee_change(updates: &[&Path]) -> Result<Prepared, InputError> {
    let bootstrap = input::bootstrap(&MAINNET, &file(BOOTSTRAP))?;
    let mut all = Vec::new();
    for update in updates {
        all.extend(input::updates(&MAINNET, update)?);
    }
    input::committee_change(&MAINNET, &Signers::of_bootstrap(&MAINNET, &bootstrap)?, all, None)
}

fn inclusion(proofs: &[&Path]) -> Result<Prepared, InputError> {
    let bootstrap = input::bootstrap(&MAINNET, &file(INCLUSION_BOOTSTRAP))?;
    let update = input::finality_update(&MAINNET, &file(FINALITY_UPDATE))?;
    let mut all = Vec::new();
    for proof in proofs {
        all.extend(input::accounts(proof)?);
    }
    input::inclusion(&MAINNET, &Signers::of_bootstrap(&MAINNET, &bootstrap)?, &update, all, None)
}

/// Asserts that the outcome is an error that names all of these.
#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, InputError>, parts: &[&str]) {
    let message = outcome.expect_err("an error").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not named in: {message}");
    }
}

/// The files give the inputs that the other crates test and prove.
#[tokio::test]
async fn recorded_files_give_the_recorded_statements() {
    let two = committee_change(&[&file(UPDATE_1150), &file(UPDATE_1151)]).unwrap();
    let expected = codec::encode(&sextant_fixtures::committee_change(2));
    assert_eq!(two.input, StatementInput::new(Program::CommitteeChange, expected));

    let one = inclusion(&[&file(PROOF)]).unwrap();
    let expected = codec::encode(&sextant_fixtures::inclusion());
    assert_eq!(one.input, StatementInput::new(Program::Inclusion, expected));

    for prepared in [two, one] {
        CheckedInput::check(prepared.input).await.expect("a true statement");
    }
}

/// With and without envelope, singly and as the lists that nodes and batch calls return.
#[test]
fn every_form_that_nodes_use_is_read() {
    let folder = Folder::new();
    let expected = committee_change(&[&file(UPDATE_1150), &file(UPDATE_1151)]).unwrap().input;
    let list = json!([recorded(UPDATE_1150), recorded(UPDATE_1151)]);
    let list = folder.write("list.json", list.to_string());
    assert_eq!(committee_change(&[&list]).unwrap().input, expected);
    let bare = |name| folder.edit(name, |value| *value = value["data"].take());
    assert_eq!(committee_change(&[&bare(UPDATE_1150), &bare(UPDATE_1151)]).unwrap().input, expected);

    let expected = inclusion(&[&file(PROOF)]).unwrap().input;
    let bare = folder.edit(PROOF, |value| *value = value["result"].take());
    assert_eq!(inclusion(&[&bare]).unwrap().input, expected);
    let batch = folder.write("batch.json", json!([recorded(PROOF)]).to_string());
    assert_eq!(inclusion(&[&batch]).unwrap().input, expected);
}

#[test]
fn slot_keys_may_be_quantities() {
    let folder = Folder::new();
    let key = |text: &str| {
        let edited = folder.edit(PROOF, |value| *at(value, "/result/storageProof/0/key") = text.into());
        input::accounts(&edited).map(|accounts| accounts[0].value.slots[0].0)
    };
    let last = |byte| {
        let mut key = [0; 32];
        key[31] = byte;
        key
    };
    assert_eq!(key("0x0").unwrap(), last(0));
    assert_eq!(key("0x").unwrap(), last(0));
    assert_eq!(key("0x1f").unwrap(), last(0x1f));
    assert_eq!(key(&format!("0x{}7", "0".repeat(63))).unwrap(), last(7));
    for (bad, reason) in [
        ("1f", "hex with 0x"),
        ("0xg", "not hex"),
        ("0xé", "not hex"),
        (&*format!("0x{}", "0".repeat(65)), "found 65"),
    ] {
        refused(key(bad), &[PROOF, "result.storageProof[0].key", reason]);
    }
}

#[test]
fn a_missing_field_is_named() {
    let folder = Folder::new();
    let without = |pointer: &str| folder.edit(UPDATE_1150, |value| remove(value, pointer));
    refused(
        committee_change(&[&without("/data/attested_header/beacon/body_root")]),
        &[UPDATE_1150, "data.attested_header.beacon", "missing field `body_root`"],
    );
    refused(
        committee_change(&[&without("/data/signature_slot")]),
        &["`data`", "missing field `signature_slot`"],
    );
    refused(
        committee_change(&[&without("/data/finalized_header/execution")]),
        &[UPDATE_1150, "finalized_header", "execution header is missing"],
    );
    let proof = folder.edit(PROOF, |value| remove(value, "/result/accountProof"));
    refused(inclusion(&[&proof]), &[PROOF, "`result`", "missing field `accountProof`"]);
}

#[test]
fn a_wrong_type_is_named() {
    let folder = Folder::new();
    let with = |pointer: &str, wrong: Value| folder.edit(UPDATE_1150, |value| *at(value, pointer) = wrong);
    refused(
        committee_change(&[&with("/data/signature_slot", json!(9420874))]),
        &["data.signature_slot", "invalid type: integer `9420874`, expected a string"],
    );
    refused(
        committee_change(&[&with("/data/signature_slot", json!("+9420874"))]),
        &["data.signature_slot", "expected a decimal number"],
    );
    refused(
        committee_change(&[&with("/data/finality_branch", json!(null))]),
        &["data.finality_branch", "null"],
    );
    refused(
        committee_change(&[&with("/data/next_sync_committee/pubkeys/3", json!({}))]),
        &["data.next_sync_committee.pubkeys", "invalid type: map"],
    );
    refused(committee_change(&[&folder.write("a.json", "7")]), &["a.json", "(top level)", "integer `7`"]);
    refused(committee_change(&[&folder.write("a.json", "[[]]")]), &["a.json[0]", "(top level)"]);
    refused(committee_change(&[&folder.write("a.json", "[]")]), &["a.json", "empty list"]);
    let list = folder.write("b.json", json!([recorded(BOOTSTRAP), recorded(BOOTSTRAP)]).to_string());
    refused(input::bootstrap(&MAINNET, &list), &["b.json", "expected one object, found a list of 2"]);
}

#[test]
fn odd_and_truncated_hex_is_named() {
    let folder = Folder::new();
    let cut = |pointer: &str, digits: usize| {
        folder.edit(UPDATE_1150, |value| {
            let field = at(value, pointer);
            let text = field.as_str().unwrap();
            *field = text[..text.len() - digits].into();
        })
    };
    let root = "/data/attested_header/beacon/state_root";
    refused(
        committee_change(&[&cut(root, 1)]),
        &["data.attested_header.beacon.state_root", "not hex", "Odd"],
    );
    refused(
        committee_change(&[&cut(root, 2)]),
        &["data.attested_header.beacon.state_root", "expected 32 bytes of hex, found 31"],
    );
    refused(
        committee_change(&[&cut("/data/sync_aggregate/sync_committee_signature", 64)]),
        &["data.sync_aggregate.sync_committee_signature", "expected 96 bytes of hex, found 64"],
    );
    refused(
        committee_change(&[&cut("/data/sync_aggregate/sync_committee_bits", 2)]),
        &[UPDATE_1150, "sync_committee_bits has 63 bytes, the committee needs 64"],
    );
    let proof = folder.edit(PROOF, |value| {
        let node = at(value, "/result/accountProof/2");
        *node = node.as_str().unwrap().replace("0xf9", "0xf9g").into();
    });
    refused(inclusion(&[&proof]), &["result.accountProof[2]", "not hex"]);
}

#[test]
fn truncated_and_foreign_files_are_named() {
    let folder = Folder::new();
    let half = folder.edit_text(UPDATE_1150, |mut text| {
        text.truncate(text.len() / 2);
        text
    });
    refused(committee_change(&[&half]), &[UPDATE_1150, "not JSON", "EOF", "line"]);
    refused(committee_change(&[&folder.write("empty.json", "")]), &["empty.json", "not JSON"]);
    refused(committee_change(&[&folder.write("x.json", b"\xff\xfe")]), &["x.json: ssz"]);
    refused(
        committee_change(&[&folder.path().join("none.json")]),
        &["cannot read", "none.json", "No such file"],
    );
    refused(committee_change(&[folder.path()]), &["cannot read", "directory"]);
    // Deep nesting must not exhaust the stack.
    refused(
        committee_change(&[&folder.write("deep.json", "[".repeat(1 << 20))]),
        &["not JSON", "recursion limit"],
    );
    // Right JSON, wrong object.
    refused(committee_change(&[&file(PROOF)]), &[PROOF, "missing field `attested_header`"]);
    refused(inclusion(&[&file(UPDATE_1150)]), &[UPDATE_1150, "missing field `address`"]);
}

#[test]
fn errors_that_nodes_answered_are_shown() {
    let folder = Folder::new();
    let rpc = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "missing trie node"}});
    let rpc = folder.write("rpc.json", rpc.to_string());
    refused(inclusion(&[&rpc]), &["rpc.json", "the node answered with an error", "missing trie node"]);
    let null = folder.write("null.json", r#"{"jsonrpc": "2.0", "id": 1, "result": null}"#);
    refused(inclusion(&[&null]), &["null.json", "`result`", "null"]);
    let api = folder.write("api.json", r#"{"code": 404, "message": "LC update unavailable"}"#);
    refused(committee_change(&[&api]), &["api.json", "LC update unavailable"]);
}

#[test]
fn a_label_of_no_fork_is_named() {
    let folder = Folder::new();
    let version = |name: Value| folder.edit(UPDATE_1150, |value| value["version"] = name);
    refused(committee_change(&[&version(json!("osaka"))]), &["`version`", "\"osaka\" is not a known fork"]);
    refused(committee_change(&[&version(json!(5))]), &["`version`", "5 is not a known fork"]);
}

#[test]
fn a_bootstrap_that_does_not_hold_together_is_named() {
    let folder = Folder::new();
    let pointer = "/data/current_sync_committee_branch/0";
    let edited =
        folder.edit(BOOTSTRAP, |value| *at(value, pointer) = format!("0x{}", "11".repeat(32)).into());
    let bootstrap = input::bootstrap(&MAINNET, &edited).unwrap();
    refused(
        Signers::of_bootstrap(&MAINNET, &bootstrap),
        &[BOOTSTRAP, "current_sync_committee_branch", "another root"],
    );
}

#[test]
fn updates_that_do_not_connect_are_named() {
    refused(
        committee_change(&[&file(UPDATE_1151)]),
        &[UPDATE_1151, "does not connect", "signed in period 1151", BOOTSTRAP, "period 1150"],
    );
    refused(committee_change(&[]), &["no update given"]);
}

#[tokio::test]
async fn a_broken_rule_is_named_with_its_file() {
    let folder = Folder::new();
    let repeated = committee_change(&[&file(UPDATE_1150), &file(UPDATE_1150)]).unwrap();
    let message = explain(&repeated).await;
    assert!(message.contains(UPDATE_1150) && message.contains("handover 1"), "{message}");

    let bits = folder.edit(UPDATE_1151, |value| {
        *at(value, "/data/sync_aggregate/sync_committee_bits") = format!("0x{}", "0f".repeat(64)).into();
    });
    let message = explain(&committee_change(&[&file(UPDATE_1150), &bits]).unwrap()).await;
    assert!(message.contains(UPDATE_1151) && message.contains("participation 256 of 512"), "{message}");

    let slot =
        folder.edit(UPDATE_1150, |value| *at(value, "/data/attested_header/beacon/slot") = "9420872".into());
    let message = explain(&committee_change(&[&slot]).unwrap()).await;
    assert!(message.contains(UPDATE_1150) && message.contains("handover 0"), "{message}");

    let proof = folder.edit(PROOF, |value| {
        at(value, "/result/accountProof").as_array_mut().unwrap().pop();
    });
    let message = explain(&inclusion(&[&proof]).unwrap()).await;
    assert!(
        message.contains(PROOF) && message.contains("0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f"),
        "{message}"
    );
}

async fn explain(prepared: &Prepared) -> String {
    match CheckedInput::check(prepared.input.clone()).await {
        Err(sextant_client::CheckError::Statement(error)) => prepared.explain(&error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn duplicates_are_named() {
    let folder = Folder::new();
    refused(
        inclusion(&[&file(PROOF), &file(PROOF)]),
        &["account 0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f", "twice", PROOF],
    );
    let twice = folder.edit(PROOF, |value| {
        let slots = at(value, "/result/storageProof").as_array_mut().unwrap();
        slots.push(slots[0].clone());
    });
    refused(inclusion(&[&twice]), &["slot 0x290decd9", "twice"]);
}
