//! Workers that hang, crash or are given up, and the real one verifying: no proof is made here.

mod common;

use std::{
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{
    CRASHES, Client, HANGS, Server, committee_changes, good_request, until,
    worker::{Script, is_alive},
};
use sextant_artifacts::INCLUSION;
use sextant_protocol::{ErrorCode, Progress, ProofKind, ProofRecord, Request, Response, proof::Circuits};
use tokio::io::AsyncBufReadExt;

#[tokio::test]
async fn a_crash_is_one_failed_request_with_a_reason() {
    let server = Server::start(Some(CRASHES), |_| {}).await;
    let mut client = Client::connect(&server).await;
    for id in 1..=3 {
        client.request(id, good_request()).await;
        let (answered, Err(error)) = client.answer().await else { panic!("an error") };
        assert_eq!((answered, error.code), (id, ErrorCode::ProverFailed));
        // Meanwhile it is tried again with nobody asking, and at some point no more for a while.
        let reason = error.message.contains("exit code 3") && error.message.contains("out of luck");
        assert!(reason || (id > 1 && error.message.contains("keep failing")), "{error}");
        assert!(error.retry_after_ms > 0);
    }
    client.request(9, Request::Ping).await;
    assert_eq!(client.answer().await, (9, Ok(Response::Pong)));
    server.stop().await;
}

#[tokio::test]
async fn a_worker_program_that_has_gone_is_an_error_not_a_crash() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut client = Client::connect(&server).await;
    std::fs::remove_file(server.script.as_ref().unwrap().path()).unwrap();
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
    let server = Server::start(Some(HANGS), |config| {
        (config.queue_capacity, config.queue_share) = (2, 2);
    })
    .await;
    let mut requests = committee_changes().into_iter();
    let mut next = || requests.next().unwrap();
    let (first, second, third, fourth) = (next(), next(), next(), next());
    let mut client = Client::connect(&server).await;
    // One with the worker, two waiting.
    client.request(1, first).await;
    client.wait_for(1, Progress::Preparing).await;
    client.request(2, second).await;
    client.wait_for(2, Progress::Queued { position: 0 }).await;
    client.request(3, third).await;
    client.wait_for(3, Progress::Queued { position: 1 }).await;
    // From another connection: full, and when to come back. At once, and not after a check, which takes longer.
    let mut other = Client::connect(&server).await;
    let asked = Instant::now();
    other.request(1, fourth.clone()).await;
    let error = other.error(1).await;
    assert!(asked.elapsed() < Duration::from_millis(50), "{:?}", asked.elapsed());
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(error.retry_after_ms > 0);
    // A cancelled place is free, and those behind move up.
    client.send(&sextant_protocol::ClientMessage::Cancel { id: 2 }).await;
    client.wait_for(3, Progress::Queued { position: 0 }).await;
    other.request(2, fourth).await;
    other.wait_for(2, Progress::Queued { position: 1 }).await;
    // A client that leaves takes its requests along: the running one ends, the next one's turn comes.
    drop(client);
    other.wait_for(2, Progress::Preparing).await;
    server.stop().await;
}

#[tokio::test]
async fn one_client_does_not_take_the_whole_queue() {
    let server = Server::start(Some(HANGS), |config| {
        (config.queue_capacity, config.queue_share) = (8, 1);
    })
    .await;
    let mut requests = committee_changes();
    let mut client = Client::connect(&server).await;
    client.request(1, requests.remove(0)).await;
    client.wait_for(1, Progress::Preparing).await;
    client.request(2, requests.remove(0)).await;
    client.wait_for(2, Progress::Queued { position: 0 }).await;
    client.request(3, requests.remove(0)).await;
    let error = client.error(3).await;
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(error.message.contains("your requests"), "{error}");
    server.stop().await;
}

#[tokio::test]
async fn cancelling_kills_the_worker_within_a_second() {
    let request = good_request();
    let script = Script::for_jobs(&request, "cat $D/executing; sleep 600");
    let server = Server::start_with(Some(script), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    client.wait_for(1, Progress::Executing { cycles: 7 }).await;
    let worker = script.pids()[0];
    assert!(is_alive(worker));
    client.send(&sextant_protocol::ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    until("the worker is gone", Duration::from_secs(1), async || !is_alive(worker)).await;
    server.stop().await;
}

/// Proving is given up at once; what verifies is needed by others, and is done sooner than it would be started again.
#[tokio::test]
async fn a_verification_that_is_given_up_costs_no_worker() {
    let job = "while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/verified";
    let server = Server::start_with(Some(Script::for_jobs(&good_request(), job)), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    client.request(1, Request::verify(&common::record())).await;
    until("it is at work", common::PATIENCE, async || script.jobs() == 1).await;
    client.send(&sextant_protocol::ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    client.request(2, Request::verify(&common::record())).await;
    script.touch("go");
    assert_eq!(client.answer().await, (2, Ok(Response::Verified)));
    assert_eq!((script.jobs(), script.pids().len()), (2, 1));
    server.stop().await;
}

#[tokio::test]
async fn a_worker_that_does_nothing_is_killed() {
    let request = good_request();
    let script = Script::for_jobs(&request, "cat $D/executing; sleep 600");
    let server =
        Server::start_with(Some(script), |config| config.worker_silence = Duration::from_secs(1)).await;
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    let error = client.error(1).await;
    assert_eq!(error.code, ErrorCode::ProverFailed);
    assert!(error.message.contains("neither spoken nor computed"), "{error}");
    assert_eq!(
        server.metric("sextant_worker_failures_total{lane=\"proving\",reason=\"silence\"}").await,
        1.0
    );
    server.stop().await;
}

/// Killed in the middle of a job, twenty times: each time a typed error that says so, and the next request works.
#[tokio::test]
async fn a_killed_worker_is_one_failed_request() {
    let request = good_request();
    // Proves once the file is there; until then the job waits in the middle.
    let job = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
    let server = Server::start_with(Some(Script::for_jobs(&request, job)), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    for id in 1..=20 {
        client.request(id, request.clone()).await;
        client.wait_for(id, Progress::Executing { cycles: 7 }).await;
        let worker = *script.pids().last().unwrap();
        // SAFETY: a plain system call; the process is a worker of this test's server.
        unsafe { libc::kill(worker, libc::SIGKILL) };
        let error = client.error(id).await;
        assert_eq!(error.code, ErrorCode::ProverFailed);
        assert!(error.retry_after_ms > 0 && error.message.contains("signal 9"), "{error}");
    }
    script.touch("go");
    client.request(21, request).await;
    assert!(matches!(client.answer().await, (21, Ok(Response::Proof { .. }))));
    let last = *script.pids().last().unwrap();
    // One that is killed while nobody needs it costs nobody anything.
    unsafe { libc::kill(last, libc::SIGKILL) };
    let workers = script.pids();
    server.stop().await;
    assert!(workers.iter().all(|worker| !is_alive(*worker)), "no orphan");
}

#[tokio::test]
async fn workers_that_only_fail_are_not_started_for_ever() {
    let server = Server::start(Some(CRASHES), |_| {}).await;
    let mut client = Client::connect(&server).await;
    let mut failed = async |id| {
        client.request(id, good_request()).await;
        let error = client.error(id).await;
        assert_eq!(error.code, ErrorCode::ProverFailed);
        error
    };
    // With nobody asking it is tried again as well, so that it may be fewer than five requests.
    let mut id = 1;
    while !failed(id).await.message.contains("keep failing") {
        assert!(id < 6, "after five failures");
        id += 1;
    }
    let started = server.script.as_ref().unwrap().pids().len();
    let error = failed(id + 1).await;
    assert!(error.retry_after_ms > 1_000 && error.message.contains("keep failing"), "{error:?}");
    assert_eq!(server.script.as_ref().unwrap().pids().len(), started, "none was started for it");
    let (status, reason) = server.http("/readyz").await;
    assert!(status == 503 && reason.contains("keeps failing"), "{status} {reason}");
    server.stop().await;
}

/// What a job does to its worker is the job's: it is told so, not tried again, and stops nobody else.
#[tokio::test]
async fn jobs_that_are_too_large_do_not_stop_others() {
    let request = good_request();
    let job = "if [ -e $D/go ]; then cat $D/proved; else \
               x=$(head -c 100000000 /dev/zero | tr '\\0' x); sleep 600; fi";
    let server = Server::start_with(Some(Script::for_jobs(&request, job)), |config| {
        config.worker_memory = 50 << 20;
    })
    .await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    let large: Vec<_> = committee_changes().into_iter().skip(1).take(5).collect();
    for (id, request) in (1..).zip(&large) {
        client.request(id, request.clone()).await;
        let error = client.error(id).await;
        assert_eq!((error.code, error.retry_after_ms), (ErrorCode::ProverFailed, 0), "{error}");
        assert!(error.message.contains("MiB of memory"), "{error}");
    }
    assert_eq!(server.http("/readyz").await.0, 200);
    script.touch("go");
    client.request(6, request).await;
    assert!(matches!(client.answer().await, (6, Ok(Response::Proof { .. }))));
    let jobs = script.jobs();
    client.request(7, large[0].clone()).await;
    assert_eq!(client.error(7).await.retry_after_ms, 0);
    assert_eq!(script.jobs(), jobs, "no worker was tried with it again");
    server.stop().await;
}

#[tokio::test]
async fn a_worker_is_ready_again_after_a_cancelled_job() {
    let request = good_request();
    let script = Script::for_jobs(&request, "cat $D/executing; sleep 600");
    let server = Server::start_with(Some(script), |config| config.warm = true).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    client.wait_for(1, Progress::Executing { cycles: 7 }).await;
    client.send(&sextant_protocol::ClientMessage::Cancel { id: 1 }).await;
    until("the next one is started", Duration::from_secs(5), async || script.pids().len() == 2).await;
    server.stop().await;
}

/// As the first process of a container, a server is the one that has to take note of its workers' children's ends.
#[tokio::test]
async fn children_of_killed_workers_leave_nothing_behind() {
    // SAFETY: a plain system call; as in a container, orphans are this process's from now on.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let request = good_request();
    let script = Script::for_jobs(&request, "sleep 600 & echo $! >> $D/children; cat $D/executing; wait");
    let server = Server::start_with(Some(script), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    for id in 1..=5 {
        client.request(id, request.clone()).await;
        client.wait_for(id, Progress::Executing { cycles: 7 }).await;
        client.send(&sextant_protocol::ClientMessage::Cancel { id }).await;
        assert_eq!(client.error(id).await.code, ErrorCode::Cancelled);
    }
    let children = script.lines("children");
    assert_eq!(children.len(), 5);
    until("no zombie is left", Duration::from_secs(10), async || {
        children.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
    })
    .await;
    server.stop().await;
}

/// Upgrading in place replaces the file of a running server: its workers go on being of the server's build.
#[tokio::test]
async fn workers_are_of_the_servers_build_whatever_becomes_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("proof-server");
    std::fs::copy(env!("CARGO_BIN_EXE_proof-server"), &program).unwrap();
    let mut server = tokio::process::Command::new(&program)
        .args(["serve", "--listen", "127.0.0.1:0", "--role", "verifier"])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(server.stdout.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("it says where it listens");
        if let Some(address) = line.strip_prefix("listening on ") {
            break address.trim().to_owned();
        }
    };
    let next = folder.path().join("next");
    std::fs::write(&next, "#!/bin/sh\necho 'the next version' >&2; exit 3\n").unwrap();
    std::fs::set_permissions(&next, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(&next, &program).unwrap();

    let mut client = Client::over(tokio::net::TcpStream::connect(address).await.unwrap());
    client.greet("").await;
    client.welcome().await;
    client.request(1, Request::verify(&common::record())).await;
    let error = client.error(1).await;
    assert_eq!(error.code, ErrorCode::InvalidProof, "{error}");
    server.kill().await.unwrap();
}

#[tokio::test]
async fn strangers_proofs_are_verified_in_a_process_of_their_own() {
    let server = Server::start(None, |_| {}).await;
    let mut client = Client::connect(&server).await;
    let original = common::record();
    let record = |change: &dyn Fn(&mut ProofRecord)| {
        let mut record = original.clone();
        change(&mut record);
        Request::verify(&record)
    };
    for (request, code, reason) in [
        (record(&|r| r.program = 99), ErrorCode::InvalidProof, "program"),
        (record(&|r| r.vk_hash = INCLUSION.vk_hash), ErrorCode::InvalidProof, "key"),
        (record(&|r| r.kind = ProofKind::Plonk), ErrorCode::Unsupported, "plonk"),
        (record(&|r| r.circuits = Circuits::Development), ErrorCode::InvalidProof, "development"),
        (record(&|r| r.circuit_version = "v0.0.1".into()), ErrorCode::InvalidProof, "v0.0.1"),
        (record(&|r| r.public_values.truncate(480)), ErrorCode::InvalidProof, "public values"),
        (record(&|r| r.public_values[31] ^= 1), ErrorCode::InvalidProof, "public values: unexpected offset"),
        (record(&|_| {}), ErrorCode::InvalidProof, "decode"),
    ] {
        client.request(1, request).await;
        let (1, Err(error)) = client.answer().await else { panic!("an error") };
        assert_eq!(error.code, code, "{error}");
        assert_eq!(error.message.matches(reason).count(), 1, "one cause is said once: {error}");
    }
    server.stop().await;
}

/// Whoever proves steps back for the server itself and for verification.
#[tokio::test]
async fn workers_that_prove_let_others_go_first() {
    let niceness = |process: &str| -> i32 {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.split(' ').nth(16).unwrap().parse().unwrap()
    };
    // As far down as it goes.
    let (own, lower) = (niceness("self"), (niceness("self") + 10).min(19));
    let start = |mode| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proof-server"));
        command.args(["worker", "--mode", mode, "--memory", "8000000000"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut verifies = start("verify");
    // It says that it is ready.
    verifies.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert_eq!(niceness(&verifies.id().to_string()), own);
    let mut proves = start("stark");
    until("it steps back", common::PATIENCE, async || niceness(&proves.id().to_string()) == lower).await;
    for worker in [&mut verifies, &mut proves] {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
}
