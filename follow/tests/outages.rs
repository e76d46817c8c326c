//! What the chain or a node does not have for a while, and what only a new beginning heals.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use common::{Checking, World, names, open, proofs, step};
use serde_json::{Value, json};
use sextant_follow::Config;
use sextant_test_nodes::{Node, Reply, simulated::PERIOD};
use tempfile::tempdir;

/// Nothing is final in a whole period: its committee hands over to nobody, and no proof leads on. The follower says which
/// period it is and goes on asking; from a checkpoint after it everything goes on.
#[tokio::test]
async fn a_period_without_finality_is_named_and_a_checkpoint_after_it_leads_on() {
    const LOST: u64 = 1;
    let world = World::at(16).await;
    let chain = world.chain.clone();
    let node = Node::start(move |ask| match chain.beacon(ask) {
        Reply::Json(Value::Array(updates)) => {
            let start: u64 = ask.query["start_period"].parse().unwrap();
            let there = (start..).zip(updates).take_while(|(period, _)| *period != LOST);
            Reply::Json(there.map(|(_, update)| update).collect())
        }
        reply => reply,
    })
    .await;
    let (folder, anew) = (tempdir().unwrap(), tempdir().unwrap());
    let config = |folder: &tempfile::TempDir| Config { watched: Vec::new(), ..world.config(folder.path()) };
    let (beacon, rpc) = (node.url(), world.rpc.url());
    let mut follower = open(config(&folder), &[&beacon], &[&rpc], Checking::default()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(proofs(&events), [("committee-change", 0, 1, 8)]);
    for period in [2, 3] {
        world.chain.finalize(period * PERIOD + 16);
        let (outcome, events) = step(&mut follower).await;
        let error = outcome.unwrap_err();
        names(&error, &["no update of period 1", "cannot be reached", "a later checkpoint"]);
        assert!(error.is_passing() && events.is_empty(), "{events:?}");
    }
    let config = Config { checkpoint: Some(world.chain.checkpoint(2)), ..config(&anew) };
    let mut follower = open(config, &[&beacon], &[&rpc], Checking::default()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(proofs(&events), [("committee-change", 2, 4, 3 * PERIOD + 8)]);
}

/// After long handovers the execution node has not the state of that block any more: the next look asks for a newer one.
#[tokio::test]
async fn a_state_that_is_gone_when_its_turn_comes_costs_one_look() {
    let (world, folder) = (World::at(3 * PERIOD + 16).await, tempdir().unwrap());
    let (chain, late) = (world.chain.clone(), Arc::new(AtomicBool::new(true)));
    let is_late = late.clone();
    let rpc = Node::start(move |ask| {
        if ask.call["method"] == "eth_getProof" && is_late.load(Ordering::SeqCst) {
            let error =
                json!({ "code": -32602, "message": "distance to target block exceeds maximum proof window" });
            return Reply::Json(json!({ "jsonrpc": "2.0", "id": ask.call["id"], "error": error }));
        }
        chain.execution(ask)
    })
    .await;
    let (beacon, config) = (world.beacon.url(), Config { max_handovers: 8, ..world.config(folder.path()) });
    let mut follower = open(config, &[&beacon], &[&rpc.url()], Checking::default()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    names(&outcome.unwrap_err(), &["proof window", &rpc.url()]);
    assert_eq!(proofs(&events), [("committee-change", 0, 4, 3 * PERIOD + 8)]);
    late.store(false, Ordering::SeqCst);
    world.chain.finalize(3 * PERIOD + 24);
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(proofs(&events), [("inclusion", 3, 3, 3 * PERIOD + 24)]);
}
