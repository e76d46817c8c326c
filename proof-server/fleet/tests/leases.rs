//! A message is in one worker's hands, comes to another one when that one fails, and not for ever.

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::*;
use sextant_fleet::{Lane, StageId, StageMessage, Submitted};
use sextant_protocol::ErrorCode;

on_each_fleet!(
    what_is_taken_is_nobody_elses,
    a_dropped_lease_goes_to_the_next_one_at_once,
    a_message_that_was_put_off_comes_after_its_delay,
    too_many_workers_make_a_dead_letter_with_the_last_reason,
    a_dropped_wait_has_taken_nothing,
    what_is_late_is_not_begun,
    what_is_too_large_goes_once_to_larger_workers,
    what_comes_next_is_there_before_the_message_goes,
    a_dead_letter_is_asked_for_again_as_if_new,
);

async fn what_is_taken_is_nobody_elses<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.submit(&core(1)).await;
    let lease = fleet.take(&core(1).line()).await;
    assert_eq!((lease.delivery(), lease.worker()), (1, &ANN));
    fleet.nothing_on(&core(1).line()).await;
}

async fn a_dropped_lease_goes_to_the_next_one_at_once<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.submit(&core(1)).await;
    drop(fleet.take(&core(1).line()).await);
    let began = Instant::now();
    let lease = fleet.take(&core(1).line()).await;
    assert_eq!((lease.message().id.job, lease.delivery()), (job(1), 2));
    assert!(began.elapsed() < Duration::from_millis(1500), "not only when its lease runs out");
}

async fn a_message_that_was_put_off_comes_after_its_delay<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.submit(&core(1)).await;
    let began = Instant::now();
    fleet.take(&core(1).line()).await.again(Duration::from_millis(800), "its disk is full");
    fleet.submit(&core(2)).await;
    let other = fleet.take(&core(1).line()).await;
    assert_eq!(other.message().id.job, job(2), "the line goes on meanwhile");
    let lease = fleet.take(&core(1).line()).await;
    assert_eq!((lease.message().id.job, lease.delivery()), (job(1), 2));
    assert!(began.elapsed() >= Duration::from_millis(800), "{:?}", began.elapsed());
}

async fn too_many_workers_make_a_dead_letter_with_the_last_reason<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::queue(|limits| limits.deliveries = 2)).await else { return };
    let mut watch = fleet.queue.watch(job(1), 0).await.unwrap();
    fleet.submit(&core(1)).await;
    for reason in ["its disk is full", "killed (signal 9)"] {
        fleet.take(&core(1).line()).await.again(Duration::ZERO, reason);
    }
    fleet.nothing_on(&core(1).line()).await;
    let error = within(watch.outcome()).await.unwrap().result.unwrap_err();
    assert_eq!(error.code, ErrorCode::ProverFailed);
    assert!(error.message.contains("2 workers") && error.message.contains("killed (signal 9)"), "{error}");
    let dead = fleet.queue.dead().await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0].message, &dead[0].error, dead[0].deliveries), (&core(1), &error, 3));
    let depth = fleet.queue.depth(&core(1).line()).await.unwrap();
    assert_eq!((depth.waiting, depth.running), (0, 0), "it is not in the line any more");
}

async fn a_dropped_wait_has_taken_nothing<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    for _ in 0..5 {
        fleet.nothing_on(&core(1).line()).await;
    }
    fleet.submit(&core(1)).await;
    assert_eq!(fleet.take(&core(1).line()).await.delivery(), 1);
}

async fn what_is_late_is_not_begun<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let mut watch = fleet.queue.watch(job(1), 0).await.unwrap();
    fleet.submit(&StageMessage { deadline_ms: 1, ..core(1) }).await;
    fleet.nothing_on(&core(1).line()).await;
    let error = within(watch.outcome()).await.unwrap().result.unwrap_err();
    assert_eq!(error.code, ErrorCode::DeadlineExceeded);
    assert!(fleet.queue.dead().await.unwrap().is_empty(), "nothing is wrong with it");
}

async fn what_is_too_large_goes_once_to_larger_workers<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.submit(&core(1)).await;
    fleet.take(&core(1).line()).await.enlarge("20 GiB of memory, 8 allowed").await.unwrap();
    fleet.nothing_on(&core(1).line()).await;
    let mut larger = core(1).line();
    larger.lane = Lane::Xl;
    let lease = fleet.take(&larger).await;
    assert_eq!((lease.delivery(), &lease.message().id), (1, &core(1).id));
    lease.enlarge("90 GiB of memory, 64 allowed").await.unwrap();
    fleet.nothing_on(&larger).await;
    let error = fleet.queue.outcome(job(1)).await.unwrap().unwrap().result.unwrap_err();
    assert!(error.message.contains("90 GiB"), "{error}");
}

async fn what_comes_next_is_there_before_the_message_goes<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let next = message(StageId::whole(job(1), 0, WRAP));
    fleet.submit(&core(1)).await;
    let lease = fleet.take(&core(1).line()).await;
    lease.made(proof(1), Bytes::from_static(b"took long")).await.unwrap();
    // A worker that dies here has noted what it made: the next one finds it, and goes on.
    drop(lease);
    let lease = fleet.take(&core(1).line()).await;
    let made = lease.found().await.unwrap().unwrap();
    assert_eq!((made.object, made.worker, &made.facts[..]), (proof(1), ANN, &b"took long"[..]));
    lease.advance(std::slice::from_ref(&next)).await.unwrap();
    assert_eq!(fleet.queue.submit(&next).await.unwrap(), Submitted::Known);
    assert_eq!(*fleet.take(&next.line()).await.message(), next);
    fleet.nothing_on(&core(1).line()).await;
}

async fn a_dead_letter_is_asked_for_again_as_if_new<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.submit(&core(1)).await;
    fleet.take(&core(1).line()).await.fail(failed("its guest does not end")).await.unwrap();
    let dead = fleet.queue.dead().await.unwrap();
    assert!(matches!(fleet.queue.submit(&core(1)).await.unwrap(), Submitted::Over(_)), "it has failed");
    assert_eq!(fleet.queue.requeue(&dead[0]).await.unwrap(), Submitted::New);
    assert!(fleet.queue.dead().await.unwrap().is_empty());
    let lease = fleet.take(&core(1).line()).await;
    assert_eq!((lease.delivery(), &lease.message().id), (1, &core(1).id));
    lease.finish(proof(1), Bytes::new()).await.unwrap();
    assert_eq!(fleet.queue.outcome(job(1)).await.unwrap().unwrap().result.unwrap(), proof(1));
    assert!(matches!(fleet.queue.requeue(&dead[0]).await.unwrap(), Submitted::Over(_)), "it is made");
    fleet.queue.unbury(&dead[0].message.id).await.unwrap();
}
