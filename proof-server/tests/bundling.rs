//! Compressed proofs that somebody has become one: each is verified first and named by its number where it is none. Workers
//! are scripts; a real bundle is recorded, see `verifier/tests/bundle.rs`.
#![cfg(feature = "snark")]

mod common;

use common::{Client, Server, circuits, good_request, record, worker::Script};
use proof_server::{Networks, Role};
use sextant_consensus::{
    Program,
    bundle::{self, Input},
    codec::Blob,
    public_values::Bundle,
};
use sextant_protocol::{
    BundleRequest, ClientMessage, ErrorCode, ProofKind, ProofRecord, ProveRequest, Request, Response,
    StatementInput, proof::ProofView,
};

/// A compressed proof of [`good_request`]'s statement, as scripts believe it.
fn compressed() -> ProofRecord {
    ProofRecord { kind: ProofKind::Compressed, ..record() }
}

fn bundled(proofs: &[ProofRecord]) -> Bundle {
    let statements = proofs.iter().map(|proof| Blob(proof.public_values.clone())).collect();
    bundle::check(&Input { statements }).unwrap()
}

fn ask(proofs: &[ProofRecord], kind: ProofKind) -> Request {
    Request::Bundle(BundleRequest::new(Program::Bundle, proofs, kind))
}

/// A server that makes every kind of proof, with workers that make the bundle of `proofs` and do `job` in each stage.
async fn server(proofs: &[ProofRecord], job: &str, role: Role) -> (Server, tempfile::TempDir) {
    let (folder, circuits) = circuits();
    let script = Script::for_stages(&ask(proofs, ProofKind::Groth16), job);
    let server = Server::start_with(Some(script), |config| {
        config.circuits = circuits;
        config.role = role;
        config.networks = Networks::named(&["mainnet".into()]).unwrap();
    });
    (server.await, folder)
}

fn script(server: &Server) -> &Script {
    server.script.as_ref().unwrap()
}

#[tokio::test]
async fn each_proof_is_verified_and_then_one_is_made_of_all() {
    let proofs = [compressed(), compressed(), compressed()];
    for (role, kind, stages) in [
        (Role::All, ProofKind::Compressed, &["compressed"][..]),
        (Role::Bundle, ProofKind::Groth16, &["compressed", "wrap", "groth16"]),
    ] {
        let (server, _circuits) = server(&proofs, ":", role).await;
        let mut client = Client::connect(&server).await;
        client.request(1, ask(&proofs, kind)).await;
        let (1, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
        let proof = ProofView::of(&answer.record).unwrap();
        assert_eq!((proof.program(), proof.kind), (Some(Program::Bundle), kind));
        assert_eq!(Bundle::abi_decode(proof.public_values), Ok(bundled(&proofs)));
        assert_eq!(script(&server).lines("stages").len(), proofs.len() + stages.len());
        assert_eq!(script(&server).stages(), stages);
        // From now on it is there; in another order it is another one.
        client.request(2, ask(&proofs, kind)).await;
        let (2, Ok(Response::Proof(again))) = client.answer().await else { panic!("a proof") };
        assert_eq!(again.record, answer.record);
        assert_eq!(script(&server).stages(), stages, "nothing was done again");
        server.stop().await;
    }
}

/// What the worker is given: the statements as the guest's input, and the proofs as they came.
#[tokio::test]
async fn the_worker_gets_the_statements_and_their_proofs() {
    let proofs = [compressed(), compressed()];
    let (server, _circuits) = server(&proofs, "cp $D/request $D/request-$S", Role::All).await;
    let mut client = Client::connect(&server).await;
    client.request(1, ask(&proofs, ProofKind::Compressed)).await;
    let (1, Ok(Response::Proof(_))) = client.answer().await else { panic!("a proof") };
    let request = std::fs::read(script(&server).path().with_file_name("request-compressed")).unwrap();
    let contains = |wanted: &[u8]| request.windows(wanted.len()).any(|window| window == wanted);
    assert!(contains(&BundleRequest::new(Program::Bundle, &proofs, ProofKind::Compressed).records));
    server.stop().await;
}

/// Whatever keeps proofs from being bundled is said by a code, a word, and the number of the proof; no prover sees it.
#[tokio::test]
async fn what_cannot_be_bundled_is_refused_by_name() {
    // Everything that gets as far as the verification worker is refused by it.
    let fine = [compressed()];
    let (server, _circuits) = server(&fine, "[ $3 = verify ] && cat $D/refused && continue", Role::All).await;
    let with = |adjust: &dyn Fn(&mut ProofRecord)| {
        let mut proof = compressed();
        adjust(&mut proof);
        ask(&[compressed(), proof], ProofKind::Groth16)
    };
    let records = |records: Vec<u8>| {
        Request::Bundle(BundleRequest {
            records,
            ..BundleRequest::new(Program::Bundle, &[], ProofKind::Groth16)
        })
    };
    let torn = BundleRequest::new(Program::Bundle, &fine, ProofKind::Groth16).records.split_off(1);
    let other_key = BundleRequest {
        vk_hash: Some([7; 32]),
        ..BundleRequest::new(Program::Bundle, &fine, ProofKind::Groth16)
    };
    // The chain digest is the fourth word of the public values, the program the third.
    let other_chain = |proof: &mut ProofRecord| proof.public_values[3 * 32..4 * 32].fill(9);
    let mut not_here = compressed();
    other_chain(&mut not_here);
    let input = StatementInput::new(Program::Bundle, vec![0; 4]);
    let mut client = Client::connect(&server).await;
    for (id, (request, code, words)) in (1..).zip([
        (ask(&[], ProofKind::Groth16), ErrorCode::InvalidStatement, "no statement"),
        (ask(&fine, ProofKind::Stark), ErrorCode::Unsupported, "stark"),
        (ask(&fine, ProofKind::Plonk), ErrorCode::Unsupported, "plonk"),
        (with(&|proof| proof.kind = ProofKind::Stark), ErrorCode::Unsupported, "proof 1: a stark proof"),
        (with(&|proof| proof.kind = ProofKind::Groth16), ErrorCode::Unsupported, "proof 1: a groth16 proof"),
        (with(&|proof| proof.program = 99), ErrorCode::InvalidProof, "proof 1: unknown program"),
        (with(&|proof| proof.vk_hash[0] ^= 1), ErrorCode::InvalidProof, "proof 1: the verifying key"),
        (with(&|proof| proof.public_values.truncate(9)), ErrorCode::InvalidProof, "proof 1: public values"),
        (with(&other_chain), ErrorCode::InvalidStatement, "statement 1: it is about another chain"),
        (ask(&[not_here], ProofKind::Groth16), ErrorCode::Unsupported, "about mainnet"),
        (ask(&fine, ProofKind::Groth16), ErrorCode::InvalidProof, "proof 0: not a valid proof"),
        (records(torn), ErrorCode::Malformed, "list of proof records"),
        (records(vec![1, 0, 0, 0, 7]), ErrorCode::Malformed, "proof 0: malformed proof record"),
        (Request::Bundle(other_key), ErrorCode::Unsupported, "bundle is 0x"),
        (
            Request::Prove(ProveRequest::new(input, ProofKind::Groth16)),
            ErrorCode::Unsupported,
            "with the proofs of its statements",
        ),
    ]) {
        client.request(id, request).await;
        let error = client.error(id).await;
        assert!(error.code == code && error.message.contains(words), "{id}: {error}");
        assert_eq!(error.retry_after_ms, 0, "{id}: asking again changes nothing");
    }
    assert_eq!(script(&server).stages(), Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn an_entrypoint_verifies_and_passes_on() {
    let proofs = [compressed(), compressed()];
    let (upstream, _circuits) = server(&proofs, ":", Role::Bundle).await;
    let script = Script::for_stages(&good_request(), ":");
    let entry = Server::start_with(Some(script), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.bundle = vec![upstream.address.to_string()];
    })
    .await;
    common::until("it has looked at its upstream", common::PATIENCE, async || {
        !entry.http("/readyz").await.1.starts_with("warming")
    })
    .await;
    let mut client = Client::connect(&entry).await;
    client.request(1, ask(&proofs, ProofKind::Groth16)).await;
    let (1, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
    assert_eq!(ProofView::of(&answer.record).unwrap().program(), Some(Program::Bundle));
    assert_eq!(self::script(&upstream).stages(), ["compressed", "wrap", "groth16"]);
    assert_eq!(self::script(&entry).lines("stages").len(), 3, "what was brought, and what was made");
    for server in [entry, upstream] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_bundle_is_taken_on_and_fetched_like_a_proof() {
    let proofs = [compressed()];
    let (server, _circuits) = server(&proofs, ":", Role::All).await;
    let mut client = Client::connect(&server).await;
    client
        .request(
            1,
            Request::SubmitBundle(BundleRequest::new(Program::Bundle, &proofs, ProofKind::Compressed)),
        )
        .await;
    let (1, Ok(Response::Submitted { job, .. })) = client.answer().await else { panic!("a job") };
    client.request(2, Request::Fetch { job, offset: 0, deadline_ms: 0 }).await;
    let (2, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
    assert_eq!(answer.job, job);
    // What comes in parts is put together, up to what a record may have.
    let large = BundleRequest {
        more: 1 << 40,
        ..BundleRequest::new(Program::Bundle, &proofs, ProofKind::Compressed)
    };
    client.send(&ClientMessage::Request { id: 3, request: Request::Bundle(large) }).await;
    let error = client.error(3).await;
    assert!(error.code == ErrorCode::TooLarge && error.message.contains("list of proof records"), "{error}");
    server.stop().await;
}
