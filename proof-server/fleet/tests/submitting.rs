//! What is asked waits once, in its own line, in turn, as far as there is room.

mod common;

use bytes::Bytes;
use common::*;
use sextant_fleet::{Depth, FleetError, Lane, Release, StageMessage, Submitted, Work};

on_each_fleet!(
    twice_the_same_is_once,
    lines_do_not_mix,
    a_line_is_first_in_first_out_and_earlier_lines_come_first,
    a_full_queue_refuses_and_loses_nothing,
    what_does_not_fit_into_a_message_is_refused,
    depth_tells_waiting_running_and_idle,
    large_work_goes_by_the_store,
);

async fn twice_the_same_is_once<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let message = core(1);
    assert_eq!(fleet.queue.submit(&message).await.unwrap(), Submitted::New);
    assert_eq!(fleet.queue.submit(&message).await.unwrap(), Submitted::Known, "it waits");
    let lease = fleet.take(&message.line()).await;
    assert_eq!(*lease.message(), message);
    assert_eq!(fleet.queue.submit(&message).await.unwrap(), Submitted::Known, "somebody is at it");
    lease.made(proof(1), Bytes::new()).await.unwrap();
    lease.advance(&[]).await.unwrap();
    assert_eq!(fleet.queue.submit(&message).await.unwrap(), Submitted::Known, "it was done");
    fleet.nothing_on(&message.line()).await;
    let mut again = message.clone();
    again.id.generation = 1;
    assert_eq!(fleet.queue.submit(&again).await.unwrap(), Submitted::New, "another try");
}

async fn lines_do_not_mix<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let message = core(1);
    let mut others = [message.line(), message.line(), message.line()];
    others[0].stage = WRAP;
    others[1].release = Release::literal("ba9876543210");
    others[2].lane = Lane::Lo;
    fleet.submit(&message).await;
    for other in &others {
        fleet.nothing_on(other).await;
    }
    assert_eq!(fleet.take(&message.line()).await.delivery(), 1);
}

async fn a_line_is_first_in_first_out_and_earlier_lines_come_first<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let low = StageMessage { lane: Lane::Lo, ..core(9) };
    fleet.submit(&low).await;
    for number in 1..=3 {
        fleet.submit(&core(number)).await;
    }
    let lines = [core(1).line(), low.line()];
    let mut order = Vec::new();
    for _ in 0..4 {
        let lease = within(fleet.queue.take(&lines, &ANN)).await.unwrap();
        order.push(lease.message().id.job);
        lease.advance(&[]).await.unwrap();
    }
    assert_eq!(order, [job(1), job(2), job(3), job(9)]);
}

async fn a_full_queue_refuses_and_loses_nothing<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::queue(|limits| limits.messages = 2)).await else { return };
    fleet.submit(&core(1)).await;
    fleet.submit(&core(2)).await;
    let error = fleet.queue.submit(&core(3)).await.unwrap_err();
    assert!(matches!(error, FleetError::Full(_)) && error.passes(), "{error}");
    assert_eq!(fleet.queue.submit(&core(2)).await.unwrap(), Submitted::Known, "that takes no room");
    fleet.take(&core(1).line()).await.advance(&[]).await.unwrap();
    assert_eq!(fleet.queue.submit(&core(3)).await.unwrap(), Submitted::New);
}

async fn what_does_not_fit_into_a_message_is_refused<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let inline = Bytes::from(vec![0; sextant_fleet::MAX_MESSAGE]);
    let message = StageMessage { work: Work { inline, stored: None }, ..core(1) };
    let error = fleet.queue.submit(&message).await.unwrap_err();
    assert!(matches!(error, FleetError::TooLarge { .. }) && !error.passes(), "{error}");
    fleet.nothing_on(&message.line()).await;
}

async fn depth_tells_waiting_running_and_idle<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let line = core(1).line();
    fleet.submit(&core(1)).await;
    fleet.submit(&core(2)).await;
    let lease = fleet.take(&line).await;
    let depth = fleet.queue.depth(&line).await.unwrap();
    assert_eq!(depth, Depth { waiting: 1, running: 1, idle: 0, oldest: depth.oldest });
    assert!(depth.oldest.is_some_and(|age| age < std::time::Duration::from_secs(60)), "{depth:?}");
    lease.advance(&[]).await.unwrap();
    fleet.take(&line).await.advance(&[]).await.unwrap();
    let lines = [line.clone()];
    let ann = ANN;
    let waits = fleet.queue.take(&lines, &ann);
    let look = async {
        loop {
            let depth = fleet.queue.depth(&line).await.unwrap();
            if depth.idle > 0 {
                return depth;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        lease = waits => panic!("{lease:?}"),
        depth = within(look) => assert_eq!(depth, Depth { idle: 1, ..Depth::default() }),
    }
}

async fn large_work_goes_by_the_store<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    for size in [10, 1 << 20] {
        let bytes = Bytes::from(vec![size as u8; size]);
        let work = Work::new(bytes.clone(), &*fleet.store).await.unwrap();
        assert_eq!(work.stored.is_some(), size > 10);
        let number = if size > 10 { 2 } else { 1 };
        fleet.submit(&StageMessage { work, ..core(number) }).await;
        let lease = fleet.take(&core(1).line()).await;
        assert_eq!(lease.message().work.bytes(&*fleet.store).await.unwrap().unwrap(), bytes);
        lease.advance(&[]).await.unwrap();
    }
}
