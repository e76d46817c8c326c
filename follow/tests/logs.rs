//! Watched logs: every block since the last head is looked into, and what is found is proven, so much at a time.

mod common;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{Checking, config, names, open, step};
use sextant_consensus::{
    bls::Plain,
    check_statement,
    events::LogFilter,
    public_values::{Inclusion, Log, LogData, Statement},
    receipt::Receipt,
};
use sextant_fixtures::mainnet_events::{self, LARGE, SMALL};
use sextant_follow::{Config, Event, FollowError, LogsOf, Status};
use sextant_test_nodes::{Ask, Node, Reply, events::two_heads, recorded::Recorded};
use tempfile::tempdir;

/// USDC's transfers, of which both recorded blocks have some.
fn transfers() -> LogFilter {
    let bytes = |digits: &str| hex::decode(digits).unwrap();
    LogFilter {
        address: bytes("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48").try_into().unwrap(),
        topics: vec![
            bytes("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef").try_into().unwrap(),
        ],
    }
}

/// The transfers in a recorded block.
fn recorded(number: u64) -> Vec<Log> {
    let filter = transfers();
    let mut found = Vec::new();
    for (transaction, receipt) in (0..).zip(&mainnet_events::block(number).receipts) {
        for (position, log) in (0..).zip(Receipt::read(receipt).unwrap().logs()) {
            let log = log.unwrap();
            if log.matches(&filter.address, &filter.topics).unwrap() {
                let topics = log.topics().map(|topic| *topic.unwrap()).collect();
                let (address, data) = (*log.address, LogData::of(log.data));
                found.push(Log { transaction, position, address, topics, data });
            }
        }
    }
    found
}

/// Nodes at the first head until they are told to go on.
struct World {
    beacon: Node,
    rpc: Node,
    checkpoint: [u8; 32],
    digest: [u8; 32],
    later: Arc<AtomicBool>,
    /// While this holds, nodes have no receipts.
    mute: Arc<AtomicBool>,
}

impl World {
    async fn new(numbers: &[u64]) -> (Self, Vec<u64>) {
        let (heads, blocks) = two_heads(numbers);
        let (later, mute): (Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
        let (checkpoint, digest) = (heads[0].checkpoints()[0], heads[0].chain.digest());
        let at = |later: &Arc<AtomicBool>, of: fn(&Recorded, &Ask) -> Reply| {
            let (later, heads) = (later.clone(), heads.clone());
            move |ask: &Ask| of(&heads[usize::from(later.load(Ordering::Relaxed))], ask)
        };
        let beacon = Node::start(at(&later, Recorded::beacon)).await;
        let (answer, silent) = (at(&later, Recorded::execution), mute.clone());
        let rpc = Node::start(move |ask| {
            let receipts = ask.call["method"].as_str().is_some_and(|method| method.contains("Receipt"));
            match receipts && silent.load(Ordering::Relaxed) {
                true => Reply::refused(503, "away"),
                false => answer(ask),
            }
        })
        .await;
        let numbers = blocks.iter().map(|block| block.number).collect();
        (Self { beacon, rpc, checkpoint, digest, later, mute }, numbers)
    }

    fn config(&self, folder: &Path) -> Config {
        let config = config(folder, self.digest, self.checkpoint);
        Config { watched: Vec::new(), logs: vec![transfers()], max_logs: 3, ..config }
    }

    async fn open(
        &self,
        config: Config,
        prover: Checking,
    ) -> Result<sextant_follow::Follower<Checking>, FollowError> {
        open(config, &[&self.beacon.url()], &[&self.rpc.url()], prover).await
    }
}

/// Blocks and counts of the proofs of logs in a list of events.
fn proven(events: &[Event]) -> Vec<(u64, usize)> {
    let logs = events.iter().filter_map(|event| match event {
        Event::Proof(entry) => entry.logs,
        _ => None,
    });
    logs.map(|LogsOf { block, count }| (block, count)).collect()
}

/// The inclusions that a prover was asked for.
fn asked(prover: &Checking) -> Vec<Inclusion> {
    let asked = prover.asked.lock().unwrap();
    let said = asked
        .iter()
        .map(|input| check_statement(input.program().unwrap(), &input.bytes, &mut Plain).unwrap());
    let inclusions = said.filter_map(|statement| match statement {
        Statement::Inclusion(values) => Some(values),
        Statement::CommitteeChange(_) => None,
    });
    inclusions.collect()
}

/// So many at a time: whole proofs, and what is left.
fn batches(block: u64, count: usize) -> Vec<(u64, usize)> {
    (0..count).step_by(3).map(|done| (block, (count - done).min(3))).collect()
}

#[tokio::test]
async fn all_logs_since_the_last_head_are_proven_in_batches() {
    let (world, blocks) = World::new(&[SMALL, LARGE]).await;
    let (small, large) = (recorded(SMALL), recorded(LARGE));
    assert!(small.len() > 1 && large.len() > 4, "several proofs");
    let (folder, prover) = (tempdir().unwrap(), Checking::default());
    let mut follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(proven(&events), [], "nothing in the first head");

    world.later.store(true, Ordering::Relaxed);
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    let expected = [batches(blocks[0], small.len()), batches(blocks[1], large.len())].concat();
    assert_eq!(proven(&events), expected);
    let said = asked(&prover);
    assert_eq!(said.iter().map(|values| values.facts.number).collect::<Vec<_>>(), {
        expected.iter().map(|(block, _)| *block).collect::<Vec<_>>()
    });
    let logs: Vec<Log> = said.into_iter().flat_map(|values| values.logs).collect();
    assert_eq!(logs, [small, large].concat());

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(events, [], "nothing new");
    drop(follower);
    let status = Status::read(folder.path()).unwrap().unwrap();
    assert_eq!(status.last_logs.unwrap().logs.unwrap().block, blocks[1]);
    assert_eq!(status.last_inclusion, None, "no account is watched");
}

/// What was proven when it was interrupted is not proven again, and nothing is left out.
#[tokio::test]
async fn an_interruption_costs_nothing() {
    let (world, blocks) = World::new(&[SMALL, LARGE]).await;
    let (folder, prover) = (tempdir().unwrap(), Checking::default());
    let mut follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    world.later.store(true, Ordering::Relaxed);
    world.mute.store(true, Ordering::Relaxed);
    let (outcome, events) = step(&mut follower).await;
    names(&outcome.unwrap_err(), &["receipt", "503"]);
    assert_eq!(proven(&events), []);

    // Two of the proofs are made, then the prover fails.
    world.mute.store(false, Ordering::Relaxed);
    let mut all = Vec::new();
    let mut tries = 0;
    loop {
        let mut events = Vec::new();
        let failing = prover.failing.clone();
        let outcome = follower
            .step(&mut |event| {
                if matches!(event, Event::Proof(ref entry) if entry.logs.is_some()) {
                    *failing.lock().unwrap() = 1;
                }
                events.push(event);
            })
            .await;
        all.extend(proven(&events));
        tries += 1;
        // Each time from what is on disk.
        drop(follower);
        follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
        if outcome.is_ok() {
            break;
        }
    }
    let expected =
        [batches(blocks[0], recorded(SMALL).len()), batches(blocks[1], recorded(LARGE).len())].concat();
    assert_eq!(all, expected, "each once, in their order");
    assert_eq!(tries, expected.len(), "one proof each time");
}
