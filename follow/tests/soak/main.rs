//! A follower that submits, left to itself through everything at once: at each committee change another thing breaks for
//! a while, and at the end the contract knows every committee, nothing was sent for one twice, and nobody intervened.
//!
//! The contract is real on a real node (anvil), behind a verifier that stands in, as the prover does: it checks statements
//! natively. Here it is four committee changes of a simulated chain; `make follow-soak` (SOAK_NETWORK=devnet SOAK_CHANGES=10)
//! follows the local network, with every trouble in turn, and prints its table.

#[path = "../anvil/mod.rs"]
mod anvil;
#[path = "../common/mod.rs"]
mod common;
mod devnet;
mod disk;
mod network;
mod process;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anvil::{Chain, accepts, frozen};
use devnet::Devnet;
use disk::Disk;
use network::{Network, Quick, now};
use process::{Process, Told};
use serde_json::{Value, json};
use sextant_consensus::codec;
use sextant_test_nodes::{Node, Reply};
use tempfile::tempdir;

/// What breaks, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    DiskFull,
    StaleNode,
    Reorganised,
    EmptyUpdates,
    PoorUpdate,
    Syncing,
    OddAnswer,
    FrozenRoute,
}

const FAULTS: [Fault; 9] = [
    Fault::Killed,
    Fault::DiskFull,
    Fault::StaleNode,
    Fault::Reorganised,
    Fault::EmptyUpdates,
    Fault::PoorUpdate,
    Fault::Syncing,
    Fault::OddAnswer,
    Fault::FrozenRoute,
];

/// Words of a node in trouble that are not the contract's.
const ODD: &str = "limited, will revert to normal soon";

/// The change before which nodes are told when the last one's fork begins.
const DATED: u64 = 1;

impl Fault {
    /// Whether it may last until the change is there, because there is another node or another answer.
    fn is_got_around(self) -> bool {
        matches!(self, Self::StaleNode | Self::EmptyUpdates | Self::PoorUpdate | Self::Syncing)
    }

    /// What is told while it stops everything.
    fn is_told_as(self, disk: &Disk) -> &'static str {
        match self {
            Self::FrozenRoute => "frozen",
            Self::OddAnswer => ODD,
            Self::DiskFull if disk.is_real() => "No space left on device",
            _ => "File too large",
        }
    }
}

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

/// A beacon node that is at fault where it is told to be.
async fn beacon(network: &Arc<dyn Network>, broken: Arc<Broken>) -> Node {
    let network = network.clone();
    Node::start(move |ask| {
        if broken.is(Fault::Syncing) {
            return Reply::refused(503, "node is syncing");
        }
        if broken.is(Fault::EmptyUpdates) && ask.path.ends_with("/updates") {
            return Reply::Json(json!([]));
        }
        if broken.is(Fault::PoorUpdate) { network.poor(ask) } else { network.answer(ask) }
    })
    .await
}

/// The contract's node, one block behind now and then, or odd every other time, where it is told to be.
async fn rpc(chain: &Chain, broken: Arc<Broken>) -> Node {
    let (calls, odd) = (AtomicUsize::new(0), AtomicBool::new(false));
    let edit = move |call: &mut Value, chain: &anvil::Behind| {
        if call["method"] != "eth_call" {
            return None;
        }
        if broken.is(Fault::StaleNode) && calls.fetch_add(1, Ordering::SeqCst) % 3 == 1 {
            call["params"][1] = format!("{:#x}", chain.height() - 1).into();
        }
        let is_odd = broken.is(Fault::OddAnswer) && odd.fetch_xor(true, Ordering::SeqCst);
        is_odd.then(|| {
            let error = json!({ "code": -32000, "message": ODD, "data": "0x" });
            json!({ "jsonrpc": "2.0", "id": call["id"], "error": error })
        })
    };
    chain.proxy(edit).await
}

async fn network(changes: u64) -> Arc<dyn Network> {
    match std::env::var("SOAK_NETWORK").as_deref() {
        Ok("devnet") => Arc::new(Devnet::start(changes).await),
        _ => Arc::new(Quick::new(changes)),
    }
}

/// All that there is but the network: it breaks, and is mended.
struct Stage {
    /// It ends before the nodes do.
    follower: Process,
    told: Told,
    order: Value,
    chain: Chain,
    disk: Disk,
    broken: Arc<Broken>,
}

impl Stage {
    async fn breaks(&self, fault: Fault) {
        match fault {
            Fault::DiskFull => self.disk.fill(self.follower.id()),
            Fault::FrozenRoute => self.chain.set_verifier(&frozen()).await,
            // Done when it is under way.
            Fault::Killed | Fault::Reorganised => {}
            fault => self.broken.set(Some(fault)),
        }
    }

    async fn is_mended(&self, fault: Fault) {
        match fault {
            Fault::DiskFull => self.disk.free(self.follower.id()),
            Fault::FrozenRoute => self.chain.set_verifier(&accepts()).await,
            _ => self.broken.set(None),
        }
    }

    /// Lets a fault last for as long as it has to be felt. `before` is the contract's chain before it, `change` what it is
    /// to be felt by.
    async fn lasts(&mut self, fault: Fault, before: Value, change: &Change) {
        let Change { troubles, proving, .. } = *change;
        match fault {
            Fault::Killed => {
                while self.told.count("proving") == proving && !change.is_known(self).await {}
                self.follower.kill();
                self.follower = Process::start(&self.disk, &self.order, &self.told);
            }
            Fault::Reorganised => {
                change.wait(self).await;
                self.chain.revert(before).await;
            }
            fault if fault.is_got_around() => change.wait(self).await,
            fault => {
                let sign = fault.is_told_as(&self.disk);
                while !self.told.troubles(troubles).iter().any(|trouble| trouble.contains(sign)) {
                    assert!(!change.is_known(self).await, "{fault:?} stopped nothing");
                }
            }
        }
    }
}

/// One committee change, with what was told before it.
struct Change {
    /// The period whose committee the contract learns.
    period: u64,
    began: Instant,
    patience: Duration,
    troubles: usize,
    proving: usize,
}

impl Change {
    /// Whether the contract knows the committee; asked now and then.
    async fn is_known(&self, stage: &Stage) -> bool {
        let late = self.began.elapsed() > self.patience;
        assert!(!late, "no committee of period {}: {:?}", self.period, stage.told.troubles(self.troubles));
        tokio::time::sleep(Duration::from_millis(200)).await;
        stage.chain.knows(self.period).await
    }

    async fn wait(&self, stage: &Stage) {
        while !self.is_known(stage).await {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_gets_through_it_all_by_itself() {
    if process::is_child() {
        return;
    }
    let started = Instant::now();
    let changes = std::env::var("SOAK_CHANGES").map_or(4, |text| text.parse().unwrap());
    let network = network(changes).await;
    let (beginning, broken) = (network.beginning(), Arc::new(Broken::default()));
    let (first, second) = (beacon(&network, broken.clone()).await, beacon(&network, Arc::default()).await);
    let chain = Chain::begin(now(), beginning.clone()).await;
    let rpc = rpc(&chain, broken.clone()).await;
    let folder = tempdir().unwrap();
    let disk = Disk::over(folder.path());
    let order = json!({
        "folder": folder.path().to_str().unwrap(),
        "chain": hex::encode(codec::encode(&network.chain())),
        "checkpoint": hex::encode(beginning.root),
        "beacon": first.url(),
        "other_beacon": second.url(),
        "submit_rpc": rpc.url(),
        "contract": chain.contract().to_string(),
    });
    let told = Told::default();
    let follower = Process::start(&disk, &order, &told);
    let mut stage = Stage { follower, told, order, chain, disk, broken };
    println!("change  trouble        known after  troubles  submitted");
    for period in 0..changes {
        // The last change is the first under the new fork.
        let fault = (period + 1 < changes).then(|| FAULTS[period as usize % FAULTS.len()]);
        if period == DATED {
            network.date_fork();
        }
        let change = Change {
            period: period + 1,
            began: Instant::now(),
            patience: network.patience(),
            troubles: stage.told.count("trouble"),
            proving: stage.told.count("proving"),
        };
        let before = stage.chain.snapshot().await;
        if let Some(fault) = fault {
            stage.breaks(fault).await;
        }
        while now() < network.earliest(period) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if fault.is_none() {
            // The contract's clock is its last block's.
            stage.chain.pass(0).await;
        }
        network.hand_over(period);
        if let Some(fault) = fault {
            stage.lasts(fault, before, &change).await;
            stage.is_mended(fault).await;
        }
        change.wait(&stage).await;
        let name = fault.map_or("the new fork".into(), |fault| format!("{fault:?}"));
        let took = change.began.elapsed().as_secs_f32();
        let (troubles, submitted) = (stage.told.count("trouble"), stage.told.count("submitted"));
        println!(
            "{:>6}  {name:13} {took:>10.1} s  {:>8}  {submitted:>9}",
            change.period,
            troubles - change.troubles
        );
        assert!(stage.follower.runs(), "it ended at {name}");
    }
    for period in 0..=changes {
        assert!(stage.chain.knows(period).await, "the committee of period {period} is missing");
    }
    // A transaction that was reorganised away was mined again: as many are on the chain as there were changes.
    assert_eq!(stage.chain.transactions().await, changes, "one transaction for each change");
    println!(
        "the contract knows the committees of {} periods, by {changes} transactions, after {:.0} s",
        changes + 1,
        started.elapsed().as_secs_f32()
    );
}
