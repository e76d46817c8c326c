//! A job has one outcome, which all who wait hear; and parts that are counted.

mod common;

use bytes::Bytes;
use common::*;
use sextant_fleet::{Event, MAX_FACTS, Made, Outcome, Submitted};
use sextant_protocol::{ErrorCode, Progress};

on_each_fleet!(
    whoever_waits_hears_steps_and_the_one_outcome,
    whoever_comes_late_hears_it_too,
    success_is_final_and_a_failure_is_that_of_its_own_try,
    a_proof_that_is_not_believed_is_forgotten,
    the_last_part_sees_all,
    what_was_noted_first_stands,
    a_cancelled_job_ends_everywhere,
    more_facts_than_anybody_reads_are_refused,
);

async fn whoever_waits_hears_steps_and_the_one_outcome<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let mut watches =
        [fleet.queue.watch(job(1), 0).await.unwrap(), fleet.queue.watch(job(1), 0).await.unwrap()];
    let mut other = fleet.queue.watch(job(2), 0).await.unwrap();
    fleet.submit(&core(1)).await;
    let lease = fleet.take(&core(1).line()).await;
    let step = Progress::Proving { done: 1, total: 2 };
    lease.progress(step);
    for watch in &mut watches {
        assert_eq!(within(watch.next()).await.unwrap(), Event::Progress(step));
    }
    lease.finish(proof(1), Bytes::from_static(b"cost")).await.unwrap();
    for watch in &mut watches {
        let outcome = within(watch.outcome()).await.unwrap();
        assert_eq!(
            (outcome.result.unwrap(), outcome.worker, &outcome.facts[..]),
            (proof(1), ANN, &b"cost"[..])
        );
    }
    let heard = tokio::time::timeout(std::time::Duration::from_millis(100), other.next()).await;
    assert!(heard.is_err(), "{heard:?}");
}

async fn whoever_comes_late_hears_it_too<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    assert_eq!(fleet.queue.outcome(job(1)).await.unwrap(), None);
    let first = outcome(1, 0, Ok(proof(1)));
    assert_eq!(fleet.queue.finish(&first).await.unwrap(), first);
    let mut watch = fleet.queue.watch(job(1), 0).await.unwrap();
    assert_eq!(within(watch.outcome()).await.unwrap(), first);
    assert!(matches!(fleet.queue.submit(&core(1)).await.unwrap(), Submitted::Over(known) if *known == first));
}

async fn success_is_final_and_a_failure_is_that_of_its_own_try<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let [first, second] = [0, 1].map(|generation| outcome(1, generation, Err(failed("no memory"))));
    fleet.queue.finish(&first).await.unwrap();
    let mut watch = fleet.queue.watch(job(1), 1).await.unwrap();
    let mut again = core(1);
    again.id.generation = 1;
    assert_eq!(fleet.queue.submit(&again).await.unwrap(), Submitted::New, "another try has not failed");
    assert_eq!(fleet.queue.finish(&second).await.unwrap(), second);
    assert_eq!(within(watch.outcome()).await.unwrap(), second, "the first try's is not heard");
    assert_eq!(fleet.queue.finish(&first).await.unwrap(), second, "who is late changes nothing");

    let success = outcome(2, 0, Ok(proof(2)));
    fleet.queue.finish(&success).await.unwrap();
    let late = outcome(2, 7, Err(failed("cancelled")));
    assert_eq!(fleet.queue.finish(&late).await.unwrap(), success);
    assert_eq!(fleet.queue.outcome(job(2)).await.unwrap().unwrap(), success);
}

async fn a_proof_that_is_not_believed_is_forgotten<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    fleet.queue.finish(&outcome(1, 0, Ok(proof(1)))).await.unwrap();
    fleet.queue.forget(job(1)).await.unwrap();
    assert_eq!(fleet.queue.outcome(job(1)).await.unwrap(), None);
    let mut again = core(1);
    again.id.generation = 1;
    assert_eq!(fleet.queue.submit(&again).await.unwrap(), Submitted::New);
    fleet.queue.forget(job(3)).await.unwrap();
}

async fn the_last_part_sees_all<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let names = ["m-1", "c-1", "p-KECCAK_PERMUTE-1"];
    for (count, name) in names.into_iter().enumerate() {
        let made = Made { object: proof(1), worker: ANN, facts: Bytes::from(name) };
        fleet.queue.note_made(&part(1, name), &made).await.unwrap();
        let parts = fleet.queue.parts(job(1), 0, &CORE).await.unwrap();
        assert_eq!(parts.len(), count + 1, "each sees itself and those before");
    }
    // Others' parts are not counted.
    let other = Made { object: proof(2), worker: ANN, facts: Bytes::new() };
    fleet.queue.note_made(&part(2, "c-1"), &other).await.unwrap();
    let mut later = part(1, "c-2");
    later.generation = 1;
    fleet.queue.note_made(&later, &other).await.unwrap();
    let parts = fleet.queue.parts(job(1), 0, &CORE).await.unwrap();
    let names: Vec<_> = parts.iter().map(|(name, made)| (name.as_str(), &made.facts[..])).collect();
    assert_eq!(names, [("c-1", &b"c-1"[..]), ("m-1", b"m-1"), ("p-KECCAK_PERMUTE-1", b"p-KECCAK_PERMUTE-1")]);
    assert!(fleet.queue.parts(job(1), 0, &WRAP).await.unwrap().is_empty());
}

async fn what_was_noted_first_stands<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let id = part(1, "c-1");
    assert_eq!(fleet.queue.made(&id).await.unwrap(), None);
    let [first, second] = [ANN, BEN].map(|worker| Made { object: proof(1), worker, facts: Bytes::new() });
    fleet.queue.note_made(&id, &first).await.unwrap();
    fleet.queue.note_made(&id, &second).await.unwrap();
    assert_eq!(fleet.queue.made(&id).await.unwrap(), Some(first));
}

async fn a_cancelled_job_ends_everywhere<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let mut watch = fleet.queue.watch(job(1), 0).await.unwrap();
    fleet.submit(&message(part(1, "c-1"))).await;
    let running = fleet.take(&core(1).line()).await;
    fleet.submit(&message(part(1, "c-2"))).await;
    fleet.submit(&core(2)).await;
    let error = sextant_protocol::ServerError::new(ErrorCode::Cancelled, "by the operator");
    fleet.queue.cancel(&outcome(1, 0, Err(error.clone()))).await.unwrap();
    assert_eq!(within(watch.outcome()).await.unwrap().result.unwrap_err(), error);
    assert_eq!(within(running.over()).await, sextant_fleet::Over::Answered);
    running.leave().await.unwrap();
    let lease = fleet.take(&core(1).line()).await;
    assert_eq!(lease.message().id.job, job(2), "what waited of it is gone");
    lease.advance(&[]).await.unwrap();
    fleet.nothing_on(&core(1).line()).await;
}

async fn more_facts_than_anybody_reads_are_refused<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    for (size, good) in [(MAX_FACTS, true), (MAX_FACTS + 1, false)] {
        let facts = Bytes::from(vec![1; size]);
        let made = Made { object: proof(1), worker: ANN, facts: facts.clone() };
        assert_eq!(fleet.queue.note_made(&part(1, &format!("c-{size}")), &made).await.is_ok(), good);
        let told = Outcome { facts, ..outcome(good.into(), 0, Ok(proof(1))) };
        assert_eq!(fleet.queue.finish(&told).await.is_ok(), good);
    }
    assert_eq!(fleet.queue.outcome(job(1)).await.unwrap().unwrap().facts.len(), MAX_FACTS);
    assert_eq!(fleet.queue.parts(job(1), 0, &CORE).await.unwrap().len(), 1);
}
