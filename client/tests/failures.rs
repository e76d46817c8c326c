//! How the command ends: each kind of failure has an exit status of its own, in JSON a code; what it prints for shells
//! and readers; standard input and output in place of files.

mod common;
mod fake;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::{BOOTSTRAP, Folder, UPDATE_1150, UPDATE_1151, file, remove, sextant, sextant_with, text};
use fake::{Peer, everything, listen};
use sextant_client::ServerInfo;
use sextant_protocol::{ProofKind, Response};
use tokio::net::TcpStream;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/recorded-snarks").join(name)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The error of a command that was told `--json`.
fn json_error(output: &Output) -> serde_json::Value {
    let stderr = stderr(output);
    let value: serde_json::Value = serde_json::from_str(stderr.lines().last().unwrap()).expect(&stderr);
    assert_eq!(value["error"]["exit_status"], output.status.code().unwrap());
    assert!(output.stdout.is_empty());
    value["error"].clone()
}

#[test]
fn each_kind_of_failure_has_its_own_status() {
    let folder = Folder::new();
    let (bootstrap, update) = (file(BOOTSTRAP), file(UPDATE_1150));
    let broken = folder.edit(UPDATE_1150, |value| remove(value, "/data/finality_branch"));
    let proof = folder.write("x.proof", "no proof");
    let change = |bootstrap: &Path, update: &Path, more: &[&str]| {
        let files = ["--bootstrap", text(bootstrap), "--update", text(update)];
        sextant(&[&["prove", "committee-change", "--json"], &files[..], more].concat())
    };
    let nowhere = ["prove", "committee-change", "--json", "--beacon", "http://127.0.0.1:1"];
    for (code, status, output) in [
        ("failed", 1, sextant(&["verify", "/nonexistent", "--json"])),
        ("invalid_statement", 5, change(&bootstrap, &broken, &[])),
        ("invalid_statement", 5, change(&bootstrap, &file(UPDATE_1151), &[])),
        ("invalid_proof", 6, sextant(&["verify", text(&proof), "--json"])),
        ("unreachable", 4, change(&bootstrap, &update, &[])),
        // The server is asked before the node.
        ("unreachable", 4, sextant(&nowhere)),
    ] {
        assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
        assert_eq!(json_error(&output)["code"], code);
    }
    let empty = folder.write("token", "\n");
    let output = sextant(&["server", "ping", "--json", "--token-file", text(&empty)]);
    assert_eq!(json_error(&output)["code"], "usage");
}

/// Asks a server that offers `info` for a proof. It is asked nothing but that.
async fn asked(info: ServerInfo, arguments: Vec<String>) -> Output {
    let address = listen(async move |stream: TcpStream| {
        let mut peer = Peer::greet(stream).await;
        let (id, _) = peer.any_request().await;
        peer.answer(id, Ok(Response::Info(info))).await;
        peer.drain().await;
    })
    .await;
    let run = move || {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        sextant_with(&address.to_string(), &arguments)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The same with a node that is not there: had it been asked, that would be said.
async fn offered(info: ServerInfo, arguments: &[&str]) -> Output {
    let nodes = ["--json", "--beacon", "http://127.0.0.1:1"];
    asked(info, [arguments, &nodes].concat().into_iter().map(String::from).collect()).await
}

#[tokio::test]
async fn what_is_larger_than_a_server_takes_is_not_sent() {
    let mut small = everything();
    small.limits.input = 1_000;
    let (bootstrap, first, second) = (file(BOOTSTRAP), file(UPDATE_1150), file(UPDATE_1151));
    let line = [
        "prove",
        "committee-change",
        "--json",
        "--bootstrap",
        text(&bootstrap),
        "--update",
        text(&first),
        text(&second),
    ];
    let output = asked(small, line.map(String::from).into()).await;
    let error = json_error(&output);
    assert_eq!((&error["code"], output.status.code()), (&"refused".into(), Some(3)));
    let said = error["message"].as_str().unwrap();
    for part in ["this server takes 1000 at most", "smaller with fewer handovers (2 take "] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn what_a_server_does_not_offer_is_known_before_anything_is_fetched() {
    let change = &["prove", "committee-change"];
    let verifier = ServerInfo { programs: vec![], ..everything() };
    let error = json_error(&offered(verifier, change).await);
    assert_eq!(error["code"], "refused");
    assert!(error["message"].as_str().unwrap().contains("only verifies"), "{error}");

    let snark = &["prove", "committee-change", "--kind", "groth16"];
    let mut stark = everything();
    stark.programs[0].kinds = vec![ProofKind::Stark];
    let error = json_error(&offered(stark, snark).await);
    assert!(error["message"].as_str().unwrap().contains("no groth16 proofs"), "{error}");

    let mut other = everything();
    other.programs[0].vk_hash[5] ^= 1;
    let error = json_error(&offered(other, change).await);
    assert!(error["message"].as_str().unwrap().contains("another program"), "{error}");

    let error = json_error(&offered(everything(), change).await);
    assert_eq!(error["code"], "node", "then the nodes are asked");
}

#[tokio::test]
async fn tls_on_one_side_only_is_told_in_words() {
    // What rustls says to a hello that is none.
    let address = listen(async |stream: TcpStream| {
        use tokio::io::AsyncWriteExt;
        let (_read, mut write) = stream.into_split();
        write.write_all(&[21, 3, 3, 0, 2, 2, 22]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    })
    .await;
    let ping = |server: String, more: &'static [&'static str]| {
        let run = move || sextant_with(&server, &[&["server", "ping"], more].concat());
        tokio::task::spawn_blocking(run)
    };
    let output = ping(address.to_string(), &[]).await.unwrap();
    assert!(stderr(&output).contains("the server speaks TLS at this port"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(4));

    // What a server without TLS says to a hello of TLS: a frame.
    let address = listen(async |stream: TcpStream| {
        use tokio::io::AsyncWriteExt;
        let (_read, mut write) = stream.into_split();
        write.write_all(&[0, 0, 0, 8, 1, 0, 0, 0, 1, 0, 0, 0]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    })
    .await;
    const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proof-server/tests/tls/ca.pem");
    let output = ping(address.to_string(), &["--tls-ca", CA]).await.unwrap();
    assert!(stderr(&output).contains("does not speak TLS at this port"), "{}", stderr(&output));
}

#[test]
fn a_proof_comes_from_standard_input_and_its_start_is_not_vouched_for() {
    let key = recorded("groth16_vk.bin");
    let verify = |more: &[&str]| {
        let arguments = [&["verify", "-", "--json", "--allow-dev-circuits", text(&key)], more].concat();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sextant"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let proof = std::fs::read(recorded("inclusion.proof")).unwrap();
        child.stdin.take().unwrap().write_all(&proof).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let unchecked = verify(&[]);
    assert_eq!(unchecked["committee_root_compared"], false);
    assert!(unchecked["warning"].as_str().unwrap().starts_with("NOT checked"), "{unchecked}");
    let root = unchecked["public_values"]["signer_committee_root"].as_str().unwrap();
    let checked = verify(&["--committee-root", root]);
    assert_eq!((&checked["committee_root_compared"], &checked["warning"]), (&true.into(), &().into()));

    let other = "11".repeat(32);
    let file = recorded("inclusion.proof");
    let arguments = ["verify", text(&file), "--allow-dev-circuits", text(&key), "--committee-root", &other];
    assert_eq!(sextant(&arguments).status.code(), Some(6), "another committee");
}

#[test]
fn input_files_come_from_standard_input_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sextant"))
        .args(["prove", "committee-change", "--bootstrap", text(&file(BOOTSTRAP)), "--update", "-"])
        .env("SEXTANT_SERVER", "127.0.0.1:1")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let update = std::fs::read(file(UPDATE_1150)).unwrap();
    child.stdin.take().unwrap().write_all(&update).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "read, found true, and then no server: {}", stderr(&output));
}

#[test]
fn shells_and_readers_get_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(sextant(&["completions", shell]).stdout).unwrap();
        assert!(script.contains("committee-change") && script.contains("no-wait"), "{shell}");
    }
    let folder = Folder::new();
    assert!(sextant(&["man", text(folder.path())]).status.success());
    for page in ["sextant.1", "sextant-prove-inclusion.1", "sextant-server-info.1"] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}

#[test]
fn the_version_names_commit_and_programs() {
    let version = String::from_utf8(sextant(&["--version"]).stdout).unwrap();
    assert!(version.starts_with("sextant 0."), "{version}");
    for key in [sextant_artifacts::COMMITTEE_CHANGE.vk_hash, sextant_artifacts::INCLUSION.vk_hash] {
        assert!(version.contains(&hex::encode(key)), "{version}");
    }
    let first = String::from_utf8(sextant(&["--help"]).stdout).unwrap();
    assert!(first.starts_with("Proofs of what is true on Ethereum"), "{first}");
    assert!(first.contains("--beacon") && first.contains("Exit status"), "{first}");
}
