//! Watched logs: every block since the last head is looked into, and what is found is proven, so much at a time.

mod common;
mod events;

use std::sync::atomic::Ordering;

use common::{Checking, names, step};
use events::{World, asked, batches, proven, recorded};
use sextant_consensus::public_values::Log;
use sextant_fixtures::mainnet_events::{LARGE, SMALL};
use sextant_follow::{Event, Status};
use tempfile::tempdir;

#[tokio::test]
async fn all_logs_since_the_last_head_are_proven_in_batches() {
    let (world, blocks) = World::new(&[SMALL, LARGE]).await;
    let (small, large) = (recorded(SMALL), recorded(LARGE));
    assert!(small.len() > 1 && large.len() > 4, "several proofs");
    let (folder, prover) = (tempdir().unwrap(), Checking::default());
    let mut follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(proven(&events), [], "nothing in the first head");

    world.later.store(true, Ordering::Relaxed);
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    let expected = [batches(blocks[0], small.len()), batches(blocks[1], large.len())].concat();
    assert_eq!(proven(&events), expected);
    let said = asked(&prover);
    assert_eq!(said.iter().map(|values| values.facts.number).collect::<Vec<_>>(), {
        expected.iter().map(|(block, _)| *block).collect::<Vec<_>>()
    });
    let logs: Vec<Log> = said.into_iter().flat_map(|values| values.logs).collect();
    assert_eq!(logs, [small, large].concat());

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(events, [], "nothing new");
    drop(follower);
    let status = Status::read(folder.path()).unwrap().unwrap();
    assert_eq!(status.last_logs.unwrap().logs.unwrap().block, blocks[1]);
    assert_eq!(status.last_inclusion, None, "no account is watched");
}

/// What was proven when it was interrupted is not proven again, and nothing is left out.
#[tokio::test]
async fn an_interruption_costs_nothing() {
    let (world, blocks) = World::new(&[SMALL, LARGE]).await;
    let (folder, prover) = (tempdir().unwrap(), Checking::default());
    let mut follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    world.later.store(true, Ordering::Relaxed);
    world.mute.store(true, Ordering::Relaxed);
    let (outcome, events) = step(&mut follower).await;
    names(&outcome.unwrap_err(), &["receipt", "503"]);
    assert_eq!(proven(&events), []);

    // Two of the proofs are made, then the prover fails.
    world.mute.store(false, Ordering::Relaxed);
    let mut all = Vec::new();
    let mut tries = 0;
    loop {
        let mut events = Vec::new();
        let failing = prover.failing.clone();
        let outcome = follower
            .step(&mut |event| {
                if matches!(event, Event::Proof(ref entry) if entry.logs.is_some()) {
                    *failing.lock().unwrap() = 1;
                }
                events.push(event);
            })
            .await;
        all.extend(proven(&events));
        tries += 1;
        // Each time from what is on disk.
        drop(follower);
        follower = world.open(world.config(folder.path()), prover.clone()).await.unwrap();
        if outcome.is_ok() {
            break;
        }
    }
    let expected =
        [batches(blocks[0], recorded(SMALL).len()), batches(blocks[1], recorded(LARGE).len())].concat();
    assert_eq!(all, expected, "each once, in their order");
    assert_eq!(tries, expected.len(), "one proof each time");
}
