//! The first start: nodes that are syncing, away or busy are waited for from the first moment on; a refusal ends it.

mod common;

use std::{
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{Checking, World, names};
use sextant_follow::{Config, Event, FollowError, Follower};
use sextant_sources::{BeaconNodes, ExecutionNodes, Expected, SourceConfig};
use sextant_test_nodes::{Node, Reply};
use tempfile::tempdir;

fn quick() -> SourceConfig {
    SourceConfig { rounds: 1, ..SourceConfig::default() }
}

/// Starts in time with these nodes, and tells each event as it comes.
async fn open(
    config: Config,
    beacon: &str,
    rpc: &str,
    mut on_event: impl FnMut(Event) + Send,
    stop: impl Future<Output = ()>,
) -> Result<Option<Follower<Checking>>, FollowError> {
    let beacon = BeaconNodes::new(vec![beacon.parse().unwrap()], quick()).unwrap();
    let rpc = ExecutionNodes::new(vec![rpc.parse().unwrap()], quick()).unwrap();
    Follower::open_in_time(config, beacon, Some(rpc), Checking::default(), &mut on_event, stop).await
}

/// Both nodes of a world, which say that they are syncing as long as `syncing` does.
async fn syncing_nodes(world: &World, syncing: &Arc<AtomicBool>) -> [Node; 2] {
    let (chain, still) = (world.chain.clone(), syncing.clone());
    let beacon = Node::start(move |ask| match still.load(Ordering::SeqCst) {
        true => Reply::refused(503, "beacon node is syncing"),
        false => chain.beacon(ask),
    });
    let (chain, still) = (world.chain.clone(), syncing.clone());
    let rpc = Node::start(move |ask| match still.load(Ordering::SeqCst) {
        true => Reply::Raw(503, Vec::new(), b"starting".to_vec()),
        false => chain.execution(ask),
    });
    [beacon.await, rpc.await]
}

#[tokio::test]
async fn a_first_start_waits_for_nodes_that_are_syncing() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    for [beacon_syncs, rpc_syncs] in [[true, false], [false, true]] {
        let syncing = Arc::new(AtomicBool::new(true));
        let [beacon, rpc] = syncing_nodes(&world, &syncing).await;
        let beacon = if beacon_syncs { beacon.url() } else { world.beacon.url() };
        let rpc = if rpc_syncs { rpc.url() } else { world.rpc.url() };
        let mut troubles = Vec::new();
        let on_event = |event: Event| {
            let Event::Trouble { message, .. } = event else { panic!("{event:?}") };
            troubles.push(message);
            // Three looks are in vain.
            syncing.store(troubles.len() < 3, Ordering::SeqCst);
        };
        let config = world.config(&folder.path().join(beacon_syncs.to_string()));
        let follower = open(config, &beacon, &rpc, on_event, pending()).await.unwrap().expect("a follower");
        assert!(matches!(follower.started(), Event::Started { resumed: false, .. }));
        assert_eq!(troubles.len(), 3);
        for message in troubles {
            names(&message, &["503"]);
        }
    }
}

#[tokio::test]
async fn a_first_start_ends_by_a_refusal_and_when_it_is_told_to() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let quiet = |event: Event| panic!("{event:?}");
    // What nobody takes back by itself.
    let none = Config { checkpoint: None, ..world.config(folder.path()) };
    let other = Config {
        expected: Expected::Config(sextant_consensus::networks::MAINNET),
        ..world.config(folder.path())
    };
    let old = Config { max_checkpoint_age: Some(Duration::from_secs(86_400)), ..world.config(folder.path()) };
    let unknown = Config { checkpoint: Some([9; 32]), ..world.config(folder.path()) };
    for (config, reason) in [
        (none, "no checkpoint"),
        (other, "another chain"),
        (old, "older than 1 days"),
        (unknown, "bootstrap of 0x0909"),
    ] {
        let opened = open(config, &world.beacon.url(), &world.rpc.url(), quiet, pending()).await;
        names(&opened.expect_err(reason), &[reason]);
    }

    let [beacon, rpc] = syncing_nodes(&world, &Arc::new(AtomicBool::new(true))).await;
    let config = world.config(folder.path());
    let opened = open(config, &beacon.url(), &rpc.url(), |_| (), ready(())).await.unwrap();
    assert!(opened.is_none(), "told to end before any node has answered");
}
