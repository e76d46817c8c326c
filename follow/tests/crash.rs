//! A follower that is killed at any of its steps loses nothing and repeats nothing that was recorded.
//!
//! The follower runs in a child process, which is this test binary with one of its tests. It reads what to do from its
//! standard input and kills itself, as `kill -9` does, when it has told of so many events.

mod common;
mod events;

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use common::{Checking, FolderContract, World, open};
use serde_json::{Value, json};
use sextant_fixtures::mainnet_events::SMALL;
use sextant_follow::{Config, Event, ProofEntry, State, Status};
use sextant_protocol::ProofKind;
use sextant_test_nodes::simulated::PERIOD;
use tempfile::tempdir;

const CHILD: &str = "follows_to_the_end_unless_it_is_killed";

/// Runs one step in a child that dies with event number `die_at`; `None`: that ended by itself. Returns what it told.
fn child(order: &Value) -> (Option<i32>, Vec<Value>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    let status = child.wait().unwrap();
    let told = output
        .lines()
        .filter_map(|line| line.strip_prefix("EVENT "))
        .map(|line| serde_json::from_str(line).unwrap());
    (status.code(), told.collect())
}

/// The contract that belongs to a folder.
fn contract(folder: &Path) -> FolderContract {
    FolderContract::open(&folder.join("contract"))
}

fn order(world: &World, folder: &Path, die_at: u64) -> Value {
    FolderContract::begin(&folder.join("contract"), world);
    json!({
        "folder": folder.to_str().unwrap(),
        "beacon": world.beacon.url(),
        "rpc": world.rpc.url(),
        "digest": hex::encode(world.chain.chain.digest()),
        "checkpoint": hex::encode(world.chain.checkpoint(0)),
        "die_at": die_at,
        "contract": folder.join("contract").to_str().unwrap(),
    })
}

/// By itself it follows a world of its own to the end. As a child it gets its order from the other test.
#[tokio::test]
async fn follows_to_the_end_unless_it_is_killed() {
    if std::env::args().any(|argument| argument == CHILD) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        return follow(&serde_json::from_str(&text).unwrap()).await;
    }
    let (world, folder) = (World::at(16).await, tempdir().unwrap());
    follow(&order(&world, folder.path(), u64::MAX)).await;
    assert_eq!(State::open(folder.path()).unwrap().proofs().unwrap().len(), 2);
}

async fn follow(order: &Value) {
    let root =
        |name: &str| -> [u8; 32] { hex::decode(order[name].as_str().unwrap()).unwrap().try_into().unwrap() };
    let config =
        common::config(Path::new(order["folder"].as_str().unwrap()), root("digest"), root("checkpoint"));
    let config = Config { max_handovers: 2, kind: ProofKind::Groth16, ..config };
    let config = match order["logs"] == true {
        true => Config { watched: Vec::new(), logs: vec![events::transfers()], max_logs: 1, ..config },
        false => config,
    };
    let mut follower = open(
        config,
        &[order["beacon"].as_str().unwrap()],
        &[order["rpc"].as_str().unwrap()],
        Checking::default(),
    )
    .await
    .unwrap()
    .with_submission(Box::new(FolderContract::open(Path::new(order["contract"].as_str().unwrap()))));
    let (die_at, mut count) = (order["die_at"].as_u64().unwrap(), 0);
    let mut on_event = |event: Event| {
        println!("EVENT {}", serde_json::to_string(&event).unwrap());
        if count == die_at {
            let own = std::process::id().to_string();
            Command::new("kill").args(["-9", &own]).status().unwrap();
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
        count += 1;
    };
    let started = follower.started();
    on_event(started);
    follower.step(&mut on_event).await.unwrap();
}

/// What a proof stands for, whenever it was recorded.
fn content(entry: &ProofEntry) -> (String, String) {
    (entry.file.clone(), entry.public_values.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_point_loses_nothing() {
    let world = World::at(4 * PERIOD + 16).await;
    let order = |folder: &Path, die_at| order(&world, folder, die_at);
    let run = async |order: Value| tokio::task::spawn_blocking(move || child(&order)).await.unwrap();

    // One run that nobody kills: what all others have to come to.
    let whole = tempdir().unwrap();
    let (code, told) = run(order(whole.path(), u64::MAX)).await;
    assert_eq!(code, Some(0));
    let expected: Vec<_> = State::open(whole.path()).unwrap().proofs().unwrap().iter().map(content).collect();
    assert_eq!(expected.len(), 4, "five periods in three proofs, and one inclusion");
    let kinds: BTreeSet<_> = told.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        kinds,
        ["started", "head", "proving", "written", "proof", "sent", "submitted"].map(String::from).into()
    );

    let mut adopted = 0;
    for die_at in 0..told.len() as u64 {
        let folder = tempdir().unwrap();
        let (code, before) = run(order(folder.path(), die_at)).await;
        assert_eq!((code, before.len() as u64), (None, die_at + 1), "killed by a signal");
        // What was told to be recorded is recorded.
        let recorded = before.iter().filter(|event| event["event"] == "proof").count();
        let status = Status::read(folder.path()).unwrap().expect("a status");
        assert_eq!(status.proofs, recorded as u64, "killed at event {die_at}");

        let (code, after) = run(order(folder.path(), u64::MAX)).await;
        assert_eq!(code, Some(0), "killed at event {die_at}: {after:?}");
        let proofs: Vec<_> =
            State::open(folder.path()).unwrap().proofs().unwrap().iter().map(content).collect();
        assert_eq!(proofs, expected, "killed at event {die_at}");
        let again = after.iter().filter(|event| event["event"] == "proof").count();
        assert_eq!(recorded + again, expected.len(), "nothing is recorded twice");
        // A proof that was on disk is not asked for again.
        let found = after.iter().filter(|event| event["found"] == true).count();
        let unrecorded = before.last().is_some_and(|event| event["event"] == "written");
        assert_eq!(found, usize::from(unrecorded), "killed at event {die_at}");
        adopted += found;
        // Each proof was signed for once, whether or not the transaction had been sent when the kill came.
        let signed = contract(folder.path()).signed();
        let proven: Vec<_> = proofs.iter().map(|(_, values)| values.clone()).collect();
        assert_eq!(signed, proven, "killed at event {die_at}");
        assert_eq!(contract(folder.path()).mined(), proven.len());
        let status = Status::read(folder.path()).unwrap().expect("a status");
        assert_eq!(status.submitted, status.proofs);
    }
    assert_eq!(adopted, expected.len());
}

/// The same where logs are looked for, proven and submitted: each is on the contract at the end, by one transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_among_logs_loses_none() {
    let (world, blocks) = events::World::new(&[SMALL]).await;
    let order = |folder: &Path, die_at: u64| {
        json!({
            "folder": folder.to_str().unwrap(),
            "beacon": world.beacon.url(),
            "rpc": world.rpc.url(),
            "digest": hex::encode(world.digest),
            "checkpoint": hex::encode(world.checkpoint),
            "die_at": die_at,
            "contract": folder.join("contract").to_str().unwrap(),
            "logs": true,
        })
    };
    let run = async |order: Value| tokio::task::spawn_blocking(move || child(&order)).await.unwrap();
    let first = tempdir().unwrap();
    FolderContract::begin_with(&first.path().join("contract"), world.digest, world.committee());
    assert_eq!(run(order(first.path(), u64::MAX)).await.0, Some(0));
    world.go_on();
    let copy = || {
        let folder = tempdir().unwrap();
        let from = first.path().join(".").to_str().unwrap().to_owned();
        let copied = Command::new("cp").args(["-r", &from]).arg(folder.path()).status().unwrap();
        assert!(copied.success());
        folder
    };
    let whole = copy();
    let (_, told) = run(order(whole.path(), u64::MAX)).await;
    let logs = events::recorded(SMALL).len();
    let entries = |folder: &Path| State::open(folder).unwrap().proofs().unwrap();
    let of_logs = entries(whole.path()).iter().filter(|entry| entry.logs.is_some()).count();
    assert!(of_logs == logs && logs > 1, "{of_logs} proofs of block {}", blocks[0]);
    let expected: Vec<_> = entries(whole.path()).iter().map(content).collect();
    for die_at in 0..told.len() as u64 {
        let folder = copy();
        assert_eq!(run(order(folder.path(), die_at)).await.0, None, "killed at event {die_at}");
        let (code, after) = run(order(folder.path(), u64::MAX)).await;
        assert_eq!(code, Some(0), "killed at event {die_at}: {after:?}");
        let proofs: Vec<_> = entries(folder.path()).iter().map(content).collect();
        assert_eq!(proofs, expected, "killed at event {die_at}");
        let (signed, proven) = (contract(folder.path()).signed(), proofs.iter().map(|(_, values)| values));
        assert!(signed.iter().eq(proven), "killed at event {die_at}: each once, in order");
        assert_eq!(contract(folder.path()).mined(), expected.len(), "killed at event {die_at}");
    }
}

/// A damaged proof file of that name is no proof: it is made anew.
#[tokio::test]
async fn rubbish_on_disk_is_not_adopted() {
    let world = World::at(16).await;
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let mut follower = world.open(world.config(first.path()), Checking::default()).await.unwrap();
    common::step(&mut follower).await.0.unwrap();
    let entry = follower.proofs().unwrap().remove(0);
    let bytes = std::fs::read(first.path().join("proofs").join(&entry.file)).unwrap();
    let mut record = sextant_protocol::ProofRecord::from_file_bytes(&bytes).unwrap();
    record.proof = b"forged".to_vec();
    let forged = record.to_file_bytes();
    for rubbish in [&bytes[..bytes.len() / 2], b"", &forged[..]] {
        let folder = second.path().join(rubbish.len().to_string());
        let prover = Checking::default();
        let mut follower = world.open(world.config(&folder), prover.clone()).await.unwrap();
        std::fs::write(folder.join("proofs").join(&entry.file), rubbish).unwrap();
        common::step(&mut follower).await.0.unwrap();
        assert_eq!(prover.asked.lock().unwrap().len(), 2);
        assert_eq!(std::fs::read(folder.join("proofs").join(&entry.file)).unwrap(), bytes);
    }
}
