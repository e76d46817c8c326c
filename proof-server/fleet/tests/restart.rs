//! What was asked, made and answered is there after everything was started again.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::*;
use sextant_fleet::{StageId, Submitted, local::LocalQueue};

on_each_fleet!(a_fleet_goes_on_where_it_was, deliveries_are_counted_over_restarts);

async fn a_fleet_goes_on_where_it_was<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let limits = Limits::default();
    let Some(fleet) = start(limits).await else { return };
    for number in 1..=4 {
        fleet.submit(&core(number)).await;
    }
    let line = core(1).line();
    let done = fleet.take(&line).await;
    done.made(proof(1), Bytes::new()).await.unwrap();
    done.advance(&[message(StageId::whole(job(1), 0, WRAP))]).await.unwrap();
    fleet.take(&line).await.finish(proof(2), Bytes::new()).await.unwrap();
    fleet.take(&line).await.fail(failed("no memory")).await.unwrap();
    let object = fleet.store.put(&proof(1).name, Bytes::from_static(b"proof")).await.unwrap();
    // Taken and never settled: its process ends.
    fleet.abandon(fleet.take(&line).await);

    let Some(fleet) = fleet.restarted(limits).await else { return };
    assert_eq!(fleet.take(&line).await.message().id.job, job(4), "what was being worked on waits again");
    assert_eq!(fleet.take(&message(StageId::whole(job(1), 0, WRAP)).line()).await.message().id.job, job(1));
    assert_eq!(fleet.queue.submit(&core(1)).await.unwrap(), Submitted::Known);
    assert!(matches!(fleet.queue.submit(&core(2)).await.unwrap(), Submitted::Over(_)));
    assert_eq!(fleet.queue.outcome(job(2)).await.unwrap().unwrap().result.unwrap(), proof(2));
    assert_eq!(fleet.queue.made(&core(1).id).await.unwrap().unwrap().object, proof(1));
    assert_eq!(fleet.queue.dead().await.unwrap()[0].error, failed("no memory"));
    assert_eq!(fleet.store.get(&object).await.unwrap().unwrap(), "proof");
}

async fn deliveries_are_counted_over_restarts<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let limits = Limits::queue(|limits| limits.deliveries = 2);
    let Some(mut fleet) = start(limits).await else { return };
    fleet.submit(&core(1)).await;
    for delivery in 1..=2 {
        let lease = fleet.take(&core(1).line()).await;
        assert_eq!(lease.delivery(), delivery);
        // A message that ends the whole process.
        fleet.abandon(lease);
        match fleet.restarted(limits).await {
            Some(restarted) => fleet = restarted,
            None => return,
        }
    }
    fleet.nothing_on(&core(1).line()).await;
    let error = fleet.queue.outcome(job(1)).await.unwrap().unwrap().result.unwrap_err();
    assert!(error.message.contains("2 workers failed at core"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_of_the_queue_costs_what_it_says_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default().queue;
    let open = || LocalQueue::open(folder.path(), limits);
    let queue = open().unwrap();
    for number in 1..=2 {
        sextant_fleet::Queue::submit(&queue, &core(number)).await.unwrap();
    }
    let busy = open().err().unwrap().to_string();
    assert!(busy.contains("another process has this queue"), "{busy}");
    drop(queue);
    let damaged = folder.path().join("messages").join(core(1).name());
    std::fs::write(&damaged, b"SXTFLEET\x01 and no more").unwrap();
    std::fs::write(folder.path().join("messages/.unfinished-x"), b"half").unwrap();

    let queue = open().unwrap();
    let taken = sextant_fleet::Queue::take(&queue, &[core(1).line()], &ANN).await.unwrap();
    assert_eq!(taken.message().id.job, job(2));
    drop(taken);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!damaged.exists(), "it is removed");
}
