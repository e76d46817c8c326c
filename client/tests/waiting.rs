//! `sextant prove` waits and comes back where the server says so or goes away, and tells it when nobody waits any more.

mod common;
mod fake;

use std::{
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use common::{BOOTSTRAP, UPDATE_1150, file, text};
use fake::{Peer, listen_each};
use sextant_client::{Progress, ServerError};
use sextant_protocol::{ErrorCode, Request, Response};

fn command(server: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sextant"));
    command
        .args(["prove", "committee-change", "--bootstrap", text(&file(BOOTSTRAP))])
        .args(["--update", text(&file(UPDATE_1150)), "--json"])
        .args(more)
        .env("SEXTANT_SERVER", server);
    command
}

async fn prove(server: String, more: &'static [&'static str]) -> Output {
    tokio::task::spawn_blocking(move || command(&server, more).output().unwrap()).await.unwrap()
}

fn error(output: &Output) -> (serde_json::Value, String) {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    let line = stderr.lines().last().unwrap();
    (serde_json::from_str::<serde_json::Value>(line).expect(&stderr)["error"].clone(), stderr)
}

/// What every script ends with: an answer that is no reason to ask again.
async fn end(mut peer: Peer) {
    let (id, _) = peer.prove_request().await;
    peer.answer(id, Err(ServerError::new(ErrorCode::ProverFailed, "the end"))).await;
    peer.drain().await;
}

/// A server that is busy for the first `times` requests.
async fn busy(times: usize, retry_after_ms: u64) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let address = listen_each(move |stream| {
        let count = count.clone();
        async move {
            let mut peer = Peer::greet(stream).await;
            if count.fetch_add(1, Ordering::SeqCst) >= times {
                return end(peer).await;
            }
            let (id, _) = peer.prove_request().await;
            let full = ServerError::retryable(ErrorCode::Busy, "the queue is full", retry_after_ms);
            peer.answer(id, Err(full)).await;
            peer.drain().await;
        }
    })
    .await;
    (address.to_string(), asked)
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let (server, asked) = busy(2, 700).await;
    let start = Instant::now();
    let (error, told) = error(&prove(server, &[]).await);
    assert!(error["message"].as_str().unwrap().contains("the end"), "{error}");
    assert_eq!((asked.load(Ordering::SeqCst), &error["code"]), (3, &"refused".into()));
    assert!(start.elapsed() >= Duration::from_millis(1400), "not before the time that it named");
    assert!(told.contains("the queue is full; asking again in 1 s"), "{told}");
}

#[tokio::test]
async fn waiting_has_an_end_where_that_is_said() {
    for more in [&["--no-wait"][..], &["--deadline", "5"]] {
        let (server, asked) = busy(usize::MAX, 60_000).await;
        let start = Instant::now();
        let output = prove(server, more).await;
        let (error, _) = error(&output);
        assert_eq!((output.status.code(), &error["code"]), (Some(9), &"busy".into()), "{error}");
        assert_eq!(error["retry_after_seconds"], 60.0);
        assert!(asked.load(Ordering::SeqCst) == 1 && start.elapsed() < Duration::from_secs(20));
    }
}

/// Without a number the server's own longest time counts, not none.
#[tokio::test]
async fn a_deadline_is_what_was_asked_for() {
    for (more, expected) in [(&["--deadline", "0"][..], 0), (&[], 0), (&["--deadline", "7"], 7_000)] {
        let (asked, deadline) = tokio::sync::oneshot::channel();
        let server = fake::listen(async move |stream: tokio::net::TcpStream| {
            let mut peer = Peer::greet(stream).await;
            let (id, request) = peer.prove_request().await;
            asked.send(request.deadline_ms).unwrap();
            peer.answer(id, Err(ServerError::new(ErrorCode::ProverFailed, "the end"))).await;
            peer.drain().await;
        });
        prove(server.await.to_string(), more).await;
        let asked = deadline.await.unwrap();
        // Of a time that was named, a part has gone by.
        assert!(asked <= expected && expected.saturating_sub(asked) < 5_000, "{more:?}: {asked}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let server = listen_each(move |stream| {
        let count = count.clone();
        async move {
            let mut peer = Peer::greet(stream).await;
            if count.fetch_add(1, Ordering::SeqCst) > 0 {
                return end(peer).await;
            }
            let (id, _) = peer.prove_request().await;
            peer.progress(id, Progress::Proving { done: 0, total: 2 }).await;
        }
    })
    .await;
    let start = Instant::now();
    let (error, _) = error(&prove(server.to_string(), &[]).await);
    assert!(error["message"].as_str().unwrap().contains("the end"), "{error}");
    // Well within the time for which a server keeps the job of a client that vanished.
    assert!(connections.load(Ordering::SeqCst) == 2 && start.elapsed() < Duration::from_secs(8));

    let gone = listen_each(async |stream: tokio::net::TcpStream| {
        drop(Peer::greet(stream).await.prove_request().await)
    })
    .await;
    let output = prove(gone.to_string(), &["--no-wait"]).await;
    assert_eq!(output.status.code(), Some(4));
}

/// Ctrl-C: the server hears that its prover is free.
#[tokio::test]
async fn an_interrupted_proof_is_cancelled_at_the_server() {
    let (proving, is_proving) = tokio::sync::oneshot::channel();
    let (heard, has_heard) = tokio::sync::oneshot::channel();
    let server = fake::listen(async move |stream: tokio::net::TcpStream| {
        let mut peer = Peer::greet(stream).await;
        let (id, _) = peer.prove_request().await;
        proving.send(()).unwrap();
        assert_eq!(peer.cancelled().await, id);
        let (ping, request) = peer.request().await;
        assert_eq!(request, Request::Ping);
        peer.answer(ping, Ok(Response::Pong)).await;
        heard.send(()).unwrap();
        peer.drain().await;
    })
    .await;
    let mut child = command(&server.to_string(), &[]).stderr(Stdio::piped()).spawn().unwrap();
    is_proving.await.unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let stderr = child.stderr.take().unwrap();
    let output = tokio::task::spawn_blocking(move || {
        let told = std::io::read_to_string(stderr).unwrap();
        (child.wait().unwrap(), told)
    });
    let (status, told) = output.await.unwrap();
    has_heard.await.unwrap();
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("cancelled; the server was told"), "{told}");
}
