//! An entrypoint and its upstreams: two servers of this crate whose workers are scripts, or a server that lies. Where
//! a proof is to pass for a true one, the entrypoint's own verification worker is a script as well; where it lies, the
//! real one refuses it. The whole with real proofs is in `tests/tests/split.rs`.

mod common;

use std::time::Duration;

use common::{
    Client, Server, committee_changes, good_request, introduction, server_tokens, until,
    worker::{Script, is_alive},
};
use proof_server::{Config, Role};
use sextant_protocol::{ClientMessage, ErrorCode, Progress, ProofKind, Request, Response, Token};
use sha2::Digest;

const WAITS: &str = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
const EXECUTING: Progress = Progress::Executing { cycles: 7 };

async fn upstream(job: &str) -> Server {
    let script = Script::for_jobs(&good_request(), job);
    Server::start_with(Some(script), |config| {
        config.role = Role::CommitteeChange;
        // So that every request is forwarded and proven.
        config.cache.memory = 0;
    })
    .await
}

/// An entrypoint in front of `names` that takes every proof for true, or verifies for real.
async fn entrypoint(names: Vec<String>, credulous: bool) -> Server {
    let configure = |config: &mut Config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = names;
        config.cache.memory = 0;
    };
    let script = credulous.then(|| Script::for_jobs(&good_request(), "cat $D/verified"));
    let server = Server::start_with(script, configure).await;
    until("it has looked at its upstreams", common::PATIENCE, async || {
        !server.http("/readyz").await.1.starts_with("warming")
    })
    .await;
    server
}

async fn forwarded(server: &Server, outcome: &str) -> f64 {
    server.metric(&format!("sextant_upstream_requests_total{{outcome=\"{outcome}\"}}")).await
}

#[tokio::test]
async fn requests_go_to_the_least_busy_and_come_back_verified() {
    let (first, second) = (upstream(WAITS).await, upstream(WAITS).await);
    let entrypoint = entrypoint(vec![first.address.to_string(), second.address.to_string()], true).await;
    let ready = "ready\ncommittee-change: 2 of 2 upstreams up\n";
    assert_eq!(entrypoint.http("/readyz").await, (200, ready.into()));
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    client.wait_for(1, EXECUTING).await;
    client.request(2, committee_changes().swap_remove(1)).await;
    client.wait_for(2, EXECUTING).await;
    let jobs = [&first, &second].map(|server| server.script.as_ref().unwrap().jobs());
    assert_eq!(jobs, [1, 1], "one each");
    // What one says that has proven another statement is no proof of this one: the script answers both alike.
    for server in [&first, &second] {
        server.script.as_ref().unwrap().touch("go");
    }
    let mut proofs = 0;
    for _ in 0..2 {
        match client.answer().await {
            (1, Ok(Response::Proof { .. })) => proofs += 1,
            (2, Err(error)) => assert_eq!(error.code, ErrorCode::ProverFailed, "{error}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((proofs, forwarded(&entrypoint, "ok").await), (1, 1.0));
    // A program without upstreams is not offered.
    let inclusion = common::good_requests().swap_remove(2);
    client.request(3, inclusion).await;
    assert_eq!(client.error(3).await.code, ErrorCode::Unsupported);
    for server in [entrypoint, first, second] {
        server.stop().await;
    }
}

/// Jobs that one entrypoint has brought are seen by another: both find the provers that are idle.
#[tokio::test]
async fn two_entrypoints_find_the_idle_provers() {
    let provers = [upstream(WAITS).await, upstream(WAITS).await, upstream(WAITS).await];
    let names = provers.each_ref().map(|prover| prover.address.to_string()).to_vec();
    let entrypoints = [entrypoint(names.clone(), true).await, entrypoint(names, true).await];
    let mut statements = committee_changes().into_iter();
    let mut clients = Vec::new();
    for (turn, at) in [0, 1, 0].into_iter().enumerate() {
        let mut client = Client::connect(&entrypoints[at]).await;
        until("it has seen what runs", common::PATIENCE, async || {
            client.request(1, Request::Info).await;
            let (1, Ok(Response::Info(info))) = client.answer().await else { panic!("an info") };
            info.programs[0].running as usize == turn
        })
        .await;
        client.request(2, statements.next().unwrap()).await;
        client.wait_for(2, EXECUTING).await;
        clients.push(client);
    }
    let jobs = provers.each_ref().map(|prover| prover.script.as_ref().unwrap().jobs());
    assert_eq!(jobs, [1, 1, 1]);
    for server in entrypoints.into_iter().chain(provers) {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_request_survives_its_upstream() {
    let (first, second) = (upstream(WAITS).await, upstream(WAITS).await);
    let entrypoint = entrypoint(vec![first.address.to_string(), second.address.to_string()], true).await;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    client.wait_for(1, EXECUTING).await;
    let working = |server: &Server| server.script.as_ref().unwrap().jobs() == 1;
    let (dies, lives) = if working(&first) { (first, second) } else { (second, first) };
    dies.stop().await;
    until("the other has it", Duration::from_secs(10), async || working(&lives)).await;
    lives.script.as_ref().unwrap().touch("go");
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof { .. }))));
    entrypoint.stop().await;
    lives.stop().await;
}

#[tokio::test]
async fn cancelling_reaches_the_upstream() {
    let upstream = upstream(WAITS).await;
    let entrypoint = entrypoint(vec![upstream.address.to_string()], true).await;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    client.wait_for(1, EXECUTING).await;
    let worker = upstream.script.as_ref().unwrap().pids()[0];
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    until("the worker is killed", Duration::from_secs(1), async || !is_alive(worker)).await;
    entrypoint.stop().await;
    upstream.stop().await;
}

/// The proof says the right thing and is none: the real verifier finds out, and the liar is not asked again.
#[tokio::test]
async fn a_lying_upstream_is_refused() {
    let liar = upstream("cat $D/proved").await;
    let entrypoint = entrypoint(vec![liar.address.to_string()], false).await;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    let error = client.error(1).await;
    assert_eq!(error.code, ErrorCode::ProverFailed);
    assert!(error.message.contains("falsely") && error.retry_after_ms > 0, "{error:?}");
    assert_eq!(forwarded(&entrypoint, "lied").await, 1.0);
    assert!(entrypoint.http("/readyz").await.1.contains("no upstream"));
    client.request(2, good_request()).await;
    assert_eq!(client.error(2).await.code, ErrorCode::Busy);
    assert_eq!(liar.script.as_ref().unwrap().jobs(), 1, "asked once");
    entrypoint.stop().await;
    liar.stop().await;
}

/// However many strangers bring proofs, those that the server's own provers have made are verified among them.
#[tokio::test]
async fn a_flood_of_strangers_proofs_loses_no_finished_one() {
    let upstream = upstream("cat $D/proved").await;
    let holds = "while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/verified";
    let script = Script::for_jobs(&good_request(), holds);
    let entrypoint = Server::start_with(Some(script), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = vec![upstream.address.to_string()];
        config.verify_queue_capacity = 4;
    })
    .await;
    until("it is ready", common::PATIENCE, async || entrypoint.http("/readyz").await.0 == 200).await;
    let worker = entrypoint.script.as_ref().unwrap();
    let waiting = async || entrypoint.metric("sextant_queue_depth{queue=\"verification\"}").await;
    let mut flood = Vec::new();
    for host in 2..=6 {
        let mut stranger = Client::mute_from(&entrypoint, [127, 0, 0, host]).await;
        stranger.greet("").await;
        stranger.welcome().await;
        stranger.request(0, Request::verify(&common::record())).await;
        // The first one's proof is with the worker; those of the others fill the queue.
        let before = f64::from(host - 2);
        until("its proof has its place", common::PATIENCE, async || {
            worker.jobs() == 1 && waiting().await == before
        })
        .await;
        flood.push(stranger);
    }
    for stranger in &mut flood {
        stranger.request(1, Request::verify(&common::record())).await;
        assert_eq!(stranger.error(1).await.code, ErrorCode::Busy);
    }
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    until("its proof waits too", common::PATIENCE, async || waiting().await == 5.0).await;
    worker.touch("go");
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof { .. }))));
    entrypoint.stop().await;
    upstream.stop().await;
}

/// A token for the upstreams that was replaced is used without a restart.
#[tokio::test]
async fn the_token_for_upstreams_is_read_again() {
    let (known, token) = server_tokens();
    let prover = Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), |config| {
        config.role = Role::CommitteeChange;
        (config.token_file, config.anonymous) = (Some(known.path().into()), false);
    })
    .await;
    std::fs::write(token.path(), "another").unwrap();
    let entrypoint = Server::start(Some(common::HANGS), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = vec![prover.address.to_string()];
        config.upstreams.token_file = Some(token.path().into());
    })
    .await;
    let (status, reason) = entrypoint.http("/readyz").await;
    assert_eq!(status, 503, "{reason}");
    std::fs::write(token.path(), "fleet").unwrap();
    until("its upstream is up", common::PATIENCE, async || entrypoint.http("/readyz").await.0 == 200).await;
    entrypoint.stop().await;
    prover.stop().await;
}

/// What a stranger says of the way that its requests have come is no reason for upstreams to refuse them, and nothing
/// that a request brings about takes an upstream away from others.
#[tokio::test]
async fn a_strangers_word_takes_no_upstream_out() {
    let mut upstreams = Vec::new();
    for _ in 0..8 {
        upstreams.push(upstream("cat $D/proved").await);
    }
    let names: Vec<_> = upstreams.iter().map(|upstream| upstream.address.to_string()).collect();
    let entrypoint = entrypoint(names, true).await;
    let mut stranger = Client::mute(&entrypoint).await;
    stranger.send(&common::hello()).await;
    stranger.send(&introduction("", 2)).await;
    stranger.welcome().await;
    let mut honest = Client::connect(&entrypoint).await;
    for id in 1..=6 {
        stranger.request(id, good_request()).await;
        assert!(matches!(stranger.answer().await, (_, Ok(Response::Proof { .. }))), "hops are not counted");
        honest.request(id, good_request()).await;
        assert!(matches!(honest.answer().await, (_, Ok(Response::Proof { .. }))));
        assert_eq!(entrypoint.http("/readyz").await.0, 200);
    }
    for outcome in ["failed", "refused", "lied"] {
        assert_eq!(forwarded(&entrypoint, outcome).await, 0.0, "{outcome}");
    }
    let up = "sextant_upstreams{program=\"committee-change\",health=\"up\"}";
    assert_eq!(entrypoint.metric(up).await, 8.0);
    entrypoint.stop().await;
    for upstream in upstreams {
        upstream.stop().await;
    }
}

/// Servers that refuse at once are the least busy of all: they must not swallow what others would do.
#[tokio::test]
async fn broken_provers_do_not_hide_one_that_works() {
    let mut broken = Vec::new();
    for _ in 0..6 {
        broken.push(Server::start(Some(common::CRASHES), |config| config.role = Role::CommitteeChange).await);
    }
    let works = upstream("cat $D/proved").await;
    let all = broken.iter().chain([&works]);
    let entrypoint = entrypoint(all.map(|server| server.address.to_string()).collect(), true).await;
    for id in 1..=4 {
        let mut client = Client::connect(&entrypoint).await;
        client.request(id, good_request()).await;
        assert!(matches!(client.answer().await, (_, Ok(Response::Proof { .. }))));
    }
    entrypoint.stop().await;
    for server in broken.into_iter().chain([works]) {
        server.stop().await;
    }
}

/// One that says itself that it cannot is not asked.
#[tokio::test]
async fn an_upstream_that_is_not_ready_is_not_asked() {
    let warming = Server::start(Some(common::HANGS), |config| {
        (config.role, config.warm) = (Role::CommitteeChange, true);
    })
    .await;
    let works = upstream("cat $D/proved").await;
    let names = [&warming, &works].map(|server| server.address.to_string());
    let entrypoint = entrypoint(names.into(), true).await;
    let (_, ready) = entrypoint.http("/readyz").await;
    assert!(ready.contains("committee-change: 1 of 2 upstreams up"), "{ready}");
    let mut client = Client::connect(&entrypoint).await;
    for id in 1..=3 {
        client.request(id, good_request()).await;
        assert!(matches!(client.answer().await, (_, Ok(Response::Proof { .. }))));
    }
    assert_eq!(forwarded(&entrypoint, "refused").await, 0.0);
    for server in [entrypoint, warming, works] {
        server.stop().await;
    }
}

/// A sub-server counts the clients of an entrypoint that it knows each for itself; whoever else says for whom it asks
/// asks for itself.
#[tokio::test]
async fn clients_behind_an_entrypoint_have_a_share_each() {
    let (known, _token) = server_tokens();
    let hash = hex::encode(sha2::Sha256::digest("client"));
    let client = format!("[[token]]\nname = \"client\"\nsha256 = \"{hash}\"\n");
    std::fs::write(known.path(), std::fs::read_to_string(known.path()).unwrap() + &client).unwrap();
    let script = Script::for_jobs(&good_request(), "cat $D/executing; sleep 600");
    let prover = Server::start_with(Some(script), |config| {
        config.role = Role::CommitteeChange;
        (config.token_file, config.anonymous) = (Some(known.path().into()), false);
        config.queue_share = 1;
    })
    .await;
    let connect = async |token: &str, on_behalf: &str| {
        let mut client = Client::mute(&prover).await;
        client.send(&common::hello()).await;
        let token = Token(token.into());
        let (on_behalf, traceparent) = (on_behalf.into(), None);
        client.send(&ClientMessage::Introduction { token, hops: 1, on_behalf, traceparent }).await;
        client.welcome().await;
        client
    };
    let mut statements = committee_changes();
    let mut greedy = connect("fleet", "token greedy").await;
    greedy.request(1, statements.remove(0)).await;
    greedy.wait_for(1, EXECUTING).await;
    greedy.request(2, statements.remove(0)).await;
    greedy.wait_for(2, Progress::Queued { position: 0 }).await;
    // Its share is used up, on whatever connection.
    let mut again = connect("fleet", "token greedy").await;
    again.request(3, statements.remove(0)).await;
    assert_eq!(again.error(3).await.code, ErrorCode::Busy);
    let mut other = connect("fleet", "token modest").await;
    other.request(4, statements.remove(0)).await;
    other.wait_for(4, Progress::Queued { position: 1 }).await;
    // A client is one, whatever it calls itself.
    let mut pretender = connect("client", "token one").await;
    pretender.request(5, statements.remove(0)).await;
    pretender.wait_for(5, Progress::Queued { position: 2 }).await;
    let mut pretender = connect("client", "token two").await;
    pretender.request(6, statements.remove(0)).await;
    assert_eq!(pretender.error(6).await.code, ErrorCode::Busy);
    prover.stop().await;
}

/// Those who want the same proof do so each in their own name: that one of them has no room at a prover keeps it from
/// nobody else.
#[tokio::test]
async fn who_has_no_room_at_a_prover_keeps_no_proof_from_others() {
    let (known, token) = server_tokens();
    let mut provers = Vec::new();
    for _ in 0..2 {
        let script = Script::for_jobs(&good_request(), WAITS);
        let prover = Server::start_with(Some(script), |config| {
            config.role = Role::CommitteeChange;
            (config.token_file, config.anonymous) = (Some(known.path().into()), false);
            config.queue_share = 1;
        });
        provers.push(prover.await);
    }
    let [idle, full] = <[Server; 2]>::try_from(provers).ok().unwrap();
    // At one of them the greedy client has its share.
    let mut there = Client::mute(&full).await;
    there.send(&common::hello()).await;
    let on_behalf = "token greedy".to_owned();
    let (shown, traceparent) = (Token("fleet".into()), None);
    let introduction = ClientMessage::Introduction { token: shown, hops: 1, on_behalf, traceparent };
    there.send(&introduction).await;
    there.welcome().await;
    let mut others = committee_changes().into_iter().skip(1);
    there.request(1, others.next().unwrap()).await;
    there.wait_for(1, EXECUTING).await;
    there.request(2, others.next().unwrap()).await;
    there.wait_for(2, Progress::Queued { position: 0 }).await;

    let clients = common::token_file(&[("greedy", ""), ("modest", "")]);
    let verifies = Script::for_jobs(&good_request(), "cat $D/verified");
    let entrypoint = Server::start_with(Some(verifies), |config| {
        config.role = Role::Entrypoint;
        config.token_file = Some(clients.path().into());
        config.upstreams.committee_change = [&idle, &full].map(|prover| prover.address.to_string()).into();
        config.upstreams.token_file = Some(token.path().into());
    })
    .await;
    until("it has looked at its upstreams", common::PATIENCE, async || {
        entrypoint.http("/readyz").await.1.contains("2 of 2")
    })
    .await;
    // The greedy one asks first, and the other prover is at it when the other client comes; then that prover is gone.
    let mut waiting = Vec::new();
    for name in ["greedy", "modest"] {
        let mut client = Client::named(&entrypoint, name).await;
        client.request(1, good_request()).await;
        client.wait_for(1, EXECUTING).await;
        waiting.push(client);
    }
    idle.stop().await;
    full.script.as_ref().unwrap().touch("go");
    for client in &mut waiting {
        let answer = client.answer().await;
        assert!(matches!(answer, (1, Ok(Response::Proof { .. }))), "{answer:?}");
    }
    entrypoint.stop().await;
    full.stop().await;
}

/// What still works is offered, and nothing else.
#[tokio::test]
async fn an_entrypoint_offers_what_its_upstreams_do() {
    let prover = upstream(WAITS).await;
    let entrypoint =
        Server::start_with(Some(Script::for_jobs(&good_request(), "cat $D/verified")), |config| {
            config.role = Role::Entrypoint;
            config.upstreams.committee_change = vec![prover.address.to_string()];
            config.upstreams.inclusion = vec!["127.0.0.1:1".into()];
        })
        .await;
    until("it has looked", common::PATIENCE, async || entrypoint.http("/readyz").await.0 == 200).await;
    let (_, ready) = entrypoint.http("/readyz").await;
    assert!(ready.contains("committee-change: 1 of 1") && ready.contains("inclusion: 0 of 1"), "{ready}");
    let mut kinds = Vec::new();
    for server in [&prover, &entrypoint] {
        let mut client = Client::connect(server).await;
        client.request(1, Request::Info).await;
        let (1, Ok(Response::Info(info))) = client.answer().await else { panic!("an info") };
        kinds.push(info.kinds);
    }
    assert_eq!(kinds[0], kinds[1]);
    let mut client = Client::connect(&entrypoint).await;
    let Request::Prove(mut request) = good_request() else { unreachable!() };
    request.kind = ProofKind::Plonk;
    client.request(1, Request::Prove(request)).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Unsupported);
    client.request(2, common::good_requests().swap_remove(2)).await;
    assert_eq!(client.error(2).await.code, ErrorCode::Busy, "an inclusion later, perhaps");
    entrypoint.stop().await;
    prover.stop().await;
}

#[tokio::test]
async fn garbage_never_reaches_an_upstream() {
    let upstream = upstream("cat $D/proved").await;
    let entrypoint = entrypoint(vec![upstream.address.to_string()], true).await;
    let Request::Prove(mut request) = good_request() else { unreachable!() };
    *request.input.bytes.last_mut().unwrap() ^= 1;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, Request::Prove(request)).await;
    assert_eq!(client.error(1).await.code, ErrorCode::InvalidStatement);
    assert_eq!(upstream.script.as_ref().unwrap().jobs(), 0);
    entrypoint.stop().await;
    upstream.stop().await;
}

#[tokio::test]
async fn a_verifier_proves_nothing_and_an_unreachable_upstream_is_said() {
    let verifier = Server::start(Some(common::HANGS), |config| config.role = Role::Verifier).await;
    let mut client = Client::connect(&verifier).await;
    client.request(1, good_request()).await;
    let error = client.error(1).await;
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("verifies"), "{error}");
    client.request(2, Request::Info).await;
    let (2, Ok(Response::Info(info))) = client.answer().await else { panic!("an info") };
    assert!(info.kinds.is_empty() && info.programs.len() == sextant_consensus::Program::ALL.len());

    // A verifier is no prover: as an upstream it counts as down.
    let entrypoint = entrypoint(vec![verifier.address.to_string(), "127.0.0.1:1".into()], true).await;
    let (status, reason) = entrypoint.http("/readyz").await;
    assert!(status == 503 && reason.contains("no upstream for committee-change"), "{reason}");
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    let error = client.error(1).await;
    assert!(error.code == ErrorCode::Busy && error.retry_after_ms > 0, "{error:?}");
    entrypoint.stop().await;
    verifier.stop().await;
}
