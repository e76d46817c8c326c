//! An operator sees what waits and who works, and has it held up, asked for again, or taken away.

mod common;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use common::*;
use sextant_fleet::{
    Bucket, ObjectName, Over, Part, Pause, Paused, Stage, StageId, StageMessage, Submitted, Worker,
};

on_each_fleet!(
    every_message_is_seen_with_what_became_of_it,
    lines_are_seen_that_hold_something_or_that_somebody_takes_from,
    a_worker_is_seen_while_it_is_there_with_what_it_is_at,
    what_was_made_for_a_job_and_who_waits_for_it_is_seen,
    a_paused_stage_is_not_begun_and_what_is_in_hand_is_finished,
    a_paused_worker_takes_nothing_and_others_do,
    a_pause_ends_by_itself_at_its_time,
    a_pause_is_there_after_a_restart,
    what_an_operator_asks_for_again_is_done_though_nobody_waits,
    objects_are_listed_by_bucket,
);

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

fn wrap(number: u8) -> StageMessage {
    message(StageId::whole(job(number), 0, WRAP))
}

async fn pause(fleet: &Fleet, of: Paused, until_ms: u64) {
    fleet.queue.pause(&Pause::now(of, until_ms)).await.unwrap();
}

async fn every_message_is_seen_with_what_became_of_it<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let before = now_ms();
    for message in [core(1), core(2), core(3), message(part(3, "other"))] {
        fleet.submit(&message).await;
    }
    fleet.take(&core(1).line()).await.again(Duration::from_secs(60), "its disk is full");
    let lease = fleet.take(&core(1).line()).await;
    // What is put back is so a moment later at a broker.
    let seen = async || fleet.queue.messages(None, 100).await.unwrap();
    let began = Instant::now();
    while seen().await.iter().all(|message| message.reason.is_none()) {
        assert!(began.elapsed() < Duration::from_secs(10), "the reason is seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = seen().await;
    let brief: Vec<_> = all
        .iter()
        .map(|one| (one.id.job, one.id.part.as_str(), one.taken, one.deliveries, one.reason.as_deref()))
        .collect();
    let expected = [
        (job(1), "whole", true, 1, Some("its disk is full")),
        (job(2), "whole", true, 1, None),
        (job(3), "whole", false, 0, None),
        (job(3), "other", false, 0, None),
    ];
    assert_eq!(brief, expected);
    assert!(all.iter().all(|one| one.line() == core(1).line() && one.attempt == 0));
    assert!(all.iter().all(|one| (before - 1000..=now_ms() + 1000).contains(&one.since_ms)));
    let of_job = fleet.queue.messages(Some(job(3)), 100).await.unwrap();
    assert_eq!(of_job.len(), 2);
    assert_eq!(fleet.queue.messages(None, 2).await.unwrap().len(), 2, "no more than are wanted");
    assert!(fleet.queue.messages(Some(job(9)), 100).await.unwrap().is_empty());
    let depth = fleet.queue.depth(&core(1).line()).await.unwrap();
    assert!(depth.oldest.unwrap() < Duration::from_secs(60), "{depth:?}");
    lease.finish(proof(2), Bytes::new()).await.unwrap();
    assert_eq!(seen().await.len(), 3);
}

async fn lines_are_seen_that_hold_something_or_that_somebody_takes_from<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    assert!(fleet.queue.lines().await.unwrap().is_empty());
    fleet.submit(&core(1)).await;
    assert_eq!(fleet.queue.lines().await.unwrap(), [core(1).line()]);
    let line = [wrap(1).line()];
    let ann = ANN;
    let waits = fleet.queue.take(&line, &ann);
    let look = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        fleet.queue.lines().await.unwrap()
    };
    tokio::select! {
        taken = waits => panic!("{taken:?}"),
        lines = within(look) => assert_eq!(lines, [core(1).line(), wrap(1).line()]),
    }
}

async fn a_worker_is_seen_while_it_is_there_with_what_it_is_at<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::queue(|limits| limits.patience = Duration::from_secs(2))).await else {
        return;
    };
    assert!(fleet.queue.workers().await.unwrap().is_empty());
    let lines = [wrap(1).line(), core(1).line()];
    let attendance = fleet.queue.attend(&ANN, &lines).await.unwrap();
    let _other = fleet.queue.attend(&BEN, &lines[..1]).await.unwrap();
    let until = async |what: &str, so: &dyn Fn(&[sextant_fleet::Present]) -> bool| {
        let began = Instant::now();
        while !so(&fleet.queue.workers().await.unwrap()) {
            assert!(began.elapsed() < Duration::from_secs(10), "{what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until("both are there", &|workers| workers.len() == 2).await;
    let workers = fleet.queue.workers().await.unwrap();
    assert_eq!((&workers[0].worker, &workers[0].lines[..], &workers[0].at), (&ANN, &lines[..], &None));
    assert_eq!((&workers[1].worker, workers[1].lines.len()), (&BEN, 1));
    fleet.submit(&core(1)).await;
    let lease = fleet.take(&core(1).line()).await;
    let at = attendance.at(&lease);
    let has = |workers: &[sextant_fleet::Present]| workers[0].at.as_ref().map(|at| at.id.clone());
    until("what it is at", &|workers| has(workers) == Some(core(1).id)).await;
    // It is said again and again.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(fleet.queue.workers().await.unwrap().len(), 2);
    drop(at);
    until("that it is done", &|workers| has(workers).is_none()).await;
    drop(attendance);
    until("that it has left", &|workers| workers.len() == 1 && workers[0].worker == BEN).await;
}

async fn what_was_made_for_a_job_and_who_waits_for_it_is_seen<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let made = sextant_fleet::Made { object: proof(1), worker: ANN, facts: Bytes::new() };
    let later = StageId { generation: 1, ..wrap(1).id };
    for id in [&part(1, "a"), &part(1, "b"), &later, &core(2).id] {
        fleet.queue.note_made(id, &made).await.unwrap();
    }
    let all = fleet.queue.all_made(job(1)).await.unwrap();
    let ids: Vec<_> = all.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, [part(1, "a"), part(1, "b"), later]);
    assert!(all.iter().all(|(_, one)| *one == made));
    assert_eq!(fleet.queue.waiters(job(1)).await.unwrap(), 0);
    let interest = [fleet.queue.interest(job(1)).await.unwrap(), fleet.queue.interest(job(1)).await.unwrap()];
    assert_eq!(fleet.queue.waiters(job(1)).await.unwrap(), 2);
    assert_eq!(fleet.queue.waiters(job(2)).await.unwrap(), 0);
    drop(interest);
}

async fn a_paused_stage_is_not_begun_and_what_is_in_hand_is_finished<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.submit(&core(1)).await;
    let in_hand = fleet.take(&core(1).line()).await;
    let lines = [core(1).line(), wrap(1).line()];
    // Somebody waits already when the pause begins.
    let ben = BEN;
    let waiting = fleet.queue.take(&lines, &ben);
    let paused = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        pause(&fleet, Paused::Stage(CORE), 0).await;
        fleet.submit(&core(2)).await;
        fleet.nothing_on(&core(1).line()).await;
        fleet.submit(&wrap(3)).await;
    };
    let (lease, ()) = within(async { tokio::join!(waiting, paused) }).await;
    let lease = lease.unwrap();
    assert_eq!(lease.message(), &wrap(3), "other stages go on");
    let pauses = fleet.queue.pauses().await.unwrap();
    assert_eq!((pauses.len(), &pauses[0].of, pauses[0].until_ms), (1, &Paused::Stage(CORE), 0));
    assert!(tokio::time::timeout(Duration::from_millis(200), in_hand.over()).await.is_err());
    in_hand.finish(proof(1), Bytes::new()).await.unwrap();
    assert!(fleet.queue.resume(&Paused::Stage(CORE)).await.unwrap());
    assert!(!fleet.queue.resume(&Paused::Stage(CORE)).await.unwrap(), "there is none any more");
    let resumed = fleet.take(&core(1).line()).await;
    assert_eq!((resumed.message(), resumed.delivery()), (&core(2), 1), "nobody has had it meanwhile");
}

async fn a_paused_worker_takes_nothing_and_others_do<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    pause(&fleet, Paused::Worker(BEN), 0).await;
    fleet.submit(&core(1)).await;
    fleet.nothing_on(&core(1).line()).await;
    assert_eq!(fleet.take(&core(1).line()).await.worker(), &ANN);
}

async fn a_pause_ends_by_itself_at_its_time<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    pause(&fleet, Paused::Stage(CORE), now_ms() + 900).await;
    fleet.submit(&core(1)).await;
    fleet.nothing_on(&core(1).line()).await;
    fleet.take(&core(1).line()).await;
    assert!(fleet.queue.pauses().await.unwrap().is_empty());
}

async fn a_pause_is_there_after_a_restart<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    pause(&fleet, Paused::Stage(WRAP), 0).await;
    pause(&fleet, Paused::Worker(Worker::literal("cal")), 0).await;
    let Some(fleet) = fleet.restarted(Limits::default()).await else { return };
    assert_eq!(fleet.queue.pauses().await.unwrap().len(), 2);
    fleet.submit(&wrap(1)).await;
    fleet.nothing_on(&wrap(1).line()).await;
}

async fn what_an_operator_asks_for_again_is_done_though_nobody_waits<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::queue(|limits| limits.patience = Duration::from_secs(1))).await else {
        return;
    };
    drop(fleet.queue.interest(job(1)).await.unwrap());
    fleet.submit(&core(1)).await;
    fleet.take(&core(1).line()).await.fail(failed("no circuits")).await.unwrap();
    let dead = fleet.queue.dead().await.unwrap();
    assert_eq!(fleet.queue.requeue(&dead[0]).await.unwrap(), Submitted::New);
    tokio::time::sleep(Duration::from_millis(1800)).await;
    let lease = fleet.take(&core(1).line()).await;
    let over = tokio::time::timeout(Duration::from_millis(1800), lease.over()).await;
    assert!(over.is_err(), "{over:?}");
    fleet.queue.cancel(&outcome(1, 0, Err(failed("enough")))).await.unwrap();
    assert_eq!(within(lease.over()).await, Over::Answered, "it can be ended all the same");
}

async fn objects_are_listed_by_bucket<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let put = async |name: &ObjectName, length: usize| {
        fleet.store.put(name, Bytes::from(vec![7; length])).await.unwrap();
    };
    let part = |name: &str, stage: &'static str| {
        let part = name.parse::<Part>().unwrap();
        ObjectName::part(&StageId { job: job(1), generation: 0, stage: Stage::literal(stage), part })
    };
    let (one, other) = (part("whole", "wrap"), part("p-KECCAK_PERMUTE-1", "core"));
    put(&one, 3).await;
    put(&other, 600 << 10).await;
    put(&proof(1).name, 0).await;
    let mut parts: Vec<_> = fleet.store.list(Bucket::Parts).await.unwrap();
    parts.sort_by_key(|stored| stored.length);
    assert_eq!(parts.len(), 2);
    assert_eq!((&parts[0].name, parts[0].length), (&one, 3));
    assert_eq!((&parts[1].name, parts[1].length), (&other, 600 << 10));
    assert!(parts.iter().all(|stored| stored.since_ms.abs_diff(now_ms()) < 20_000));
    assert_eq!(fleet.store.list(Bucket::Proofs).await.unwrap().len(), 1);
    assert!(fleet.store.list(Bucket::Inputs).await.unwrap().is_empty());
    fleet.store.remove(&one).await.unwrap();
    assert_eq!(fleet.store.list(Bucket::Parts).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_broker_without_a_fleet_says_so_at_once() {
    let Some(server) = nats::NatsServer::start("").await else { return };
    let fleet = connect(&server, Limits::default()).await;
    let began = Instant::now();
    let error = sextant_fleet::Oversee::lines(fleet.queue()).await.unwrap_err();
    assert!(matches!(error, sextant_fleet::FleetError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("an entrypoint makes one"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
