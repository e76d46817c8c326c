//! Fleets to test, one of each implementation, and what tests ask of them.
#![allow(dead_code)] // Each test takes what it needs.

pub mod nats;

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use sextant_fleet::{
    Lane, Lease, Line, ObjectName, ObjectRef, Outcome, Part, Queue, QueueLimits, Release, Stage, StageId,
    StageMessage, Store, StoreLimits, Worker,
    local::{LocalQueue, LocalStore},
};
use sextant_protocol::{ErrorCode, JobKey, ServerError};

pub const CORE: Stage = Stage::literal("core");
pub const WRAP: Stage = Stage::literal("wrap");
pub const RELEASE: Release = Release::literal("0123456789ab");
pub const ANN: Worker = Worker::literal("ann");
pub const BEN: Worker = Worker::literal("ben");

/// One fleet, ended when dropped.
pub struct Fleet {
    pub queue: Arc<dyn Queue>,
    pub store: Arc<dyn Store>,
    end: Place,
}

/// What a fleet keeps beyond its process.
enum Place {
    Memory,
    Disk(tempfile::TempDir),
    Broker(nats::NatsServer),
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

impl Limits {
    /// The same, with another queue.
    pub fn queue(change: impl FnOnce(&mut QueueLimits)) -> Self {
        let mut limits = Self::default();
        change(&mut limits.queue);
        limits
    }
}

pub async fn memory(limits: Limits) -> Option<Fleet> {
    let queue = Arc::new(LocalQueue::in_memory(limits.queue));
    let store = Arc::new(LocalStore::in_memory(limits.store));
    Some(Fleet { queue, store, end: Place::Memory })
}

pub async fn disk(limits: Limits) -> Option<Fleet> {
    let folder = tempfile::tempdir().unwrap();
    let (queue, store) = on_disk(folder.path(), limits);
    Some(Fleet { queue, store, end: Place::Disk(folder) })
}

pub async fn broker(limits: Limits) -> Option<Fleet> {
    let server = nats::NatsServer::start("").await?;
    let fleet = connect(&server, limits).await;
    fleet.set_up().await.unwrap();
    Some(at_broker(server, fleet))
}

/// Another process of the fleet at `server`.
pub async fn connect(server: &nats::NatsServer, limits: Limits) -> sextant_fleet::nats::NatsFleet {
    let config = sextant_fleet::nats::NatsConfig {
        queue: limits.queue,
        store: limits.store,
        lease: Duration::from_secs(2),
        outage: Duration::from_secs(20),
        // All of it works there too: `NATS_SERVER=/usr/sbin/nats-server`.
        accept_old: true,
        ..sextant_fleet::nats::NatsConfig::new(server.url())
    };
    sextant_fleet::nats::NatsFleet::connect(config).await.unwrap()
}

fn at_broker(server: nats::NatsServer, fleet: sextant_fleet::nats::NatsFleet) -> Fleet {
    let (queue, store) = (Arc::new(fleet.queue().clone()), Arc::new(fleet.store().clone()));
    Fleet { queue, store, end: Place::Broker(server) }
}

fn on_disk(folder: &Path, limits: Limits) -> (Arc<dyn Queue>, Arc<dyn Store>) {
    let queue = LocalQueue::open(&folder.join("queue"), limits.queue).unwrap();
    let store = LocalStore::open(&folder.join("store"), limits.store).unwrap();
    (Arc::new(queue), Arc::new(store))
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Fleet {
    /// Ends with a message in hand, as a process does that is killed.
    pub fn abandon(&self, lease: Lease) {
        match self.end {
            Place::Memory | Place::Disk(_) => std::mem::forget(lease),
            // Forgotten, this process would go on saying that it has it.
            Place::Broker(_) => drop(lease),
        }
    }

    /// The fleet after everything in it was killed and started again; `None` where nothing is kept.
    pub async fn restarted(self, limits: Limits) -> Option<Self> {
        if let Place::Broker(mut server) = self.end {
            server.kill();
            server.again().await;
            let fleet = connect(&server, limits).await;
            return Some(at_broker(server, fleet));
        }
        match &self.end {
            Place::Memory => None,
            Place::Disk(folder) => {
                // What is on the disk at this moment is what a killed process leaves.
                let left = tempfile::tempdir().unwrap();
                copy(folder.path(), left.path());
                let (queue, store) = on_disk(left.path(), limits);
                Some(Self { queue, store, end: Place::Disk(left) })
            }
            Place::Broker(_) => None,
        }
    }

    /// Where objects lie as files.
    pub fn folder(&self) -> Option<&Path> {
        match &self.end {
            Place::Disk(folder) => Some(folder.path()),
            _ => None,
        }
    }

    pub async fn submit(&self, message: &StageMessage) {
        self.queue.submit(message).await.unwrap();
    }

    /// The next message of a line.
    pub async fn take(&self, line: &Line) -> Lease {
        within(self.queue.take(std::slice::from_ref(line), &ANN)).await.unwrap()
    }

    /// Nobody gets a message of this line now.
    pub async fn nothing_on(&self, line: &Line) {
        let lines = std::slice::from_ref(line);
        let taken = tokio::time::timeout(Duration::from_millis(300), self.queue.take(lines, &BEN)).await;
        assert!(taken.is_err(), "{taken:?}");
    }
}

/// Runs each test on each implementation.
#[macro_export]
macro_rules! on_each_fleet {
    ($($test:ident),* $(,)?) => {
        mod memory { $( #[tokio::test] async fn $test() { super::$test(super::common::memory).await; } )* }
        mod disk { $( #[tokio::test] async fn $test() { super::$test(super::common::disk).await; } )* }
        mod broker { $( #[tokio::test] async fn $test() { super::$test(super::common::broker).await; } )* }
    };
}

/// What does not come within ten seconds does not come.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), work).await.expect("it comes within ten seconds")
}

pub fn job(number: u8) -> JobKey {
    JobKey([number; 32])
}

/// What is asked first of job `number`.
pub fn core(number: u8) -> StageMessage {
    message(StageId::whole(job(number), 0, CORE))
}

pub fn message(id: StageId) -> StageMessage {
    let work = sextant_fleet::Work { inline: Bytes::from_static(b"work"), stored: None };
    StageMessage::new(id, RELEASE, Lane::Hi, work)
}

pub fn part(number: u8, name: &str) -> StageId {
    StageId { job: job(number), generation: 0, stage: CORE, part: name.parse::<Part>().unwrap() }
}

pub fn proof(number: u8) -> ObjectRef {
    ObjectRef::to(ObjectName::proof(&job(number)), b"proof")
}

pub fn failed(message: &str) -> ServerError {
    ServerError::new(ErrorCode::ProverFailed, message)
}

pub fn outcome(number: u8, generation: u32, result: Result<ObjectRef, ServerError>) -> Outcome {
    Outcome { job: job(number), generation, result, worker: ANN, facts: Bytes::new() }
}
