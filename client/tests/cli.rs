//! The command's refusals: one line that names the field or rule, exit code 1, no panic.

mod common;

use common::{
    BOOTSTRAP, FINALITY_UPDATE, Folder, INCLUSION_BOOTSTRAP, PROOF, UPDATE_1150, UPDATE_1151, assert_names,
    at, file, remove, sextant, text,
};
use serde_json::Value;
use sextant_client::verify::pinned_vk_hash;
use sextant_consensus::{
    bls::Plain, codec, committee_change, inclusion, networks::MAINNET, public_values::Statement,
};
use sextant_fixtures::{events, gloas};
use sextant_protocol::{ProofKind, ProofRecord, proof::Circuits};

fn prove_change(updates: &[&std::path::Path]) -> std::process::Output {
    let bootstrap = file(BOOTSTRAP);
    let mut arguments = vec!["prove", "committee-change", "--bootstrap", text(&bootstrap), "--update"];
    arguments.extend(updates.iter().map(|path| text(path)));
    sextant(&arguments)
}

fn prove_inclusion(update: &std::path::Path, proof: &std::path::Path) -> std::process::Output {
    let bootstrap = file(INCLUSION_BOOTSTRAP);
    sextant(&[
        "prove",
        "inclusion",
        "--bootstrap",
        text(&bootstrap),
        "--finality-update",
        text(update),
        "--proof",
        text(proof),
    ])
}

#[test]
fn broken_files_end_in_one_line() {
    let folder = Folder::new();
    let half = folder.edit_text(UPDATE_1150, |text| text[..1000].to_owned());
    assert_names(&prove_change(&[&half]), &[UPDATE_1150, "not JSON", "line"]);

    let missing = folder.edit(UPDATE_1150, |value| remove(value, "/data/finality_branch"));
    assert_names(&prove_change(&[&missing]), &[UPDATE_1150, "missing field `finality_branch`"]);

    let bits = folder.edit(UPDATE_1150, |value| {
        *at(value, "/data/sync_aggregate/sync_committee_bits") = "0xffff".into();
    });
    assert_names(&prove_change(&[&bits]), &[UPDATE_1150, "sync_committee_bits", "2 bytes"]);

    assert_names(&prove_change(&[&file(UPDATE_1151)]), &[UPDATE_1151, "does not connect", "1151", "1150"]);
    assert_names(&prove_change(&[&folder.path().join("nowhere")]), &["cannot read", "nowhere"]);
}

/// The statement is checked before any server is asked: none listens here.
#[test]
fn false_statements_end_in_one_line_without_a_server() {
    let folder = Folder::new();
    assert_names(
        &prove_change(&[&file(UPDATE_1150), &file(UPDATE_1150)]),
        &[UPDATE_1150, "handover 1", "period"],
    );

    let signature = folder.edit(UPDATE_1150, |value| {
        let other = common::recorded(UPDATE_1151);
        *at(value, "/data/sync_aggregate/sync_committee_signature") =
            other["data"]["sync_aggregate"]["sync_committee_signature"].clone();
    });
    assert_names(&prove_change(&[&signature]), &[UPDATE_1150, "signature does not match"]);

    let node = folder.edit(PROOF, |value| {
        let node = at(value, "/result/accountProof/1");
        *node = node.as_str().unwrap().replacen("0xf90211a0", "0xf90211a1", 1).into();
    });
    assert_names(&prove_inclusion(&file(FINALITY_UPDATE), &node), &[PROOF, "account 0x5c69bee7"]);
    // A finality update is no bootstrap.
    assert_names(
        &prove_inclusion(&file(INCLUSION_BOOTSTRAP), &file(PROOF)),
        &[INCLUSION_BOOTSTRAP, "missing field `attested_header`"],
    );
}

#[test]
fn an_unreachable_server_ends_in_one_line() {
    assert_names(&prove_change(&[&file(UPDATE_1150)]), &["cannot connect to 127.0.0.1:1"]);
    assert_names(&sextant(&["server", "ping"]), &["cannot connect to 127.0.0.1:1"]);
    assert_names(
        &sextant(&["server", "info", "--server", "no-such-host.invalid:1"]),
        &["no-such-host.invalid:1"],
    );
    assert_names(&sextant(&["server", "info", "--server", "nonsense"]), &["cannot connect to nonsense"]);
}

/// Before anything is connected: nobody is there.
#[test]
fn a_token_does_not_leave_this_machine_in_the_clear() {
    let folder = Folder::new();
    let token = folder.write("token", "sextant_c0ffee");
    let line = ["server", "ping", "--server", "192.0.2.7:1", "--token-file", text(&token)];
    let output = sextant(&line);
    assert_eq!(output.status.code(), Some(2));
    assert_names(&output, &["token", "--allow-plain-token"]);
}

#[test]
fn an_unwritable_target_is_known_before_the_proof() {
    let folder = Folder::new();
    let update = file(UPDATE_1150);
    let bootstrap = file(BOOTSTRAP);
    for (out, reason) in
        [(folder.path().to_owned(), "it is a folder"), (folder.path().join("a/b"), "no folder")]
    {
        let output = sextant(&[
            "prove",
            "committee-change",
            "--bootstrap",
            text(&bootstrap),
            "--update",
            text(&update),
            "--out",
            text(&out),
        ]);
        assert_names(&output, &["cannot write", reason]);
    }
}

#[test]
fn arguments_are_checked() {
    let usage = |arguments: &[&str]| {
        let output = sextant(arguments);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(usage(&["verify", "x", "--network", "ropsten"]).contains("known networks: mainnet"));
    assert!(usage(&["verify", "x", "--committee-root", "0x12"]).contains("32 bytes"));
    assert!(usage(&["prove", "committee-change", "--bootstrap", "x"]).contains("--update"));
    let kind = ["prove", "committee-change", "--bootstrap", "x", "--update", "y", "--kind", "snark"];
    assert!(usage(&kind).contains("unknown proof kind"));
}

/// For whoever asks by other means: the input that a server takes, of a true statement, and nothing else is needed.
#[test]
fn a_checked_input_is_written_without_any_server() {
    let files = [BOOTSTRAP, UPDATE_1150, UPDATE_1151].map(file);
    let [bootstrap, first, second] = files.each_ref().map(|path| text(path));
    let prove = ["prove", "committee-change", "--bootstrap", bootstrap, "--update", first, second];
    let output = sextant(&[&prove[..], &["--input-only", "-"]].concat());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, codec::encode(&sextant_fixtures::committee_change(2)));
    let folder = Folder::new();
    let out = folder.path().join("input");
    let swapped = ["prove", "committee-change", "--bootstrap", bootstrap, "--update", second, first];
    let refused = sextant(&[&swapped[..], &["--input-only", text(&out)]].concat());
    assert!(!refused.status.success() && !out.exists(), "{refused:?}");
}

/// A record with true public values and a worthless proof.
fn worthless() -> ProofRecord {
    let input = sextant_fixtures::committee_change(2);
    let values = committee_change::check(&input, &mut Plain).unwrap();
    ProofRecord {
        program: 1,
        kind: ProofKind::Compressed,
        circuits: Circuits::Release,
        circuit_version: sextant_verifier::Verifier::circuit_version().into(),
        vk_hash: sextant_artifacts::COMMITTEE_CHANGE.vk_hash,
        public_values: values.abi_encode(),
        proof: vec![1, 2, 3],
    }
}

#[test]
fn inspect_shows_a_file_without_judging_it() {
    let folder = Folder::new();
    let path = folder.write("a.proof", worthless().to_file_bytes());
    let output = sextant(&["inspect", text(&path)]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    for part in ["inspected only", "mainnet", "1150", "committee of 1151", "committee of 1152", "compressed"]
    {
        assert!(shown.contains(part), "{part:?} is not in: {shown}");
    }

    let output = sextant(&["inspect", text(&path), "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["verified"], false);
    assert_eq!(value["public_values"]["network"], "mainnet");
    assert_eq!(value["public_values"]["learned"][1]["period"], 1152);
    let digest = format!("0x{}", hex::encode(MAINNET.digest()));
    assert_eq!(value["public_values"]["chain_digest"], *digest);
}

/// A record with these public values and a worthless proof.
fn saying(statement: &Statement) -> ProofRecord {
    let program = statement.program();
    let vk_hash = pinned_vk_hash(program);
    ProofRecord { program: program.tag(), vk_hash, public_values: statement.abi_encode(), ..worthless() }
}

fn said(input: &inclusion::Input) -> Statement {
    Statement::Inclusion(inclusion::check(input, &mut Plain).unwrap())
}

/// What `sextant inspect` prints about a statement, its values without the spaces that align them, and its JSON.
fn inspected(statement: &Statement) -> (Vec<String>, Value) {
    let folder = Folder::new();
    let path = folder.write("a.proof", saying(statement).to_file_bytes());
    let lines = String::from_utf8(sextant(&["inspect", text(&path)]).stdout).unwrap();
    let lines = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let json = sextant(&["inspect", text(&path), "--json"]).stdout;
    (lines, serde_json::from_slice::<Value>(&json).unwrap()["public_values"].take())
}

#[track_caller]
fn shows(lines: &[String], part: &str) {
    assert!(lines.iter().any(|line| line == part), "{part:?} is not in: {lines:#?}");
}

/// Of a statement about an earlier block everything is shown, and which block it is about is said plainly.
#[test]
fn an_inclusion_is_shown_with_the_block_that_it_is_about() {
    let statement = said(&events::everything());
    let (lines, json) = inspected(&statement);
    let Statement::Inclusion(values) = statement else { panic!("another statement") };
    let (facts, transaction, log) = (values.facts, values.transactions[0], &values.logs[0]);
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));

    shows(&lines, "an EARLIER block than the finalized one; all that follows is about it");
    shows(&lines, &format!("block {}, 60 before the finalized one", facts.number));
    shows(&lines, &format!("receipts root {}", hex(&facts.receipts_root)));
    shows(&lines, &format!("block's time {} (Unix seconds)", facts.timestamp));
    shows(&lines, &format!("committee of {} {}", gloas::PERIOD + 1, hex(&values.learned[0].committee_root)));
    shows(&lines, &format!("transaction {} of the block", events::TRANSFER));
    shows(&lines, &format!("hash {}", hex(&transaction.hash)));
    shows(&lines, "status succeeded");
    shows(&lines, &format!("log 0 by {}", hex(&log.address)));
    log.topics.iter().for_each(|topic| shows(&lines, &format!("topic {}", hex(topic))));
    shows(&lines, &format!("no log of {} in the block: proven absent", hex(&values.no_logs[0].address)));
    shows(&lines, "topics whichever");

    assert_eq!(json["facts"]["is_finalized_block"], false);
    assert_eq!(json["facts"]["block_number"], facts.number);
    assert_eq!(json["block_number"], facts.number + 60);
    assert_eq!(json["facts"]["timestamp"], facts.timestamp);
    assert_eq!(json["learned"][0]["period"], gloas::PERIOD + 1);
    assert_eq!(json["transactions"][0]["hash"], hex(&transaction.hash));
    assert_eq!(json["transactions"][0]["index"], events::TRANSFER);
    assert_eq!(json["logs"][0]["position"], 0);
    assert_eq!(json["logs"][0]["data_hash"], Value::Null);
    assert_eq!(json["logs"][0]["topics"].as_array().unwrap().len(), log.topics.len());
    assert_eq!(json["no_logs"][0]["topics"], serde_json::json!([]));
}

/// What is not proven is not shown as zero.
#[test]
fn what_an_inclusion_leaves_unproven_is_not_shown_as_zero() {
    let (lines, json) = inspected(&said(&sextant_fixtures::inclusion()));
    shows(&lines, "what follows is about the finalized block above");
    assert!(!lines.iter().any(|line| line.contains("receipts root") || line.contains("time")));
    assert_eq!(json["facts"]["is_finalized_block"], true);
    for unproven in ["receipts_root", "timestamp"] {
        assert_eq!(json["facts"][unproven], Value::Null);
    }

    let statement = said(&events::three_transactions());
    let (lines, json) = inspected(&statement);
    shows(&lines, "hash not proven, only its receipt is");
    shows(&lines, "status failed");
    assert!(lines.iter().any(|line| line.starts_with("hash of its data 0x")), "{lines:#?}");
    assert_eq!(json["transactions"][0]["hash"], Value::Null);
    assert_eq!(json["logs"][2]["data"], Value::Null);
}

#[test]
fn another_build_is_named_by_inspect() {
    let folder = Folder::new();
    let mut record = worthless();
    record.vk_hash[0] ^= 1;
    let path = folder.write("a.proof", record.to_file_bytes());
    let shown = String::from_utf8(sextant(&["inspect", text(&path)]).stdout).unwrap();
    assert!(shown.contains("ANOTHER than this command's"), "{shown}");
    record.public_values[63] = 1;
    let path = folder.write("b.proof", record.to_file_bytes());
    assert_names(&sextant(&["inspect", text(&path)]), &["b.proof", "public values of version 1"]);
}

#[test]
fn proof_files_that_are_none_end_in_one_line() {
    let folder = Folder::new();
    let whole = worthless().to_file_bytes();
    let names = |content: &[u8], parts: &[&str]| {
        let path = folder.write("a.proof", content);
        for command in ["verify", "inspect", "wrap"] {
            assert_names(&sextant(&[command, text(&path)]), parts);
        }
    };
    names(b"", &["a.proof", "not a Sextant proof file"]);
    names(b"hello", &["a.proof", "not a Sextant proof file"]);
    names(&whole[..whole.len() - 1], &["checksum mismatch"]);
    let mut edited = whole.clone();
    edited[100] ^= 1;
    names(&edited, &["checksum mismatch"]);
    assert_names(&sextant(&["verify", text(&folder.path().join("none"))]), &["cannot read", "none"]);
}

/// One edit of the record each, and the reason that names it.
#[test]
fn a_proof_is_refused_with_its_reason() {
    type Edit = fn(&mut ProofRecord);
    let cases: [(&str, Edit); 14] = [
        ("does not decode", |_| {}),
        ("unknown program tag 9", |record| record.program = 9),
        ("another build of the inclusion program", |record| record.program = 2),
        ("another build of the committee-change program", |record| record.vk_hash[31] ^= 1),
        ("public values of version 1, this build reads version 2", |record| record.public_values[63] = 1),
        ("circuit version \"v0\"", |record| record.circuit_version = "v0".into()),
        ("development circuits", |record| record.circuits = Circuits::Development),
        ("a Groth16 proof has 356 bytes", |record| record.kind = ProofKind::Groth16),
        ("the proof does not hold", |record| {
            (record.kind, record.proof) = (ProofKind::Groth16, vec![0; 356]);
        }),
        ("development circuits", |record| {
            (record.kind, record.circuits) = (ProofKind::Groth16, Circuits::Development);
        }),
        ("plonk proofs are not supported", |record| record.kind = ProofKind::Plonk),
        ("public values", |record| record.public_values.push(0)),
        ("public values: unexpected offset", |record| record.public_values[31] ^= 1),
        // An SP1 core proof of no shards.
        ("is not a compressed proof", |record| record.proof = vec![0; 12]),
    ];
    let folder = Folder::new();
    for (reason, edit) in cases {
        let mut record = worthless();
        edit(&mut record);
        let path = folder.write("a.proof", record.to_file_bytes());
        let output = sextant(&["verify", text(&path)]);
        assert_names(&output, &["a.proof: not a valid proof", reason]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.matches(reason).count(), 1, "one cause is said once: {said}");
    }
}

/// What cannot be wrapped is known before any server is asked, and is the fault of the file.
#[test]
fn only_a_compressed_proof_that_holds_is_wrapped() {
    let folder = Folder::new();
    let mut stark = worthless();
    stark.kind = ProofKind::Stark;
    for (record, reasons) in [
        (stark, &["a.proof", "only a compressed proof", "a stark proof"][..]),
        (worthless(), &["a.proof", "does not verify", "does not decode"]),
    ] {
        let path = folder.write("a.proof", record.to_file_bytes());
        let output = sextant(&["wrap", text(&path), "--server", "no-such-host.invalid:1"]);
        assert_eq!(output.status.code(), Some(6));
        assert_names(&output, reasons);
    }
    let path = folder.write("a.proof", worthless().to_file_bytes());
    let nowhere = folder.path().join("a/b");
    assert_names(&sextant(&["wrap", text(&path), "--out", text(&nowhere)]), &["cannot write", "no folder"]);
}

/// Whoever accepts development circuits says so with their key, and hears a warning; the proof must hold all the same.
#[test]
fn development_circuits_are_accepted_by_name_only() {
    let folder = Folder::new();
    let mut record = worthless();
    (record.kind, record.circuits, record.proof) = (ProofKind::Groth16, Circuits::Development, vec![0; 356]);
    let path = folder.write("a.proof", record.to_file_bytes());
    let key = folder.write("groth16_vk.bin", sextant_verifier::release_key());
    let output = sextant(&["verify", text(&path), "--allow-dev-circuits", text(&key)]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("warning") && said.contains("the proof does not hold"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// Whatever the engine's verifier does on proofs of the right form and no content: one line, no panic's trace.
#[test]
fn an_empty_proof_ends_in_one_line() {
    let folder = Folder::new();
    let mut record = worthless();
    record.kind = ProofKind::Stark;
    record.proof = vec![0; 12];
    let path = folder.write("a.proof", record.to_file_bytes());
    assert_names(&sextant(&["verify", text(&path)]), &["a.proof: not a valid proof"]);
}

#[test]
fn inspect_names_what_it_cannot_read() {
    let folder = Folder::new();
    let mut unknown = worthless();
    unknown.program = 9;
    let path = folder.write("b.proof", unknown.to_file_bytes());
    assert_names(&sextant(&["inspect", text(&path)]), &["b.proof", "unknown program tag 9"]);

    let mut garbled = worthless();
    garbled.public_values.push(0);
    let path = folder.write("c.proof", garbled.to_file_bytes());
    assert_names(&sextant(&["inspect", text(&path)]), &["c.proof", "public values"]);
}
