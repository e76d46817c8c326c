//! A chain of committees is extended by proofs that somebody has: what does not follow is refused before any prover. Workers
//! are scripts; real chains are recorded, see `verifier/tests/chain.rs`.
#![cfg(feature = "snark")]

mod common;

use common::{Client, PATIENCE, Server, circuits, good_request, record, until, worker::Script};
use proof_server::Role;
use sextant_artifacts::{CHAIN, INCLUSION};
use sextant_consensus::{
    Program,
    bls::Plain,
    committee_chain::{self, Input},
    committee_change,
    public_values::CommitteeChain,
};
use sextant_protocol::{
    BundleRequest, ErrorCode, ProofKind, ProofRecord, Request, Response, proof::ProofView,
};

/// Compressed proofs of mainnet's handovers in a row, as scripts believe them.
fn changes(count: usize) -> Vec<ProofRecord> {
    let inputs = sextant_fixtures::catch_up::one_by_one(count);
    let values = inputs.iter().map(|input| committee_change::check(input, &mut Plain).unwrap().abi_encode());
    values
        .map(|public_values| ProofRecord { kind: ProofKind::Compressed, public_values, ..record() })
        .collect()
}

fn statement(proofs: &[ProofRecord]) -> CommitteeChain {
    let said = proofs.iter().map(|proof| (proof.program().unwrap(), proof.public_values.clone()));
    committee_chain::check(&Input::of(CHAIN.vk_hash, said).unwrap()).unwrap()
}

/// The compressed proof of the chain that `changes` make.
fn chain(changes: &[ProofRecord]) -> ProofRecord {
    ProofRecord {
        program: Program::Chain.tag(),
        vk_hash: CHAIN.vk_hash,
        public_values: statement(changes).abi_encode(),
        ..changes[0].clone()
    }
}

fn ask(proofs: &[ProofRecord], kind: ProofKind) -> Request {
    Request::Bundle(BundleRequest::new(Program::Chain, proofs, kind))
}

async fn server(proofs: &[ProofRecord], job: &str, role: Role) -> (Server, tempfile::TempDir) {
    let (folder, circuits) = circuits();
    let script = Script::for_stages(&ask(proofs, ProofKind::Groth16), job);
    let server = Server::start_with(Some(script), |config| (config.circuits, config.role) = (circuits, role));
    (server.await, folder)
}

fn stages(server: &Server) -> Vec<String> {
    server.script.as_ref().unwrap().stages()
}

#[tokio::test]
async fn a_chain_is_begun_and_extended() {
    let changes = changes(3);
    let extended = [chain(&changes[..2]), changes[2].clone()];
    for (proofs, role, kind, wanted) in [
        (&changes[..1], Role::All, ProofKind::Compressed, &["compressed"][..]),
        (&extended[..], Role::Bundle, ProofKind::Compressed, &["compressed"]),
        (&extended[..], Role::All, ProofKind::Groth16, &["compressed", "wrap", "groth16"]),
    ] {
        let (server, _circuits) = server(proofs, ":", role).await;
        let mut client = Client::connect(&server).await;
        client.request(1, ask(proofs, kind)).await;
        let (1, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
        let proof = ProofView::of(&answer.record).unwrap();
        assert_eq!((proof.program(), proof.kind), (Some(Program::Chain), kind));
        assert_eq!(CommitteeChain::abi_decode(proof.public_values), Ok(statement(proofs)));
        assert_eq!(stages(&server), wanted);
        server.stop().await;
    }
}

#[tokio::test]
async fn what_does_not_follow_is_refused_by_name() {
    let changes = changes(4);
    let so_far = chain(&changes[..2]);
    let (server, _circuits) =
        server(&changes[..1], "[ $3 = verify ] && cat $D/refused && continue", Role::All).await;
    let inclusion = ProofRecord { program: 2, vk_hash: INCLUSION.vk_hash, ..changes[2].clone() };
    let stark = ProofRecord { kind: ProofKind::Stark, ..changes[2].clone() };
    let mut other_anchor = statement(&changes[..2]);
    other_anchor.newest.committee_root[0] ^= 1;
    let other_anchor = ProofRecord { public_values: other_anchor.abi_encode(), ..so_far.clone() };
    let mut foreign = statement(&changes[..2]);
    foreign.program_key[31] ^= 1;
    let foreign = ProofRecord { public_values: foreign.abi_encode(), ..so_far.clone() };
    let next = &changes[2];
    let unknown =
        BundleRequest { program: 9, ..BundleRequest::new(Program::Chain, &changes, ProofKind::Groth16) };
    let of_chains = BundleRequest { program: 1, ..unknown.clone() };
    let other_build = BundleRequest {
        vk_hash: Some([7; 32]),
        ..BundleRequest::new(Program::Chain, &changes, ProofKind::Groth16)
    };
    let compressed = |proofs: &[&ProofRecord]| {
        let proofs: Vec<_> = proofs.iter().map(|proof| (*proof).clone()).collect();
        ask(&proofs, ProofKind::Compressed)
    };
    use ErrorCode::{InvalidProof, InvalidStatement, Unsupported};
    let mut client = Client::connect(&server).await;
    for (id, (request, code, words)) in (1..).zip([
        (compressed(&[&so_far, &changes[3]]), InvalidStatement, "it begins in period 1350"),
        (compressed(&[&so_far, &changes[1]]), InvalidStatement, "it begins in period 1348"),
        (compressed(&[&other_anchor, next]), InvalidStatement, "another committee than the newest"),
        (compressed(&[next, &so_far]), InvalidStatement, "statement 1 is of chain"),
        (compressed(&[&so_far]), InvalidStatement, "no committee change"),
        (compressed(&[]), InvalidStatement, "no committee change"),
        (compressed(&[&so_far, &inclusion]), InvalidProof, "proof 1: public values"),
        (compressed(&[&foreign, next]), InvalidStatement, "by another program"),
        (compressed(&[&so_far, &stark]), Unsupported, "proof 1: a stark proof"),
        (ask(&changes, ProofKind::Stark), Unsupported, "stark proofs are not made"),
        (Request::Bundle(other_build), Unsupported, "chain is 0x"),
        (Request::Bundle(unknown), Unsupported, "tag 9"),
        (Request::Bundle(of_chains), Unsupported, "tag 1"),
        // What gets this far is refused by the verification worker.
        (compressed(&[&so_far, next]), InvalidProof, "proof 0: not a valid proof"),
    ]) {
        client.request(id, request).await;
        let error = client.error(id).await;
        assert!(error.code == code && error.message.contains(words), "{id}: {error}");
        assert_eq!(error.retry_after_ms, 0, "{id}: asking again changes nothing");
    }
    assert_eq!(stages(&server), Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn an_entrypoint_passes_chains_on_to_those_who_bundle() {
    let changes = changes(3);
    let proofs = [chain(&changes[..2]), changes[2].clone()];
    let (upstream, _circuits) = server(&proofs, ":", Role::Bundle).await;
    let script = Script::for_stages(&good_request(), ":");
    let entry = Server::start_with(Some(script), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.bundle = vec![upstream.address.to_string()];
    })
    .await;
    until("it has looked at its upstream", PATIENCE, async || {
        !entry.http("/readyz").await.1.starts_with("warming")
    })
    .await;
    let mut client = Client::connect(&entry).await;
    client.request(1, ask(&proofs, ProofKind::Compressed)).await;
    let (1, Ok(Response::Proof(answer))) = client.answer().await else { panic!("a proof") };
    assert_eq!(ProofView::of(&answer.record).unwrap().program(), Some(Program::Chain));
    assert_eq!(stages(&upstream), ["compressed"]);
    for server in [entry, upstream] {
        server.stop().await;
    }
}
