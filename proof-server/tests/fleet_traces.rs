//! A request's trace through a fleet, in memory, on disk and at a broker: stages, their parts, and what is done again.
//! Workers are scripts, the collector is played.
#![cfg(feature = "snark")]

mod common;

use std::time::Duration;

use common::{
    Client, PATIENCE,
    collector::{Collector, Span},
    fleet::{Home, Limits, Member, Place, answer, ask, ask_for},
    until,
};
use proof_server::Role;
use sextant_consensus::{Program, codec};
use sextant_fixtures::catch_up;
use sextant_protocol::ProofKind;

in_each_place!(a_trace_goes_through_all_stages, each_part_of_a_proof_is_in_its_trace);

/// Shorter than a stage waits.
const WAIT: Duration = Duration::from_millis(300);

/// The one span that is called so and sent by a server of this role.
fn named<'a>(spans: &'a [Span], name: &str, role: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name && span.role == role).collect();
    assert_eq!(found.len(), 1, "{name} of {role}: {spans:#?}");
    found[0]
}

async fn a_trace_goes_through_all_stages(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let collector = Collector::start().await;
    let told = collector.config();
    let entrypoint = Member::entrypoint_with(&home, |config| config.traces = told.clone()).await;
    let small = Member::prover_with(&home, &["compressed"], |config| config.traces = told.clone()).await;
    let mut client = Client::connect(&entrypoint.server).await;
    ask(&mut client, 1, ProofKind::Groth16).await;
    // What comes next waits for somebody who does it.
    small.is_at("compressed").await;
    tokio::time::sleep(2 * WAIT).await;
    let large = Member::prover_with(&home, &["wrap", "groth16"], |config| config.traces = told.clone()).await;
    large.script().touch("die-wrap");
    answer(&mut client, ProofKind::Groth16).await.unwrap();
    let machines = [small.machine(), large.machine()].map(|machine| machine.to_string());
    for member in [entrypoint, small, large] {
        member.stop().await;
    }
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == spans[0].trace), "{spans:#?}");
    let request = named(&spans, "prove", "entrypoint");
    assert!(request.parent.is_empty() && request.outcome() == "ok");
    // All of it is below the request, wherever it was done.
    let parts = spans.iter().filter(|span| span.id != request.id);
    assert!(parts.clone().all(|span| span.parent == request.id), "{spans:#?}");
    named(&spans, "queue", "entrypoint");
    named(&spans, "verify", "entrypoint");
    for (stage, machine) in [("compressed", &machines[0]), ("groth16", &machines[1])] {
        let span = named(&spans, stage, "prover");
        assert_eq!((span.outcome(), span.kind, span.says("sextant.delivery")), ("ok", 5, "1"));
        assert_eq!(span.says("sextant.job"), request.says("sextant.job"));
        assert!(span.says("sextant.worker").starts_with(machine.as_str()), "{span:?}");
        let waits = |other: &&Span| other.name == "queue" && other.says("sextant.stage") == stage;
        let wait = parts.clone().find(waits).expect("it has waited");
        assert!(wait.start <= wait.end && wait.end <= span.start, "{wait:?} {span:?}");
    }
    let waits: Vec<_> = parts.clone().filter(|span| span.says("sextant.stage") == "wrap").collect();
    assert_eq!(waits.len(), 1, "it was given back at once");
    assert!(waits[0].end - waits[0].start > WAIT.as_nanos() as u64, "{:?}", waits[0]);
    // The worker that died is there, and the one after it.
    let mut wraps: Vec<_> = parts.filter(|span| span.name == "wrap").collect();
    wraps.sort_by_key(|span| span.start);
    let seen: Vec<_> = wraps.iter().map(|span| (span.says("sextant.delivery"), span.outcome())).collect();
    assert_eq!(seen, [("1", "prover_failed"), ("2", "ok")]);
}

async fn each_part_of_a_proof_is_in_its_trace(place: Place) {
    let Some(home) = Home::new(place, Limits::default()).await else { return };
    let collector = Collector::start().await;
    let request = common::prove(Program::CommitteeChange, codec::encode(&catch_up::recorded(4)));
    let told = collector.config();
    let entrypoint = Member::entrypoint_with(&home, |config| config.traces = told.clone()).await;
    let mut provers = Vec::new();
    for _ in 0..2 {
        let fleet = Some(home.fleet().await);
        let prover = Member::making(&request, fleet, Role::Prover, |config| {
            (config.stages, config.traces) = (Some(vec!["stark".into()]), told.clone());
        });
        provers.push(prover.await);
    }
    let queue = home.fleet().await.queue;
    until("they are there", PATIENCE, async || queue.workers().await.unwrap().len() == 2).await;
    let mut client = Client::connect(&entrypoint.server).await;
    ask_for(&mut client, 1, request, ProofKind::Stark).await;
    answer(&mut client, ProofKind::Stark).await.unwrap();
    for member in provers.into_iter().chain([entrypoint]) {
        member.stop().await;
    }
    let spans = collector.spans();
    let asked = named(&spans, "prove", "entrypoint");
    let done = spans.iter().filter(|span| span.kind == 5);
    assert!(done.clone().all(|span| (&span.trace, &span.parent) == (&asked.trace, &asked.id)), "{spans:#?}");
    let mut parts: Vec<_> = done.map(|span| (span.name.as_str(), span.says("sextant.part"))).collect();
    parts.sort_unstable();
    let shards = ["c-1", "c-2", "m-1", "p-KECCAK_PERMUTE-1"].map(|part| ("stark-shard", part));
    let all = [&[("stark", "whole"), ("stark-fold", "1-4")][..], &shards].concat();
    assert_eq!(parts, all);
}
