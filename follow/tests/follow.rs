//! Following a simulated chain: catching up, keeping up, starting, going on.

mod common;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{Checking, World, names, proofs, step};
use sextant_consensus::{Program, codec, committee_change, public_values::Statement};
use sextant_follow::{Cadence, Event, FollowError, Health, Status};
use sextant_protocol::ProofRecord;
use sextant_test_nodes::simulated::{PERIOD, Simulated};
use tempfile::tempdir;

#[tokio::test]
async fn catches_up_over_many_periods_in_few_proofs_and_keeps_up() {
    let folder = tempdir().unwrap();
    let world = World::at(10 * PERIOD + 16).await;
    let prover = Checking::default();
    let mut follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
    assert_eq!(follower.started(), Event::Started { finalized_slot: 2, proven_period: 0, resumed: false });

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    let head = 10 * PERIOD + 16;
    let change = |from, to| ("committee-change", from, to, (to - 1) * PERIOD + 8);
    let expected = [change(0, 4), change(4, 8), change(8, 11), ("inclusion", 10, 10, head)];
    assert_eq!(proofs(&events), expected, "eleven periods in three proofs");
    assert!(
        matches!(&events[0], Event::Head { finalized_slot, known_period: 11, .. } if *finalized_slot == head)
    );
    // Under Gloas the execution block's header is in it: number and state root are proven.
    let first: committee_change::Input = codec::decode(&prover.asked.lock().unwrap()[0].bytes).unwrap();
    assert!(first.handovers.len() == 4 && first.execution.state_root != [0; 32]);

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(events, [], "nothing new");

    // Later in the same period: only the accounts. In the next one, the handover as soon as it is final.
    world.chain.finalize(head + 8);
    assert_eq!(proofs(&step(&mut follower).await.1), [("inclusion", 10, 10, head + 8)]);
    world.chain.finalize(11 * PERIOD);
    assert_eq!(proofs(&step(&mut follower).await.1), [("inclusion", 11, 11, 11 * PERIOD)]);
    world.chain.finalize(11 * PERIOD + 8);
    let events = step(&mut follower).await.1;
    assert_eq!(proofs(&events), [change(11, 12), ("inclusion", 11, 11, 11 * PERIOD + 8)]);
    // Signed in the next period already.
    world.chain.finalize(12 * PERIOD - 8);
    assert_eq!(proofs(&step(&mut follower).await.1), [("inclusion", 12, 12, 12 * PERIOD - 8)]);

    let recorded = follower.proofs().unwrap();
    assert_eq!(recorded.len(), 9);
    for entry in recorded {
        let bytes = std::fs::read(folder.path().join("proofs").join(&entry.file)).unwrap();
        let record = ProofRecord::from_file_bytes(&bytes).unwrap();
        assert_eq!(format!("0x{}", hex::encode(&record.public_values)), entry.public_values);
        let statement = Statement::abi_decode(record.program().unwrap(), &record.public_values).unwrap();
        assert_eq!(statement.head().unwrap().finalized_slot, entry.finalized_slot);
    }
}

/// Nodes answer 128 periods at once, and a proof has no more handovers than that.
#[tokio::test]
async fn whoever_is_more_than_128_periods_behind_catches_up_in_several_proofs() {
    let folder = tempdir().unwrap();
    let world = World::of(Simulated::old(136)).await;
    world.chain.finalize(130 * PERIOD + 16);
    let config =
        sextant_follow::Config { max_handovers: 1000, watched: Vec::new(), ..world.config(folder.path()) };
    let mut follower = world.open(config, Checking::default()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    let periods: Vec<_> = proofs(&events).iter().map(|proof| (proof.1, proof.2)).collect();
    assert_eq!(periods, [(0, 128), (128, 131)]);
}

#[tokio::test]
async fn accounts_are_proven_on_change_where_that_is_wanted() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let config = sextant_follow::Config { cadence: Cadence::OnChange, ..world.config(folder.path()) };
    let mut follower = world.open(config, Checking::default()).await.unwrap();
    assert_eq!(proofs(&step(&mut follower).await.1).len(), 2, "a handover and the first inclusion");
    world.chain.finalize(24);
    assert!(step(&mut follower).await.1.contains(&Event::Unchanged { finalized_slot: 24 }));
    world.chain.set(25, 9);
    world.chain.finalize(32);
    let events = step(&mut follower).await.1;
    assert_eq!(proofs(&events), [("inclusion", 0, 0, 32)]);
    let last = follower.proofs().unwrap().pop().unwrap();
    let values = hex::decode(last.public_values.trim_start_matches("0x")).unwrap();
    let Statement::Inclusion(said) = Statement::abi_decode(Program::Inclusion, &values).unwrap() else {
        panic!("another statement")
    };
    assert_eq!(said.accounts[0].slots[0].value[31], 9, "the new value");
}

#[tokio::test]
async fn goes_on_where_it_was() {
    let folder = tempdir().unwrap();
    let world = World::at(2 * PERIOD + 16).await;
    let mut follower = world.open(world.config(folder.path()), Checking::default()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    let before = follower.proofs().unwrap();
    drop(follower);

    let again = sextant_follow::Config { checkpoint: None, ..world.config(folder.path()) };
    let prover = Checking::default();
    let mut follower = world.open(again, prover.clone()).await.unwrap();
    let resumed = Event::Started { finalized_slot: 2 * PERIOD + 16, proven_period: 3, resumed: true };
    assert_eq!(follower.started(), resumed);
    assert_eq!(step(&mut follower).await.1, []);
    assert_eq!((follower.proofs().unwrap(), prover.asked.lock().unwrap().len()), (before, 0));
    // Away for long: the way from the last finalized header on.
    world.chain.finalize(9 * PERIOD + 16);
    let events = step(&mut follower).await.1;
    let found: Vec<_> = proofs(&events).iter().map(|proof| (proof.1, proof.2)).collect();
    assert_eq!(found, [(3, 7), (7, 10), (9, 9)]);
}

#[tokio::test]
async fn a_bad_start_is_refused_with_its_reason() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let config = || world.config(folder.path());
    let refused = async |config| world.open(config, Checking::default()).await.map(|_| ()).unwrap_err();

    let none = refused(sextant_follow::Config { checkpoint: None, ..config() }).await;
    assert!(matches!(none, FollowError::NoCheckpoint), "{none}");
    let unknown = refused(sextant_follow::Config { checkpoint: Some([9; 32]), ..config() }).await;
    names(&unknown, &["bootstrap of 0x0909", "404", &world.beacon.url()]);
    let old =
        sextant_follow::Config { max_checkpoint_age: Some(Duration::from_secs(14 * 86_400)), ..config() };
    names(&refused(old.clone()).await, &["checkpoint is of slot 2", "days ago", "older than 14 days"]);
    let other = sextant_sources::Expected::Config(sextant_consensus::networks::MAINNET);
    names(&refused(sextant_follow::Config { expected: other, ..config() }).await, &["another chain"]);
    let blind = common::config(folder.path(), world.chain.chain.digest(), world.chain.checkpoint(0));
    let nodes =
        sextant_sources::BeaconNodes::new(vec![world.beacon.url().parse().unwrap()], Default::default());
    let blind = sextant_follow::Follower::open(blind, nodes.unwrap(), None, Checking::default()).await;
    assert!(matches!(blind.unwrap_err(), FollowError::NoExecution));
    assert_eq!(Status::read(folder.path()).unwrap(), None, "nothing was started");

    // What was started from one block does not go on from another; a state is not old once it is there.
    world.open(config(), Checking::default()).await.unwrap();
    let another = sextant_follow::Config { checkpoint: Some(world.chain.checkpoint(1)), ..config() };
    names(&refused(another).await, &["was started from checkpoint 0x", "another folder"]);
    world.open(old, Checking::default()).await.expect("the checkpoint's age counts once");
}

#[tokio::test]
async fn a_young_checkpoint_is_not_refused() {
    let folder = tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let world = World::of(Simulated::new(now - 2 * PERIOD, 4)).await;
    world.chain.finalize(PERIOD + 16);
    let limits = sextant_follow::Config {
        max_checkpoint_age: Some(Duration::from_secs(3600)),
        max_head_age: Some(Duration::from_secs(600)),
        ..world.config(folder.path())
    };
    let mut follower = world.open(limits.clone(), Checking::default()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    drop(follower);
    let strict = sextant_follow::Config { max_head_age: Some(Duration::from_secs(10)), ..limits };
    let mut follower = world.open(strict, Checking::default()).await.unwrap();
    names(&step(&mut follower).await.0.unwrap_err(), &["behind", "finality update"]);
}

#[tokio::test]
async fn two_on_one_folder_do_no_harm() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let mut first = world.open(world.config(folder.path()), Checking::default()).await.unwrap();
    let second = world.open(world.config(folder.path()), Checking::default()).await.map(|_| ());
    names(&second.unwrap_err(), &["state.redb is in use", "another follower runs on this folder"]);
    step(&mut first).await.0.unwrap();
    // Its status is there for everybody all the same.
    let status = Status::read(folder.path()).unwrap().expect("a status");
    assert_eq!(
        (status.finalized_slot, status.proven_period, status.included_slot, status.proofs),
        (16, 1, 16, 2)
    );
    assert_eq!((status.proven_period, status.next_handover.first_slot), (1, PERIOD));
    assert_eq!(status.next_handover.first_slot_time, 1_600_000_000 + PERIOD);
    let last = status.last_committee_change.clone().expect("a handover");
    assert_eq!((last.from_period, last.to_period), (0, 1));
    drop(first);
    assert_eq!(Status::read(folder.path()).unwrap(), Some(status));
}

/// A server that does not offer what is asked for says so each time: that is no news, and no good health either.
#[tokio::test]
async fn a_refusal_that_stands_is_told_once_and_by_the_health_until_it_is_over() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let (prover, health) = (Checking::default(), Arc::new(Health::default()));
    let refuse = |what: &str| *prover.refusing.lock().unwrap() = Some(what.into());
    refuse("no groth16 proofs, only stark");
    let follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
    let follower = follower.with_health(health.clone());
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let run = tokio::spawn(async move {
        follower.run(move |event| drop(events.send(event)), std::future::pending()).await
    });
    let asked = async |times: usize| {
        let before = prover.asked.lock().unwrap().len();
        while prover.asked.lock().unwrap().len() < before + times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    asked(4).await;
    let ready = health.readiness(0);
    assert!(!ready.ready && ready.failures > 1, "{ready:?}");
    names(&ready.reasons[0], &["prover: no groth16 proofs, only stark"]);
    // Another refusal is news.
    refuse("it only verifies");
    asked(4).await;
    *prover.refusing.lock().unwrap() = None;
    let mut troubles = Vec::new();
    loop {
        match told.recv().await.expect("an event") {
            Event::Trouble { message, .. } => troubles.push(message),
            Event::Proof(entry) if entry.program == "inclusion" => break,
            _ => {}
        }
    }
    assert_eq!(troubles, ["prover: no groth16 proofs, only stark", "prover: it only verifies"]);
    while !health.readiness(0).ready {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run.abort();
}

#[tokio::test]
async fn a_prover_that_fails_is_asked_again_and_the_loop_ends_when_told() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let prover = Checking::default();
    *prover.failing.lock().unwrap() = 3;
    let follower = world.open(world.config(folder.path()), prover).await.unwrap();
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let stop = Arc::new(tokio::sync::Notify::new());
    let stopping = stop.clone();
    let run = tokio::spawn(async move {
        follower.run(move |event| drop(events.send(event)), async move { stopping.notified().await }).await
    });
    let mut troubles = 0;
    loop {
        match told.recv().await.expect("an event") {
            Event::Trouble { message, .. } => {
                names(&message, &["prover: busy"]);
                troubles += 1;
            }
            Event::Proof(entry) if entry.program == "inclusion" => break,
            _ => {}
        }
    }
    assert_eq!(troubles, 3);
    stop.notify_one();
    run.await.unwrap().unwrap();
    assert_eq!(told.recv().await, Some(Event::Stopped));
}
