//! Proofs made stage by stage by the provers of a fleet, whoever of them dies or lies. The fleet is on this machine, in
//! memory or on disk, and workers are scripts; their proofs are none.
#![cfg(feature = "snark")]

mod common;

use std::{path::Path, sync::Arc, time::Duration};

use common::{Client, PATIENCE, Server, circuits, good_request, until, worker::Script};
use proof_server::{Fleet, Role};
use sextant_fleet::{
    Made, ObjectName, QueueLimits, StageMessage, StoreLimits, Worker,
    local::{LocalQueue, LocalStore},
};
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofKind, Request, Response, ServerError, proof::ProofView,
};

/// Does in the stage `$3` what a file asks for: dies, once or always, refuses what it was given, finds it too large, waits.
const JOB: &str = "\
    [ -e $D/always-die-$3 ] && kill -9 $$
    [ -e $D/die-$3 ] && rm $D/die-$3 && kill -9 $$
    [ -e $D/refuse-$3 ] && rm $D/refuse-$3 && cat $D/refused && continue
    [ -e $D/large-$3 ] && cat $D/too-large && continue
    while [ -e $D/wait-$3 ]; do sleep 0.02; done";

/// Before work is given up for which nobody waits, where a test waits for that.
const IMPATIENT: Duration = Duration::from_millis(200);

fn in_memory() -> Fleet {
    with(LocalQueue::in_memory(QueueLimits::default()), LocalStore::in_memory(StoreLimits::of(64 << 20)))
}

fn impatient() -> Fleet {
    let limits = QueueLimits { patience: IMPATIENT, ..QueueLimits::default() };
    with(LocalQueue::in_memory(limits), LocalStore::in_memory(StoreLimits::of(64 << 20)))
}

fn on_disk(folder: &Path) -> Fleet {
    let queue = LocalQueue::open(&folder.join("queue"), QueueLimits::default()).unwrap();
    with(queue, LocalStore::open(&folder.join("store"), StoreLimits::of(64 << 20)).unwrap())
}

fn with(queue: LocalQueue, store: LocalStore) -> Fleet {
    Fleet { queue: Arc::new(queue), store: Arc::new(store) }
}

/// A server of a fleet with its script.
struct Member {
    server: Server,
    _circuits: tempfile::TempDir,
}

impl Member {
    async fn start(fleet: &Fleet, role: Role, stages: &[&str], large: bool) -> Self {
        let (folder, circuits) = circuits();
        let script = Script::for_stages(&good_request(), JOB);
        let server = Server::start_in(Some(fleet.clone()), Some(script), |config| {
            (config.role, config.circuits, config.large) = (role, circuits, large);
            config.stages = Some(stages.iter().map(|stage| (*stage).into()).collect());
            // What is asked for again is looked for in the fleet.
            config.cache.memory = 0;
        });
        Self { server: server.await, _circuits: folder }
    }

    /// Everybody asks here.
    async fn entrypoint(fleet: &Fleet) -> Self {
        Self::start(fleet, Role::Entrypoint, &ALL, false).await
    }

    /// Takes these stages.
    async fn prover(fleet: &Fleet, stages: &[&str]) -> Self {
        Self::start(fleet, Role::Prover, stages, false).await
    }

    fn script(&self) -> &Script {
        self.server.script.as_ref().unwrap()
    }

    /// The stages that its workers have begun.
    fn stages(&self) -> String {
        self.script().stages().join(" ")
    }

    async fn is_at(&self, stages: &str) {
        until(stages, PATIENCE, async || self.stages() == stages).await;
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

const ALL: [&str; 4] = ["stark", "compressed", "wrap", "groth16"];

async fn ask(client: &mut Client, id: u64, kind: ProofKind) {
    let Request::Prove(mut request) = good_request() else { unreachable!() };
    request.kind = kind;
    client.request(id, Request::Prove(request)).await;
}

async fn answer(client: &mut Client, kind: ProofKind) -> Result<(), ServerError> {
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
async fn prove(entrypoint: &Member, kind: ProofKind) -> Result<(), ServerError> {
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, kind).await;
    answer(&mut client, kind).await
}

#[tokio::test]
async fn a_proof_goes_from_prover_to_prover_and_what_they_made_serves_others() {
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let small = Member::prover(&fleet, &["stark", "compressed"]).await;
    let large = Member::prover(&fleet, &["wrap", "groth16"]).await;
    prove(&entrypoint, ProofKind::Groth16).await.unwrap();
    assert_eq!((small.stages(), large.stages()), ("compressed".into(), "wrap groth16".into()));
    // What was made on the way is a proof by itself, and the whole is there for another entrypoint.
    let other = Member::entrypoint(&fleet).await;
    prove(&other, ProofKind::Compressed).await.unwrap();
    prove(&other, ProofKind::Groth16).await.unwrap();
    assert_eq!((small.stages(), large.stages()), ("compressed".into(), "wrap groth16".into()));
    prove(&other, ProofKind::Stark).await.unwrap();
    assert_eq!(small.stages(), "compressed stark");
    assert_eq!(entrypoint.stages() + &other.stages(), "", "they prove nothing themselves");
    for member in [entrypoint, other, small, large] {
        member.stop().await;
    }
}

#[tokio::test]
async fn what_two_entrypoints_want_is_made_once() {
    let fleet = impatient();
    let entrypoints = [Member::entrypoint(&fleet).await, Member::entrypoint(&fleet).await];
    let prover = Member::prover(&fleet, &ALL).await;
    prover.script().touch("wait-stark");
    let mut clients = Vec::new();
    for entrypoint in &entrypoints {
        let mut client = Client::connect(&entrypoint.server).await;
        ask(&mut client, 1, ProofKind::Stark).await;
        clients.push(client);
    }
    prover.is_at("stark").await;
    // One of them leaves: the other still waits.
    clients.remove(0).send(&ClientMessage::Cancel { id: 1 }).await;
    tokio::time::sleep(2 * IMPATIENT).await;
    prover.script().clear("wait-stark");
    answer(&mut clients[0], ProofKind::Stark).await.unwrap();
    assert_eq!(prover.stages(), "stark");
    for member in entrypoints.into_iter().chain([prover]) {
        member.stop().await;
    }
}

#[tokio::test]
async fn work_that_nobody_waits_for_is_given_up() {
    let fleet = impatient();
    let entrypoint = Member::entrypoint(&fleet).await;
    let prover = Member::prover(&fleet, &ALL).await;
    prover.script().touch("wait-stark");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Stark).await;
    prover.is_at("stark").await;
    let worker = prover.script().pids()[0];
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    until("its worker is gone", PATIENCE, async || !common::worker::is_alive(worker)).await;
    prover.script().clear("wait-stark");
    prove(&entrypoint, ProofKind::Stark).await.unwrap();
    assert_eq!(prover.stages(), "stark stark");
    entrypoint.stop().await;
    prover.stop().await;
}

#[tokio::test]
async fn a_prover_that_is_gone_costs_its_stage_and_none_before() {
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let first = Member::prover(&fleet, &ALL).await;
    first.script().touch("wait-wrap");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    first.is_at("compressed wrap").await;
    first.stop().await;
    let second = Member::prover(&fleet, &ALL).await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(second.stages(), "wrap groth16");
    entrypoint.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_prover_that_drains_finishes_the_stage_that_it_is_at() {
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let first = Member::prover(&fleet, &ALL).await;
    first.script().touch("wait-compressed");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    first.is_at("compressed").await;
    first.server.control.drain.cancel();
    let second = Member::prover(&fleet, &ALL).await;
    tokio::time::sleep(IMPATIENT).await;
    first.script().clear("wait-compressed");
    first.server.ended().await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(second.stages(), "wrap groth16");
    entrypoint.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_worker_that_dies_is_followed_by_another_a_bounded_number_of_times() {
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let prover = Member::prover(&fleet, &ALL).await;
    prover.script().touch("die-stark");
    prove(&entrypoint, ProofKind::Stark).await.unwrap();
    assert_eq!(prover.stages(), "stark stark");
    prover.script().touch("always-die-compressed");
    let error = prove(&entrypoint, ProofKind::Compressed).await.unwrap_err();
    assert_eq!((error.code, error.retry_after_ms), (ErrorCode::ProverFailed, 0));
    assert!(error.message.contains("4 workers failed at compressed"), "{error}");
    assert!(error.message.contains("signal 9"), "{error}");
    let deliveries = QueueLimits::default().deliveries as usize;
    assert_eq!(prover.script().stages().iter().filter(|stage| *stage == "compressed").count(), deliveries);
    // It is kept for the operator, with what was asked.
    let dead = fleet.queue.dead().await.unwrap();
    assert_eq!((dead.len(), dead[0].message.id.stage.as_str()), (1, "compressed"));
    entrypoint.stop().await;
    prover.stop().await;
}

#[tokio::test]
async fn what_is_too_large_goes_to_a_prover_for_what_is_larger_if_there_is_one() {
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let small = Member::prover(&fleet, &ALL).await;
    small.script().touch("large-stark");
    let error = prove(&entrypoint, ProofKind::Stark).await.unwrap_err();
    assert_eq!((error.code, small.stages().as_str()), (ErrorCode::TooLarge, "stark"));
    let large = Member::start(&fleet, Role::Prover, &["wrap"], true).await;
    let error = prove(&entrypoint, ProofKind::Stark).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge, "a larger one takes other stages");
    large.stop().await;

    let large = Member::start(&fleet, Role::Prover, &["stark"], true).await;
    large.script().touch("large-stark");
    let error = prove(&entrypoint, ProofKind::Stark).await.unwrap_err();
    assert_eq!((error.code, large.stages().as_str()), (ErrorCode::TooLarge, "stark"), "nobody is larger");
    large.script().clear("large-stark");
    prove(&entrypoint, ProofKind::Stark).await.unwrap();
    assert_eq!(
        (small.stages().as_str(), large.stages().as_str()),
        ("stark stark stark stark", "stark stark")
    );
    // Nothing else is its work.
    prove(&entrypoint, ProofKind::Compressed).await.unwrap();
    assert!(small.stages().ends_with("compressed"));
    for member in [entrypoint, small, large] {
        member.stop().await;
    }
}

#[tokio::test]
async fn what_the_next_stage_finds_to_be_none_is_made_again() {
    // By its worker, which verifies what it is given.
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let prover = Member::prover(&fleet, &ALL).await;
    prover.script().touch("refuse-wrap");
    prove(&entrypoint, ProofKind::Groth16).await.unwrap();
    assert_eq!(prover.stages(), "compressed wrap compressed wrap groth16");
    // By the entrypoint, which gives nobody what does not verify.
    entrypoint.script().touch("refuse-verify");
    prove(&entrypoint, ProofKind::Stark).await.unwrap();
    assert_eq!(prover.stages(), "compressed wrap compressed wrap groth16 stark stark");
    entrypoint.stop().await;
    prover.stop().await;

    // By its checksum.
    let folder = tempfile::tempdir().unwrap();
    let fleet = on_disk(folder.path());
    let entrypoint = Member::entrypoint(&fleet).await;
    let first = Member::prover(&fleet, &["compressed"]).await;
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    let made = folder.path().join("store").join("proofs");
    let file =
        || std::fs::read_dir(&made).unwrap().flatten().map(|file| file.path()).find(|path| is_whole(path));
    until("it is made", PATIENCE, async || file().is_some()).await;
    let (path, mut bytes) = (file().unwrap(), std::fs::read(file().unwrap()).unwrap());
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let second = Member::prover(&fleet, &["wrap", "groth16"]).await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!((first.stages(), second.stages()), ("compressed compressed".into(), "wrap groth16".into()));
    for member in [entrypoint, first, second] {
        member.stop().await;
    }
}

/// Whether a file has its name already.
fn is_whole(path: &Path) -> bool {
    !path.file_name().unwrap().to_string_lossy().starts_with('.')
}

/// What a prover that died at a point of wrapping has left: nothing but its message; what it made; that it is noted; that
/// the next stage was asked for. Whoever comes next finds it, wherever the fleet is kept.
#[tokio::test]
async fn nothing_is_made_again_that_was_finished_before_a_death_at_any_point() {
    let ((before_wrap, wrap), (before_groth16, groth16)) = (message("wrap").await, message("groth16").await);
    for disk in [false, true] {
        for (point, stages) in ["wrap groth16", "groth16", "groth16", "groth16"].into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let fleet = if disk { on_disk(folder.path()) } else { in_memory() };
            let compressed = copied(&before_wrap, &fleet, &wrap).await;
            assert_eq!(compressed.name.bucket().as_str(), "proofs");
            fleet.queue.submit(&wrap).await.unwrap();
            if point > 0 {
                let object = copied(&before_groth16, &fleet, &groth16).await;
                assert_eq!(object.name, ObjectName::part(&wrap.id));
                let made = Made { object, worker: Worker::literal("dead"), facts: Default::default() };
                if point > 1 {
                    fleet.queue.note_made(&wrap.id, &made).await.unwrap();
                }
            }
            if point > 2 {
                fleet.queue.submit(&groth16).await.unwrap();
            }
            let entrypoint = Member::entrypoint(&fleet).await;
            let prover = Member::prover(&fleet, &ALL).await;
            prove(&entrypoint, ProofKind::Groth16).await.unwrap();
            assert_eq!(prover.stages(), stages, "point {point}, on disk: {disk}");
            let empty = async || {
                let mut depth = 0;
                for message in [&wrap, &groth16] {
                    let line = fleet.queue.depth(&message.line()).await.unwrap();
                    depth += line.waiting + line.running;
                }
                depth == 0
            };
            until("nothing is left", PATIENCE, empty).await;
            entrypoint.stop().await;
            prover.stop().await;
        }
    }
}

/// Everything that is on disk survives the process that had it; the wish is asked for again.
#[tokio::test]
async fn a_fleet_that_is_started_again_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    {
        let fleet = on_disk(folder.path());
        let entrypoint = Member::entrypoint(&fleet).await;
        let prover = Member::prover(&fleet, &ALL).await;
        prover.script().touch("wait-groth16");
        let mut client = Client::connect(&entrypoint.server).await;
        ask(&mut client, 1, ProofKind::Groth16).await;
        prover.is_at("compressed wrap groth16").await;
        entrypoint.stop().await;
        prover.stop().await;
    }
    let fleet = on_disk(folder.path());
    let entrypoint = Member::entrypoint(&fleet).await;
    let prover = Member::prover(&fleet, &ALL).await;
    prove(&entrypoint, ProofKind::Groth16).await.unwrap();
    assert_eq!(prover.stages(), "groth16");
    entrypoint.stop().await;
    prover.stop().await;
}

/// The object that a message goes on from, in another fleet too.
async fn copied(from: &Fleet, to: &Fleet, message: &StageMessage) -> sextant_fleet::ObjectRef {
    let object = &message.before[0];
    let bytes = from.store.get(object).await.unwrap().expect("it is there");
    to.store.put(&object.name, bytes).await.unwrap()
}

/// A message of `stage`, of a fleet whose workers all die there, and that fleet.
async fn message(stage: &str) -> (Fleet, StageMessage) {
    let fleet = in_memory();
    let entrypoint = Member::entrypoint(&fleet).await;
    let prover = Member::prover(&fleet, &ALL).await;
    prover.script().touch(&format!("always-die-{stage}"));
    prove(&entrypoint, ProofKind::Groth16).await.unwrap_err();
    entrypoint.stop().await;
    prover.stop().await;
    let message = fleet.queue.dead().await.unwrap().remove(0).message;
    assert_eq!(message.id.stage.as_str(), stage);
    (fleet, message)
}
