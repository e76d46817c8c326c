//! A compressed proof that somebody has becomes a proof for contracts: verified first, then made like any other. Workers are
//! scripts; real proofs are in `tests/tests/snark.rs`.
#![cfg(feature = "snark")]

mod common;

use std::time::Duration;

use common::{
    Client, Server, circuits, good_request,
    http::{ask, get},
    played, record, until,
    worker::{Script, is_alive},
};
use proof_server::{Config, Networks, Role};
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofKind, ProofRecord, Request, Response, ServerError, ServerMessage,
    WrapRequest,
    message::{BUNDLE, CHAIN, WRAP},
    proof::ProofView,
};

/// Waits for the file `go` in every stage.
const WAITS: &str = "while [ ! -e $D/go ]; do sleep 0.02; done";

/// A compressed proof of [`good_request`]'s statement, as scripts believe it.
fn compressed() -> ProofRecord {
    ProofRecord { kind: ProofKind::Compressed, ..record() }
}

fn wrap(proof: &ProofRecord) -> Request {
    Request::Wrap(WrapRequest::new(proof))
}

/// [`good_request`] for another kind of proof.
fn prove(kind: ProofKind) -> Request {
    let Request::Prove(mut request) = good_request() else { unreachable!() };
    request.kind = kind;
    Request::Prove(request)
}

/// A server that makes every kind of proof, with workers that do `job` in each stage.
async fn server(job: &str, adjust: impl FnOnce(&mut Config)) -> (Server, tempfile::TempDir) {
    let (folder, circuits) = circuits();
    let script = Script::for_stages(&good_request(), job);
    let server = Server::start_with(Some(script), |config| {
        config.circuits = circuits;
        adjust(config);
    });
    (server.await, folder)
}

fn script(server: &Server) -> &Script {
    server.script.as_ref().unwrap()
}

#[tokio::test]
async fn a_compressed_proof_is_verified_and_goes_on_after_the_stage_that_it_is_of() {
    let (server, _circuits) = server(":", |_| {}).await;
    let mut client = Client::connect(&server).await;
    client.request(1, wrap(&compressed())).await;
    let (1, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
    let proof = ProofView::of(&answer.record).unwrap();
    assert_eq!((proof.kind, proof.public_values), (ProofKind::Groth16, &compressed().public_values[..]));
    assert_eq!(answer.input_digest, [0; 32], "it was made from a proof");
    assert_eq!(script(&server).lines("stages"), ["verify", "wrap", "groth16"]);
    // From now on it is there, for whoever asks with whatever.
    for (id, request) in [(2, wrap(&compressed())), (3, prove(ProofKind::Groth16))] {
        client.request(id, request).await;
        let (got, Ok(Response::Proof(again))) = client.answer().await else { panic!("a proof") };
        assert_eq!((got, &again.record), (id, &answer.record));
    }
    assert_eq!(script(&server).lines("stages").len(), 3, "nothing was done again");
    let counted = "sextant_requests_total{request=\"wrap\",outcome=\"ok\"}";
    assert_eq!(server.metric(counted).await, 2.0);
    server.stop().await;
}

/// The file of a compressed proof, over HTTP; and what is none.
#[tokio::test]
async fn a_compressed_proof_is_wrapped_over_http() {
    let (server, _circuits) = server(":", |_| {}).await;
    let file = compressed().to_file_bytes();
    let taken = ask(server.http, "POST", "/v1/wraps", &[], file.clone()).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let job = taken.headers["location"].to_str().unwrap().to_owned();
    let proof = get(server.http, &format!("{job}/proof?wait_ms=60000")).await;
    let proof = ProofRecord::from_file_bytes(&proof.body).unwrap();
    assert_eq!((proof.kind, proof.public_values), (ProofKind::Groth16, compressed().public_values));
    assert_eq!(script(&server).lines("stages"), ["verify", "wrap", "groth16"]);

    let mut damaged = file.clone();
    damaged[40] ^= 1;
    for (headers, body, problem) in [
        (&[][..], damaged, (400, "Malformed")),
        (&[], b"no file".to_vec(), (400, "Malformed")),
        (&[("content-type", "application/json")], file, (415, "Unsupported")),
    ] {
        let (status, name) = ask(server.http, "POST", "/v1/wraps", headers, body).await.problem();
        assert_eq!((status, name.as_str()), problem);
    }
    server.stop().await;
}

/// Whatever keeps a proof from being wrapped is said by a code and a word, and no prover sees it.
#[tokio::test]
async fn what_cannot_be_wrapped_is_refused_by_name() {
    // Everything that gets as far as the verification worker is refused by it.
    let (server, _circuits) = server("[ $3 = verify ] && cat $D/refused && continue", |config| {
        config.networks = Networks::named(&["mainnet".into()]).unwrap();
    })
    .await;
    let with = |adjust: &dyn Fn(&mut ProofRecord)| {
        let mut proof = compressed();
        adjust(&mut proof);
        wrap(&proof)
    };
    let to = |kind| Request::Wrap(WrapRequest { kind, ..WrapRequest::new(&compressed()) });
    let no_record = Request::Wrap(WrapRequest { record: vec![7; 90], ..WrapRequest::new(&compressed()) });
    // The chain digest is the fourth word of the public values.
    let other_chain = with(&|proof| proof.public_values[3 * 32..4 * 32].fill(9));
    let mut client = Client::connect(&server).await;
    for (id, (request, code, word)) in (1..).zip([
        (with(&|proof| proof.kind = ProofKind::Stark), ErrorCode::Unsupported, "this is a stark proof"),
        (with(&|proof| proof.kind = ProofKind::Groth16), ErrorCode::Unsupported, "this is a groth16 proof"),
        (to(ProofKind::Compressed), ErrorCode::Unsupported, "not compressed proofs"),
        (to(ProofKind::Plonk), ErrorCode::Unsupported, "plonk"),
        (with(&|proof| proof.program = 99), ErrorCode::Unsupported, "99"),
        (with(&|proof| proof.vk_hash[0] ^= 1), ErrorCode::InvalidProof, "verifying key"),
        (with(&|proof| proof.circuit_version = "v1".into()), ErrorCode::InvalidProof, "circuit version"),
        (with(&|proof| proof.public_values.truncate(9)), ErrorCode::InvalidProof, "public values"),
        (other_chain, ErrorCode::Unsupported, "about mainnet"),
        (with(&|_| {}), ErrorCode::InvalidProof, "not a valid proof"),
        (no_record, ErrorCode::Malformed, "proof record"),
    ]) {
        client.request(id, request).await;
        let error = client.error(id).await;
        assert!(error.code == code && error.message.contains(word), "{id}: {error}");
        assert_eq!(error.retry_after_ms, 0, "{id}: asking again changes nothing");
    }
    assert_eq!(script(&server).stages(), Vec::<String>::new());
    server.stop().await;

    for (role, word) in [(Role::All, "groth16"), (Role::Verifier, "proves nothing")] {
        // Without circuits.
        let script = Script::for_stages(&good_request(), ":");
        let server = Server::start_with(Some(script), |config| config.role = role).await;
        let mut client = Client::connect(&server).await;
        client.request(1, wrap(&compressed())).await;
        let error = client.error(1).await;
        assert!(error.code == ErrorCode::Unsupported && error.message.contains(word), "{error}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_record_has_the_limits_of_one_that_is_verified() {
    let (server, _circuits) =
        server(":", |config| (config.max_record, config.verify_queue_capacity) = (1 << 20, 1)).await;
    let mut client = Client::connect(&server).await;
    let large = Request::Wrap(WrapRequest { more: 1 << 20, ..WrapRequest::new(&compressed()) });
    client.send(&ClientMessage::Request { id: 1, request: large }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::TooLarge);
    server.stop().await;

    let (server, _circuits) = self::server(WAITS, |config| config.verify_queue_capacity = 1).await;
    let mut client = Client::connect(&server).await;
    // One with the worker, one waiting, and no place for a third.
    client.request(1, Request::verify(&compressed())).await;
    until("the worker has the first", common::PATIENCE, async || script(&server).jobs() == 1).await;
    client.request(2, Request::verify(&compressed())).await;
    let waiting = "sextant_queue_depth{queue=\"verification\"}";
    until("the second waits", common::PATIENCE, async || server.metric(waiting).await == 1.0).await;
    client.request(3, wrap(&compressed())).await;
    let error = client.error(3).await;
    assert!(error.code == ErrorCode::Busy && error.message.contains("verification"), "{error}");
    server.stop().await;
}

#[tokio::test]
async fn whatever_a_proof_is_made_from_it_is_made_once() {
    let (server, _circuits) = server(&format!("[ $3 = verify ] || {{ {WAITS}; }}"), |_| {}).await;
    let mut first = Client::connect(&server).await;
    first.request(1, wrap(&compressed())).await;
    until("it is being wrapped", common::PATIENCE, async || script(&server).stages() == ["wrap"]).await;
    let mut second = Client::connect(&server).await;
    second.request(1, prove(ProofKind::Groth16)).await;
    until("the other has joined", common::PATIENCE, async || {
        server.metric("sextant_proofs_found_total{source=\"shared\"}").await == 1.0
    })
    .await;
    // The first has enough; the job goes on for the second.
    first.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(first.error(1).await.code, ErrorCode::Cancelled);
    script(&server).touch("go");
    let (1, Ok(Response::Proof(proof))) = second.answer().await else { panic!("a proof") };
    let Request::Prove(asked) = good_request() else { unreachable!() };
    assert_eq!(proof.input_digest, asked.input.digest(), "each hears of its own input");
    assert_eq!(script(&server).stages(), ["wrap", "groth16"]);
    server.stop().await;
}

#[tokio::test]
async fn a_wrap_is_cancelled_submitted_and_paid_for_like_a_proof() {
    let (server, _circuits) = server(&format!("[ $3 = verify ] || {{ {WAITS}; }}"), |config| {
        config.budget.proofs_per_hour = 2;
    })
    .await;
    let mut client = Client::connect(&server).await;
    client.request(1, wrap(&compressed())).await;
    until("it is being wrapped", common::PATIENCE, async || script(&server).stages().len() == 1).await;
    let worker = *script(&server).pids().last().unwrap();
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    until("its worker is killed", Duration::from_secs(5), async || !is_alive(worker)).await;

    client.request(2, Request::SubmitWrap(WrapRequest::new(&compressed()))).await;
    let (2, Ok(Response::Submitted { job, .. })) = client.answer().await else { panic!("a job") };
    drop(client);
    script(&server).touch("go");
    let mut again = Client::connect(&server).await;
    again.request(1, Request::Fetch { job, offset: 0, deadline_ms: 0 }).await;
    let (1, Ok(Response::Proof(answer))) = again.answer().await else { panic!("a proof") };
    assert_eq!((answer.job, ProofView::of(&answer.record).unwrap().kind), (job, ProofKind::Groth16));
    // One that was given up while a worker was at it, and one that was made.
    let other = common::committee_changes().swap_remove(1);
    again.request(2, other).await;
    let error = again.error(2).await;
    assert!(error.code == ErrorCode::Busy && error.message.contains("2 proofs"), "{error}");
    server.stop().await;
}

/// An upstream of an earlier version: it knows nothing of wrapping.
async fn earlier_server() -> std::net::SocketAddr {
    played::upstream(|message| match message {
        ClientMessage::Introduction { .. } => Some(played::welcome()),
        ClientMessage::Request { id, request: Request::Info } => {
            let info = played::offers(ProofKind::Groth16);
            Some(ServerMessage::Answer { id, result: Ok(Response::Info(info)) })
        }
        ClientMessage::Request { id, request: Request::Prove(_) } => {
            let error = ServerError::new(ErrorCode::ProverFailed, "it tried to prove it");
            Some(ServerMessage::Answer { id, result: Err(error) })
        }
        ClientMessage::Request { id, .. } => {
            let error = ServerError::new(ErrorCode::Unsupported, "this server has no request 7");
            Some(ServerMessage::Answer { id, result: Err(error) })
        }
        _ => None,
    })
    .await
}

/// An entrypoint in front of `upstreams` whose verification worker is a script that takes every proof for true.
async fn entrypoint(upstreams: Vec<String>) -> Server {
    let script = Script::for_stages(&good_request(), ":");
    let server = Server::start_with(Some(script), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = upstreams;
    })
    .await;
    until("it has looked at its upstreams", common::PATIENCE, async || {
        !server.http("/readyz").await.1.starts_with("warming")
    })
    .await;
    server
}

#[tokio::test]
async fn an_entrypoint_passes_it_on_to_a_server_that_knows_how() {
    let earlier = earlier_server().await.to_string();
    let entry = entrypoint(vec![earlier.clone()]).await;
    let mut client = Client::connect(&entry).await;
    client.request(1, wrap(&compressed())).await;
    let error = client.error(1).await;
    assert!(error.code == ErrorCode::Unsupported && error.message.contains("wrap"), "{error}");
    assert_eq!(entry.http("/readyz").await.0, 200, "nothing to pause it for");
    entry.stop().await;

    let (upstream, _circuits) = server(":", |config| config.role = Role::CommitteeChange).await;
    let entry = entrypoint(vec![earlier, upstream.address.to_string()]).await;
    let mut client = Client::connect(&entry).await;
    client.request(1, wrap(&compressed())).await;
    let (1, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
    assert_eq!(ProofView::of(&answer.record).unwrap().kind, ProofKind::Groth16);
    assert_eq!(script(&upstream).stages(), ["wrap", "groth16"]);
    assert_eq!(script(&entry).lines("stages"), ["verify", "verify"], "what was brought, and what was made");
    entry.stop().await;
    upstream.stop().await;
}

#[tokio::test]
async fn an_entrypoint_has_the_compressed_proof_wrapped_that_it_keeps() {
    let upstream = || server(":", |config| config.role = Role::CommitteeChange);
    let ((first, _of_first), (second, _of_second)) = (upstream().await, upstream().await);
    let entry = entrypoint(vec![first.address.to_string(), second.address.to_string()]).await;
    let mut client = Client::connect(&entry).await;
    client.request(1, prove(ProofKind::Compressed)).await;
    let (1, Ok(Response::Proof(_))) = client.answer().await else { panic!("a proof") };
    let (made_it, other) = if script(&first).stages().is_empty() { (second, first) } else { (first, second) };
    assert_eq!(script(&made_it).stages(), ["compressed"]);
    // Whoever has it is gone, and it is not made again.
    made_it.stop().await;
    client.request(2, prove(ProofKind::Groth16)).await;
    let (2, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
    assert_eq!(ProofView::of(&answer.record).unwrap().kind, ProofKind::Groth16);
    assert_eq!(script(&other).stages(), ["wrap", "groth16"]);
    // Where it is not kept, it is proven as ever.
    entry.stop().await;
    let (third, _of_third) = upstream().await;
    let entry = entrypoint(vec![third.address.to_string()]).await;
    let mut client = Client::connect(&entry).await;
    client.request(1, prove(ProofKind::Groth16)).await;
    let (1, Ok(Response::Proof(_))) = client.answer().await else { panic!("a proof") };
    assert_eq!(script(&third).stages(), ["compressed", "wrap", "groth16"]);
    for server in [entry, other, third] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_knows_nothing_of_wrapping_proves_what_could_be_wrapped() {
    let (first, _circuits) = server(":", |config| config.role = Role::CommitteeChange).await;
    let entry = entrypoint(vec![first.address.to_string(), earlier_server().await.to_string()]).await;
    let mut client = Client::connect(&entry).await;
    client.request(1, prove(ProofKind::Compressed)).await;
    let (1, Ok(Response::Proof(_))) = client.answer().await else { panic!("a proof") };
    first.stop().await;
    until("it is known to be gone", common::PATIENCE, async || {
        entry.http("/readyz").await.1.contains("1 of 2")
    })
    .await;
    client.request(2, prove(ProofKind::Groth16)).await;
    let error = client.error(2).await;
    assert!(error.code == ErrorCode::ProverFailed && error.message.contains("it tried"), "{error}");
    entry.stop().await;
}

#[tokio::test]
async fn a_server_says_that_it_knows_how() {
    let (server, _circuits) = server(":", |_| {}).await;
    let mut client = Client::mute(&server).await;
    client.greet("").await;
    let ServerMessage::Welcome { capabilities, .. } = client.receive().await else { panic!("a welcome") };
    assert_eq!(capabilities, [WRAP, BUNDLE, CHAIN]);
    server.stop().await;
}
