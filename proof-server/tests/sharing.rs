//! The same request twice is one job; finished proofs are kept; a client that lost its connection finds its job.

mod common;

use std::time::Duration;

use common::{
    Client, Server, good_request, until,
    worker::{Script, is_alive},
};
use sextant_protocol::{ClientMessage, ErrorCode, Progress, Response};

/// Proves once the file `go` is there.
const WAITS: &str = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
const EXECUTING: Progress = Progress::Executing { cycles: 7 };

#[tokio::test]
async fn the_same_request_is_one_job_for_all_who_ask() {
    let request = good_request();
    let server = Server::start_with(Some(Script::for_jobs(&request, WAITS)), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut first = Client::connect(&server).await;
    first.request(1, request.clone()).await;
    first.wait_for(1, EXECUTING).await;
    // The second joins in the middle and hears where it stands.
    let mut second = Client::connect(&server).await;
    second.request(1, request.clone()).await;
    second.wait_for(1, EXECUTING).await;
    // The first has enough; the job goes on for the second.
    first.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(first.error(1).await.code, ErrorCode::Cancelled);
    script.touch("go");
    let (1, Ok(Response::Proof(proof))) = second.answer().await else { panic!("a proof") };
    let sextant_protocol::Request::Prove(asked) = &request else { unreachable!() };
    assert_eq!(proof.input_digest, asked.input.digest());
    // And whoever asks later gets it from memory.
    first.request(2, request).await;
    assert!(matches!(first.answer().await, (2, Ok(Response::Proof { .. }))));
    assert_eq!(script.jobs(), 1);
    for (source, count) in [("started", 1.0), ("shared", 1.0), ("cached", 1.0)] {
        let name = format!("sextant_proofs_found_total{{source=\"{source}\"}}");
        assert_eq!(server.metric(&name).await, count, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_comes_back_finds_its_job() {
    let request = good_request();
    let server = Server::start_with(Some(Script::for_jobs(&request, WAITS)), |config| {
        config.reconnect_grace = Duration::from_secs(20);
    })
    .await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    client.request(1, request.clone()).await;
    client.wait_for(1, EXECUTING).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut again = Client::connect(&server).await;
    again.request(9, request).await;
    again.wait_for(9, EXECUTING).await;
    script.touch("go");
    assert!(matches!(again.answer().await, (9, Ok(Response::Proof { .. }))));
    assert_eq!((script.jobs(), script.pids().len()), (1, 1));
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_come_back_is_not_waited_for_long() {
    let request = good_request();
    let server = Server::start_with(Some(Script::for_jobs(&request, WAITS)), |config| {
        config.reconnect_grace = Duration::from_secs(3);
        config.budget.requests = 1;
    })
    .await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    client.request(1, request.clone()).await;
    client.wait_for(1, EXECUTING).await;
    let worker = script.pids()[0];
    drop(client);
    // Meanwhile the request counts as open: vanishing does not buy another one.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut other = Client::connect(&server).await;
    other.request(1, common::good_requests().swap_remove(1)).await;
    assert_eq!(other.error(1).await.code, ErrorCode::Busy);
    assert!(is_alive(worker), "within the grace");
    until("the worker is killed", Duration::from_secs(10), async || !is_alive(worker)).await;
    // One who cancels is not waited for at all.
    other.request(2, request).await;
    other.wait_for(2, EXECUTING).await;
    let worker = *script.pids().last().unwrap();
    other.send(&ClientMessage::Cancel { id: 2 }).await;
    until("the worker is killed", Duration::from_secs(2), async || !is_alive(worker)).await;
    server.stop().await;
}

#[tokio::test]
async fn proofs_on_disk_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let request = good_request();
    let keep = |config: &mut proof_server::Config| config.cache.folder = Some(folder.path().into());
    let server = Server::start_with(Some(Script::for_jobs(&request, "cat $D/proved")), keep).await;
    let mut client = Client::connect(&server).await;
    client.request(1, request.clone()).await;
    let (1, Ok(first)) = client.answer().await else { panic!("a proof") };
    until("it is written", Duration::from_secs(5), async || {
        std::fs::read_dir(folder.path()).unwrap().count() == 1
    })
    .await;
    server.stop().await;

    let server = Server::start(Some(common::CRASHES), keep).await;
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    assert_eq!(client.answer().await, (1, Ok(first)), "no worker was needed");
    server.stop().await;
}
