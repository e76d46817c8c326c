//! The command between nodes and a server that are played.

use std::{
    process::Output,
    sync::{Arc, Mutex},
};

use sextant_client::{ServerError, StatementInput};
use sextant_protocol::ErrorCode;
use sextant_test_nodes::{Node, recorded::Recorded};
use tokio::net::TcpStream;

use crate::{
    common::sextant_with,
    fake::{Peer, listen},
};

/// Runs `sextant prove` against a server that keeps what it is asked, and then has no prover.
pub async fn asked_of_server(arguments: Vec<String>) -> (Output, Option<StatementInput>) {
    let asked = Arc::new(Mutex::new(None));
    let keep = asked.clone();
    let address = listen(async move |stream: TcpStream| {
        let mut peer = Peer::greet(stream).await;
        let (id, prove) = peer.prove_request().await;
        *keep.lock().unwrap() = Some(prove.input);
        peer.answer(id, Err(ServerError::new(ErrorCode::ProverFailed, "no prover here"))).await;
        peer.drain().await;
    })
    .await;
    let run = move || {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        sextant_with(&address.to_string(), &arguments)
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let asked = asked.lock().unwrap().take();
    (output, asked)
}

/// Words of a command line, with `URL`s put in.
pub fn words(line: &str, beacon: &Node, rpc: &Node) -> Vec<String> {
    line.split_whitespace()
        .map(|word| match word {
            "BEACON" => beacon.url(),
            "RPC" => rpc.url(),
            word => word.into(),
        })
        .collect()
}

pub async fn nodes(recorded: &Recorded) -> (Node, Node) {
    let (beacon, execution) = (recorded.clone(), recorded.clone());
    let beacon = Node::start(move |ask| beacon.beacon(ask)).await;
    (beacon, Node::start(move |ask| execution.execution(ask)).await)
}

pub fn checkpoint(recorded: &Recorded) -> String {
    hex::encode(recorded.checkpoints()[0])
}

pub const FACTORY: &str = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f";

pub fn factory_slot() -> String {
    hex::encode(sextant_fixtures::uniswap_factory().slots[0].0)
}
