//! Statements in one JSON document: real ones are the inputs that files make, and what is wrong is named by its field.
//! With transactions and logs: `client/tests/event_files.rs`.

use serde_json::{Value, json};
use sextant_consensus::{Program, networks::NETWORKS};
use sextant_fixtures::{data, statements};
use sextant_inputs::{Prepared, Told, ToldError};

fn recorded(name: &str) -> Value {
    let file = data().join("mainnet-deneb").join(name);
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Two recorded handovers of mainnet.
fn change() -> Value {
    json!({
        "bootstrap": recorded("bootstrap-9425184.json"),
        "updates": [recorded("update-9420873.json"), recorded("update-9430576.json")],
    })
}

/// A slot of a contract of mainnet.
fn slot() -> Value {
    json!({
        "network": "mainnet",
        "bootstrap": recorded("inclusion-bootstrap.json"),
        "finality_update": recorded("inclusion-finality-update-9567542.json"),
        "accounts": recorded("inclusion-eth-get-proof.json"),
    })
}

fn input(document: &Value, program: Program) -> Result<Prepared, ToldError> {
    Told::read(document.to_string().as_bytes())?.input(program)
}

fn fixture(name: &str) -> Vec<u8> {
    statements().into_iter().find(|(found, ..)| *found == name).unwrap().2
}

#[test]
fn real_answers_are_the_statements_that_files_make() {
    for (name, program, document) in [
        ("mainnet-deneb-two-handovers", Program::CommitteeChange, change()),
        ("mainnet-deneb-one-contract-one-slot", Program::Inclusion, slot()),
    ] {
        let input = input(&document, program).unwrap().input;
        assert_eq!((input.program().unwrap(), input.bytes == fixture(name)), (program, true), "{name}");
    }
    // A single answer in place of a list, and what is in its envelope.
    let mut one = change();
    one["updates"] = recorded("update-9420873.json")["data"].take();
    let input = input(&one, Program::CommitteeChange).unwrap().input;
    assert!(input.bytes == fixture("mainnet-deneb-one-handover"));
}

/// A field that a statement has nothing to do with is a misunderstanding, and never left out.
#[test]
fn fields_have_their_programs() {
    let foreign = [
        ("finality_update", json!({})),
        ("accounts", json!([])),
        ("history", json!([])),
        ("receipts", json!([])),
        ("transactions", json!([format!("0x{}", "11".repeat(32))])),
        ("logs", json!([{ "log_index": 1 }])),
        ("filters", json!([{ "address": format!("0x{}", "11".repeat(20)) }])),
        ("all_receipts", json!(true)),
    ];
    for (field, value) in foreign {
        let mut document = change();
        document[field] = value;
        let error = input(&document, Program::CommitteeChange).unwrap_err();
        assert!(matches!(error, ToldError::Foreign { field: named, .. } if named == field), "{error}");
        assert!(error.to_string().contains(field), "{error}");
    }
    for (document, program, field) in [
        (slot(), Program::Inclusion, "finality_update"),
        (slot(), Program::Inclusion, "accounts"),
        (change(), Program::CommitteeChange, "updates"),
    ] {
        let mut document = document;
        document.as_object_mut().unwrap().remove(field);
        let error = input(&document, program).unwrap_err();
        assert!(matches!(error, ToldError::Needs { field: named, .. } if named == field), "{error}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let with = |mut document: Value, path: &str, value: Value| {
        *document.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        document
    };
    let more = |field: &str, value: Value| {
        let mut document = slot();
        document[field] = value;
        document
    };
    let five = json!([{ "address": format!("0x{}", "11".repeat(20)), "topics": vec![format!("0x{}", "22".repeat(32)); 5] }]);
    for (document, program, words) in [
        (with(slot(), "/network", json!("goerli")), Program::Inclusion, &["goerli", "hoodi"][..]),
        (with(slot(), "/network", json!("sepolia")), Program::Inclusion, &["bootstrap"]),
        (more("colour", json!("red")), Program::Inclusion, &["colour", "line 1"]),
        (more("logs", json!([{ "index": 1 }])), Program::Inclusion, &["`transaction`", "`log_index`"]),
        (
            more("logs", json!([{ "log_index": 1, "position": 1 }])),
            Program::Inclusion,
            &["`transaction`", "`log_index`"],
        ),
        (more("filters", five), Program::Inclusion, &["filters[0].topics", "4"]),
        (more("transactions", json!(["0x12"])), Program::Inclusion, &["32", "line 1"]),
        (
            with(slot(), "/finality_update/data/attested_header/beacon/slot", json!("x")),
            Program::Inclusion,
            &["finality_update", "data.attested_header.beacon.slot"],
        ),
        (
            with(change(), "/updates/1/data/signature_slot", json!(7)),
            Program::CommitteeChange,
            &["updates[1]", "data.signature_slot"],
        ),
        (
            more("transactions", json!([format!("0x{}", "11".repeat(32))])),
            Program::Inclusion,
            &["header and transactions"],
        ),
    ] {
        let error = input(&document, program).map(|_| ()).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
    }
    assert!(matches!(Told::read(b"{\"bootstrap\": {}"), Err(ToldError::Document(_))));
    assert!(matches!(Told::read(b"{}"), Err(ToldError::Document(_))), "a bootstrap is needed");
}

/// The names that an error offers are those that there are.
#[test]
fn every_network_with_a_name_is_known() {
    let mut document = slot();
    document["network"] = "none".into();
    let error = input(&document, Program::Inclusion).unwrap_err().to_string();
    for (name, _) in NETWORKS {
        assert!(error.contains(name), "{name}: {error}");
    }
}
