//! A fleet in each of its places, and servers of it whose workers are scripts; their proofs are none.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proof_server::{Config, Fleet, Role};
use sextant_fleet::{
    QueueLimits, StoreLimits, Worker,
    local::{LocalQueue, LocalStore},
    nats::{NatsConfig, NatsFleet},
};
use sextant_protocol::{ProofKind, Request, Response, ServerError, proof::ProofView};

use super::{Client, PATIENCE, Server, circuits, good_request, nats::NatsServer, until, worker::Script};

/// The stages, in the order of a proof's way.
pub const ALL: [&str; 4] = ["stark", "compressed", "wrap", "groth16"];

/// Does in the stage `$S` what a file asks for: dies, once or always, refuses what it was given, finds it too large, waits.
const JOB: &str = "\
    [ -e $D/always-die-$S ] && kill -9 $$
    [ -e $D/die-$S ] && rm $D/die-$S && kill -9 $$
    [ -e $D/refuse-$S ] && rm $D/refuse-$S && cat $D/refused && continue
    [ -e $D/large-$S ] && cat $D/too-large && continue
    while [ -e $D/wait-$S ]; do sleep 0.02; done";

/// Where a fleet is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Memory,
    Disk,
    Broker,
}

/// How a test wants its fleet.
#[derive(Clone, Copy)]
pub struct Limits {
    pub queue: QueueLimits,
    pub store: StoreLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue: QueueLimits::default(), store: StoreLimits::of(64 << 20) }
    }
}

/// A fleet that servers join.
pub struct Home {
    limits: Limits,
    kept: Kept,
}

enum Kept {
    /// As long as it lives.
    Memory(Fleet),
    /// One process has it at a time: here, all servers of a test.
    Disk(tempfile::TempDir, Option<Fleet>),
    Broker(NatsServer),
}

impl Home {
    /// A fleet in `place`; `None` on a machine that has no broker and cannot build one.
    pub async fn new(place: Place, limits: Limits) -> Option<Self> {
        let kept = match place {
            Place::Memory => Kept::Memory(Fleet {
                queue: Arc::new(LocalQueue::in_memory(limits.queue)),
                store: Arc::new(LocalStore::in_memory(limits.store)),
            }),
            Place::Disk => {
                let folder = tempfile::tempdir().unwrap();
                let fleet = on_disk(folder.path(), limits);
                Kept::Disk(folder, Some(fleet))
            }
            Place::Broker => {
                let server = NatsServer::start("").await?;
                connect(&server, limits).await.set_up().await.unwrap();
                Kept::Broker(server)
            }
        };
        Some(Self { limits, kept })
    }

    /// The fleet as another process sees it.
    pub async fn fleet(&self) -> Fleet {
        match &self.kept {
            Kept::Memory(fleet) | Kept::Disk(_, Some(fleet)) => fleet.clone(),
            Kept::Disk(_, None) => panic!("it is stopped"),
            Kept::Broker(server) => {
                let fleet = connect(server, self.limits).await;
                Fleet { queue: Arc::new(fleet.queue().clone()), store: Arc::new(fleet.store().clone()) }
            }
        }
    }

    /// What keeps the fleet ends, as by a kill. Servers on this machine have to be gone.
    pub fn end(&mut self) {
        match &mut self.kept {
            Kept::Memory(_) => panic!("nothing would be left"),
            Kept::Disk(_, fleet) => *fleet = None,
            Kept::Broker(server) => server.kill(),
        }
    }

    /// It is there again, with what it has kept.
    pub async fn again(&mut self) {
        match &mut self.kept {
            Kept::Memory(_) => {}
            Kept::Disk(folder, fleet) => {
                let queue = folder.path().join("queue");
                // The last of a server that has stopped may be a moment behind.
                until("nobody has it", PATIENCE, async || {
                    LocalQueue::open(&queue, self.limits.queue).is_ok()
                })
                .await;
                *fleet = Some(on_disk(folder.path(), self.limits));
            }
            Kept::Broker(server) => server.again().await,
        }
    }

    /// Where objects lie as files.
    pub fn folder(&self) -> Option<&Path> {
        match &self.kept {
            Kept::Disk(folder, _) => Some(folder.path()),
            _ => None,
        }
    }

    /// The broker's address.
    pub fn url(&self) -> Option<String> {
        match &self.kept {
            Kept::Broker(server) => Some(server.url()),
            _ => None,
        }
    }
}

fn on_disk(folder: &Path, limits: Limits) -> Fleet {
    let queue = LocalQueue::open(&folder.join("queue"), limits.queue).unwrap();
    let store = LocalStore::open(&folder.join("store"), limits.store).unwrap();
    Fleet { queue: Arc::new(queue), store: Arc::new(store) }
}

async fn connect(server: &NatsServer, limits: Limits) -> NatsFleet {
    let config = NatsConfig {
        queue: limits.queue,
        store: limits.store,
        lease: Duration::from_secs(2),
        outage: Duration::from_secs(20),
        // All of it works there too: `NATS_SERVER=/usr/sbin/nats-server`.
        accept_old: true,
        ..NatsConfig::new(server.url())
    };
    NatsFleet::connect(config).await.unwrap()
}

/// Runs each test on a fleet in each place.
#[macro_export]
macro_rules! in_each_place {
    ($($test:ident),* $(,)?) => {
        mod memory { $( #[tokio::test] async fn $test() { super::$test(super::Place::Memory).await; } )* }
        mod disk { $( #[tokio::test] async fn $test() { super::$test(super::Place::Disk).await; } )* }
        mod broker { $( #[tokio::test] async fn $test() { super::$test(super::Place::Broker).await; } )* }
    };
}

static MACHINES: AtomicUsize = AtomicUsize::new(1);

/// A server of a fleet with its script.
pub struct Member {
    pub server: Server,
    machine: String,
    _circuits: tempfile::TempDir,
}

impl Member {
    pub async fn start(home: &Home, role: Role, stages: &[&str], large: bool) -> Self {
        let stages = stages.iter().map(|stage| (*stage).into()).collect();
        let fleet = Some(home.fleet().await);
        Self::start_in(fleet, role, |config| (config.stages, config.large) = (Some(stages), large)).await
    }

    /// A server that is given no fleet.
    pub async fn alone(role: Role, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(None, role, adjust).await
    }

    async fn start_in(fleet: Option<Fleet>, role: Role, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::making(&good_request(), fleet, role, adjust).await
    }

    /// A prover of these stages that makes proofs of another statement than usual.
    pub async fn prover_of(home: &Home, request: &Request, stages: &[&str]) -> Self {
        let stages = stages.iter().map(|stage| (*stage).into()).collect();
        let fleet = Some(home.fleet().await);
        Self::making(request, fleet, Role::Prover, |config| config.stages = Some(stages)).await
    }

    /// A server whose worker makes proofs of this statement.
    pub async fn making(
        request: &Request,
        fleet: Option<Fleet>,
        role: Role,
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let (folder, circuits) = circuits();
        let script = Script::for_stages(request, JOB);
        let machine = format!("machine-{}", MACHINES.fetch_add(1, Ordering::Relaxed));
        let server = Server::start_in(fleet, Some(script), |config| {
            (config.role, config.circuits) = (role, circuits);
            // As on machines of their own.
            config.machine.clone_from(&machine);
            // What is asked for again is looked for in the fleet.
            config.cache.memory = 0;
            adjust(config);
        });
        Self { server: server.await, machine, _circuits: folder }
    }

    /// Everybody asks here.
    pub async fn entrypoint(home: &Home) -> Self {
        Self::start(home, Role::Entrypoint, &ALL, false).await
    }

    /// One with other settings.
    pub async fn entrypoint_with(home: &Home, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(Some(home.fleet().await), Role::Entrypoint, adjust).await
    }

    /// Takes these stages.
    pub async fn prover(home: &Home, stages: &[&str]) -> Self {
        Self::start(home, Role::Prover, stages, false).await
    }

    /// One of these stages with other settings.
    pub async fn prover_with(home: &Home, stages: &[&str], adjust: impl FnOnce(&mut Config)) -> Self {
        let stages = stages.iter().map(|stage| (*stage).into()).collect();
        Self::start_in(Some(home.fleet().await), Role::Prover, |config| {
            config.stages = Some(stages);
            adjust(config);
        })
        .await
    }

    /// What its machine is called.
    pub fn machine(&self) -> Worker {
        self.machine.parse().unwrap()
    }

    pub fn script(&self) -> &Script {
        self.server.script.as_ref().unwrap()
    }

    /// The stages that its workers have begun.
    pub fn stages(&self) -> String {
        self.script().stages().join(" ")
    }

    pub async fn is_at(&self, stages: &str) {
        until(stages, PATIENCE, async || self.stages() == stages).await;
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

pub async fn ask(client: &mut Client, id: u64, kind: ProofKind) {
    ask_for(client, id, good_request(), kind).await;
}

pub async fn ask_for(client: &mut Client, id: u64, request: Request, kind: ProofKind) {
    let Request::Prove(mut request) = request else { panic!("a prove request") };
    request.kind = kind;
    client.request(id, Request::Prove(request)).await;
}

pub async fn answer(client: &mut Client, kind: ProofKind) -> Result<(), ServerError> {
    match client.answer().await {
        (_, Ok(Response::Proof(answer))) => {
            assert_eq!(ProofView::of(&answer.record).unwrap().kind, kind);
            Ok(())
        }
        (_, Err(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

/// Has a proof made, or hears why not.
pub async fn prove(entrypoint: &Member, kind: ProofKind) -> Result<(), ServerError> {
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, kind).await;
    answer(&mut client, kind).await
}
