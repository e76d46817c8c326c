//! Nodes with recorded answers, and sources that do not wait long for them.

// Each test file uses its own part.
#![allow(dead_code)]

use std::time::Duration;

use sextant_sources::{BeaconNodes, Chain, ExecutionNodes, Expected, SourceConfig, SourceError};
use sextant_test_nodes::{Ask, Node, Reply, recorded::Recorded};

pub fn quick() -> SourceConfig {
    SourceConfig {
        timeout: Duration::from_millis(800),
        connect_timeout: Duration::from_millis(500),
        rounds: 3,
        backoff: Duration::from_millis(20),
        max_backoff: Duration::from_millis(300),
        ca_file: None,
    }
}

pub fn beacon(nodes: &[&Node]) -> BeaconNodes {
    BeaconNodes::new(nodes.iter().map(|node| node.url().parse().unwrap()).collect(), quick()).unwrap()
}

pub fn execution(nodes: &[&Node]) -> ExecutionNodes {
    ExecutionNodes::new(nodes.iter().map(|node| node.url().parse().unwrap()).collect(), quick()).unwrap()
}

/// A beacon node with recorded answers, but for those that `fault` replaces.
pub async fn beacon_node(
    recorded: &Recorded,
    fault: impl Fn(&Ask) -> Option<Reply> + Send + Sync + 'static,
) -> Node {
    let recorded = recorded.clone();
    Node::start(move |ask| fault(ask).unwrap_or_else(|| recorded.beacon(ask))).await
}

/// The same for an execution node.
pub async fn execution_node(
    recorded: &Recorded,
    fault: impl Fn(&Ask) -> Option<Reply> + Send + Sync + 'static,
) -> Node {
    let recorded = recorded.clone();
    Node::start(move |ask| fault(ask).unwrap_or_else(|| recorded.execution(ask))).await
}

/// Only where the path ends so.
pub fn at(
    suffix: &'static str,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> impl Fn(&Ask) -> Option<Reply> + Send + Sync + 'static {
    move |ask| ask.path.ends_with(suffix).then(&reply)
}

pub async fn chain_of(recorded: &Recorded, beacon: &BeaconNodes) -> Chain {
    beacon.chain(&Expected::Config(recorded.chain.clone())).await.unwrap()
}

/// One line that names all of these.
#[track_caller]
pub fn names(error: &impl std::fmt::Display, parts: &[&str]) {
    let line = error.to_string();
    assert!(!line.contains('\n'), "not one line: {line}");
    for part in parts {
        assert!(line.contains(part), "{part:?} is not named in: {line}");
    }
}

/// The finality update, taken as it is.
pub async fn finality(beacon: &BeaconNodes, recorded: &Recorded) -> Result<u64, SourceError> {
    let slot = |update: sextant_sources::input::Sourced<
        sextant_consensus::light_client::LightClientFinalityUpdate,
    >| { Ok::<_, String>(update.value.attested_header.beacon.slot) };
    beacon.finality_update(&recorded.chain, slot).await
}
