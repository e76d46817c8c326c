//! Work goes on as long as somebody waits for it, and a while longer.

mod common;

use std::time::Duration;

use common::*;
use sextant_fleet::{Over, Submitted};
use sextant_protocol::ErrorCode;

on_each_fleet!(
    work_is_given_up_when_nobody_waits,
    work_goes_on_while_somebody_waits,
    what_nobody_waits_for_is_not_begun,
);

fn impatient() -> Limits {
    Limits::queue(|limits| limits.patience = Duration::from_secs(1))
}

async fn work_is_given_up_when_nobody_waits<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(impatient()).await else { return };
    let interest = fleet.queue.interest(job(1)).await.unwrap();
    fleet.submit(&core(1)).await;
    let lease = fleet.take(&core(1).line()).await;
    drop(interest);
    assert_eq!(within(lease.over()).await, Over::Unwanted);
    lease.leave().await.unwrap();
    let outcome = fleet.queue.outcome(job(1)).await.unwrap().unwrap();
    assert_eq!(outcome.result.unwrap_err().code, ErrorCode::Cancelled);
    fleet.nothing_on(&core(1).line()).await;
    // Whoever asks then, asks anew.
    let mut again = core(1);
    again.id.generation = outcome.generation + 1;
    assert_eq!(fleet.queue.submit(&again).await.unwrap(), Submitted::New);
}

async fn work_goes_on_while_somebody_waits<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(impatient()).await else { return };
    let (one, other) =
        (fleet.queue.interest(job(1)).await.unwrap(), fleet.queue.interest(job(1)).await.unwrap());
    fleet.submit(&core(1)).await;
    let lease = fleet.take(&core(1).line()).await;
    drop(one);
    let over = tokio::time::timeout(Duration::from_millis(2500), lease.over()).await;
    assert!(over.is_err(), "{over:?}");
    drop(other);
    assert_eq!(within(lease.over()).await, Over::Unwanted);
}

async fn what_nobody_waits_for_is_not_begun<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(impatient()).await else { return };
    drop(fleet.queue.interest(job(1)).await.unwrap());
    fleet.submit(&core(1)).await;
    tokio::time::sleep(Duration::from_millis(1800)).await;
    fleet.nothing_on(&core(1).line()).await;
    assert_eq!(
        fleet.queue.outcome(job(1)).await.unwrap().unwrap().result.unwrap_err().code,
        ErrorCode::Cancelled
    );
}
