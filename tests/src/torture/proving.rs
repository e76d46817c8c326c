//! The proving lane: a full queue, and provers killed at whatever they do.

use std::{
    fs::File,
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, Progress, ProofKind, ProveRequest, Request, RequestId, Response, ServerError, ServerMessage,
    StatementInput,
};
use tokio::{sync::oneshot, task};

use super::{Report, peer::Peer, percentile};
use crate::server::{Server, is_alive, send_signal};

/// Provers are killed at these stages in turn.
const STAGES: [&str; 4] = ["preparing", "executing", "proving", "verifying"];

/// A server whose worker never gets ready, with its queue full: how fast it says so.
pub(super) async fn full_queue(count: usize, report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let worker = folder.path().join("worker.sh");
    script(&worker, "exec sleep 600").expect("a script");
    let worker = worker.to_str().expect("a plain name").to_owned();
    let arguments =
        ["--warm=false", "--queue-capacity", "1", "--queue-share", "1", "--worker-program", &worker];
    let server = Server::start_logged(&arguments, nowhere());
    let requests = committee_changes();
    let mut holder = Peer::connect(server.address()).await;
    for (id, request) in (0..2).zip(&requests) {
        holder.ask(id, request.clone()).await;
        // One goes to the worker, one waits.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let mut peer = Peer::connect(server.address()).await;
    let mut times = Vec::with_capacity(count);
    for id in 0..count as u64 {
        let start = Instant::now();
        peer.ask(id, requests[2].clone()).await;
        match peer.answer().await {
            Ok(Err(error)) if error.code == ErrorCode::Busy && error.retry_after_ms > 0 => {}
            Ok(other) => panic!("{other:?} where Busy was due"),
            Err(_) => panic!("the connection ended"),
        }
        times.push(start.elapsed());
    }
    report.busy = (percentile(&mut times, 50), percentile(&mut times, 100));
}

/// For a log of a thousand lines that say the same.
fn nowhere() -> File {
    File::options().write(true).open("/dev/null").expect("it is always there")
}

fn script(path: &Path, line: &str) -> io::Result<()> {
    std::fs::write(path, format!("#!/bin/sh\n{line}\n"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

/// Recorded statements, asked for as STARKs.
fn committee_changes() -> Vec<Request> {
    let statements = sextant_fixtures::statements().into_iter();
    let changes = statements.filter(|(_, program, _)| *program == Program::CommitteeChange);
    let request = |(_, program, bytes)| {
        let input = StatementInput::new(program, bytes);
        Request::Prove(ProveRequest::new(input, ProofKind::Stark))
    };
    changes.map(request).collect()
}

/// Real provers of a real statement, killed at each stage in turn, while somebody pings; in the end one is let be.
pub(super) async fn kills(count: usize, report: &mut Report) {
    if count == 0 {
        return;
    }
    let server = Server::start_logged(&[], nowhere());
    let (stop, stopped) = oneshot::channel();
    let pinging = task::spawn(ping_until(server.address().to_owned(), stopped));
    let mut peer = Peer::connect(server.address()).await;
    let request = committee_changes().swap_remove(0);
    let mut workers = Vec::new();
    for id in 0..count as RequestId {
        let stage = STAGES[id as usize % STAGES.len()];
        peer.ask(id, request.clone()).await;
        let answer = answer_after_kill(&mut peer, &server, stage, &mut workers).await;
        report.prover_kills.0 += 1;
        match answer {
            Ok(Response::Proof { .. }) => report.prover_kills.1 += 1,
            Err(error) if error.retry_after_ms > 0 && error.code == ErrorCode::ProverFailed => {
                report.prover_kills.1 += 1;
                tokio::time::sleep(Duration::from_millis(error.retry_after_ms)).await;
            }
            other => eprintln!("killed while {stage}: {other:?}"),
        }
    }
    peer.ask(count as RequestId, request).await;
    let proof = peer.answer_within(Duration::from_secs(600)).await;
    report.proof_after_kills = matches!(proof, Ok(Ok(Response::Proof { .. })));
    let _ = stop.send(());
    let mut times = pinging.await.expect("the pinger ends");
    report.proving_pings = (percentile(&mut times, 50), percentile(&mut times, 99));
    drop(server);
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.orphans += workers.iter().filter(|worker| is_alive(**worker)).count();
}

/// Kills the worker as soon as the job is at `stage` or past it, and waits for the answer.
async fn answer_after_kill(
    peer: &mut Peer,
    server: &Server,
    stage: &str,
    workers: &mut Vec<i32>,
) -> Result<Response, ServerError> {
    let mut killed = false;
    loop {
        match peer.next_within(Duration::from_secs(600)).await {
            Ok(ServerMessage::Answer { result, .. }) => return result,
            Ok(ServerMessage::Progress { progress, .. }) if !killed && is_at(progress, stage) => {
                killed = true;
                for worker in server.workers() {
                    workers.push(worker);
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

async fn ping_until(address: String, mut stopped: oneshot::Receiver<()>) -> Vec<Duration> {
    let mut peer = Peer::connect(&address).await;
    let mut times = Vec::new();
    while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        let start = Instant::now();
        peer.ask(0, Request::Ping).await;
        assert!(matches!(peer.answer().await, Ok(Ok(Response::Pong))), "a pong was due");
        times.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}
