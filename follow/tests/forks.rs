//! A fork that gets its date, and then begins: a follower that knows the date goes on with its folder, one that does not
//! says so, and neither minds the date before it is there.

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Checking, World, names, proofs, step};
use sextant_consensus::public_values::Statement;
use sextant_follow::{Config, Event, Follower};
use sextant_sources::{Expected, forks};
use sextant_test_nodes::simulated::{PERIOD, Simulated};
use tempfile::tempdir;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A chain in its third period, whose Gloas begins with the fourth, so many seconds from now.
async fn before_the_fork(seconds: u64) -> World {
    let world = World::of(Simulated::forking(now() + seconds - 3 * PERIOD, 8, 3 * 8)).await;
    world.chain.finalize(2 * PERIOD + 8);
    world
}

fn config(world: &World, folder: &std::path::Path, expected: Expected) -> Config {
    let quick = Config { look_at_chain: Duration::ZERO, watched: Vec::new(), ..world.config(folder) };
    Config { expected, ..quick }
}

fn digest_of(follower: &Follower<Checking>) -> [u8; 32] {
    let last = follower.proofs().unwrap().pop().unwrap();
    let values = hex::decode(&last.public_values[2..]).unwrap();
    let program = sextant_consensus::Program::CommitteeChange;
    Statement::abi_decode(program, &values).unwrap().chain_digest()
}

#[tokio::test]
async fn a_date_changes_nothing_and_the_folder_survives_it() {
    let folder = tempdir().unwrap();
    let world = before_the_fork(40).await;
    let unprepared = forks::begun_by(&world.chain.chain, 0);
    let open =
        async |expected| world.open(config(&world, folder.path(), expected), Checking::default()).await;

    // A program without the date, before nodes have it and after.
    let mut follower = open(Expected::Config(unprepared.clone())).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(proofs(&events), [("committee-change", 0, 3, 2 * PERIOD + 8)]);
    assert_eq!(digest_of(&follower), unprepared.digest());
    world.chain.date_fork();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert!(
        matches!(&events[..], [Event::ForkAhead { fork, epoch: 24, days: 0, .. }] if fork == "gloas"),
        "{events:?}"
    );
    drop(follower);
    // It can be started anew all the same, by its configuration and by its digest; so can one that has the date.
    for expected in [
        Expected::Config(unprepared.clone()),
        Expected::Digest(unprepared.digest()),
        Expected::Config(world.chain.chain.clone()),
    ] {
        let mut follower = open(expected).await.unwrap();
        step(&mut follower).await.0.unwrap();
    }
}

#[tokio::test]
async fn who_has_the_date_goes_on_when_it_is_there_and_who_has_not_says_so() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let world = before_the_fork(20).await;
    world.chain.date_fork();
    let unprepared = forks::begun_by(&world.chain.chain, 0);
    let open = async |folder: &std::path::Path, expected| {
        world.open(config(&world, folder, expected), Checking::default()).await
    };
    let mut prepared = open(first.path(), Expected::Config(world.chain.chain.clone())).await.unwrap();
    let mut late = open(second.path(), Expected::Config(unprepared.clone())).await.unwrap();
    for follower in [&mut prepared, &mut late] {
        step(follower).await.0.unwrap();
        assert_eq!(digest_of(follower), unprepared.digest(), "it has not begun");
    }
    while now() < world.chain.genesis_time() + 3 * PERIOD + 26 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.chain.finalize(3 * PERIOD + 8);
    let (outcome, events) = step(&mut prepared).await;
    outcome.unwrap();
    assert_eq!(proofs(&events), [("committee-change", 3, 4, 3 * PERIOD + 8)]);
    assert_eq!(digest_of(&prepared), world.chain.chain.digest());

    let error = step(&mut late).await.0.unwrap_err();
    names(&error, &["fork gloas has begun, at epoch 24", "a newer version", &world.beacon.url()]);
    assert!(error.is_passing(), "nodes may lie about it: it goes on asking");
    drop(late);
    let refused = open(second.path(), Expected::Config(unprepared)).await.map(drop).unwrap_err();
    names(&refused, &["fork gloas has begun"]);
    // The newer version goes on with the folder.
    let mut newer = open(second.path(), Expected::Config(world.chain.chain.clone())).await.unwrap();
    step(&mut newer).await.0.unwrap();
    assert_eq!(digest_of(&newer), world.chain.chain.digest());
}
