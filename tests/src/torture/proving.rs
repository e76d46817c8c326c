//! The proving lane: a full queue, and provers killed at whatever they do.

use std::time::{Duration, Instant};

use sextant_protocol::{ErrorCode, Progress, Request, Response, ServerError, ServerMessage};
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    Form,
    company::beside,
    outcome::{Millis, Outcome, Times},
    peer::Peer,
    statements::committee_changes,
    tortured::Tortured,
};
use crate::{scripted::Script, server::send_signal};

/// Provers are killed at these stages in turn.
const STAGES: [&str; 4] = ["preparing", "executing", "proving", "verifying"];

/// Longest that a real proof may take from one step to the next.
const PROOF: Duration = Duration::from_secs(600);

/// A server whose worker takes for ever, with its queue full: how fast it says so.
pub(super) async fn full_queue(form: Form) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let long = Duration::from_secs(600);
    let worker = Script { prove: long, verify: long, bytes: 0 }.install(folder.path()).display().to_string();
    let tortured = Tortured::start(&[
        "--warm=false",
        "--queue-capacity",
        "1",
        "--queue-share",
        "1",
        "--worker-program",
        &worker,
    ]);
    let requests = committee_changes();
    let mut holder = Peer::connect(tortured.address()).await;
    for (id, request) in (0..2).zip(&requests) {
        holder.ask(id, request.clone()).await;
        // One goes to the worker, one waits.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let mut peer = Peer::connect(tortured.address()).await;
    let mut times = Times::default();
    for id in 0..form.pick(50, 1_000) {
        let start = Instant::now();
        peer.ask(id, requests[2].clone()).await;
        match peer.answer().await {
            Ok(Err(error)) if error.code == ErrorCode::Busy && error.retry_after_ms > 0 => {}
            Ok(other) => panic!("{other:?} where Busy was due"),
            Err(_) => panic!("the connection ended"),
        }
        times.add(start.elapsed());
    }
    let mut outcome = Outcome::default();
    outcome.times("Busy of a full queue", &times);
    let half = times.percentile(50);
    outcome.check(half < Duration::from_millis(10), format!("Busy takes {half:?}"));
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// Real provers of a real statement, killed at each stage in turn, while somebody pings; in the end one is let be.
pub(super) async fn kills(form: Form) -> Outcome {
    let (tortured, count) = (Tortured::start(&[]), form.pick(4, 20));
    let (stop, stopped) = oneshot::channel();
    let mut pinging = JoinSet::new();
    pinging.spawn(ping_until(tortured.address().to_owned(), stopped));
    let (typed, made) = beside(&mut pinging, killed_and_let_be(&tortured, count)).await;
    let _ = stop.send(());
    let pings = pinging.join_next().await.expect("a pinger").expect("the pinger ends");
    let mut outcome = Outcome::default();
    outcome.row("prover killed, typed answers", format!("{count}, {typed}"));
    outcome.row("  then a proof", if made { "yes" } else { "no" });
    outcome.times("pings while proving", &pings);
    outcome.check(typed == count, format!("{typed} typed answers after {count} kills"));
    outcome.check(made, "no proof after the kills");
    let most = pings.percentile(99);
    outcome.check(most < Duration::from_millis(50), format!("p99 of pings while proving is {most:?}"));
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// How many of so many kills had a typed answer, and whether a proof was made after them.
async fn killed_and_let_be(tortured: &Tortured, count: u64) -> (u64, bool) {
    let mut peer = Peer::connect(tortured.address()).await;
    let request = committee_changes().swap_remove(0);
    let mut typed = 0;
    for id in 0..count {
        let stage = STAGES[id as usize % STAGES.len()];
        peer.ask(id, request.clone()).await;
        match answer_after_kill(&mut peer, tortured, stage).await {
            Ok(Response::Proof { .. }) => typed += 1,
            Err(error) if error.retry_after_ms > 0 && error.code == ErrorCode::ProverFailed => {
                typed += 1;
                tokio::time::sleep(Duration::from_millis(error.retry_after_ms)).await;
            }
            other => eprintln!("killed while {stage}: {other:?}"),
        }
    }
    peer.ask(count, request).await;
    let proof = peer.answer_within(PROOF).await;
    (typed, matches!(proof, Ok(Ok(Response::Proof { .. }))))
}

/// Real proofs verified beside one that is being made.
pub(super) async fn beside_a_proof(form: Form) -> Outcome {
    let tortured = Tortured::start(&["--cache-mib", "0"]);
    let mut peer = Peer::connect(tortured.address()).await;
    let requests = committee_changes();
    peer.ask(0, requests[0].clone()).await;
    let record = peer.record(0, PROOF).await.expect("an answer").expect("a proof");
    let verify = Request::Verify { record, more: 0 };
    let mut prover = Peer::connect(tortured.address()).await;
    // Two handovers.
    prover.ask(0, requests[1].clone()).await;
    while !matches!(
        prover.next().await,
        Ok(ServerMessage::Progress { progress: Progress::Proving { .. }, .. })
    ) {}
    let (mut pings, mut verified, mut first) = (Times::default(), Times::default(), None);
    for id in 0..form.pick(10, 60) {
        pings.add(peer.ping().await);
        let start = Instant::now();
        peer.ask(id, verify.clone()).await;
        assert!(matches!(peer.answer().await, Ok(Ok(Response::Verified))), "it is a proof");
        // With the first, the worker starts.
        if first.is_none() { first = Some(start.elapsed()) } else { verified.add(start.elapsed()) }
    }
    let proof = prover.answer_within(PROOF).await;
    let mut outcome = Outcome::default();
    outcome.row("first proof verified beside one", Millis(first.unwrap_or_default()));
    outcome.times("the next", &verified);
    outcome.times("pings", &pings);
    outcome.check(matches!(proof, Ok(Ok(Response::Proof { .. }))), "the proof beside was not made");
    let most = pings.percentile(99);
    outcome.check(most < Duration::from_millis(50), format!("p99 of pings is {most:?}"));
    let half = verified.percentile(50);
    outcome.check(half < Duration::from_secs(1), format!("half of the proofs took {half:?} to verify"));
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// Kills the worker as soon as the job is at `stage` or past it, and waits for the answer.
async fn answer_after_kill(
    peer: &mut Peer,
    tortured: &Tortured,
    stage: &str,
) -> Result<Response, ServerError> {
    let mut killed = false;
    loop {
        match peer.next_within(PROOF).await {
            Ok(ServerMessage::Answer { result, .. }) => return result,
            Ok(ServerMessage::Progress { progress, .. }) if !killed && is_at(progress, stage) => {
                killed = true;
                for worker in tortured.server.workers() {
                    send_signal(worker, 9);
                }
            }
            Ok(ServerMessage::Progress { .. } | ServerMessage::Part { .. }) => {}
            Ok(other) => panic!("{other:?}"),
            Err(_) => panic!("the connection ended"),
        }
    }
}

fn is_at(progress: Progress, stage: &str) -> bool {
    match progress {
        Progress::Preparing => stage == "preparing",
        Progress::Executing { .. } => stage == "preparing" || stage == "executing",
        Progress::Proving { .. } => stage != "verifying",
        Progress::Verifying => true,
        _ => false,
    }
}

async fn ping_until(address: String, mut stopped: oneshot::Receiver<()>) -> Times {
    let mut peer = Peer::connect(&address).await;
    let mut times = Times::default();
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        times.add(peer.ping().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}
