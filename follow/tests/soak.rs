//! A follower that submits, left to itself through everything at once: at each committee change another thing breaks for
//! a while, and at the end the contract knows every committee, nothing was sent for one twice, and nobody intervened.
//!
//! Chain and nodes are simulated, the contract is real on a real node (anvil), behind a verifier that stands in. The
//! follower is a process of its own, which is this test binary with one of its tests, so that it can be killed. Here it is
//! three committee changes; `make follow-soak` (SOAK_CHANGES=10) has every trouble, each in turn, and prints its table.

mod anvil;
mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anvil::{Chain, accepts, frozen, submitter_to};
use common::{Checking, World, open};
use serde_json::{Value, json};
use sextant_consensus::codec;
use sextant_follow::{Config, Event};
use sextant_protocol::ProofKind;
use sextant_sources::Expected;
use sextant_test_nodes::{
    Node, Reply,
    simulated::{PERIOD, Simulated},
};
use tempfile::tempdir;

const CHILD: &str = "follows_until_it_is_told_to_stop";

/// What breaks, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    StaleNode,
    Reorganised,
    EmptyUpdates,
    PoorUpdate,
    Syncing,
    OddAnswer,
    FrozenRoute,
    Killed,
    DiskFull,
}

const FAULTS: [Fault; 9] = [
    Fault::Killed,
    Fault::StaleNode,
    Fault::Reorganised,
    Fault::EmptyUpdates,
    Fault::PoorUpdate,
    Fault::Syncing,
    Fault::OddAnswer,
    Fault::FrozenRoute,
    Fault::DiskFull,
];

/// What is broken now, for the nodes to see.
#[derive(Debug, Default)]
struct Broken(Mutex<Option<Fault>>);

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        *self.0.lock().unwrap() == Some(fault)
    }

    fn set(&self, fault: Option<Fault>) {
        *self.0.lock().unwrap() = fault;
    }
}

/// A follower in a process of its own.
struct Process {
    child: Child,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Process {
    fn start(order: &Value, told: &Arc<Mutex<Vec<Value>>>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let keep = told.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(event) = line.strip_prefix("EVENT ") {
                    keep.lock().unwrap().push(serde_json::from_str(event).unwrap());
                }
            }
        });
        Self { child, told: told.clone() }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn count(&self, name: &str) -> usize {
        self.told.lock().unwrap().iter().filter(|event| event["event"] == name).count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// By itself it does nothing. As a child it follows as it is ordered to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follows_until_it_is_told_to_stop() {
    if !std::env::args().any(|argument| argument == CHILD) {
        return;
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let order: Value = serde_json::from_str(&text).unwrap();
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    let bytes = |name: &str| hex::decode(text(name)).unwrap();
    let config = Config {
        expected: Expected::Config(codec::decode(&bytes("chain")).unwrap()),
        kind: ProofKind::Groth16,
        watched: Vec::new(),
        look_at_chain: Duration::from_secs(1),
        poll: Duration::from_millis(200),
        max_backoff: Duration::from_secs(1),
        ..common::config(Path::new(&text("folder")), [0; 32], bytes("checkpoint").try_into().unwrap())
    };
    let beacons = [text("beacon"), text("other_beacon")];
    let beacons = [&*beacons[0], &*beacons[1]];
    let follower = open(config, &beacons, &[&text("rpc")], Checking::default()).await.unwrap();
    let submitter = submitter_to(&text("submit_rpc"), text("contract").parse().unwrap()).await;
    let tell = |event: Event| println!("EVENT {}", serde_json::to_string(&event).unwrap());
    follower.with_submission(Box::new(submitter)).run(tell, std::future::pending()).await.unwrap();
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A beacon node that is at fault where it is told to be.
async fn beacon(world: &World, broken: &Arc<Broken>, poor: Arc<Simulated>) -> Node {
    let (chain, broken) = (world.chain.clone(), broken.clone());
    Node::start(move |ask| {
        let updates = ask.path.ends_with("/updates");
        if broken.is(Fault::Syncing) {
            return Reply::refused(503, "node is syncing");
        }
        if broken.is(Fault::EmptyUpdates) && updates {
            return Reply::Json(json!([]));
        }
        if broken.is(Fault::PoorUpdate) && ask.path.contains("light_client") {
            return poor.beacon(ask);
        }
        chain.beacon(ask)
    })
    .await
}

/// Puts a file where the folder of proofs is: nothing can be written there.
fn fill(folder: &Path) -> PathBuf {
    let (proofs, aside) = (folder.join("proofs"), folder.join("aside"));
    fs::rename(&proofs, &aside).unwrap();
    fs::write(&proofs, b"full").unwrap();
    aside
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_gets_through_it_all_by_itself() {
    if std::env::args().any(|argument| argument == CHILD) {
        return;
    }
    let changes: u64 = std::env::var("SOAK_CHANGES").map_or(3, |text| text.parse().unwrap());
    // The last change is under the new fork: its period begins some seconds from now, and has its handover 26 s later.
    let last = changes - 1;
    let start = now() + 20 - last * PERIOD;
    let forking = || Simulated::forking(start, changes + 2, last * 8);
    let world = World::of(forking()).await;
    let poor = Arc::new(forking());
    poor.absent(0, 16);
    let broken = Arc::new(Broken::default());
    let first = beacon(&world, &broken, poor.clone()).await;
    let chain = Chain::forking(&world, start).await;
    let (behind, calls) = (broken.clone(), AtomicUsize::new(0));
    let odd = AtomicBool::new(false);
    let rpc = chain
        .proxy(move |call: &mut Value, chain| {
            if call["method"] != "eth_call" {
                return None;
            }
            if behind.is(Fault::StaleNode) && calls.fetch_add(1, Ordering::SeqCst) % 3 == 1 {
                call["params"][1] = format!("{:#x}", chain.height() - 1).into();
            }
            if behind.is(Fault::OddAnswer) && odd.fetch_xor(true, Ordering::SeqCst) {
                let error =
                    json!({ "code": -32000, "message": "limited, will revert to normal soon", "data": "0x" });
                return Some(json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }));
            }
            None
        })
        .await;

    let folder = tempdir().unwrap();
    let order = json!({
        "folder": folder.path().to_str().unwrap(),
        "chain": hex::encode(codec::encode(&world.chain.chain)),
        "checkpoint": hex::encode(world.chain.checkpoint(0)),
        "beacon": first.url(),
        "other_beacon": world.beacon.url(),
        "rpc": world.rpc.url(),
        "submit_rpc": rpc.url(),
        "contract": chain.contract().to_string(),
    });
    world.chain.finalize(8);
    poor.finalize(8);
    let told = Arc::default();
    let mut follower = Process::start(&order, &told);
    println!(
        "{:>6}  {:14} {:>10}  {:>8}  {:>9}",
        "change", "trouble", "known after", "troubles", "submitted"
    );
    let mut reorganised = 0;
    for period in 0..changes {
        let fault = if period == last { None } else { Some(FAULTS[period as usize % FAULTS.len()]) };
        if period == last {
            world.chain.date_fork();
            while now() < start + period * PERIOD + 27 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            // Nothing was mined meanwhile, and the contract's clock is its last block's.
            chain.pass(0).await;
        }
        let (began, troubles) = (Instant::now(), follower.count("trouble"));
        let before = chain.snapshot().await;
        let aside = (fault == Some(Fault::DiskFull)).then(|| fill(folder.path()));
        if fault == Some(Fault::FrozenRoute) {
            chain.set_verifier(&frozen()).await;
        }
        broken.set(fault);
        world.chain.finalize(period * PERIOD + 8);
        poor.finalize(period * PERIOD + 8);
        match fault {
            Some(Fault::Killed) => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                follower.kill();
                follower = Process::start(&order, &told);
            }
            Some(Fault::Reorganised) => {
                chain.wait_for(period + 1).await;
                chain.revert(before).await;
                reorganised += 1;
            }
            // Whoever has another node needs no end of it; all others end by themselves.
            Some(_) => tokio::time::sleep(Duration::from_secs(3)).await,
            None => {}
        }
        if fault == Some(Fault::FrozenRoute) {
            chain.set_verifier(&accepts()).await;
        }
        if let Some(aside) = aside {
            fs::remove_file(folder.path().join("proofs")).unwrap();
            fs::rename(aside, folder.path().join("proofs")).unwrap();
        }
        if !matches!(fault, Some(Fault::EmptyUpdates | Fault::PoorUpdate | Fault::Syncing)) {
            broken.set(None);
        }
        chain.wait_for(period + 1).await;
        let name = fault.map_or("the new fork".into(), |fault| format!("{fault:?}"));
        let (took, more) = (began.elapsed().as_secs_f32(), follower.count("trouble") - troubles);
        println!("{:>6}  {name:14} {took:>9.1} s  {more:>8}  {:>9}", period + 1, follower.count("submitted"));
        assert!(follower.runs(), "it ended at {name}");
        broken.set(None);
    }
    for period in 0..=changes {
        assert!(chain.knows(period).await, "the committee of period {period} is missing");
    }
    // A transaction that was reorganised away was mined again: as many are on the chain as there were changes.
    assert_eq!(
        chain.transactions().await,
        changes,
        "one transaction for each change, {reorganised} reorganised"
    );
}
