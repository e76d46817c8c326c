//! What a fleet does about those who die, lie or have no room, in memory, on disk and at a broker. Workers are scripts; their
//! proofs are none.
#![cfg(feature = "snark")]

mod common;

use std::time::Duration;

use common::{
    Client, PATIENCE,
    fleet::{ALL, Home, Limits, Member, Place, answer, ask, prove},
    until,
};
use proof_server::Fleet;
use sextant_fleet::{
    BucketLimits, FleetError, Made, ObjectName, ObjectRef, Paused, Stage, StageId, StageMessage, StoreLimits,
    Worker,
};
use sextant_protocol::{JobKey, ProofKind};

in_each_place!(
    whoever_makes_what_is_none_is_shut_out_until_somebody_lets_it_in,
    whoever_finds_fault_with_a_proof_that_holds_is_shut_out,
    whoever_makes_a_false_proof_is_shut_out_and_works_again_when_let_in,
    what_is_not_what_was_put_there_is_made_again,
    nothing_is_made_again_that_was_finished_before_a_death_at_any_point,
    what_finds_no_room_is_kept_in_hand_until_there_is_some,
);

async fn whoever_makes_what_is_none_is_shut_out_until_somebody_lets_it_in(place: Place) {
    let Some(mut home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let liar = Member::prover(&home, &["compressed"]).await;
    let wrapper = Member::prover(&home, &["wrap", "groth16"]).await;
    // The next stage's worker verifies what it is given, and the entrypoint whether that is so.
    wrapper.script().touch("refuse-wrap");
    entrypoint.script().touch("refuse-verify");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    let shut_out = async || home.fleet().await.queue.pauses().await.unwrap();
    until("it is shut out", PATIENCE, async || !shut_out().await.is_empty()).await;
    let honest = Member::prover(&home, &["compressed"]).await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!((liar.stages(), honest.stages()), ("compressed".into(), "compressed".into()));
    assert_eq!(wrapper.stages(), "wrap wrap groth16");
    let [pause] = &shut_out().await[..] else { panic!("one") };
    assert_eq!(pause.of, Paused::Worker(liar.machine()));
    assert!(pause.reason.contains("not a valid proof"), "{}", pause.reason);
    for member in [entrypoint, liar, honest, wrapper] {
        member.stop().await;
    }
    if place == Place::Memory {
        return;
    }
    // It is known whatever is started again, by the machine's name.
    home.end();
    home.again().await;
    let fleet = home.fleet().await;
    assert_eq!(fleet.queue.pauses().await.unwrap().len(), 1);
    assert!(fleet.queue.resume(&pause.of).await.unwrap());
}

async fn whoever_finds_fault_with_a_proof_that_holds_is_shut_out(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &["compressed"]).await;
    let broken = Member::prover(&home, &["wrap", "groth16"]).await;
    broken.script().touch("refuse-wrap");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    let shut_out = async || home.fleet().await.queue.pauses().await.unwrap();
    until("it is shut out", PATIENCE, async || !shut_out().await.is_empty()).await;
    let sound = Member::prover(&home, &["wrap", "groth16"]).await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(shut_out().await[0].of, Paused::Worker(broken.machine()));
    assert_eq!(prover.stages(), "compressed", "what holds is not made again");
    assert_eq!((broken.stages(), sound.stages()), ("wrap".into(), "wrap groth16".into()));
    for member in [entrypoint, prover, broken, sound] {
        member.stop().await;
    }
}

/// The entrypoint gives nobody a proof that does not verify.
async fn whoever_makes_a_false_proof_is_shut_out_and_works_again_when_let_in(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let liar = Member::prover(&home, &ALL).await;
    entrypoint.script().touch("refuse-verify");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Stark).await;
    let fleet = home.fleet().await;
    let of = Paused::Worker(liar.machine());
    until("it is shut out", PATIENCE, async || {
        fleet.queue.pauses().await.unwrap().iter().any(|pause| pause.of == of)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(liar.stages(), "stark", "it takes nothing more");
    assert!(fleet.queue.resume(&of).await.unwrap());
    answer(&mut client, ProofKind::Stark).await.unwrap();
    assert_eq!(liar.stages(), "stark stark");
    entrypoint.stop().await;
    liar.stop().await;
}

async fn what_is_not_what_was_put_there_is_made_again(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let first = Member::prover(&home, &["compressed"]).await;
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    let fleet = home.fleet().await;
    let (_, wrap) = message("wrap").await;
    let name = &wrap.before[0].name;
    until("it is made", PATIENCE, async || fleet.store.find(name).await.unwrap().is_some()).await;
    fleet.store.remove(name).await.unwrap();
    fleet.store.put(name, "something else".into()).await.unwrap();
    let second = Member::prover(&home, &["wrap", "groth16"]).await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!((first.stages(), second.stages()), ("compressed compressed".into(), "wrap groth16".into()));
    for member in [entrypoint, first, second] {
        member.stop().await;
    }
}

/// What a prover that died at a point of wrapping has left: nothing but its message; what it made; that it is noted; that
/// the next stage was asked for. Whoever comes next finds it.
async fn nothing_is_made_again_that_was_finished_before_a_death_at_any_point(place: Place) {
    let ((before_wrap, wrap), (before_groth16, groth16)) = (message("wrap").await, message("groth16").await);
    for (point, stages) in ["wrap groth16", "groth16", "groth16", "groth16"].into_iter().enumerate() {
        let Some(home) = Home::new(place, Limits::default()).await else { return };
        let fleet = home.fleet().await;
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
        let entrypoint = Member::entrypoint(&home).await;
        let prover = Member::prover(&home, &ALL).await;
        prove(&entrypoint, ProofKind::Groth16).await.unwrap();
        assert_eq!(prover.stages(), stages, "point {point}");
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

async fn what_finds_no_room_is_kept_in_hand_until_there_is_some(place: Place) {
    let parts = BucketLimits { bytes: 16 << 10, ..StoreLimits::of(0).parts };
    let store = StoreLimits { parts, ..Limits::default().store };
    let Some(home) = Home::new(place, Limits { store, ..Limits::default() }).await else { return };
    // Others' parts leave less room than the smallest of what is made here takes.
    let (fleet, mut others) = (home.fleet().await, Vec::new());
    loop {
        let id = StageId::whole(JobKey([7; 32]), others.len() as u32, Stage::literal("core"));
        match fleet.store.put(&ObjectName::part(&id), vec![7; 200].into()).await {
            Ok(object) => others.push(object),
            Err(error) => break assert!(matches!(error, FleetError::Full(_)), "{error}"),
        }
    }
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    prover.is_at("compressed wrap").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for object in others {
        fleet.store.remove(&object.name).await.unwrap();
    }
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(prover.stages(), "compressed wrap groth16");
    entrypoint.stop().await;
    prover.stop().await;
}

/// Everything that is kept survives the process that had it; the wish is asked for again.
async fn a_fleet_that_is_started_again_goes_on_where_it_was(place: Place) {
    let Some(mut home) = Home::new(place, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
    prover.script().touch("wait-groth16");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    prover.is_at("compressed wrap groth16").await;
    entrypoint.stop().await;
    prover.stop().await;
    home.end();
    home.again().await;
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
    prove(&entrypoint, ProofKind::Groth16).await.unwrap();
    assert_eq!(prover.stages(), "groth16");
    entrypoint.stop().await;
    prover.stop().await;
}

#[tokio::test]
async fn a_fleet_on_disk_that_is_started_again_goes_on_where_it_was() {
    a_fleet_that_is_started_again_goes_on_where_it_was(Place::Disk).await;
}

#[tokio::test]
async fn a_fleet_at_a_broker_that_is_started_again_goes_on_where_it_was() {
    a_fleet_that_is_started_again_goes_on_where_it_was(Place::Broker).await;
}

/// For longer than a lease, and while a stage is finished.
#[tokio::test]
async fn while_the_broker_is_away_provers_and_clients_go_on() {
    let Some(mut home) = Home::new(Place::Broker, Limits::default()).await else { return };
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
    prover.script().touch("wait-wrap");
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    prover.is_at("compressed wrap").await;
    home.end();
    prover.script().clear("wait-wrap");
    tokio::time::sleep(Duration::from_secs(3)).await;
    home.again().await;
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    assert_eq!(prover.stages(), "compressed wrap groth16");
    entrypoint.stop().await;
    prover.stop().await;
}

/// The object that a message goes on from, in another fleet too.
async fn copied(from: &Home, to: &Fleet, message: &StageMessage) -> ObjectRef {
    let object = &message.before[0];
    let bytes = from.fleet().await.store.get(object).await.unwrap().expect("it is there");
    to.store.put(&object.name, bytes).await.unwrap()
}

/// A message of `stage`, of a fleet whose workers all die there, and that fleet.
async fn message(stage: &str) -> (Home, StageMessage) {
    let home = Home::new(Place::Memory, Limits::default()).await.unwrap();
    let entrypoint = Member::entrypoint(&home).await;
    let prover = Member::prover(&home, &ALL).await;
    prover.script().touch(&format!("always-die-{stage}"));
    prove(&entrypoint, ProofKind::Groth16).await.unwrap_err();
    entrypoint.stop().await;
    prover.stop().await;
    let message = home.fleet().await.queue.dead().await.unwrap().remove(0).message;
    assert_eq!(message.id.stage.as_str(), stage);
    (home, message)
}
