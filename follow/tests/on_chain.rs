//! A follower and a real light client contract on a real node (anvil): whatever the contract's chain, its nodes and its
//! verifier do for a while, the chain of committees goes on. The prover stands in, and so the verifier has to: it accepts
//! everything, or refuses as a gateway does.

mod anvil;
mod common;
mod events;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use anvil::{Beginning, Chain, accepts, frozen};
use common::{Checking, GENESIS, World, names, step};
use serde_json::{Value, json};
use sextant_fixtures::{gloas, mainnet_events::SMALL};
use sextant_follow::{Config, Event, Follower};
use sextant_protocol::ProofKind;
use sextant_submit::Rules;
use sextant_test_nodes::simulated::{PERIOD, Simulated};
use tempfile::tempdir;

/// Long enough for nothing to be too old.
const MAX_AGE: u64 = 1_000_000;

fn snark(world: &World, folder: &std::path::Path) -> Config {
    Config { kind: ProofKind::Groth16, watched: Vec::new(), ..world.config(folder) }
}

async fn follower(world: &World, config: Config, chain: &Chain, rpc: &str) -> Follower<Checking> {
    let follower = world.open(config, Checking::default()).await.unwrap();
    follower.with_submission(Box::new(chain.submitter(rpc).await))
}

fn submitted(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Submitted { .. })).count()
}

/// Every committee up to a period, and nothing was sent for it twice: as many transactions as submissions were told.
async fn assert_whole(chain: &Chain, last: u64, told: usize) {
    for period in 0..=last {
        assert!(chain.knows(period).await, "the committee of period {period} is missing");
    }
    assert_eq!(chain.transactions().await, told as u64, "transactions sent");
}

/// Behind a load balancer one node is a block behind another, and does not know yet what that one has mined.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_is_a_block_behind_costs_nothing() {
    for stale in [1, 3, 5] {
        let folder = tempdir().unwrap();
        let world = World::at(PERIOD + 16).await;
        let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
        let count = Arc::new(AtomicU32::new(0));
        // From the first transaction on, this many calls later, some are answered by the block before.
        let proxy = chain
            .proxy(move |call: &mut Value, chain| {
                let is_call = call["method"] == "eth_call" && call["params"][1] == "latest";
                if is_call && chain.height() > chain.deployed() {
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    if (stale..stale + 2).contains(&number) {
                        call["params"][1] = format!("{:#x}", chain.height() - 1).into();
                    }
                }
                None
            })
            .await;
        let config = Config { max_handovers: 1, ..snark(&world, folder.path()) };
        let mut follower = follower(&world, config, &chain, &proxy.url()).await;
        let mut told = 0;
        for period in 1..4 {
            world.chain.finalize(period * PERIOD + 16);
            // What a node that is behind says may fail a look, and no more than that.
            for _ in 0..3 {
                told += submitted(&step(&mut follower).await.1);
            }
        }
        step(&mut follower).await.0.unwrap();
        assert_whole(&chain, 4, told).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_block_that_is_reorganised_away_is_made_up_for() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
    let mut follower = follower(&world, snark(&world, folder.path()), &chain, &chain.url()).await;
    let before = chain.snapshot().await;
    step(&mut follower).await.0.unwrap();
    assert!(chain.knows(1).await);
    chain.revert(before).await;
    assert!(!chain.knows(1).await);
    for period in 1..4 {
        world.chain.finalize(period * PERIOD + 16);
        step(&mut follower).await.0.unwrap();
    }
    assert_whole(&chain, 4, 4).await;
}

/// The gateway's route is frozen for a while; then there is another verifier.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_route_is_waited_out() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
    let mut follower = follower(&world, snark(&world, folder.path()), &chain, &chain.url()).await;
    chain.set_verifier(&frozen()).await;
    for period in 0..2 {
        world.chain.finalize(period * PERIOD + 16);
        let error = step(&mut follower).await.0.unwrap_err();
        names(&error, &["submitting committee-change", "frozen"]);
        assert!(error.is_passing());
    }
    chain.set_verifier(&accepts()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_whole(&chain, 2, submitted(&events)).await;
}

/// One answer that is not the contract's word, though it has the word for it in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_odd_answer_is_no_refusal() {
    let odd = [
        json!({ "code": -32000, "message": "rate limited, will revert to normal soon" }),
        json!({ "code": -32005, "message": "limit exceeded", "data": "0x" }),
        json!("too many requests"),
    ];
    for error in odd {
        let folder = tempdir().unwrap();
        let world = World::at(16).await;
        let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
        // The first eth_call of them all, then the second, and so on: each once.
        let count = Arc::new(AtomicU32::new(0));
        let answer = error.clone();
        let proxy = chain
            .proxy(move |call: &mut Value, _| {
                let odd = call["method"] == "eth_call" && count.fetch_add(1, Ordering::SeqCst) % 5 == 4;
                odd.then(|| json!({ "jsonrpc": "2.0", "id": call["id"], "error": answer }))
            })
            .await;
        let mut follower = follower(&world, snark(&world, folder.path()), &chain, &proxy.url()).await;
        let mut told = 0;
        for period in 0..4 {
            world.chain.finalize(period * PERIOD + 16);
            for _ in 0..3 {
                told += submitted(&step(&mut follower).await.1);
            }
        }
        assert_whole(&chain, 4, told).await;
    }
}

/// A node that has a transaction in a block and its receipt only a while later: waited for, or found on the contract.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_receipt_that_comes_late_costs_no_second_transaction() {
    for late in [2, 9] {
        let folder = tempdir().unwrap();
        let world = World::at(16).await;
        let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
        let count = Arc::new(AtomicU32::new(0));
        let proxy = chain
            .proxy(move |call: &mut Value, _| {
                let early = call["method"] == "eth_getTransactionReceipt"
                    && count.fetch_add(1, Ordering::SeqCst) < late;
                early.then(|| json!({ "jsonrpc": "2.0", "id": call["id"], "result": null }))
            })
            .await;
        let mut follower = follower(&world, snark(&world, folder.path()), &chain, &proxy.url()).await;
        step(&mut follower).await.0.unwrap();
        assert_whole(&chain, 1, 1).await;
        step(&mut follower).await.0.unwrap();
        assert_whole(&chain, 1, 1).await;
    }
}

/// What was sent is on its way, whatever a node says for a moment when it is asked after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trouble_after_a_transaction_was_sent_is_waited_out() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
    let count = Arc::new(AtomicU32::new(0));
    let proxy = chain
        .proxy(move |call: &mut Value, _| {
            let asked = call["method"] == "eth_getTransactionReceipt";
            let error = json!({ "code": -32000, "message": "transaction indexing is in progress" });
            (asked && count.fetch_add(1, Ordering::SeqCst) < 3)
                .then(|| json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }))
        })
        .await;
    let mut follower = follower(&world, snark(&world, folder.path()), &chain, &proxy.url()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_whole(&chain, 1, submitted(&events)).await;
}

/// A node that suggests no tip has a gas price, and that will do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_suggests_no_tip_will_do() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
    let proxy = chain
        .proxy(|call: &mut Value, _| {
            let error = json!({ "code": -32601, "message": "the method does not exist" });
            (call["method"] == "eth_maxPriorityFeePerGas")
                .then(|| json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }))
        })
        .await;
    let mut follower = follower(&world, snark(&world, folder.path()), &chain, &proxy.url()).await;
    step(&mut follower).await.0.unwrap();
    assert_whole(&chain, 1, 1).await;
}

/// Away for longer than the contract takes a header: one proof goes as far as one that it takes, whatever the most that is
/// wanted in one otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_was_away_for_long_catches_up_in_one_proof() {
    let folder = tempdir().unwrap();
    let world = World::of(Simulated::old(40)).await;
    world.chain.finalize(30 * PERIOD + 16);
    // 14 days of mainnet are 12 periods and a third.
    let chain = Chain::start(GENESIS + 30 * PERIOD + 50, &world, 12 * PERIOD + PERIOD / 3).await;
    let config = Config { max_handovers: 8, ..snark(&world, folder.path()) };
    let mut follower = follower(&world, config, &chain, &chain.url()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    let told = submitted(&events);
    assert!((1..=3).contains(&told), "{events:?}");
    world.chain.finalize(31 * PERIOD + 16);
    chain.pass(PERIOD).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_whole(&chain, 32, told + submitted(&events)).await;
}

/// Old proofs were deleted to make room, and another contract is given, which began later than the follower.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_contract_is_caught_up_with_without_the_old_proofs() {
    let folder = tempdir().unwrap();
    let world = World::at(2 * PERIOD + 16).await;
    let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
    let mut first = follower(&world, snark(&world, folder.path()), &chain, &chain.url()).await;
    step(&mut first).await.0.unwrap();
    drop(first);
    for file in std::fs::read_dir(folder.path().join("proofs")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    for period in [0, 1] {
        let other = Chain::start_at(GENESIS + 6 * PERIOD, &world, MAX_AGE, period).await;
        let mut again = follower(&world, snark(&world, folder.path()), &other, &other.url()).await;
        step(&mut again).await.0.unwrap();
        drop(again);
        assert!(other.knows(3).await, "begun in period {period}");
    }
}

/// A contract of another chain, or one that began after all that is known, is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_contract_that_is_a_stranger_is_named_before_anything_is_proven_for_it() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let chain = Chain::start_at(GENESIS + 6 * PERIOD, &world, MAX_AGE, 9).await;
    let mut follower = follower(&world, snark(&world, folder.path()), &chain, &chain.url()).await;
    let error = step(&mut follower).await.0.unwrap_err();
    names(&error, &["knows no committee", "up to 1", "began elsewhere"]);
}

/// Proofs of logs on a real contract: what its readers say of them, and a reorganisation.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn watched_logs_are_read_on_the_contract() {
    let folder = tempdir().unwrap();
    let (world, blocks) = events::World::new(&[SMALL]).await;
    // Hoodi's clock, two periods after the first head.
    let (genesis_time, seconds_per_slot) = (1_742_213_400, 12);
    let now = genesis_time + seconds_per_slot * (gloas::slots().signature + 2 * 8192);
    let (period, committee_root) = world.committee();
    let beginning = Beginning {
        digest: world.digest,
        next_fork: None,
        rules: Rules { genesis_time, seconds_per_slot, max_age: MAX_AGE, min_participation: 342 },
        slot: gloas::slots().finalized - 16,
        root: world.checkpoint,
        period,
        committee_root,
    };
    let chain = Chain::begin(now, beginning).await;
    let open = async || {
        let config = Config { kind: ProofKind::Groth16, max_logs: 1, ..world.config(folder.path()) };
        let follower = world.open(config, Checking::default()).await.unwrap();
        follower.with_submission(Box::new(chain.submitter(&chain.url()).await))
    };
    let mut follower = open().await;
    step(&mut follower).await.0.unwrap();
    world.go_on();
    let before = chain.snapshot().await;
    step(&mut follower).await.0.unwrap();
    let entries: Vec<_> =
        follower.proofs().unwrap().into_iter().filter(|entry| entry.logs.is_some()).collect();
    assert_eq!(entries.len(), events::recorded(SMALL).len());
    for (entry, log) in entries.iter().zip(events::recorded(SMALL)) {
        let place = [u64::from(log.transaction), u64::from(log.position)];
        let read = chain.read("provenLog(bytes,uint32,uint32)", &entry.public_values, &place).await;
        let told = [&log.address[..]].into_iter().chain(log.topics.iter().map(|topic| &topic[..]));
        assert!(told.map(hex::encode).all(|told| read.contains(&told)), "{read}");
        let facts = chain.read("provenFacts(bytes)", &entry.public_values, &[]).await;
        assert!(
            facts.starts_with(&format!("{:064x}", blocks[0])),
            "an earlier one than the finalized: {facts}"
        );
    }
    let sent = chain.transactions().await;
    assert_eq!(sent, follower.proofs().unwrap().len() as u64, "each once");

    chain.revert(before).await;
    drop(follower);
    let mut follower = open().await;
    step(&mut follower).await.0.unwrap();
    for entry in follower.proofs().unwrap() {
        let values = hex::decode(&entry.public_values[2..]).unwrap();
        let known = chain.submitter(&chain.url()).await.proven_at(&values).await.unwrap();
        assert!(known.is_some(), "{entry}");
    }
    assert_eq!(chain.transactions().await, sent);
}

/// The real contract takes a bundle in one transaction, and the block with it may be reorganised away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bundle_is_one_transaction_whatever_its_chain_does() {
    let folder = tempdir().unwrap();
    let world = World::at(2 * PERIOD + 16).await;
    let chain = Chain::start(GENESIS + 6 * PERIOD, &world, MAX_AGE).await;
    let prover = Checking::default();
    let config = Config {
        kind: ProofKind::Groth16,
        bundle_for: Some(std::time::Duration::ZERO),
        max_handovers: 1,
        ..world.config(folder.path())
    };
    let follower = world.open(config, prover.clone()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(chain.submitter(&chain.url()).await));
    let before = chain.snapshot().await;
    step(&mut follower).await.0.unwrap();
    assert_whole(&chain, 3, 1).await;
    chain.revert(before).await;
    assert!(!chain.knows(1).await);
    step(&mut follower).await.0.unwrap();
    assert_whole(&chain, 3, 1).await;
    let bundled: Vec<_> = prover.bundled.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(bundled, [4], "proven once");
    let inclusion = follower.proofs().unwrap().pop().unwrap();
    assert!(inclusion.is_of_accounts());
    let proven_at = chain.read("provenAt(bytes)", &inclusion.public_values, &[]).await;
    assert_ne!(u64::from_str_radix(&proven_at, 16).unwrap(), 0);
    assert_eq!(step(&mut follower).await.1, []);
}
