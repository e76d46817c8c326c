//! `sextant deploy` and `sextant submit` against a real node, with recorded real proofs.

mod common;
#[path = "../../submit/tests/common/mod.rs"]
mod node;

use std::{os::unix::fs::PermissionsExt, path::PathBuf, process::Output};

use common::{BOOTSTRAP, Folder, assert_names, file, sextant, text};
use node::{Anvil, GENESIS, KEYS};
use serde_json::Value;

/// An hour after the finalized slot of the recorded committee change.
const TIME: u64 = GENESIS + 12 * 9_430_496 + 3600;

fn proof() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/recorded-snarks/committee-change.proof")
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_deployed_and_takes_a_proof_once() {
    let anvil = Anvil::start(TIME, &[]);
    let verifier = anvil.verifier().await.to_string();
    let folder = Folder::new();
    let key = folder.write("key", KEYS[0]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let bootstrap = file(BOOTSTRAP);
    let (rpc, genesis) = (anvil.url.clone(), GENESIS.to_string());
    let deploy = |more: &[&str]| {
        let mut arguments = vec!["deploy", "--rpc", &rpc, "--verifier", &verifier, "--key-file", text(&key)];
        arguments.extend(["--bootstrap", text(&bootstrap), "--genesis-time", &genesis, "--json"]);
        arguments.extend(more);
        sextant(&arguments)
    };
    let tried = json(&deploy(&["--dry-run"]));
    assert_eq!(tried["outcome"], "would be deployed");
    let deployed = json(&deploy(&[]));
    assert_eq!((&deployed["outcome"], &deployed["period"]), (&"deployed".into(), &1150.into()));
    let contract = deployed["contract"].as_str().unwrap();

    let proof = proof();
    let submit = |more: &[&str]| {
        let mut arguments = vec!["submit", "--rpc", &rpc, "--contract", contract, "--key-file", text(&key)];
        arguments.push(text(&proof));
        arguments.extend(more);
        sextant(&arguments)
    };
    assert_eq!(json(&submit(&["--json", "--dry-run"]))["outcome"], "would be accepted");
    let accepted = json(&submit(&["--json"]));
    assert_eq!(accepted["outcome"], "accepted");
    assert!(accepted["gas_used"].as_u64().unwrap() > 100_000, "{accepted}");
    let again = submit(&[]);
    let told = String::from_utf8(again.stdout).unwrap();
    assert!(again.status.success() && told.contains("proven there before"), "{told}");

    // A contract whose rules it does not meet says so in one line.
    let strict = json(&deploy(&["--min-participation", "512"]));
    let strict = strict["contract"].as_str().unwrap();
    let arguments = ["submit", "--rpc", &rpc, "--contract", strict, "--key-file", text(&key), text(&proof)];
    assert_names(&sextant(&arguments), &["committee-change.proof", "the contract refuses", "511", "512"]);
    let arguments = ["submit", "--rpc", &rpc, "--contract", &"11".repeat(20), "--key-file", text(&key)];
    assert_names(&sextant(&[&arguments[..], &[text(&proof)]].concat()), &["no contract at"]);
    let other = submit(&["--chain-id", "1"]);
    assert_names(&other, &["chain 31337", "expected 1"]);
}

#[test]
fn keys_are_not_taken_carelessly() {
    let folder = Folder::new();
    let key = folder.write("key", KEYS[0]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let proof = proof();
    let contract = "11".repeat(20);
    let submit = ["submit", "--rpc", "http://127.0.0.1:9", "--contract", &contract, text(&proof)];
    assert_names(&sextant(&[&submit[..], &["--key-file", text(&key)]].concat()), &["644", "chmod 600"]);
    assert_names(&sextant(&submit), &["no key", "--keystore", "SEXTANT_KEY"]);
}

#[test]
fn calldata_is_only_for_contracts() {
    let bootstrap = file(BOOTSTRAP);
    let update = file(common::UPDATE_1150);
    let prove = ["prove", "committee-change", "--bootstrap", text(&bootstrap), "--update", text(&update)];
    assert_names(&sextant(&[&prove[..], &["--calldata"]].concat()), &["--calldata", "groth16"]);
}
