//! A chain with two heads, and blocks with recorded mainnet logs between them.

// Each test file uses its own part.
#![allow(dead_code)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sextant_consensus::{
    bls::Plain,
    chain::ChainConfig,
    check_statement,
    events::LogFilter,
    light_client::{LightClientBootstrap, SyncCommittee},
    public_values::{Inclusion, Log, LogData, Statement},
    receipt::Receipt,
};
use sextant_fixtures::mainnet_events;
use sextant_follow::{Config, Event, FollowError, LogsOf};
use sextant_test_nodes::{Ask, Node, Reply, events::two_heads, recorded::Recorded};

use crate::common::{Checking, config, open};

/// USDC's transfers, of which both recorded blocks have some.
pub fn transfers() -> LogFilter {
    let bytes = |digits: &str| hex::decode(digits).unwrap();
    LogFilter {
        address: bytes("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48").try_into().unwrap(),
        topics: vec![
            bytes("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef").try_into().unwrap(),
        ],
    }
}

/// The transfers in a recorded block.
pub fn recorded(number: u64) -> Vec<Log> {
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
pub struct World {
    pub beacon: Node,
    pub rpc: Node,
    pub checkpoint: [u8; 32],
    pub digest: [u8; 32],
    pub later: Arc<AtomicBool>,
    /// While this holds, nodes have no receipts.
    pub mute: Arc<AtomicBool>,
    /// The first block that is trusted.
    pub trusted: LightClientBootstrap,
    pub chain: ChainConfig,
    /// The committee after the one of that block.
    next: SyncCommittee,
}

impl World {
    pub async fn new(numbers: &[u64]) -> (Self, Vec<u64>) {
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
        let trusted = serde_json::from_value(heads[0].bootstraps[0]["data"].clone()).unwrap();
        let next = heads[1].updates[0]["data"]["next_sync_committee"].clone();
        let (chain, next) = (heads[0].chain.clone(), serde_json::from_value(next).unwrap());
        (Self { beacon, rpc, checkpoint, digest, later, mute, trusted, chain, next }, numbers)
    }

    /// Period and root of the committee that is trusted.
    pub fn committee(&self) -> (u64, [u8; 32]) {
        let LightClientBootstrap { header, current_sync_committee, .. } = &self.trusted;
        (self.chain.period(header.beacon.slot), current_sync_committee.root())
    }

    /// Period and root of the one after it.
    pub fn next_committee(&self) -> (u64, [u8; 32]) {
        (self.committee().0 + 1, self.next.root())
    }

    /// From now on nodes have the second head.
    pub fn go_on(&self) {
        self.later.store(true, Ordering::Relaxed);
    }

    pub fn config(&self, folder: &Path) -> Config {
        let config = config(folder, self.digest, self.checkpoint);
        Config { watched: Vec::new(), logs: vec![transfers()], max_logs: 3, ..config }
    }

    pub async fn open(
        &self,
        config: Config,
        prover: Checking,
    ) -> Result<sextant_follow::Follower<Checking>, FollowError> {
        open(config, &[&self.beacon.url()], &[&self.rpc.url()], prover).await
    }
}

/// Blocks and counts of the proofs of logs in a list of events.
pub fn proven(events: &[Event]) -> Vec<(u64, usize)> {
    let logs = events.iter().filter_map(|event| match event {
        Event::Proof(entry) => entry.logs,
        _ => None,
    });
    logs.map(|LogsOf { block, count }| (block, count)).collect()
}

/// The inclusions that a prover was asked for.
pub fn asked(prover: &Checking) -> Vec<Inclusion> {
    let asked = prover.asked.lock().unwrap();
    let said = asked
        .iter()
        .map(|input| check_statement(input.program().unwrap(), &input.bytes, &mut Plain).unwrap());
    let inclusions = said.filter_map(|statement| match statement {
        Statement::Inclusion(values) => Some(values),
        Statement::CommitteeChange(_) | Statement::Bundle(_) | Statement::Chain(_) => None,
    });
    inclusions.collect()
}

/// So many at a time: whole proofs, and what is left.
pub fn batches(block: u64, count: usize) -> Vec<(u64, usize)> {
    (0..count).step_by(3).map(|done| (block, (count - done).min(3))).collect()
}
