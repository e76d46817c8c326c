//! A simulated chain with its nodes, and a prover that checks statements instead of proving them.

// Each test file uses its own part.
#![allow(dead_code)]

mod contract;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

#[allow(unused_imports)]
pub use contract::{Failing, FolderContract, reverted};
use sextant_consensus::{
    bls::Plain,
    bundle::{self, Input},
    check_statement,
    codec::Blob,
    committee_chain,
    public_values::Statement,
};
use sextant_follow::{Config, Event, FollowError, Follower, Proven, Prover, ProverError};
use sextant_protocol::{ProofKind, ProofRecord, StatementInput, proof::Circuits, request::ProvingCost};
use sextant_sources::{BeaconNodes, ExecutionNodes, Expected, SourceConfig, Watched};
use sextant_test_nodes::{Ask, Node, Reply, simulated::Simulated};

/// Checks a statement and stamps its public values: no proof, and only here taken for one.
#[derive(Clone, Debug, Default)]
pub struct Checking {
    /// What was asked for.
    pub asked: Arc<Mutex<Vec<StatementInput>>>,
    /// How many requests fail first.
    pub failing: Arc<Mutex<u32>>,
    /// What it does not offer, in words, as long as it does not.
    pub refusing: Arc<Mutex<Option<String>>>,
    /// The proofs of each bundle that was asked for.
    pub bundled: Arc<Mutex<Vec<Vec<ProofRecord>>>>,
    /// The proofs of each chain that was asked for.
    pub chained: Arc<Mutex<Vec<Vec<ProofRecord>>>>,
    /// The proofs that were made ones for contracts.
    pub wrapped: Arc<Mutex<Vec<ProofRecord>>>,
    /// Why it extends no chain, as long as it does not.
    pub refusing_chains: Arc<Mutex<Option<String>>>,
    /// Whether what it makes of others' proofs is of something else.
    pub lying: Arc<Mutex<bool>>,
}

/// Unix time of slot 0 of a world of long ago.
pub const GENESIS: u64 = 1_600_000_000;

pub const STAMP: &[u8] = b"checked, not proven";

pub fn record(input: &StatementInput, kind: ProofKind) -> (ProofRecord, Statement) {
    let statement = check_statement(input.program().unwrap(), &input.bytes, &mut Plain).unwrap();
    let record = ProofRecord {
        program: input.program,
        kind,
        circuits: Circuits::Development,
        circuit_version: "none".into(),
        vk_hash: [0; 32],
        public_values: statement.abi_encode(),
        proof: STAMP.into(),
    };
    (record, statement)
}

impl Prover for Checking {
    async fn prove(&self, input: StatementInput, kind: ProofKind) -> Result<Proven, ProverError> {
        {
            let mut failing = self.failing.lock().unwrap();
            if *failing > 0 {
                *failing -= 1;
                return Err(ProverError {
                    message: "busy: the queue is full".into(),
                    ..ProverError::default()
                });
            }
        }
        if let Some(message) = self.refusing.lock().unwrap().clone() {
            self.asked.lock().unwrap().push(input);
            return Err(ProverError { message, stands: true, ..ProverError::default() });
        }
        let (record, statement) = record(&input, kind);
        self.asked.lock().unwrap().push(input);
        Ok(Proven { record, statement, cost: ProvingCost::default() })
    }

    async fn bundle_of(&self, proofs: Vec<ProofRecord>, kind: ProofKind) -> Result<Proven, ProverError> {
        assert!(proofs.iter().all(|proof| proof.kind == ProofKind::Compressed && proof.proof == STAMP));
        let blob = |proof: &ProofRecord| Blob(proof.public_values.clone());
        let statement = bundle::check(&Input { statements: proofs.iter().map(blob).collect() }).unwrap();
        self.bundled.lock().unwrap().push(proofs);
        Ok(self.made(Statement::Bundle(statement), kind))
    }

    async fn chain_of(&self, proofs: Vec<ProofRecord>) -> Result<Proven, ProverError> {
        if let Some(message) = self.refusing_chains.lock().unwrap().clone() {
            return Err(ProverError { message, stands: true, ..ProverError::default() });
        }
        assert!(proofs.iter().all(|proof| proof.kind == ProofKind::Compressed && proof.proof == STAMP));
        let statements = proofs.iter().map(|proof| (proof.program().unwrap(), proof.public_values.clone()));
        let input = committee_chain::Input::of([0; 32], statements);
        let chain = input.and_then(|input| committee_chain::check(&input));
        let chain = chain.map_err(|error| ProverError {
            message: error.to_string(),
            stands: true,
            ..ProverError::default()
        })?;
        self.chained.lock().unwrap().push(proofs);
        Ok(self.made(Statement::Chain(chain), ProofKind::Compressed))
    }

    async fn snark_of(&self, proof: ProofRecord) -> Result<Proven, ProverError> {
        assert_eq!((proof.kind, &proof.proof[..]), (ProofKind::Compressed, STAMP));
        let statement = Statement::abi_decode(proof.program().unwrap(), &proof.public_values).unwrap();
        self.wrapped.lock().unwrap().push(proof);
        Ok(self.made(statement, ProofKind::Groth16))
    }

    async fn verify(&self, record: ProofRecord) -> Result<Statement, ProverError> {
        let refuse = |message: &str| ProverError { message: message.into(), ..ProverError::default() };
        if record.proof != STAMP {
            return Err(refuse("no stamp"));
        }
        let program = record.program().ok_or_else(|| refuse("no program"))?;
        Statement::abi_decode(program, &record.public_values).map_err(|error| refuse(&error.to_string()))
    }
}

impl Checking {
    /// What is made of others' proofs.
    fn made(&self, statement: Statement, kind: ProofKind) -> Proven {
        let record = ProofRecord {
            program: statement.program().tag(),
            kind,
            circuits: Circuits::Development,
            circuit_version: "none".into(),
            vk_hash: [0; 32],
            public_values: statement.abi_encode(),
            proof: STAMP.into(),
        };
        let mut proven = Proven { record, statement, cost: ProvingCost::default() };
        if *self.lying.lock().unwrap() {
            *proven.record.public_values.last_mut().unwrap() ^= 1;
        }
        proven
    }
}

/// A chain and its two nodes.
pub struct World {
    pub chain: Arc<Simulated>,
    pub beacon: Node,
    pub rpc: Node,
}

impl World {
    pub async fn of(chain: Simulated) -> Self {
        let chain = Arc::new(chain);
        let (beacon, rpc) = (chain.clone(), chain.clone());
        let beacon = Node::start(move |ask| beacon.beacon(ask)).await;
        Self { chain, beacon, rpc: Node::start(move |ask| rpc.execution(ask)).await }
    }

    /// A chain of long ago whose block of this slot is final.
    pub async fn at(finalized: u64) -> Self {
        let world = Self::of(Simulated::old(24)).await;
        world.chain.finalize(finalized);
        world
    }

    pub fn config(&self, folder: &Path) -> Config {
        config(folder, self.chain.chain.digest(), self.chain.checkpoint(0))
    }

    pub async fn open(&self, config: Config, prover: Checking) -> Result<Follower<Checking>, FollowError> {
        open(config, &[&self.beacon.url()], &[&self.rpc.url()], prover).await
    }

    /// A beacon node that lies where `lie` says so.
    pub async fn lying_beacon(
        &self,
        lie: impl Fn(&Ask, &mut serde_json::Value) + Send + Sync + 'static,
    ) -> Node {
        let chain = self.chain.clone();
        Node::start(move |ask| edited(ask, chain.beacon(ask), &lie)).await
    }

    /// The same for an execution node.
    pub async fn lying_rpc(
        &self,
        lie: impl Fn(&Ask, &mut serde_json::Value) + Send + Sync + 'static,
    ) -> Node {
        let chain = self.chain.clone();
        Node::start(move |ask| edited(ask, chain.execution(ask), &lie)).await
    }
}

fn edited(ask: &Ask, reply: Reply, lie: impl Fn(&Ask, &mut serde_json::Value)) -> Reply {
    match reply {
        Reply::Json(mut value) => {
            lie(ask, &mut value);
            Reply::Json(value)
        }
        other => other,
    }
}

/// Tests' settings: a chain of long ago, and little patience.
pub fn config(folder: &Path, chain_digest: [u8; 32], checkpoint: [u8; 32]) -> Config {
    let account = Simulated::account();
    Config {
        checkpoint: Some(checkpoint),
        max_checkpoint_age: None,
        max_head_age: None,
        watched: vec![Watched { address: account.address, slots: vec![account.slots[0].0] }],
        poll: Duration::from_millis(20),
        max_backoff: Duration::from_millis(100),
        max_handovers: 4,
        ..Config::new(folder, Expected::Digest(chain_digest))
    }
}

pub async fn open(
    config: Config,
    beacons: &[&str],
    rpcs: &[&str],
    prover: Checking,
) -> Result<Follower<Checking>, FollowError> {
    let quick = SourceConfig {
        timeout: Duration::from_secs(10),
        rounds: 2,
        backoff: Duration::from_millis(10),
        max_backoff: Duration::from_millis(50),
        ..SourceConfig::default()
    };
    let urls = |urls: &[&str]| urls.iter().map(|url| url.parse().unwrap()).collect();
    let beacon = BeaconNodes::new(urls(beacons), quick.clone()).unwrap();
    let execution = (!rpcs.is_empty()).then(|| ExecutionNodes::new(urls(rpcs), quick).unwrap());
    Follower::open(config, beacon, execution, prover).await
}

/// One step, and what it told.
pub async fn step(follower: &mut Follower<Checking>) -> (Result<(), FollowError>, Vec<Event>) {
    let mut events = Vec::new();
    let outcome = follower.step(&mut |event| events.push(event)).await;
    (outcome, events)
}

/// The proofs of a list of events: program, first and last period, finalized slot.
pub fn proofs(events: &[Event]) -> Vec<(&str, u64, u64, u64)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Proof(entry) => {
                Some((entry.program.as_str(), entry.from_period, entry.to_period, entry.finalized_slot))
            }
            _ => None,
        })
        .collect()
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
