//! The servers of a siege.

use std::{path::Path, time::Duration};

use sextant_protocol::{Request, Response};

use super::super::{outcome::Outcome, peer::Peer, peer::Who, tortured::Tortured};
use crate::scripted::Script;

/// The name of the honest client.
pub(super) const HONEST: &str = "honest";
/// Tokens that hostile clients have.
const STOLEN: usize = 50;
/// MiB of memory that a server may take, besides those that its settings name for large messages.
const GROWTH: u64 = 128;
/// MiB for large messages.
const BUFFERS: u64 = 64;

/// As fast as provers of the future.
const SCRIPT: Script =
    Script { prove: Duration::from_millis(200), verify: Duration::from_millis(20), bytes: 500_000 };

/// Servers, that which clients know first.
pub(super) struct Fleet(Vec<(&'static str, Tortured)>);

/// The token of a client.
pub(super) fn token(name: &str) -> String {
    format!("sextant_{name}_{}", "0".repeat(40))
}

/// The name of a hostile client that has a token.
pub(super) fn stolen(number: usize) -> String {
    format!("stolen-{}", number % STOLEN)
}

impl Fleet {
    /// One that proves.
    pub(super) fn prover(folder: &Path) -> Self {
        Self(vec![("the prover", at_the_front(folder, &[]))])
    }

    /// An entrypoint, and two provers that serve it alone.
    pub(super) fn entrypoint(folder: &Path) -> Self {
        let (tokens, own) = (folder.join("servers.toml"), folder.join("token"));
        std::fs::write(&own, token("entrypoint")).expect("a file");
        std::fs::write(&tokens, format!("{}server = true\n", entry("entrypoint"))).expect("a file");
        let tokens = tokens.display().to_string();
        let provers = ["the first prover", "the second prover"].map(|name| {
            let arguments = common(folder);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            (name, Tortured::start(&[&arguments[..], &["--token-file", &tokens]].concat()))
        });
        let upstreams = provers.each_ref().map(|(_, prover)| prover.address()).join(",");
        let own = own.display().to_string();
        let front = at_the_front(
            folder,
            &[
                "--role",
                "entrypoint",
                "--committee-change-upstreams",
                &upstreams,
                "--inclusion-upstreams",
                &upstreams,
                "--upstream-token-file",
                &own,
            ],
        );
        Self([("the entrypoint", front)].into_iter().chain(provers).collect())
    }

    /// Where clients connect.
    pub(super) fn address(&self) -> String {
        self.0[0].1.address().to_owned()
    }

    /// Waits until proofs are made there.
    pub(super) async fn is_ready(&mut self) {
        let who = Who { token: token(HONEST), ..Who::default() };
        loop {
            let mut peer = Peer::introduced(&self.address(), &who).await.expect("a welcome was due");
            peer.ask(1, Request::Info).await;
            match peer.answer().await {
                Ok(Ok(Response::Info(info))) if info.ready => break,
                Ok(Ok(Response::Info(_))) => tokio::time::sleep(Duration::from_millis(100)).await,
                other => panic!("{other:?}"),
            }
        }
        self.0.iter_mut().for_each(|(_, server)| server.is_warm());
    }

    /// Ends them all, and says how they are.
    pub(super) async fn end(self, outcome: &mut Outcome) {
        for (name, server) in self.0 {
            server.end(name, BUFFERS + GROWTH, outcome).await;
        }
    }
}

/// A server that strangers reach, and those who have a token.
fn at_the_front(folder: &Path, arguments: &[&str]) -> Tortured {
    let names = (0..STOLEN).map(stolen).chain([HONEST.to_owned()]);
    let tokens = folder.join("tokens.toml");
    std::fs::write(&tokens, names.map(|name| entry(&name)).collect::<String>()).expect("a file");
    let common = common(folder);
    let tokens = tokens.display().to_string();
    let own = ["--allow-anonymous", "--token-file", &tokens];
    let common: Vec<&str> = common.iter().map(String::as_str).collect();
    Tortured::start(&[&common[..], &own, arguments].concat())
}

/// What all of them are told.
fn common(folder: &Path) -> Vec<String> {
    let worker = SCRIPT.install(folder).display().to_string();
    let buffers = BUFFERS.to_string();
    let arguments = ["--worker-program", &worker, "--buffer-mib", &buffers, "--cache-mib", "16"];
    // Not as patient as usual, so that those who hold things up do so again and again.
    let patience = ["--handshake-timeout", "3", "--frame-timeout", "3", "--write-timeout", "3"];
    arguments.iter().chain(&patience).map(|argument| (*argument).to_owned()).collect()
}

/// The entry of a token file.
fn entry(name: &str) -> String {
    use sha2::Digest;
    format!("[[token]]\nname = \"{name}\"\nsha256 = \"{}\"\n", hex::encode(sha2::Sha256::digest(token(name))))
}
