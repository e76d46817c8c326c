//! Jobs that are submitted, and fetched by whoever comes back for them.

mod common;

use std::time::Duration;

use common::{
    Client, Server, good_request, until,
    worker::{Script, is_alive},
};
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
