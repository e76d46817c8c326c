//! What only a broker can do to a fleet: be away, be starved, be shared, be asked by those who may not.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{nats::NatsServer, *};
use futures_util::StreamExt;
use sextant_fleet::{FleetError, Queue, Store, StoreLimits, Submitted, nats::NatsFleet};

#[tokio::test]
async fn a_lease_outlives_whatever_the_process_does() {
    let Some(server) = NatsServer::start("").await else { return };
    let fleet = connect(&server, Limits::default()).await;
    fleet.set_up().await.unwrap();
    fleet.queue().submit(&core(1)).await.unwrap();
    let lines = [core(1).line()];
    let lease = within(fleet.queue().take(&lines, &ANN)).await.unwrap();
    // Proving takes every thread of the runtime for much longer than a lease: here, the only one.
    std::thread::sleep(Duration::from_secs(7));
    let other = connect(&server, Limits::default()).await;
    let taken = tokio::time::timeout(Duration::from_secs(3), other.queue().take(&lines, &BEN)).await;
    assert!(taken.is_err(), "{taken:?}");
    lease.finish(proof(1), Bytes::new()).await.unwrap();
    assert_eq!(other.queue().depth(&lines[0]).await.unwrap().running, 0);
}

/// Nothing in the fleet makes room at a broker that may keep less than the streams reserve: an operator has to, who is told so.
#[tokio::test]
async fn a_broker_that_is_too_small_is_refused_by_name() {
    // It may keep 20 GB.
    let Some(server) = NatsServer::start("").await else { return };
    let limits = Limits { store: StoreLimits::of(1 << 40), ..Limits::default() };
    let error = connect(&server, limits).await.set_up().await.unwrap_err();
    assert!(!error.passes(), "{error}");
    assert!(error.to_string().contains("1049600 MiB of max_file_store"), "{error}");
}

#[tokio::test]
async fn what_nobody_worked_on_counts_as_no_worker() {
    let Some(server) = NatsServer::start("").await else { return };
    let fleet = connect(&server, Limits::queue(|limits| limits.deliveries = 2)).await;
    fleet.set_up().await.unwrap();
    fleet.queue().submit(&core(1)).await.unwrap();
    let lines = [core(1).line()];
    assert_eq!(fleet.queue().depth(&lines[0]).await.unwrap().waiting, 1);
    // As workers do that get a message while they take another one: it goes back unseen, more often than workers may have it.
    let other = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let stream = other.get_stream("SXT_JOB").await.unwrap();
    let line: async_nats::jetstream::consumer::PullConsumer =
        stream.get_consumer(&lines[0].to_string()).await.unwrap();
    let unseen = async || {
        for _ in 0..3 {
            let mut batch = line.batch().max_messages(1).messages().await.unwrap();
            let message = within(batch.next()).await.unwrap().unwrap();
            message.ack_with(async_nats::jetstream::AckKind::Nak(None)).await.unwrap();
        }
    };
    unseen().await;
    for worker in 1..=2 {
        let lease = within(fleet.queue().take(&lines, &ANN)).await.unwrap();
        assert_eq!(lease.delivery(), worker);
        lease.again(Duration::ZERO, "its disk is full");
        unseen().await;
    }
    let taken = tokio::time::timeout(Duration::from_millis(500), fleet.queue().take(&lines, &BEN)).await;
    assert!(taken.is_err(), "{taken:?}");
    let dead = fleet.queue().dead().await.unwrap();
    assert_eq!(dead[0].deliveries, 3);
}

#[tokio::test]
async fn everybody_goes_on_when_the_broker_comes_back() {
    let Some(mut server) = NatsServer::start("").await else { return };
    let (ann, ben) = (connect(&server, Limits::default()).await, connect(&server, Limits::default()).await);
    ann.set_up().await.unwrap();
    let (ours, theirs) = (ann.queue().clone(), [core(1).line()]);
    let mut watch = ours.watch(job(1), 0).await.unwrap();
    let waiting = tokio::spawn({
        let (queue, lines) = (ben.queue().clone(), theirs.clone());
        async move { queue.take(&lines, &BEN).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.kill();
    let submitting = tokio::spawn(async move { ours.submit(&core(1)).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!submitting.is_finished() && !waiting.is_finished(), "both wait for the broker");
    server.again().await;
    let more_time = |work| tokio::time::timeout(Duration::from_secs(40), work);
    more_time(submitting).await.unwrap().unwrap().unwrap();
    let lease = tokio::time::timeout(Duration::from_secs(40), waiting).await.unwrap().unwrap().unwrap();
    // With a message in hand it goes away once more.
    server.kill();
    server.again().await;
    lease.finish(proof(1), Bytes::new()).await.unwrap();
    let outcome = tokio::time::timeout(Duration::from_secs(40), watch.outcome()).await.unwrap().unwrap();
    assert_eq!(outcome.result.unwrap(), proof(1));
    assert_eq!(outcome.worker, BEN);
}

#[tokio::test]
async fn what_was_lost_with_the_broker_is_made_again_and_asked_again() {
    let Some(mut server) = NatsServer::start("").await else { return };
    let fleet = connect(&server, Limits::default()).await;
    fleet.set_up().await.unwrap();
    fleet.set_up().await.unwrap();
    fleet.queue().submit(&core(1)).await.unwrap();
    server.kill();
    server.lose_everything();
    server.again().await;
    // Every server does this when it starts.
    fleet.set_up().await.unwrap();
    let mut again = core(1);
    again.id.generation = 1;
    assert_eq!(fleet.queue().submit(&again).await.unwrap(), Submitted::New);
    let lease = within(fleet.queue().take(&[core(1).line()], &ANN)).await.unwrap();
    assert_eq!(lease.message().id.generation, 1);
}

#[tokio::test]
async fn parts_are_counted_once_while_others_are_noted() {
    let Some(server) = NatsServer::start("").await else { return };
    let fleet = connect(&server, Limits::default()).await;
    fleet.set_up().await.unwrap();
    let made = sextant_fleet::Made { object: proof(1), worker: ANN, facts: Bytes::new() };
    let writing = tokio::spawn({
        let queue = fleet.queue().clone();
        async move {
            // Backwards, so that each new one comes before those that were listed.
            for number in (0..200).rev() {
                queue.note_made(&part(1, &format!("s-{number:03}")), &made).await.unwrap();
            }
        }
    });
    let mut seen = 0;
    while seen < 200 {
        let parts = fleet.queue().parts(job(1), 0, &CORE).await.unwrap();
        assert!(parts.windows(2).all(|pair| pair[0].0 < pair[1].0), "one twice, among {}", parts.len());
        assert!(parts.len() >= seen, "nothing is forgotten");
        seen = parts.len();
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn an_outcome_that_the_broker_refused_is_not_heard() {
    let Some(server) = NatsServer::start("").await else { return };
    let fleet = connect(&server, Limits::default()).await;
    fleet.set_up().await.unwrap();
    let mut watch = fleet.queue().watch(job(1), 0).await.unwrap();
    // As a worker does that comes second at the same moment: everybody hears it, and the stream does not take it.
    let late = async_nats::connect(server.url()).await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Expected-Last-Subject-Sequence", "99");
    let told = sextant_protocol::wire::to_bytes(&outcome(1, 0, Err(failed("late"))));
    late.publish_with_headers(format!("sxt.done.{}", job(1)), headers, told.into()).await.unwrap();
    late.flush().await.unwrap();
    let heard = tokio::time::timeout(Duration::from_millis(800), watch.next()).await;
    assert!(heard.is_err(), "{heard:?}");
    let stands = fleet.queue().finish(&outcome(1, 0, Ok(proof(1)))).await.unwrap();
    assert_eq!(within(watch.outcome()).await.unwrap(), stands);
}

#[tokio::test]
async fn two_servers_ask_for_the_same_and_both_hear_of_it() {
    let Some(server) = NatsServer::start("").await else { return };
    let (one, other) = (connect(&server, Limits::default()).await, connect(&server, Limits::default()).await);
    one.set_up().await.unwrap();
    let mut watches =
        [one.queue().watch(job(1), 0).await.unwrap(), other.queue().watch(job(1), 0).await.unwrap()];
    let (message, again) = (core(1), core(1));
    let (first, second) = tokio::join!(one.queue().submit(&message), other.queue().submit(&again));
    let mut submitted = [first.unwrap(), second.unwrap()];
    submitted.sort_by_key(|submitted| *submitted == Submitted::Known);
    assert_eq!(submitted, [Submitted::New, Submitted::Known]);
    let lease = within(one.queue().take(&[core(1).line()], &ANN)).await.unwrap();
    let object = one.store().put(&proof(1).name, Bytes::from_static(b"proof")).await.unwrap();
    lease.finish(object.clone(), Bytes::new()).await.unwrap();
    for watch in &mut watches {
        assert_eq!(within(watch.outcome()).await.unwrap().result.unwrap(), object);
    }
    assert_eq!(other.store().get(&object).await.unwrap().unwrap(), "proof");
}

#[tokio::test]
async fn a_broker_that_is_not_there_or_does_not_know_us_is_said() {
    let unreachable = NatsFleet::connect(sextant_fleet::nats::NatsConfig::new("nats://127.0.0.1:9")).await;
    assert!(matches!(unreachable.err().unwrap(), FleetError::Unreachable(_)));
    let users = "authorization { users: [ { user: server, password: secret } ] }";
    let Some(server) = NatsServer::start(users).await else { return };
    let config = |password: &str| sextant_fleet::nats::NatsConfig {
        user: Some(("server".into(), password.into())),
        ..sextant_fleet::nats::NatsConfig::new(server.url())
    };
    let refused = NatsFleet::connect(config("wrong")).await.err().unwrap();
    assert!(matches!(refused, FleetError::Refused { .. }), "{refused}");
    let fleet = NatsFleet::connect(config("secret")).await.unwrap();
    assert!(fleet.version().starts_with("2."), "{}", fleet.version());
}
