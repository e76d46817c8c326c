//! Clients that want the same proof share a job and nothing else: what concerns one of them does not reach the others.

mod common;

use std::time::Duration;

use common::{Client, Server, committee_changes, good_request, token_file, until, worker::Script};
use proof_server::{Config, Networks};
use sextant_consensus::{bls::Plain, check_statement};
use sextant_protocol::{ClientMessage, ErrorCode, Progress, Request, Response, ServerMessage};
use tempfile::NamedTempFile;

/// Proves once the file `go` is there.
const WAITS: &str = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
const EXECUTING: Progress = Progress::Executing { cycles: 7 };

/// A server for clients with tokens, whose worker proves [`good_request`] and nothing else, when it is told.
async fn server(tokens: &NamedTempFile, adjust: impl FnOnce(&mut Config)) -> Server {
    let script = Script::for_jobs(&good_request(), WAITS);
    Server::start_with(Some(script), |config| {
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
        adjust(config);
    })
    .await
}

async fn proof(client: &mut Client, id: u64) {
    let answer = client.answer().await;
    assert!(matches!(answer, (answered, Ok(Response::Proof { .. })) if answered == id), "{answer:?}");
}

#[tokio::test]
async fn a_client_whose_share_is_full_is_refused_alone() {
    let tokens = token_file(&[("busy", ""), ("greedy", ""), ("other", "")]);
    let server = server(&tokens, |config| (config.queue_capacity, config.queue_share) = (8, 1)).await;
    let mut others = committee_changes().into_iter().skip(1);
    let mut busy = Client::named(&server, "busy").await;
    busy.request(1, others.next().unwrap()).await;
    busy.wait_for(1, EXECUTING).await;
    let mut greedy = Client::named(&server, "greedy").await;
    greedy.request(1, others.next().unwrap()).await;
    greedy.wait_for(1, Progress::Queued { position: 0 }).await;
    // Both want the same now, and the one without a place may even be first.
    let mut other = Client::named(&server, "other").await;
    for id in 2..10 {
        greedy.request(id, good_request()).await;
    }
    other.request(1, good_request()).await;
    for _ in 2..10 {
        let (id, Err(error)) = greedy.answer().await else { panic!("an error") };
        assert!(id != 1 && error.code == ErrorCode::Busy, "{id}: {error}");
        assert!(error.message.contains("your requests"), "{error}");
    }
    server.script.as_ref().unwrap().touch("go");
    proof(&mut other, 1).await;
    server.stop().await;
}

/// Whatever two clients do, a third one finds a place.
#[tokio::test]
async fn two_clients_do_not_shut_a_queue() {
    let tokens = token_file(&[("first", ""), ("second", ""), ("third", "")]);
    let server = server(&tokens, |config| (config.queue_capacity, config.queue_share) = (4, 2)).await;
    let mut statements = committee_changes().into_iter();
    let mut first = Client::named(&server, "first").await;
    first.request(1, statements.next().unwrap()).await;
    first.wait_for(1, EXECUTING).await;
    let mut second = Client::named(&server, "second").await;
    let mut refused = 0;
    for (id, statement) in (2..).zip(statements.by_ref().take(4)) {
        let client = if id % 2 == 0 { &mut first } else { &mut second };
        client.request(id, statement).await;
        // Queued, or told that this is too much of it.
        loop {
            match client.receive().await {
                ServerMessage::Progress { id: of, progress: Progress::Queued { .. } } if of == id => break,
                ServerMessage::Answer { result: Err(error), .. } => {
                    assert!(
                        error.code == ErrorCode::Busy && error.message.contains("your requests"),
                        "{error}"
                    );
                    refused += 1;
                    break;
                }
                _ => {}
            }
        }
    }
    assert!(refused > 0, "they do not get all places");
    let mut third = Client::named(&server, "third").await;
    third.request(1, statements.next().unwrap()).await;
    loop {
        match third.receive().await {
            ServerMessage::Progress { progress: Progress::Queued { .. }, .. } => break,
            ServerMessage::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    server.stop().await;
}

/// Whoever has flooded a server with what is not true keeps no place from those who have not.
#[tokio::test]
async fn who_wastes_the_servers_time_makes_room() {
    let tokens = token_file(&[("flood", ""), ("honest", "")]);
    let server = server(&tokens, |config| (config.queue_capacity, config.queue_share) = (1, 1)).await;
    let mut flood = Client::named(&server, "flood").await;
    let Request::Prove(good) = good_request() else { unreachable!() };
    let took = "sextant_stage_seconds_sum{stage=\"check\",program=\"\",kind=\"\"}";
    for id in 0.. {
        // Of a chain with another genesis: only the signature shows it.
        let mut untrue = good.clone();
        untrue.input.bytes[..2].copy_from_slice(&u16::to_le_bytes(id));
        flood.request(id.into(), Request::Prove(untrue)).await;
        assert_eq!(flood.error(id.into()).await.code, ErrorCode::InvalidStatement);
        if server.metric(took).await > 1.5 {
            break;
        }
    }
    makes_room(&server, flood).await;
    server.stop().await;
}

/// Nor does one who again and again gives up what is being proven, which costs the prover a new start each time.
#[tokio::test]
async fn who_gives_up_again_and_again_makes_room() {
    let tokens = token_file(&[("flood", ""), ("honest", "")]);
    let server = server(&tokens, |config| (config.queue_capacity, config.queue_share) = (1, 1)).await;
    let mut flood = Client::named(&server, "flood").await;
    for id in 0..7 {
        flood.request(id, good_request()).await;
        flood.wait_for(id, EXECUTING).await;
        flood.send(&ClientMessage::Cancel { id }).await;
        assert_eq!(flood.error(id).await.code, ErrorCode::Cancelled);
    }
    makes_room(&server, flood).await;
    server.stop().await;
}

/// A queue with one place is full of what a client wants that another makes it give up.
async fn makes_room(server: &Server, mut flood: Client) {
    let mut statements = committee_changes().into_iter().skip(1);
    flood.request(100_000, statements.next().unwrap()).await;
    flood.wait_for(100_000, EXECUTING).await;
    flood.request(100_001, statements.next().unwrap()).await;
    flood.wait_for(100_001, Progress::Queued { position: 0 }).await;
    let mut honest = Client::named(server, "honest").await;
    honest.request(1, good_request()).await;
    let error = flood.error(100_001).await;
    assert!(error.code == ErrorCode::Busy && error.message.contains("others"), "{error}");
    server.script.as_ref().unwrap().touch("go");
    proof(&mut honest, 1).await;
}

#[tokio::test]
async fn a_client_whose_hour_is_used_up_is_refused_alone() {
    let tokens = token_file(&[("poor", "proofs_per_hour = 1"), ("rich", ""), ("richer", "")]);
    let server = server(&tokens, |_| {}).await;
    let mut poor = Client::named(&server, "poor").await;
    poor.request(1, committee_changes().swap_remove(1)).await;
    poor.wait_for(1, EXECUTING).await;
    // It asks first for what the others join.
    poor.request(2, good_request()).await;
    let mut waiting = [Client::named(&server, "rich").await, Client::named(&server, "richer").await];
    for client in &mut waiting {
        client.request(1, good_request()).await;
    }
    let error = poor.error(2).await;
    assert!(error.code == ErrorCode::Busy && error.message.contains("used up"), "{error}");
    server.script.as_ref().unwrap().touch("go");
    for client in &mut waiting {
        proof(client, 1).await;
    }
    // Its own came to nothing, so it has its hour again.
    assert_eq!(poor.error(1).await.code, ErrorCode::Internal);
    poor.request(3, committee_changes().swap_remove(1)).await;
    assert_eq!(poor.error(3).await.code, ErrorCode::Internal);
    server.stop().await;
}

/// Everybody who had a proof made pays for it; what comes to nothing, or was there already, is free.
#[tokio::test]
async fn an_hour_is_charged_for_proofs_and_not_for_requests() {
    let tokens = token_file(&[("one", "proofs_per_hour = 1"), ("two", "proofs_per_hour = 1")]);
    let job = "if [ -e $D/go ]; then cat $D/proved; else cat $D/executing; sleep 0.3; exit 3; fi";
    let server = Server::start_with(Some(Script::for_jobs(&good_request(), job)), |config| {
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
    })
    .await;
    let mut clients = [Client::named(&server, "one").await, Client::named(&server, "two").await];
    for id in 1..=3 {
        for client in &mut clients {
            client.request(id, good_request()).await;
        }
        for client in &mut clients {
            assert_eq!(client.error(id).await.code, ErrorCode::ProverFailed);
        }
    }
    server.script.as_ref().unwrap().touch("go");
    let [one, two] = &mut clients;
    one.request(4, good_request()).await;
    proof(one, 4).await;
    one.request(5, good_request()).await;
    proof(one, 5).await;
    one.request(6, committee_changes().swap_remove(1)).await;
    let error = one.error(6).await;
    assert!(error.code == ErrorCode::Busy && error.retry_after_ms > 3_000_000, "{error:?}");
    // To the other it was there already.
    two.request(4, good_request()).await;
    proof(two, 4).await;
    two.request(5, committee_changes().swap_remove(1)).await;
    assert_eq!(two.error(5).await.code, ErrorCode::Internal, "its hour is not used up");
    server.stop().await;
}

#[tokio::test]
async fn who_gives_up_what_is_being_proven_has_had_it_made() {
    let tokens = token_file(&[("one", "proofs_per_hour = 1")]);
    let server = server(&tokens, |_| {}).await;
    let mut one = Client::named(&server, "one").await;
    one.request(1, good_request()).await;
    one.wait_for(1, EXECUTING).await;
    one.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(one.error(1).await.code, ErrorCode::Cancelled);
    one.request(2, good_request()).await;
    assert!(one.error(2).await.message.contains("used up"));
    server.stop().await;
}

#[tokio::test]
async fn whoever_leaves_takes_nothing_from_those_who_stay() {
    let tokens = token_file(&[("first", ""), ("second", ""), ("third", "")]);
    let server = server(&tokens, |_| {}).await;
    let mut blocking = Client::named(&server, "third").await;
    blocking.request(1, committee_changes().swap_remove(1)).await;
    blocking.wait_for(1, EXECUTING).await;
    let mut first = Client::named(&server, "first").await;
    first.request(1, good_request()).await;
    first.wait_for(1, Progress::Queued { position: 0 }).await;
    let mut second = Client::named(&server, "second").await;
    second.request(1, good_request()).await;
    second.wait_for(1, Progress::Queued { position: 0 }).await;
    // Who began it all goes without a word, while the job waits; the next one while it runs.
    drop(first);
    let mut third = Client::named(&server, "third").await;
    third.request(1, good_request()).await;
    third.wait_for(1, Progress::Queued { position: 0 }).await;
    drop(blocking);
    second.wait_for(1, EXECUTING).await;
    second.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(second.error(1).await.code, ErrorCode::Cancelled);
    server.script.as_ref().unwrap().touch("go");
    proof(&mut third, 1).await;
    server.stop().await;
}

/// The same statement from another input: bytes of which nothing is proven.
fn other_input(request: &Request) -> Request {
    let Request::Prove(asked) = request else { unreachable!() };
    let program = asked.input.program().unwrap();
    let states = |bytes: &[u8]| check_statement(program, bytes, &mut Plain).ok().map(|s| s.abi_encode());
    let original = states(&asked.input.bytes);
    let others = (600..640).map(|at| {
        let mut other = asked.clone();
        other.input.bytes[at] ^= 1;
        other
    });
    let other = others.into_iter().find(|other| states(&other.input.bytes) == original);
    Request::Prove(other.expect("a byte that no statement is about"))
}

#[tokio::test]
async fn what_is_stated_names_a_proof_and_not_how() {
    let request = good_request();
    let other = other_input(&request);
    let server = Server::start_with(Some(Script::for_jobs(&request, WAITS)), |_| {}).await;
    let script = server.script.as_ref().unwrap();
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    client.wait_for(1, EXECUTING).await;
    // While it is made, and when it is there.
    client.request(2, other.clone()).await;
    until("it has joined", Duration::from_secs(5), async || {
        server.metric("sextant_proofs_found_total{source=\"shared\"}").await == 1.0
    })
    .await;
    script.touch("go");
    let digest = |request: &Request| match request {
        Request::Prove(request) => request.input.digest(),
        _ => unreachable!(),
    };
    for _ in 0..2 {
        let (id, Ok(Response::Proof(proof))) = client.answer().await else { panic!("a proof") };
        assert_eq!(proof.input_digest == digest(&other), id == 2, "each hears of its own input");
    }
    client.request(3, other).await;
    proof(&mut client, 3).await;
    assert_eq!(script.jobs(), 1);
    server.stop().await;
}

#[tokio::test]
async fn statements_about_other_networks_are_refused() {
    let server = Server::start_with(Some(Script::for_jobs(&good_request(), "cat $D/proved")), |config| {
        config.networks = Networks::default();
    })
    .await;
    let mut client = Client::connect(&server).await;
    let Request::Prove(mut foreign) = good_request() else { unreachable!() };
    // Another genesis is another chain.
    foreign.input.bytes[0] ^= 1;
    client.request(1, Request::Prove(foreign)).await;
    let error = client.error(1).await;
    assert_eq!((error.code, error.retry_after_ms), (ErrorCode::Unsupported, 0));
    assert!(error.message.contains("digest 0x") && error.message.contains("mainnet"), "{error}");
    client.request(2, good_request()).await;
    proof(&mut client, 2).await;
    server.stop().await;
}
