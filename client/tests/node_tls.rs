//! HTTPS nodes with an authority of one's own: `--node-ca` counts for every node that a command asks.

mod common;
mod fake;

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use common::{BOOTSTRAP, Folder, assert_names, file, sextant_with, text};
use fake::{Peer, everything, listen_each};
use sextant_fixtures::devnet::ELECTRA;
use sextant_protocol::Response;
use sextant_test_nodes::{Node, Reply, recorded::Recorded};

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proof-server/tests/tls").join(name)
}

/// A node that this machine has no reason to trust, and that knows nothing.
async fn stranger() -> Node {
    Node::start_tls(&pem("server.pem"), &pem("server-key.pem"), |_| Reply::refused(404, "nothing here")).await
}

/// Whoever names no authorities means this system's, which `SSL_CERT_FILE` names.
#[tokio::test(flavor = "multi_thread")]
async fn servers_are_known_by_the_systems_authorities() {
    let there = stranger().await;
    let address = there.url().trim_start_matches("https://").trim_end_matches('/').to_owned();
    for (authorities, trusted) in [("ca.pem", true), ("stranger.pem", false)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sextant"));
        command.args(["server", "ping", "--tls"]).env("SEXTANT_SERVER", &address);
        command.env("SSL_CERT_FILE", pem(authorities)).env_remove("SSL_CERT_DIR");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        // It is no server of proofs: that shows once it is known who it is.
        let line = common::error_line(&output);
        assert_eq!(!line.contains("certificate"), trusted, "{line}");
    }
}

/// What a command line's node is asked without and with the authority.
async fn asked(line: &str, words: &[(&str, &str)]) -> [usize; 2] {
    let mut counts = [0; 2];
    // A server is asked first what it offers: everything.
    let server = listen_each(|stream| async move {
        let mut peer = Peer::greet(stream).await;
        let (id, _) = peer.request().await;
        peer.answer(id, Ok(Response::Info(everything()))).await;
        peer.drain().await;
    });
    let server = server.await.to_string();
    for (count, trusting) in counts.iter_mut().zip([false, true]) {
        let node = stranger().await;
        let (url, ca) = (node.url(), pem("ca.pem"));
        let put = |word: &str| match words.iter().find(|(name, _)| *name == word) {
            Some((_, value)) => (*value).to_owned(),
            None if word == "NODE" => url.clone(),
            None => word.to_owned(),
        };
        let mut line: Vec<String> = line.split_whitespace().map(put).collect();
        if trusting {
            line.extend(["--node-ca".into(), text(&ca).into()]);
        }
        let server = server.clone();
        let run = move || sextant_with(&server, &line.iter().map(String::as_str).collect::<Vec<_>>());
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        // The node is of no use either way: what differs is why.
        assert_names(&output, &[if trusting { "nothing here" } else { "certificate" }]);
        *count = node.asked().len();
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_is_reached_by_the_authorities_that_are_named() {
    let recorded = Recorded::devnet(ELECTRA);
    let (checkpoint, digest) = (hex::encode(recorded.checkpoints()[0]), hex::encode(recorded.chain.digest()));
    let honest = Node::start(move |ask| recorded.beacon(ask)).await;
    let beacon = honest.url();
    let folder = Folder::new();
    let key = folder.write("key", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let snark = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/recorded-snarks/inclusion.proof");
    let bootstrap = file(BOOTSTRAP);
    let words = [
        ("BEACON", &*beacon),
        ("CHECKPOINT", &checkpoint),
        ("DIGEST", &digest),
        ("KEY", text(&key)),
        ("SNARK", text(&snark)),
        ("BOOTSTRAP", text(&bootstrap)),
    ];
    let contract = "0x0000000000000000000000000000000000000001";
    let own_chain = "--chain-digest DIGEST --checkpoint CHECKPOINT";
    let follow = format!("follow --once --allow-old-checkpoint --max-head-age 0 --state STATE {own_chain}");
    let cases = [
        ("the beacon node of prove", "prove committee-change --from 0 --beacon NODE".to_owned()),
        (
            "the execution node of prove",
            format!("prove inclusion {own_chain} --beacon BEACON --rpc NODE --address {contract}"),
        ),
        (
            "the beacon node of deploy",
            format!(
                "deploy --rpc http://127.0.0.1:1 --verifier {contract} --beacon NODE --checkpoint CHECKPOINT --key-file KEY"
            ),
        ),
        (
            "the contract's node of deploy",
            format!(
                "deploy --rpc NODE --verifier {contract} --bootstrap BOOTSTRAP --allow-old-checkpoint --key-file KEY"
            ),
        ),
        (
            "the contract's node of submit",
            format!("submit --rpc NODE --contract {contract} --key-file KEY SNARK"),
        ),
        (
            "the beacon node of follow",
            "follow --once --state STATE --checkpoint CHECKPOINT --beacon NODE".into(),
        ),
        ("the execution node of follow", format!("{follow} --beacon BEACON --rpc NODE --address {contract}")),
        (
            "the contract's node of follow",
            format!(
                "{follow} --beacon BEACON --kind groth16 --submit {contract} --submit-rpc NODE --key-file KEY"
            ),
        ),
    ];
    // Each waits a while for its node to get better.
    let asked = cases.into_iter().enumerate().map(async |(case, (nodes, line))| {
        let state = folder.path().join(case.to_string());
        let words = [&words[..], &[("STATE", text(&state))]].concat();
        (nodes, asked(&line, &words).await)
    });
    for (nodes, [distrusted, trusted]) in futures::future::join_all(asked).await {
        assert!(distrusted == 0 && trusted > 0, "{nodes}: {distrusted} and {trusted} questions");
    }
}
