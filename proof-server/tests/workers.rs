//! Workers that hang, crash or are given up, and the real one verifying: no proof is made here.

mod common;

use std::time::Duration;

use common::{CRASHES, Client, HANGS, PATIENCE, Server, good_request};
use sextant_artifacts::{CIRCUIT_VERSION, COMMITTEE_CHANGE, INCLUSION};
use sextant_protocol::{
    ErrorCode, Progress, ProofKind, ProofRecord, Request, Response, ServerMessage, proof::Circuits,
};
use tokio::time::timeout;

#[tokio::test]
async fn a_crash_is_one_failed_request_with_a_reason() {
    let server = Server::start(Some(CRASHES), |_| {}).await;
    let mut client = Client::connect(&server).await;
    for id in 1..=3 {
        client.request(id, good_request()).await;
        let (answered, Err(error)) = client.answer().await else { panic!("an error") };
        assert_eq!((answered, error.code), (id, ErrorCode::ProverFailed));
        assert!(error.message.contains("exit code 3") && error.message.contains("out of luck"), "{error}");
        assert!(error.retry_after_ms > 0);
    }
    client.request(9, Request::Ping).await;
    assert_eq!(client.answer().await, (9, Ok(Response::Pong)));
    server.stop().await;
}

#[tokio::test]
async fn a_worker_program_that_is_not_there_is_an_error_not_a_crash() {
    let server =
        Server::start(Some(HANGS), |config| config.worker_program = Some("/nonexistent".into())).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::ProverFailed);
    server.stop().await;
}

#[tokio::test]
async fn gibberish_from_a_worker_is_a_failure() {
    let server = Server::start(Some("echo gibberish; exec sleep 600"), |_| {}).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::ProverFailed);
    server.stop().await;
}

#[tokio::test]
async fn a_worker_is_killed_over_its_time_or_memory() {
    let server = Server::start(Some(HANGS), |config| config.worker_time_limit = Duration::from_secs(1)).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::ProverFailed);
    assert!(error.message.contains("time limit"), "{error}");
    server.stop().await;

    let server = Server::start(Some(HANGS), |config| config.worker_memory = 4096).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::ProverFailed);
    assert!(error.message.contains("memory"), "{error}");
    server.stop().await;
}

#[tokio::test]
async fn a_deadline_ends_a_request() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut client = Client::connect(&server).await;
    let Request::Prove(mut request) = good_request() else { unreachable!() };
    request.deadline_ms = 500;
    client.request(1, Request::Prove(request)).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::DeadlineExceeded);
    server.stop().await;
}

#[tokio::test]
async fn the_queue_is_bounded_tells_places_and_frees_them() {
    let server = Server::start(Some(HANGS), |config| config.queue_capacity = 2).await;
    let mut client = Client::connect(&server).await;
    // One with the worker, two waiting.
    client.request(1, good_request()).await;
    wait_for(&mut client, 1, Progress::Preparing).await;
    client.request(2, good_request()).await;
    wait_for(&mut client, 2, Progress::Queued { position: 0 }).await;
    client.request(3, good_request()).await;
    wait_for(&mut client, 3, Progress::Queued { position: 1 }).await;
    // From another connection: full, and when to come back.
    let mut other = Client::connect(&server).await;
    other.request(1, good_request()).await;
    let (1, Err(error)) = other.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(error.retry_after_ms > 0);
    // A cancelled place is free, and those behind move up.
    client.send(&sextant_protocol::ClientMessage::Cancel { id: 2 }).await;
    wait_for(&mut client, 3, Progress::Queued { position: 0 }).await;
    other.request(2, good_request()).await;
    wait_for(&mut other, 2, Progress::Queued { position: 1 }).await;
    // A client that leaves takes its requests along: the running one ends, the next one's turn comes.
    drop(client);
    wait_for(&mut other, 2, Progress::Preparing).await;
    server.stop().await;
}

#[tokio::test]
async fn strangers_proofs_are_verified_in_a_process_of_their_own() {
    let server = Server::start(None, |_| {}).await;
    let mut client = Client::connect(&server).await;
    let record = |change: &dyn Fn(&mut ProofRecord)| {
        let mut record = ProofRecord {
            program: 1,
            kind: ProofKind::Stark,
            circuits: Circuits::Release,
            circuit_version: CIRCUIT_VERSION.into(),
            vk_hash: COMMITTEE_CHANGE.vk_hash,
            public_values: vec![0; 480],
            proof: vec![0; 100],
        };
        change(&mut record);
        Request::Verify(record)
    };
    for (request, code, reason) in [
        (record(&|r| r.program = 3), ErrorCode::InvalidProof, "program"),
        (record(&|r| r.vk_hash = INCLUSION.vk_hash), ErrorCode::InvalidProof, "key"),
        (record(&|r| r.kind = ProofKind::Plonk), ErrorCode::Unsupported, "plonk"),
        (record(&|r| r.circuits = Circuits::Development), ErrorCode::InvalidProof, "development"),
        (record(&|r| r.circuit_version = "v0.0.1".into()), ErrorCode::InvalidProof, "v0.0.1"),
        (record(&|_| {}), ErrorCode::InvalidProof, "public values"),
    ] {
        client.request(1, request).await;
        let (1, Err(error)) = client.answer().await else { panic!("an error") };
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(reason), "{error}");
    }
    server.stop().await;
}

/// Waits for one step of one request; anything else but an error is skipped.
async fn wait_for(client: &mut Client, wanted: u64, step: Progress) {
    timeout(PATIENCE, async {
        loop {
            match client.receive().await {
                ServerMessage::Progress { id, progress } if id == wanted && progress == step => return,
                ServerMessage::Progress { .. } => {}
                ServerMessage::Answer { id, result } if id != wanted => drop(result),
                other => panic!("{other:?}"),
            }
        }
    })
    .await
    .expect("the step in time");
}
