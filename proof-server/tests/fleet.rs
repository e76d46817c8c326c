//! Proofs made stage by stage by the provers of a fleet, in memory, on disk and at a broker. Workers are scripts; their
//! proofs are none.
#![cfg(feature = "snark")]

mod common;

use std::time::Duration;

use common::{
    Client, PATIENCE,
    fleet::{ALL, Home, Limits, Member, Place, answer, ask, prove},
    until,
};
use proof_server::{FleetConfig, Role};
use sextant_fleet::QueueLimits;
use sextant_protocol::{ClientMessage, ErrorCode, ProofKind};

in_each_place!(
    a_proof_goes_from_prover_to_prover_and_what_they_made_serves_others,
    what_two_entrypoints_want_is_made_once,
    a_budget_is_one_for_all_entrypoints,
    work_that_nobody_waits_for_is_given_up,
    a_prover_that_is_gone_costs_its_stage_and_none_before,
    a_prover_that_drains_finishes_the_stage_that_it_is_at,
    a_worker_that_dies_is_followed_by_another_a_bounded_number_of_times,
    what_is_too_large_goes_to_a_prover_for_what_is_larger_if_there_is_one,
);

/// Before work is given up for which nobody waits, where a test waits for that.
const IMPATIENT: Duration = Duration::from_secs(1);

fn impatient() -> Limits {
    let queue = QueueLimits { patience: IMPATIENT, ..QueueLimits::default() };
    Limits { queue, ..Limits::default() }
}

async fn a_proof_goes_from_prover_to_prover_and_what_they_made_serves_others(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let small = Member::prover(&home, &["stark", "compressed"]).await;
    let large = Member::prover(&home, &["wrap", "groth16"]).await;
    prove(&entrypoint, ProofKind::Groth16).await.unwrap();
    assert_eq!((small.stages(), large.stages()), ("compressed".into(), "wrap groth16".into()));
    // What was made on the way is a proof by itself, and the whole is there for another entrypoint.
    let other = Member::entrypoint(&home).await;
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

async fn what_two_entrypoints_want_is_made_once(place: Place) {
    let Some(home) = Home::new(place, impatient()).await else { return };
    let entrypoints = [Member::entrypoint(&home).await, Member::entrypoint(&home).await];
    let prover = Member::prover(&home, &ALL).await;
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

async fn a_budget_is_one_for_all_entrypoints(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let poor = async || Member::entrypoint_with(&home, |config| config.budget.proofs_per_hour = 1).await;
    let (one, other) = (poor().await, poor().await);
    let prover = Member::prover(&home, &["stark"]).await;
    // What fails costs nothing, wherever it is asked for.
    prover.script().touch("refuse-stark");
    prove(&one, ProofKind::Stark).await.unwrap_err();
    let served = async || prove(&other, ProofKind::Stark).await.is_ok();
    until("what failed is given back", PATIENCE, served).await;
    until("it is counted", PATIENCE, async || {
        let refused = prove(&one, ProofKind::Compressed).await.unwrap_err();
        (refused.code, refused.retry_after_ms > 3_500_000) == (ErrorCode::Busy, true)
    })
    .await;
    assert_eq!(prover.stages(), "stark stark");
    for member in [one, other, prover] {
        member.stop().await;
    }
}

async fn work_that_nobody_waits_for_is_given_up(place: Place) {
    let Some(home) = Home::new(place, impatient()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
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

async fn a_prover_that_is_gone_costs_its_stage_and_none_before(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let first = Member::prover(&home, &ALL).await;
    first.script().touch("wait-wrap");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    first.is_at("compressed wrap").await;
    first.stop().await;
    let second = Member::prover(&home, &ALL).await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(second.stages(), "wrap groth16");
    entrypoint.stop().await;
    second.stop().await;
}

async fn a_prover_that_drains_finishes_the_stage_that_it_is_at(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let first = Member::prover(&home, &ALL).await;
    first.script().touch("wait-compressed");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    first.is_at("compressed").await;
    first.server.control.drain.cancel();
    let second = Member::prover(&home, &ALL).await;
    tokio::time::sleep(IMPATIENT).await;
    first.script().clear("wait-compressed");
    first.server.ended().await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(second.stages(), "wrap groth16");
    entrypoint.stop().await;
    second.stop().await;
}

async fn a_worker_that_dies_is_followed_by_another_a_bounded_number_of_times(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
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
    let dead = home.fleet().await.queue.dead().await.unwrap();
    assert_eq!((dead.len(), dead[0].message.id.stage.as_str()), (1, "compressed"));
    entrypoint.stop().await;
    prover.stop().await;
}

async fn what_is_too_large_goes_to_a_prover_for_what_is_larger_if_there_is_one(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let small = Member::prover(&home, &ALL).await;
    small.script().touch("large-stark");
    let error = prove(&entrypoint, ProofKind::Stark).await.unwrap_err();
    assert_eq!((error.code, small.stages().as_str()), (ErrorCode::TooLarge, "stark"));
    let large = Member::start(&home, Role::Prover, &["wrap"], true).await;
    let error = prove(&entrypoint, ProofKind::Stark).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge, "a larger one takes other stages");
    large.stop().await;

    let large = Member::start(&home, Role::Prover, &["stark"], true).await;
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

/// Everybody else here is given a fleet; these find theirs by what is in their settings.
#[tokio::test]
async fn servers_reach_the_broker_that_their_settings_name() {
    let Some(home) = Home::new(Place::Broker, Limits::default()).await else { return };
    let by_settings = |config: &mut proof_server::Config| {
        let servers = home.url().unwrap();
        config.fleet = Some(FleetConfig {
            servers,
            credentials: None,
            authorities: None,
            replicas: 1,
            allow_plain: false,
        });
    };
    let entrypoint = Member::alone(Role::Entrypoint, by_settings).await;
    let prover = Member::alone(Role::Prover, by_settings).await;
    prove(&entrypoint, ProofKind::Groth16).await.unwrap();
    assert_eq!((entrypoint.stages(), prover.stages()), (String::new(), "compressed wrap groth16".into()));
    entrypoint.stop().await;
    prover.stop().await;
}
