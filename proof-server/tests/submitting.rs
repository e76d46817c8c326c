//! Jobs that are submitted, and fetched by whoever comes back for them.

mod common;

use std::time::Duration;

use common::{
    Client, Server, committee_changes, good_request, until,
    worker::{Script, is_alive},
};
use proof_server::{Config, Role};
use sextant_protocol::{ErrorCode, JobKey, Progress, Request, Response};

/// Proves once the file `go` is there.
const WAITS: &str = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
const EXECUTING: Progress = Progress::Executing { cycles: 7 };

fn submit() -> Request {
    let Request::Prove(request) = good_request() else { unreachable!() };
    Request::Submit(request)
}

fn fetch(job: JobKey, offset: u64) -> Request {
    Request::Fetch { job, offset, deadline_ms: 0 }
}

async fn submitted(client: &mut Client) -> JobKey {
    client.request(1, submit()).await;
    match client.answer().await {
        (1, Ok(Response::Submitted { job, kept_s })) if kept_s > 0 => job,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_submitted_job_goes_on_and_is_fetched_later() {
    let server = Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    let job = submitted(&mut client).await;
    drop(client);
    until("it is worked on", common::PATIENCE, async || script.jobs() == 1).await;
    // Whoever comes back hears where it stands, and may go again.
    let mut again = Client::connect(&server).await;
    again.request(1, fetch(job, 0)).await;
    again.wait_for(1, EXECUTING).await;
    drop(again);
    script.touch("go");
    let mut last = Client::connect(&server).await;
    last.request(1, fetch(job, 0)).await;
    let (1, Ok(Response::Proof(proof))) = last.answer().await else { panic!("a proof") };
    assert_eq!((proof.job, proof.offset), (job, 0));
    // The rest of it is the rest of the same.
    last.request(2, fetch(job, 99_990)).await;
    let (2, Ok(Response::Proof(rest))) = last.answer().await else { panic!("a proof") };
    assert_eq!((rest.offset, rest.sha256), (99_990, proof.sha256));
    assert_eq!(rest.record, proof.record[99_990..]);
    last.request(3, fetch(job, u64::MAX)).await;
    let (3, Ok(Response::Proof(end))) = last.answer().await else { panic!("a proof") };
    assert_eq!((end.offset, end.record.len()), (proof.record.len() as u64, 0));
    // A proof that was made may be submitted again; it is there at once.
    assert_eq!(submitted(&mut last).await, job);
    assert_eq!(script.jobs(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_submitted_job_ends_when_its_client_withdraws_it() {
    let server = Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    let job = submitted(&mut client).await;
    drop(client);
    until("it is worked on", common::PATIENCE, async || script.jobs() == 1).await;
    let worker = script.pids()[0];
    let mut client = Client::connect(&server).await;
    client.request(2, Request::Withdraw { job }).await;
    assert_eq!(client.answer().await, (2, Ok(Response::Withdrawn)));
    until("the worker is killed", Duration::from_secs(5), async || !is_alive(worker)).await;
    for request in [Request::Withdraw { job }, Request::Withdraw { job: JobKey([1; 32]) }] {
        client.request(3, request).await;
        assert_eq!(client.error(3).await.code, ErrorCode::UnknownJob);
    }
    for job in [job, JobKey([1; 32])] {
        client.request(4, fetch(job, 0)).await;
        assert_eq!(client.error(4).await.code, ErrorCode::UnknownJob);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_submitted_job_counts_as_open_and_ends_with_its_deadline() {
    let server = Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), |config| {
        config.budget.requests = 1;
    })
    .await;
    let Request::Prove(mut request) = good_request() else { unreachable!() };
    request.deadline_ms = 1_500;
    let mut client = Client::connect(&server).await;
    client.request(1, Request::Submit(request)).await;
    let (1, Ok(Response::Submitted { job, .. })) = client.answer().await else { panic!("a job") };
    client.request(2, common::good_requests().swap_remove(1)).await;
    assert_eq!(client.error(2).await.code, ErrorCode::Busy, "leaving a job here buys no other");
    // Afterwards it is known how it ended. Waiting for it before would keep it going.
    tokio::time::sleep(Duration::from_secs(2)).await;
    until("it has ended", Duration::from_secs(10), async || {
        client.request(3, Request::Fetch { job, offset: 0, deadline_ms: 100 }).await;
        let error = client.error(3).await;
        error.code == ErrorCode::DeadlineExceeded && error.message.contains("1500 ms")
    })
    .await;
    server.stop().await;
}

/// An entrypoint in front of `prover` that takes every proof for true.
async fn entrypoint(prover: &Server) -> Server {
    let name = prover.address.to_string();
    let script = Script::for_jobs(&good_request(), "cat $D/verified");
    let server = Server::start_with(Some(script), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = vec![name];
    })
    .await;
    until("it has its upstream", common::PATIENCE, async || server.http("/readyz").await.0 == 200).await;
    server
}

fn prover(config: &mut Config) {
    config.role = Role::CommitteeChange;
}

#[tokio::test]
async fn a_job_is_fetched_at_another_entrypoint_than_the_one_that_took_it_on() {
    let prover = Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), prover).await;
    let script = prover.script.as_ref().unwrap();
    let [here, there, later] =
        [entrypoint(&prover).await, entrypoint(&prover).await, entrypoint(&prover).await];
    let job = submitted(&mut Client::connect(&here).await).await;
    until("it is worked on", common::PATIENCE, async || script.jobs() == 1).await;
    // While it runs: with its steps, and even where the entrypoint that took it on is gone meanwhile.
    let mut client = Client::connect(&there).await;
    client.request(1, fetch(job, 0)).await;
    client.wait_for(1, EXECUTING).await;
    here.stop().await;
    script.touch("go");
    let (1, Ok(Response::Proof(proof))) = client.answer().await else { panic!("a proof") };
    assert_eq!((proof.job, script.jobs()), (job, 1));
    // When it is over: the prover has kept it, and from then on this one.
    let mut client = Client::connect(&later).await;
    client.request(1, fetch(job, 10)).await;
    let (1, Ok(Response::Proof(rest))) = client.answer().await else { panic!("a proof") };
    assert_eq!((rest.offset, rest.sha256), (10, proof.sha256));
    assert_eq!(rest.record, proof.record[10..]);
    prover.stop().await;
    client.request(2, fetch(job, 0)).await;
    assert!(matches!(client.answer().await, (2, Ok(Response::Proof(again))) if again.record == proof.record));
    for server in [there, later] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_no_prover_knows_is_unknown_at_every_entrypoint() {
    let prover = Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), prover).await;
    let entrypoint = entrypoint(&prover).await;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, fetch(JobKey([1; 32]), 0)).await;
    assert_eq!(client.error(1).await.code, ErrorCode::UnknownJob);
    // That is nothing to hold against a server.
    assert_eq!(entrypoint.metric("sextant_upstream_requests_total{outcome=\"refused\"}").await, 0.0);
    client.request(2, good_request()).await;
    client.wait_for(2, EXECUTING).await;
    for server in [entrypoint, prover] {
        server.stop().await;
    }
}

/// The name says what the proof must say. A prover whose worker answers everything with one proof is found out.
#[tokio::test]
async fn the_proof_of_another_job_is_no_answer() {
    let script = Script::for_jobs(&good_request(), WAITS);
    let liar = Server::start_with(Some(script), prover).await;
    let (here, there) = (entrypoint(&liar).await, entrypoint(&liar).await);
    let Request::Prove(other) = committee_changes().swap_remove(1) else { unreachable!() };
    let mut client = Client::connect(&here).await;
    client.request(1, Request::Submit(other)).await;
    let (1, Ok(Response::Submitted { job, .. })) = client.answer().await else { panic!("a job") };
    let script = liar.script.as_ref().unwrap();
    until("it is worked on", common::PATIENCE, async || script.jobs() == 1).await;
    let mut client = Client::connect(&there).await;
    client.request(1, fetch(job, 0)).await;
    client.wait_for(1, EXECUTING).await;
    script.touch("go");
    let error = client.error(1).await;
    assert_eq!(error.code, ErrorCode::ProverFailed, "{error}");
    for server in [here, there, liar] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_kept_proof_is_fetched_from_the_server_that_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        let script = Script::for_jobs(&good_request(), "cat $D/proved");
        Server::start_with(Some(script), |config| config.cache.folder = Some(folder.path().into())).await
    };
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let job = submitted(&mut client).await;
    client.request(1, fetch(job, 0)).await;
    let (1, Ok(Response::Proof(proof))) = client.answer().await else { panic!("a proof") };
    until("it is on disk", common::PATIENCE, async || {
        std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .any(|file| file.path().extension().is_some_and(|end| end == "kept"))
    })
    .await;
    server.stop().await;
    let server = start().await;
    let mut client = Client::connect(&server).await;
    client.request(1, fetch(job, 0)).await;
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof(kept))) if kept.record == proof.record));
    assert_eq!(server.script.as_ref().unwrap().jobs(), 0);
    server.stop().await;
}
