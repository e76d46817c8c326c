//! Sub-servers and an entrypoint as processes of their own, with real proofs; and a verifier.

use std::time::{Duration, Instant};

use sextant_client::{Client, ClientError, Progress, ProofKind, StatementInput};
use sextant_protocol::ErrorCode;
use sextant_tests::server::{Server, has_large_pages};

fn statement(name: &str) -> StatementInput {
    let (_, program, bytes) = sextant_fixtures::statements()
        .into_iter()
        .find(|(known, ..)| *known == name)
        .expect("a recorded statement");
    StatementInput::new(program, bytes)
}

async fn until_proving(proving: &mut sextant_client::Proving) {
    while let Some(progress) = proving.next_progress().await {
        if matches!(progress, Progress::Proving { .. }) {
            return;
        }
    }
    panic!("it ended before it was proven");
}

/// Both statements at once on two sub-servers; then one of two upstreams dies in the middle, and the request completes
/// on the other. Needs memory for two provers: 11 GiB.
#[tokio::test(flavor = "multi_thread")]
async fn sub_servers_prove_side_by_side_and_stand_in_for_each_other() {
    let prover = |role| Server::start(&["--role", role, "--warm=false"]);
    let (first, second, inclusions) =
        (prover("committee-change"), prover("committee-change"), prover("inclusion"));
    let changes = format!("{},{}", first.address(), second.address());
    let entrypoint = Server::start(&[
        "--role",
        "entrypoint",
        "--committee-change-upstreams",
        &changes,
        "--inclusion-upstreams",
        inclusions.address(),
    ]);
    let client = Client::connect(entrypoint.address()).await.expect("connects");
    let limit = Instant::now() + Duration::from_secs(20);
    while client.info().await.expect("it answers").programs.iter().any(|program| program.queue_capacity == 0)
    {
        assert!(Instant::now() < limit, "the upstreams are not seen");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let change = statement("mainnet-deneb-one-handover");
    let inclusion = statement("mainnet-deneb-one-contract-one-slot");
    let mut change = client.prove(change, ProofKind::Stark, None).await.expect("accepted");
    let mut inclusion = client.prove(inclusion, ProofKind::Stark, None).await.expect("accepted");
    // Neither is finished when the other is being proven: they run side by side.
    tokio::join!(until_proving(&mut change), until_proving(&mut inclusion));

    // Who proves has large pages, who waits has not.
    let provers = [first.workers(), second.workers(), inclusions.workers()].concat();
    assert!(provers.iter().any(|worker| has_large_pages(*worker)), "{provers:?}");
    assert!(!has_large_pages(first.pid()));

    let (dies, lives) = if first.workers().is_empty() { (second, first) } else { (first, second) };
    assert!(lives.workers().is_empty(), "one of the two has the request");
    drop(dies);
    let (change, inclusion) = tokio::join!(change.finish(), inclusion.finish());
    // The client has verified both.
    change.expect("it was proven by the other");
    inclusion.expect("it was proven meanwhile");
    assert_eq!(lives.workers().len(), 1, "the other has proven");
}

/// Verifies what others made, proves nothing, and takes little while nobody asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_starts_at_once_and_is_small() {
    let start = Instant::now();
    let server = Server::start(&["--role", "verifier"]);
    let client = Client::connect(server.address()).await.expect("connects");
    client.ping().await.expect("it answers");
    let took = start.elapsed();
    let [all, own] = [server.memory(), server.anonymous_memory()].map(|bytes| bytes as f64 / 1e6);
    println!("first answer after {took:?}, {all:.1} MB, {own:.1} MB of them its own");
    // The test looks every 50 ms.
    assert!(took < Duration::from_millis(500), "{took:?}");
    // Read pages of the program's file are the rest: this build has the prover in it.
    assert!((1.0..13.0).contains(&own) && all < 40.0, "{all} MB, {own} MB its own");
    assert!(server.workers().is_empty(), "no worker while nobody asks");
    let proving =
        client.prove(statement("mainnet-deneb-one-handover"), ProofKind::Stark, None).await.expect("sent");
    match proving.finish().await {
        Err(ClientError::Server(error)) => assert_eq!(error.code, ErrorCode::Unsupported, "{error}"),
        other => panic!("{other:?}"),
    }
}
