//! `sextant deploy` and `sextant submit` against a real node, with recorded real proofs.

mod common;
#[path = "../../submit/tests/common/mod.rs"]
mod node;

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use common::{BOOTSTRAP, Folder, assert_names, file, sextant, text};
use node::{Anvil, GENESIS, KEYS, accepts_only, catch_up, deployment};
use serde_json::Value;
use sextant_client::{ProofKind, ProofRecord};
use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, Statement},
};

/// An hour after the finalized slot of the recorded committee change.
const TIME: u64 = GENESIS + 12 * 9_430_496 + 3600;

fn proof() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/recorded-snarks/committee-change.proof")
}

/// The verifying key of the circuits that made it.
fn circuits() -> PathBuf {
    proof().with_file_name("groth16_vk.bin")
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
    let (bootstrap, circuits) = (file(BOOTSTRAP), circuits());
    let rpc = anvil.url.clone();
    let deploy = |more: &[&str]| {
        let mut arguments = vec!["deploy", "--rpc", &rpc, "--verifier", &verifier, "--key-file", text(&key)];
        arguments.extend(["--bootstrap", text(&bootstrap), "--allow-dev-circuits", text(&circuits)]);
        arguments.extend(["--allow-old-checkpoint", "--confirmations", "0", "--yes", "--json"]);
        arguments.extend(more);
        sextant(&arguments)
    };
    // Everything that is for good is shown.
    let tried = json(&deploy(&["--dry-run", "--next-fork-epoch", "500000"]));
    assert_eq!(tried["outcome"], "would be deployed");
    assert_eq!((&tried["genesis_time"], &tried["seconds_per_slot"]), (&GENESIS.into(), &12.into()));
    assert_eq!(
        (&tried["min_participation"], &tried["max_age_seconds"]),
        (&342.into(), &(14 * 86_400).into())
    );
    assert!(tried["next_fork"].as_str().unwrap().contains("slot 16000000"), "{tried}");
    assert!(
        tried["guardian"].is_null() && tried["warning"].as_str().unwrap().contains("no guardian"),
        "{tried}"
    );
    for name in [
        "chain_digest",
        "committee_change_key",
        "inclusion_key",
        "bundle_key",
        "verifier",
        "circuits",
        "checkpoint_root",
    ] {
        assert!(tried[name].as_str().unwrap().starts_with("0x"), "{name}: {tried}");
    }
    assert!(tried["checkpoint_age_seconds"].as_u64().unwrap() > 86_400, "{tried}");
    let deployed = json(&deploy(&[]));
    assert_eq!((&deployed["outcome"], &deployed["period"]), (&"deployed".into(), &1150.into()));
    let contract = deployed["contract"].as_str().unwrap();

    let proof = proof();
    let submit = |more: &[&str]| {
        let mut arguments = vec!["submit", "--rpc", &rpc, "--contract", contract, "--key-file", text(&key)];
        arguments.extend(["--confirmations", "0", text(&proof)]);
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

/// A bundle goes with the files of its statements, which are found by what they say, whichever order and form they come in.
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_submitted_with_the_files_of_its_statements() {
    let (first, statement) = catch_up();
    let mut next = statement.clone();
    let taught = statement.learned[0];
    (next.head.signer_period, next.head.signer_committee_root) = (taught.period, taught.committee_root);
    next.learned.clear();
    let public_values = Statement::Inclusion(next).abi_encode();
    let next = ProofRecord { kind: ProofKind::Compressed, public_values, ..first.clone() };
    let bundle = |statements: &[&ProofRecord]| {
        let parts = statements.iter().map(|it| Bundled::of(Program::Inclusion, &it.public_values)).collect();
        let bundle = Statement::Bundle(Bundle { chain_digest: statement.head.chain_digest, parts });
        let (program, vk_hash) = (Program::Bundle.tag(), sextant_artifacts::BUNDLE.vk_hash);
        ProofRecord { program, vk_hash, public_values: bundle.abi_encode(), ..first.clone() }
    };
    let (all, reversed) = (bundle(&[&first, &next]), bundle(&[&next, &first]));

    let anvil = Anvil::start(GENESIS + 12 * statement.head.finalized_slot + 3600, &[]);
    let verifier = accepts_only(&anvil, &[&all, &reversed]).await;
    let deployed =
        deployment(verifier, &first).deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    let contract = deployed.contract.to_string();
    let folder = Folder::new();
    let write = |name: &str, record: &ProofRecord| folder.write(name, record.to_file_bytes());
    let files = [("first.proof", &first), ("next.proof", &next), ("all.proof", &all)];
    let [first, next, all] = files.map(|(name, record)| write(name, record));
    let reversed = write("reversed.proof", &reversed);
    let key = folder.write("key", KEYS[0]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (rpc, other) = (anvil.url.clone(), proof());
    let submit = |files: &[&std::path::Path], statements: &[&std::path::Path], more: &[&str]| {
        let mut arguments = vec!["submit", "--rpc", &rpc, "--contract", &contract, "--key-file", text(&key)];
        arguments.extend(["--confirmations", "0"]);
        arguments.extend(files.iter().map(|file| text(file)));
        if !statements.is_empty() {
            arguments.push("--statement");
            arguments.extend(statements.iter().map(|file| text(file)));
        }
        arguments.extend(more);
        sextant(&arguments)
    };
    let height = async || anvil.nodes().call("eth_blockNumber", serde_json::json!([])).await.unwrap();
    let before = height().await;

    // What is missing and what does not belong is named, and who is refused on the contract.
    for (files, statements, status, named) in [
        (&[&*all][..], &[&*next][..], 2, &["all.proof: statement 0 (from 0)", "missing", "--statement"][..]),
        (&[&all], &[], 2, &["all.proof: statement 0 (from 0)", "missing"]),
        (
            &[&all],
            &[&next, &first, &other],
            6,
            &["committee-change.proof: its statement is not in the bundle"],
        ),
        (&[&first], &[&next], 2, &["--statement", "no bundle"]),
        (
            &[&reversed],
            &[&first, &next],
            8,
            &["reversed.proof: ", "next.proof: ", "statement 0 (from 0)", "committee of period"],
        ),
    ] {
        let output = submit(files, statements, &[]);
        assert_names(&output, named);
        assert_eq!(output.status.code(), Some(status), "{named:?}");
    }
    assert_eq!(height().await, before, "nothing was sent");

    // What the one teaches the other is signed with.
    let statements = [&*next, &first];
    let tried = json(&submit(&[&all], &statements, &["--json", "--dry-run"]));
    assert_eq!(tried["outcome"], "would be accepted");
    assert_eq!(height().await, before);
    let accepted = json(&submit(&[&all], &statements, &["--json"]));
    assert_eq!(accepted["outcome"], "accepted");
    let names: Vec<_> = accepted.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        ["block", "file", "gas_used", "outcome", "transaction", "wei_per_gas"],
        "as of a proof"
    );
    assert!(accepted["file"].as_str().unwrap().ends_with("all.proof"), "{accepted}");
    let after = height().await;
    assert_ne!(after, before);
    assert_eq!(json(&submit(&[&all], &statements, &["--json"]))["outcome"], "known");
    assert_eq!(height().await, after, "and nothing was sent");
}

/// At a terminal everything that is for good is shown before the question, and only a yes deploys.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_shown_what_is_for_good_and_asked() {
    let anvil = Anvil::start(TIME, &[]);
    let verifier = anvil.verifier().await;
    let folder = Folder::new();
    let key = folder.write("key", KEYS[0]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let command = format!(
        "{} deploy --rpc {} --verifier {verifier} --key-file {} --bootstrap {} --allow-dev-circuits {} \
         --allow-old-checkpoint --confirmations 0",
        env!("CARGO_BIN_EXE_sextant"),
        anvil.url,
        text(&key),
        text(&file(BOOTSTRAP)),
        text(&circuits())
    );
    // `script` (util-linux) gives it a terminal.
    let answered = |answer: &str| {
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    for answer in ["\n", "n\n", "deploy\n"] {
        let (done, told) = answered(answer);
        assert!(!done && told.contains("not deployed"), "{told}");
        let (shown, _) = told.split_once("Deploy? [y/N]").expect("it asks");
        for named in [
            "1606824023",
            "seconds per slot",
            "chain digest",
            "committee change key",
            "inclusion key",
            &verifier.to_string().to_lowercase(),
            "circuits",
            "no guardian",
            "max age",
            "342",
            "checkpoint root",
            "committee root",
        ] {
            assert!(shown.contains(named), "{named} is not shown: {shown}");
        }
    }
    let blocks = async || anvil.nodes().call("eth_blockNumber", serde_json::json!([])).await.unwrap();
    assert_eq!(blocks().await, "0x1", "nothing but the verifier");
    let (done, told) = answered("y\n");
    assert!(done && told.contains("deployed"), "{told}");
    assert_eq!(blocks().await, "0x2");
}

/// What would be noticed too late: each is refused by its name, and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_senseless_deployment_is_refused() {
    let anvil = Anvil::start(TIME, &[]);
    let verifier = anvil.verifier().await.to_string();
    let folder = Folder::new();
    let key = folder.write("key", KEYS[0]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (bootstrap, circuits, rpc) = (file(BOOTSTRAP), circuits(), anvil.url.clone());
    let old = "--allow-old-checkpoint";
    let dev = ["--allow-dev-circuits", text(&circuits)];
    let refused = |more: &[&str], named: &[&str]| {
        let mut arguments =
            vec!["deploy", "--rpc", &rpc, "--key-file", text(&key), "--bootstrap", text(&bootstrap)];
        if !more.contains(&"--verifier") {
            arguments.extend(["--verifier", &verifier]);
        }
        arguments.extend(more);
        assert_names(&sextant(&arguments), named);
    };
    refused(
        &[&dev[..], &["--yes"]].concat(),
        &["checkpoint is of slot 9425184", "14", "--allow-old-checkpoint"],
    );
    refused(&[&dev[..], &[old]].concat(), &["--dry-run", "--yes"]);
    refused(&["--yes", old], &["circuits", "its verifier is for"]);
    let (guardian, nobody) = ("22".repeat(20), "00".repeat(20));
    for (more, named) in [
        (&["--min-participation", "0"][..], "minimum of signers of 0"),
        (&["--min-participation", "600"], "minimum of signers of 600"),
        (&["--max-age-days", "0"], "maximum age of 0"),
        (&["--guardian", &guardian, "--delay", "1"], "delay of 1"),
        (&["--guardian", &guardian, "--delay", "18446744073709551615"], "delay of 18446744073709551615"),
        (&["--guardian", &nobody, "--delay", "86400"], "--guardian: zero"),
        (&["--next-fork-epoch", "1"], "--next-fork-epoch 1"),
        (&["--next-fork-epoch", "18446744073709551615"], "--next-fork-epoch 18446744073709551615"),
        (&["--verifier", &guardian], "no contract at"),
    ] {
        refused(&[&dev[..], &["--yes", old], more].concat(), &[named]);
    }
    let sent = anvil.nodes().call("eth_blockNumber", serde_json::json!([])).await.unwrap();
    assert_eq!(sent, "0x1", "nothing but the verifier");
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
