//! `proof-server fleet`: what an operator is told of a fleet, what comes of what it is asked to do, and what it says when it
//! cannot. And what an entrypoint tells autoscalers.

mod common;

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use common::{PATIENCE, Server, nats::NatsServer, until};
use proof_server::{Fleet, Role};
use serde_json::Value;
use sextant_fleet::{
    Bucket, Lane, Line, ObjectName, ObjectRef, Oversee, Paused, Queue, QueueLimits, Release, Stage, StageId,
    StageMessage, Store, StoreLimits, Work, Worker,
    local::{LocalQueue, LocalStore},
    nats::{NatsConfig, NatsFleet},
};
use sextant_protocol::{ErrorCode, JobKey, ServerError};

const STARK: Stage = Stage::literal("stark");
const RELEASE: Release = Release::literal("0123456789ab");
const ANN: Worker = Worker::literal("ann");

/// A fleet in a folder, for one process at a time.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn open(&self) -> (LocalQueue, LocalStore) {
        let queue = LocalQueue::open(&self.path().join("queue"), QueueLimits::default()).unwrap();
        (queue, LocalStore::open(&self.path().join("store"), StoreLimits::of(64 << 20)).unwrap())
    }

    fn fleet(&self, arguments: &[&str]) -> Output {
        operate(&[&["--fleet", self.path().to_str().unwrap()], arguments].concat())
    }

    /// What a command says, one value a line.
    fn says(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.fleet(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What a command says is wrong: its code, and the sentence.
    fn refuses(&self, arguments: &[&str]) -> (String, String) {
        refused(&self.fleet(&[arguments, &["--json"]].concat()))
    }
}

fn operate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proof-server"));
    command.arg("fleet").args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEXTANT_")) {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn refused(output: &Output) -> (String, String) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(told.contains(&text("message")), "people are told too: {told}");
    (text("error"), text("message"))
}

fn job(number: u8) -> JobKey {
    JobKey([number; 32])
}

fn message(number: u8) -> StageMessage {
    let work = Work { inline: Bytes::from_static(b"work"), stored: None };
    StageMessage::new(StageId::whole(job(number), 0, STARK), RELEASE, Lane::Hi, work)
}

fn line() -> [Line; 1] {
    [message(1).line()]
}

async fn take(queue: &dyn Queue, number: u8) -> sextant_fleet::Lease {
    let lines = line();
    let lease = queue.take(&lines, &ANN).await.unwrap();
    assert_eq!(lease.message().id.job, job(number));
    lease
}

fn prover_failed(text: &str) -> ServerError {
    ServerError::new(ErrorCode::ProverFailed, text)
}

/// One job is proven, one dead, one was put back once, one waits.
async fn worked_with() -> Home {
    let home = Home::new();
    let (queue, store) = home.open();
    for number in 1..=4 {
        queue.submit(&message(number)).await.unwrap();
    }
    let lease = take(&queue, 1).await;
    let proof = store.put(&ObjectName::proof(&job(1)), Bytes::from_static(b"proof")).await.unwrap();
    lease.made(proof.clone(), Bytes::new()).await.unwrap();
    lease.finish(proof, Bytes::new()).await.unwrap();
    take(&queue, 2).await.fail(prover_failed("its guest does not end")).await.unwrap();
    take(&queue, 3).await.again(Duration::ZERO, "its disk is full");
    home
}

#[tokio::test]
async fn an_operator_sees_what_waits_what_is_dead_and_what_became_of_a_job() {
    let home = worked_with().await;
    let status = &home.says(&["status"])[0];
    let row = &status["demand"][0];
    assert_eq!(
        (&row["stage"], &row["class"], &row["release"]),
        (&"stark".into(), &"ordinary".into(), &"0123456789ab".into())
    );
    assert_eq!((&row["waiting"], &row["running"], &status["dead"]), (&2.into(), &0.into(), &1.into()));
    let jobs = home.says(&["jobs"]);
    let states: BTreeSet<_> = jobs
        .iter()
        .map(|row| (row["job"].as_str().unwrap()[..2].to_owned(), row["state"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("02", "dead"), ("03", "waiting"), ("04", "waiting")];
    assert_eq!(states, expected.map(|(job, state)| (job.to_owned(), state.to_owned())).into());
    assert_eq!(home.says(&["jobs", "--state", "dead"]).len(), 1);

    let whole = job(1).to_string();
    let done = &home.says(&["job", &whole])[0];
    assert_eq!((&done["state"], &done["outcome"]["worker"]), (&"done".into(), &"ann".into()));
    assert_eq!((&done["outcome"]["bytes"], &done["made"][0]["stage"]), (&5.into(), &"stark".into()));
    // The first digits will do where something is in the queue.
    let failed = &home.says(&["job", "02020202"])[0];
    assert_eq!(
        (&failed["state"], &failed["outcome"]["error"]["code"]),
        (&"dead".into(), &"prover failed".into())
    );
    let letter = &home.says(&["dead"])[0];
    assert_eq!(letter["error"]["message"], "its guest does not end");
    assert!(home.says(&["dead", "--stage", "wrap"]).is_empty());
    let release = &home.says(&["releases"])[0];
    assert_eq!(
        (&release["release"], &release["own"], &release["waiting"]),
        (&"0123456789ab".into(), &false.into(), &2.into())
    );
    assert!(home.says(&["workers"]).is_empty());
    assert!(home.says(&["top"])[0]["status"]["demand"].is_array(), "where there is no terminal, once");

    // The same for people.
    let text = |arguments: &[&str]| String::from_utf8(home.fleet(arguments).stdout).unwrap();
    assert!(text(&["status"]).contains("0 workers, 0 busy; 1 dead letters"), "{}", text(&["status"]));
    assert!(text(&["dead"]).contains("its guest does not end"));
    assert!(text(&["job", &whole]).contains("5 bytes"));
    assert!(!text(&["top"]).contains('\x1b'));
}

#[tokio::test]
async fn an_operator_puts_back_ends_and_holds_up() {
    let home = worked_with().await;
    let put_back = &home.says(&["retry", "02020202"])[0];
    assert_eq!((&put_back["submitted"], &put_back["stage"]), (&"new".into(), &"stark".into()));
    assert_eq!(home.refuses(&["retry", "02020202"]).0, "nothing-dead");
    let ended = &home.says(&["cancel", "03030303", "--reason", "not today"])[0];
    assert_eq!((&ended["messages"], &ended["waiters"]), (&1.into(), &0.into()));
    let failed = &home.says(&["job", &job(3).to_string()])[0];
    assert_eq!(
        (&failed["state"], &failed["outcome"]["error"]["message"]),
        (&"failed".into(), &"not today".into())
    );
    assert_eq!(home.refuses(&["cancel", &job(1).to_string()]).0, "over");

    home.says(&["pause", "stark"]);
    home.says(&["pause", "--worker", "ann", "--minutes", "5"]);
    let status = &home.says(&["status"])[0];
    assert_eq!(
        (&status["demand"][0]["paused"], status["pauses"].as_array().unwrap().len()),
        (&true.into(), 2)
    );
    {
        let (queue, _) = home.open();
        let parts = ["stark-shard", "stark-fold"].map(|name| Paused::Stage(name.parse().unwrap()));
        let pauses = queue.pauses().await.unwrap();
        assert!(parts.iter().all(|part| pauses.iter().any(|pause| pause.of == *part)), "{pauses:?}");
        let lines = line();
        let taken = tokio::time::timeout(Duration::from_millis(300), queue.take(&lines, &ANN)).await;
        assert!(taken.is_err(), "{taken:?}");
    }
    home.says(&["resume", "stark"]);
    home.says(&["resume", "--worker", "ann"]);
    assert_eq!(home.refuses(&["resume", "stark"]).0, "not-paused");
    let (queue, _) = home.open();
    assert!(queue.pauses().await.unwrap().is_empty());
    // What was put back is done though nobody waits, and comes after what waited already.
    take(&queue, 4).await.fail(prover_failed("no circuits")).await.unwrap();
    let lease = take(&queue, 2).await;
    assert!(lease.message().unattended);
    lease.fail(prover_failed("again")).await.unwrap();
    drop(queue);
    assert_eq!(home.says(&["requeue", "--stage", "wrap"]).len(), 0);
    assert_eq!(home.says(&["requeue", "--all"]).len(), 2);
    assert!(home.says(&["dead"]).is_empty());
}

#[tokio::test]
async fn only_what_no_job_needs_is_collected() {
    let home = worked_with().await;
    let (queue, store) = home.open();
    let put = async |name: ObjectName| store.put(&name, Bytes::from_static(b"bytes")).await.unwrap();
    let gone = put(ObjectName::part(&StageId::whole(job(9), 0, STARK))).await;
    let needed = put(ObjectName::part(&StageId::whole(job(4), 0, STARK))).await;
    let of_dead = put(ObjectName::part(&StageId::whole(job(2), 0, STARK))).await;
    let unnamed = put(ObjectName::input(b"old")).await;
    let large = Work { inline: Bytes::new(), stored: Some(put(ObjectName::input(b"input")).await) };
    let named = large.stored.clone().unwrap();
    queue.submit(&StageMessage { work: large, ..message(5) }).await.unwrap();
    drop((queue, store));
    let collected = |arguments: &[&str]| {
        let told = home.says(&[&["gc"], arguments].concat()).remove(0);
        (told["objects"].as_u64().unwrap(), told["bytes"].as_u64().unwrap())
    };
    assert_eq!(collected(&[]), (0, 0), "what is young may be needed by what is being asked for");
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(collected(&["--minutes", "0", "--dry-run"]), (2, 10));
    assert_eq!(collected(&["--minutes", "0"]), (2, 10));
    assert_eq!(collected(&["--minutes", "0"]), (0, 0));
    let (_, store) = home.open();
    let there = async |object: &ObjectRef| store.find(&object.name).await.unwrap().is_some();
    for (object, stays) in
        [(&gone, false), (&unnamed, false), (&needed, true), (&of_dead, true), (&named, true)]
    {
        assert_eq!(there(object).await, stays, "{}", object.name);
    }
    assert_eq!(store.list(Bucket::Proofs).await.unwrap().len(), 1, "proofs stay");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_with_what_to_do() {
    let nowhere = refused(&operate(&["status", "--json"]));
    assert!(nowhere.0 == "no-fleet" && nowhere.1.contains("--fleet"), "{nowhere:?}");
    // Nobody listens on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = refused(&operate(&["status", "--json", "--fleet", &format!("nats://127.0.0.1:{port}")]));
    assert!(away.0 == "unreachable" && away.1.contains("is the broker there"), "{away:?}");
    let elsewhere =
        ["status", "--json", "--fleet", "nats://192.0.2.7", "--fleet-credentials", "/nonexistent"];
    let plain = refused(&operate(&elsewhere));
    assert!(plain.0 == "configuration" && plain.1.contains("192.0.2.7:4222"), "{plain:?}");
    let allowed = refused(&operate(&[&elsewhere[..], &["--allow-plain-secrets"]].concat()));
    assert!(allowed.0 == "refused" && allowed.1.contains("/nonexistent"), "{allowed:?}");
    let home = Home::new();
    assert!(home.refuses(&["status"]).1.contains("there is no queue"));
    assert!(!home.path().join("queue").exists(), "looking makes nothing");
    let (queue, _) = home.open();
    queue.submit(&message(1)).await.unwrap();
    let busy = home.refuses(&["status"]);
    assert!(busy.0 == "refused" && busy.1.contains("use a broker"), "{busy:?}");
    drop(queue);
    for (arguments, code) in [
        (&["job", "0101"][..], "not-a-job"),
        (&["job", "x1010101"], "not-a-job"),
        (&["job", "02020202"], "no-job"),
        (&["cancel", &job(7).to_string()], "no-job"),
        (&["retry", &job(1).to_string()], "nothing-dead"),
        (&["pause", "starck"], "name"),
        (&["pause"], "unsaid"),
        (&["requeue"], "unsaid"),
        (&["resume", "--worker", "ann"], "not-paused"),
    ] {
        assert_eq!(home.refuses(arguments).0, code, "{arguments:?}");
    }
    let mut similar = message(1);
    similar.id.job.0[31] = 9;
    home.open().0.submit(&similar).await.unwrap();
    assert_eq!(home.refuses(&["job", "01010101"]).0, "ambiguous");
}

#[tokio::test]
async fn an_operator_steers_the_fleet_at_a_broker_while_it_works() {
    let Some(broker) = NatsServer::start("").await else { return };
    let url = broker.url();
    let fleet = |arguments: &[&str]| operate(&[arguments, &["--json", "--fleet", &url]].concat());
    let says = |arguments: &[&str]| {
        let output = fleet(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let empty = refused(&fleet(&["status"]));
    assert!(empty.1.contains("an entrypoint makes one"), "{empty:?}");
    let member = NatsFleet::connect(NatsConfig::new(&url)).await.unwrap();
    member.set_up().await.unwrap();
    let queue = member.queue();
    for number in 1..=3 {
        queue.submit(&message(number)).await.unwrap();
    }
    let attendance = queue.attend(&ANN, &line()).await.unwrap();
    let lease = take(queue, 1).await;
    let _busy = attendance.at(&lease);
    until("it is seen at work", PATIENCE, async || {
        says(&["workers"]).first().is_some_and(|row| row["job"] == job(1).to_string())
    })
    .await;
    let row = &says(&["status"])[0]["demand"][0];
    assert_eq!((&row["waiting"], &row["running"], &row["workers"]), (&2.into(), &1.into(), &1.into()));
    let running = says(&["jobs", "--state", "running"]);
    assert_eq!((running.len(), &running[0]["workers"][0]), (1, &"ann".into()));
    says(&["pause", "stark"]);
    says(&["cancel", "02020202"]);
    let lines = line();
    let taken = tokio::time::timeout(Duration::from_millis(500), queue.take(&lines, &ANN)).await;
    assert!(taken.is_err(), "{taken:?}");
    says(&["resume", "stark"]);
    let next = tokio::time::timeout(PATIENCE, take(queue, 3)).await.unwrap();
    next.fail(prover_failed("no circuits")).await.unwrap();
    assert_eq!(says(&["retry", &job(3).to_string()])[0]["submitted"], "new");
    assert_eq!(says(&["job", &job(2).to_string()])[0]["outcome"]["error"]["code"], "cancelled");
}

/// The page lists every field that a command's JSON has.
#[tokio::test]
async fn the_fields_of_the_json_are_documented() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/fleet.md")).unwrap();
    let (_, fields_of) = page.split_once("| command | fields of its JSON |").unwrap();
    let home = worked_with().await;
    home.says(&["pause", "stark", "--minutes", "5"]);
    for command in ["status", "jobs", "job", "dead", "releases", "gc"] {
        let arguments = if command == "job" { vec![command, "02020202"] } else { vec![command] };
        let row = format!("| `{command}` |");
        let row =
            fields_of.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("no row {row}"));
        let mut fields = BTreeSet::new();
        home.says(&arguments).iter().for_each(|value| names(value, &mut fields));
        for field in &fields {
            assert!(row.contains(&format!("`{field}`")), "{command}: {field} is not in {row}");
        }
        assert!(!fields.is_empty());
    }
}

fn names(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            into.insert(name.clone());
            names(value, into);
        }),
        Value::Array(values) => values.iter().for_each(|value| names(value, into)),
        _ => {}
    }
}

#[tokio::test]
async fn an_entrypoint_tells_what_an_autoscaler_needs() {
    let queue = Arc::new(LocalQueue::in_memory(QueueLimits::default()));
    let store = Arc::new(LocalStore::in_memory(StoreLimits::of(64 << 20)));
    let fleet = Fleet { queue, store };
    let server = Server::start_in(Some(fleet.clone()), None, |config| config.role = Role::Entrypoint).await;
    let ask = async |query: &str| -> Value {
        let (status, body) = server.http(&format!("/fleet/demand{query}")).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    until("the fleet is seen", PATIENCE, async || server.http("/fleet/demand").await.0 == 200).await;
    let nothing = ask("").await;
    assert_eq!((&nothing["value"], nothing["demand"].as_array().unwrap().len()), (&0.into(), 8));
    let release: Release = nothing["release"].as_str().unwrap().parse().unwrap();
    for (number, lane) in [(1, Lane::Hi), (2, Lane::Hi), (3, Lane::Lo), (4, Lane::Xl)] {
        let message = StageMessage { release: release.clone(), lane, ..message(number) };
        fleet.queue.submit(&message).await.unwrap();
    }
    let lines = [Lane::Hi, Lane::Lo].map(|lane| Line { stage: STARK, release: release.clone(), lane });
    let attendance = fleet.queue.attend(&ANN, &lines).await.unwrap();
    let lease = fleet.queue.take(&lines, &ANN).await.unwrap();
    let _busy = attendance.at(&lease);
    until("it is seen", PATIENCE, async || ask("").await["value"] == 4).await;
    let ordinary = ask("?stage=stark&class=ordinary").await;
    assert_eq!(ordinary["value"], 3, "what waits and what runs");
    let row = &ordinary["demand"][0];
    assert_eq!((&row["waiting"], &row["running"], &row["workers"]), (&2.into(), &1.into(), &1.into()));
    assert!(row["oldest_wait_seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(ask("?stage=stark&class=large").await["value"], 1);
    assert_eq!(ask("?stage=wrap").await["value"], 0);
    for wrong in ["?stage=starck", "?class=huge", "?lane=hi"] {
        assert_eq!(server.http(&format!("/fleet/demand{wrong}")).await.0, 400, "{wrong}");
    }
    for (metric, value) in [("waiting", 2.0), ("running", 1.0), ("workers", 1.0), ("held_back", 0.0)] {
        let name = format!("sextant_fleet_{metric}{{stage=\"stark\",class=\"ordinary\"}}");
        assert_eq!(server.metric(&name).await, value, "{name}");
    }
    assert_eq!(server.metric(&format!("sextant_fleet_seen{{release=\"{release}\"}}")).await, 1.0);
    assert!(
        server.metric("sextant_fleet_oldest_wait_seconds{stage=\"stark\",class=\"ordinary\"}").await > 0.0
    );
    server.stop().await;

    let alone = Server::start(None, |_| {}).await;
    assert_eq!(alone.http("/fleet/demand").await.0, 404, "there is no fleet to tell of");
    alone.stop().await;
}

#[tokio::test]
async fn a_prover_is_seen_and_takes_nothing_while_its_stage_is_paused() {
    let queue = Arc::new(LocalQueue::in_memory(QueueLimits::default()));
    let store = Arc::new(LocalStore::in_memory(StoreLimits::of(64 << 20)));
    let fleet = Fleet { queue, store };
    let server = Server::start_in(Some(fleet.clone()), None, |config| {
        (config.role, config.stages) = (Role::Prover, Some(vec!["stark".into()]));
    });
    let server = server.await;
    until("it is there", PATIENCE, async || !fleet.queue.workers().await.unwrap().is_empty()).await;
    let prover = fleet.queue.workers().await.unwrap().remove(0);
    assert_eq!((prover.lines.len(), prover.at), (6, None), "small and large, and the parts of it");
    let pause = sextant_fleet::Pause::now(Paused::Stage(STARK), 0);
    fleet.queue.pause(&pause).await.unwrap();
    let message = StageMessage { release: prover.lines[0].release.clone(), ..message(1) };
    fleet.queue.submit(&message).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(fleet.queue.depth(&message.line()).await.unwrap().waiting, 1);
    assert!(fleet.queue.resume(&Paused::Stage(STARK)).await.unwrap());
    // Its work is no order: it is refused, which is all that is wanted here.
    until("it is taken", PATIENCE, async || fleet.queue.outcome(job(1)).await.unwrap().is_some()).await;
    server.stop().await;
    assert!(fleet.queue.workers().await.unwrap().is_empty(), "it has left");
}
