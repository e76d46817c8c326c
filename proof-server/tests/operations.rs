//! What an operator sees: health, readiness, metrics; and how a server drains.

mod common;

use std::time::Duration;

use common::{Client, HANGS, Server, committee_changes, good_request, until, worker::Script};
use sextant_artifacts::COMMITTEE_CHANGE;
use sextant_protocol::{ClientMessage, ErrorCode, Progress, Request, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const EXECUTING: Progress = Progress::Executing { cycles: 7 };

#[tokio::test]
async fn endpoints_answer_what_they_are_asked() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    assert_eq!(server.http("/healthz").await, (200, "alive\n".into()));
    assert_eq!(server.http("/readyz").await, (200, "ready\n".into()));
    assert_eq!(server.http("/secrets").await.0, 404);
    let mut client = Client::connect(&server).await;
    client.request(1, Request::Ping).await;
    assert_eq!(client.answer().await, (1, Ok(Response::Pong)));
    let (status, text) = server.http("/metrics").await;
    assert_eq!(status, 200);
    for expected in [
        "sextant_requests_total{request=\"ping\",outcome=\"ok\"} 1",
        "sextant_connections 1",
        "sextant_queue_depth{queue=\"committee-change\"} 0",
        "sextant_ready 1",
        &format!("vk_hash=\"{}\"", hex::encode(COMMITTEE_CHANGE.vk_hash)),
        concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn readiness_has_reasons() {
    // It never gets ready: the server is warming up.
    let server = Server::start(Some(HANGS), |config| config.warm = true).await;
    assert_eq!(server.http("/readyz").await, (503, "warming up\n".into()));
    server.stop().await;

    let server = Server::start(Some(HANGS), |config| config.busy_at = 1).await;
    let mut requests = committee_changes();
    let mut client = Client::connect(&server).await;
    client.request(1, requests.remove(0)).await;
    client.wait_for(1, Progress::Preparing).await;
    assert_eq!(server.http("/readyz").await.0, 200, "working is not busy");
    client.request(2, requests.remove(0)).await;
    client.wait_for(2, Progress::Queued { position: 0 }).await;
    assert_eq!(server.http("/readyz").await, (503, "busy: 1 jobs wait\n".into()));
    server.stop().await;
}

/// Whoever connects and says nothing, or goes on connecting: probes are answered.
#[tokio::test]
async fn nobody_fills_the_operations_port() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let operations = server.operations;
    for sockets in [16, 200] {
        let crowd = tokio::spawn(async move {
            let mut idle = std::collections::VecDeque::new();
            loop {
                idle.push_back(TcpStream::connect(operations).await.unwrap());
                if idle.len() > sockets {
                    idle.pop_front();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..20 {
            let probe = tokio::time::timeout(Duration::from_secs(1), server.http("/healthz"));
            assert_eq!(probe.await.expect("within a second"), (200, "alive\n".into()), "{sockets}");
        }
        crowd.abort();
    }
    server.stop().await;
}

#[tokio::test]
async fn metrics_come_in_the_form_that_is_accepted_and_begin_at_zero() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    for (accept, kind, info) in [
        ("*/*", "text/plain; version=0.0.4", "# TYPE sextant_build_info gauge"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            "application/openmetrics-text",
            "# EOF",
        ),
    ] {
        let mut stream = TcpStream::connect(server.operations).await.unwrap();
        let request =
            format!("GET /metrics HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        for expected in [
            kind,
            info,
            "sextant_build_info{",
            "sextant_program_info{",
            "sextant_requests_total{request=\"prove\",outcome=\"internal\"} 0",
            "sextant_requests_total{request=\"fetch\",outcome=\"unknown_job\"} 0",
            "sextant_cache_errors_total{operation=\"write\"} 0",
            "sextant_worker_starts_total{lane=\"proving\",mode=\"stark\"} 0",
            "sextant_upstream_requests_total{outcome=\"lied\"} 0",
            "sextant_worker_failures_total{lane=\"proving\",reason=\"memory\"} 0",
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }
    server.stop().await;
}

/// Whatever becomes of a request is counted, also what no part of the server ever worked on.
#[tokio::test]
async fn every_answer_is_counted() {
    let server = Server::start(Some(HANGS), |config| config.max_requests = 1).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    client.wait_for(1, Progress::Preparing).await;
    client.request(1, good_request()).await;
    assert_eq!(client.error(1).await.code, ErrorCode::DuplicateRequest);
    client.request(2, good_request()).await;
    assert_eq!(client.error(2).await.code, ErrorCode::Busy);
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    for outcome in ["duplicate_request", "busy", "cancelled"] {
        let of_all = format!("sextant_requests_total{{request=\"prove\",outcome=\"{outcome}\"}}");
        let of_client =
            format!("sextant_client_requests_total{{client=\"addresses\",outcome=\"{outcome}\"}}");
        assert_eq!((server.metric(&of_all).await, server.metric(&of_client).await), (1.0, 1.0), "{outcome}");
    }
    let memory = "sextant_worker_memory_bytes{lane=\"proving\"}";
    until("the dead worker has no memory", common::PATIENCE, async || server.metric(memory).await == 0.0)
        .await;
    assert_eq!(server.metric("sextant_jobs_running{lane=\"proving\"}").await, 0.0);
    server.stop().await;
}

/// What a worker is at is seen while it goes on; and when it is done, for whom it was and how long each stage of it took.
#[tokio::test]
async fn work_is_counted_by_client_program_and_kind() {
    let request = good_request();
    let job = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
    let known = common::token_file(&[("alice", "")]);
    let server = Server::start_with(Some(Script::for_jobs(&request, job)), |config| {
        config.token_file = Some(known.path().into());
    })
    .await;
    let mut client = Client::named(&server, "alice").await;
    client.request(1, request).await;
    client.wait_for(1, EXECUTING).await;
    let running = async |lane| server.metric(&format!("sextant_jobs_running{{lane=\"{lane}\"}}")).await;
    assert_eq!((running("proving").await, running("verification").await), (1.0, 0.0));
    server.script.as_ref().unwrap().touch("go");
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof { .. }))));
    until("the worker is free", common::PATIENCE, async || running("proving").await == 0.0).await;
    for counted in [
        "sextant_client_requests_total{client=\"token alice\",outcome=\"ok\"}",
        "sextant_request_seconds_count{request=\"prove\",program=\"committee-change\",kind=\"stark\"}",
        "sextant_stage_seconds_count{stage=\"execute\",program=\"committee-change\",kind=\"stark\"}",
        "sextant_proof_bytes_count{program=\"committee-change\",kind=\"stark\"}",
    ] {
        assert_eq!(server.metric(counted).await, 1.0, "{counted} of\n{}", server.http("/metrics").await.1);
    }
    server.stop().await;
}

/// A worker that does not start is a reason not to be asked, and it is tried again with nobody asking.
#[tokio::test]
async fn a_prover_that_does_not_start_says_so_until_it_does() {
    let script = Script::for_jobs(&good_request(), "cat $D/proved");
    let broken = Script::new(&format!("[ -e $D/well ] || exit 3\nexec {}", script.path().display()));
    let server = Server::start_with(Some(broken), |config| config.warm = true).await;
    until("it says so", common::PATIENCE, async || {
        let (status, reason) = server.http("/readyz").await;
        status == 503 && reason.contains("no stark worker starts") && reason.contains("exit code 3")
    })
    .await;
    server.script.as_ref().unwrap().touch("well");
    until("it gets well by itself", common::PATIENCE, async || server.http("/readyz").await.0 == 200).await;
    server.stop().await;
}

/// Between the word that it ends and the moment when it lets nobody in, those who send clients have time to look.
#[tokio::test]
async fn a_server_that_will_drain_says_so_before_it_does() {
    let server = Server::start(Some(HANGS), |config| config.drain_delay = Duration::from_secs(1)).await;
    server.control.drain.cancel();
    until("it says so", Duration::from_millis(500), async || {
        server.http("/readyz").await.1.starts_with("draining")
    })
    .await;
    let mut late = Client::connect(&server).await;
    late.request(1, Request::Ping).await;
    assert_eq!(late.answer().await, (1, Ok(Response::Pong)));
    assert_eq!(late.refusal().await.code, ErrorCode::ShuttingDown);
    assert!(TcpStream::connect(server.address).await.is_err(), "now nobody comes in");
    server.ended().await;
}

#[tokio::test]
async fn draining_finishes_what_runs_and_hands_back_the_rest() {
    let request = good_request();
    let job = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
    let server = Server::start_with(Some(Script::for_jobs(&request, job)), |_| {}).await;
    let mut idle = Client::connect(&server).await;
    idle.request(1, Request::Ping).await;
    assert_eq!(idle.answer().await, (1, Ok(Response::Pong)));
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    client.wait_for(1, EXECUTING).await;
    client.request(2, committee_changes().swap_remove(1)).await;
    client.wait_for(2, Progress::Queued { position: 0 }).await;

    server.control.drain.cancel();
    assert_eq!(idle.refusal().await.code, ErrorCode::ShuttingDown, "nothing to wait for");
    let handed_back = client.error(2).await;
    assert_eq!(handed_back.code, ErrorCode::ShuttingDown);
    assert!(handed_back.retry_after_ms > 0, "another server may do it");
    client.request(3, committee_changes().swap_remove(2)).await;
    assert_eq!(client.error(3).await.code, ErrorCode::ShuttingDown);
    client.request(4, Request::Ping).await;
    assert_eq!(client.answer().await, (4, Ok(Response::Pong)));
    assert!(server.http("/readyz").await.1.starts_with("draining"));
    assert_eq!(server.http("/healthz").await.0, 200);
    let refused = TcpStream::connect(server.address).await;
    assert!(refused.is_err(), "nobody new comes in");

    server.script.as_ref().unwrap().touch("go");
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof { .. }))));
    assert_eq!(client.refusal().await.code, ErrorCode::ShuttingDown);
    server.ended().await;
}

#[tokio::test]
async fn draining_does_not_wait_for_ever() {
    let request = good_request();
    let script = Script::for_jobs(&request, "cat $D/executing; sleep 600");
    let server =
        Server::start_with(Some(script), |config| config.drain_timeout = Duration::from_millis(300)).await;
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    client.wait_for(1, EXECUTING).await;
    let worker = server.script.as_ref().unwrap().pids()[0];
    server.control.drain.cancel();
    let error = client.error(1).await;
    assert!(error.code == ErrorCode::ShuttingDown && error.retry_after_ms > 0, "{error:?}");
    server.ended().await;
    until("no orphan", Duration::from_secs(1), async || !common::worker::is_alive(worker)).await;
}
