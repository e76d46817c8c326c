//! One proof made by several provers of a fleet, in memory, on disk and at a broker. Workers are scripts; their proofs are
//! none.
#![cfg(feature = "snark")]

mod common;

use common::{
    Client, PATIENCE,
    fleet::{Home, Limits, Member, Place, answer, ask_for},
    until,
};
use sextant_consensus::{Program, codec};
use sextant_fixtures::catch_up;
use sextant_fleet::{Bucket, Pause, Paused, Stage};
use sextant_protocol::{ProofKind, Request};

in_each_place!(
    a_large_proof_is_made_in_parts_by_those_who_are_there,
    a_lone_prover_makes_a_large_proof_by_itself,
    a_small_proof_is_made_by_one,
    a_prover_that_is_gone_costs_the_part_that_it_was_at,
    parts_that_are_refused_are_made_again,
    parts_that_are_gone_are_made_again,
);

/// What takes its time.
fn large() -> Request {
    common::prove(Program::CommitteeChange, codec::encode(&catch_up::recorded(4)))
}

async fn two_provers(home: &Home) -> [Member; 2] {
    [
        Member::prover_of(home, &large(), &["stark", "compressed"]).await,
        Member::prover_of(home, &large(), &["stark", "compressed"]).await,
    ]
}

/// What both have done, in the order of the alphabet.
fn done(provers: &[Member; 2]) -> String {
    let mut all: Vec<_> = provers.iter().flat_map(|prover| prover.script().stages()).collect();
    all.sort_unstable();
    all.join(" ")
}

async fn asked(entrypoint: &Member, kind: ProofKind) -> Client {
    let mut client = Client::connect(&entrypoint.server).await;
    ask_for(&mut client, 1, large(), kind).await;
    client
}

async fn stop<const N: usize>(members: [Member; N]) {
    for member in members {
        member.stop().await;
    }
}

/// Until both are seen: who is not there gets no part.
async fn are_there(home: &Home, count: usize) {
    let queue = home.fleet().await.queue;
    until("they are there", PATIENCE, async || queue.workers().await.unwrap().len() == count).await;
}

const STARK: &str = "stark-fold stark-plan stark-shard stark-shard stark-shard stark-shard";
/// Pairs, and the pair of them.
const COMPRESSED: &str = "compressed-fold compressed-fold compressed-fold compressed-plan \
                          compressed-shard compressed-shard compressed-shard compressed-shard";

async fn a_large_proof_is_made_in_parts_by_those_who_are_there(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let provers = two_provers(&home).await;
    let snarks = Member::prover_of(&home, &large(), &["wrap", "groth16"]).await;
    are_there(&home, 3).await;
    // Nobody can do all shards while the other one waits.
    provers.iter().for_each(|prover| prover.script().touch("wait-stark-shard"));
    let mut client = asked(&entrypoint, ProofKind::Stark).await;
    let at_one = |prover: &Member| prover.script().stages().iter().any(|stage| stage == "stark-shard");
    until("both are at one", PATIENCE, async || provers.iter().all(at_one)).await;
    provers.iter().for_each(|prover| prover.script().clear("wait-stark-shard"));
    answer(&mut client, ProofKind::Stark).await.unwrap();
    assert_eq!(done(&provers), STARK);
    // What the parts make goes on like what one makes.
    answer(&mut asked(&entrypoint, ProofKind::Groth16).await, ProofKind::Groth16).await.unwrap();
    assert_eq!(done(&provers), format!("{COMPRESSED} {STARK}"));
    assert_eq!(snarks.stages(), "wrap groth16");
    // And serves others.
    answer(&mut asked(&entrypoint, ProofKind::Compressed).await, ProofKind::Compressed).await.unwrap();
    assert_eq!(done(&provers), format!("{COMPRESSED} {STARK}"));
    stop(provers).await;
    stop([entrypoint, snarks]).await;
}

async fn a_lone_prover_makes_a_large_proof_by_itself(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover_of(&home, &large(), &["stark", "compressed"]).await;
    // It does something else.
    let other = Member::prover_of(&home, &large(), &["compressed"]).await;
    are_there(&home, 2).await;
    answer(&mut asked(&entrypoint, ProofKind::Stark).await, ProofKind::Stark).await.unwrap();
    assert_eq!((prover.stages(), other.stages()), ("stark".into(), String::new()));
    stop([entrypoint, prover, other]).await;
}

async fn a_small_proof_is_made_by_one(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let provers = [Member::prover(&home, &["stark"]).await, Member::prover(&home, &["stark"]).await];
    are_there(&home, 2).await;
    common::fleet::prove(&entrypoint, ProofKind::Stark).await.unwrap();
    assert_eq!(done(&provers), "stark");
    stop(provers).await;
    stop([entrypoint]).await;
}

async fn a_prover_that_is_gone_costs_the_part_that_it_was_at(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let [first, second] = two_provers(&home).await;
    are_there(&home, 2).await;
    [&first, &second].iter().for_each(|prover| prover.script().touch("wait-stark-shard"));
    let mut client = asked(&entrypoint, ProofKind::Stark).await;
    let at_one = |prover: &Member| prover.script().stages().iter().any(|stage| stage == "stark-shard");
    until("both are at one", PATIENCE, async || at_one(&first) && at_one(&second)).await;
    let done = first.script().stages();
    first.stop().await;
    second.script().clear("wait-stark-shard");
    answer(&mut client, ProofKind::Stark).await.unwrap();
    let all = [done, second.script().stages()].concat();
    let shards = all.iter().filter(|stage| *stage == "stark-shard").count();
    assert_eq!(shards, 5, "the one that was not finished is made again: {all:?}");
    assert_eq!(all.iter().filter(|stage| *stage == "stark-plan").count(), 1, "{all:?}");
    stop([entrypoint, second]).await;
}

async fn parts_that_are_refused_are_made_again(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let provers = two_provers(&home).await;
    are_there(&home, 2).await;
    // Whoever puts them together verifies each, and says that one is none.
    for prover in &provers {
        prover.script().touch("refuse-stark-fold");
        prover.script().touch("wait-stark-fold");
    }
    let mut client = asked(&entrypoint, ProofKind::Stark).await;
    let folds =
        |prover: &Member| prover.script().stages().iter().filter(|stage| *stage == "stark-fold").count();
    until("refused once", PATIENCE, async || provers.iter().map(folds).sum::<usize>() == 1).await;
    for prover in &provers {
        // Not twice, whoever it is.
        if folds(prover) == 0 {
            prover.script().clear("refuse-stark-fold");
        }
        prover.script().clear("wait-stark-fold");
    }
    answer(&mut client, ProofKind::Stark).await.unwrap();
    let again = "stark-fold stark-fold stark-plan stark-plan stark-shard stark-shard stark-shard stark-shard \
                 stark-shard stark-shard stark-shard stark-shard";
    assert_eq!(done(&provers), again);
    stop(provers).await;
    stop([entrypoint]).await;
}

async fn parts_that_are_gone_are_made_again(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let provers = two_provers(&home).await;
    are_there(&home, 2).await;
    let fleet = home.fleet().await;
    let fold: Stage = "stark-fold".parse().unwrap();
    let of = Paused::Stage(fold);
    fleet.queue.pause(&Pause::now(of.clone(), 0)).await.unwrap();
    let mut client = asked(&entrypoint, ProofKind::Stark).await;
    // The plan and four shards.
    until("all are made", PATIENCE, async || fleet.store.list(Bucket::Parts).await.unwrap().len() == 5).await;
    for stored in fleet.store.list(Bucket::Parts).await.unwrap() {
        if stored.name.key().contains("c-2") {
            fleet.store.remove(&stored.name).await.unwrap();
        }
    }
    assert!(fleet.queue.resume(&of).await.unwrap());
    answer(&mut client, ProofKind::Stark).await.unwrap();
    assert_eq!(done(&provers).matches("stark-fold").count(), 1, "nothing was put together without it");
    stop(provers).await;
    stop([entrypoint]).await;
}
