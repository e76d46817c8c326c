//! The whole system: a real server proves both statements, a client that trusts nobody verifies them; requests are
//! cancelled, workers killed, and the server goes on.
//!
//! One test for all of it: proofs take both cores and do not fit into memory side by side.

use std::time::{Duration, Instant};

use sextant_client::{Client, ClientError, Progress, ProofKind, ProofRecord, StatementInput};
use sextant_consensus::Program;
use sextant_protocol::ErrorCode;
use sextant_tests::server::{Server, is_alive, send_signal};
use sextant_verifier::Verifier;

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

fn statement(name: &str) -> StatementInput {
    let (_, program, input) = sextant_fixtures::statements()
        .into_iter()
        .find(|(known, ..)| *known == name)
        .expect("recorded statement");
    StatementInput::new(program, input)
}

fn committee_change() -> StatementInput {
    statement("mainnet-deneb-one-handover")
}

fn inclusion() -> StatementInput {
    statement("mainnet-deneb-one-contract-one-slot")
}

/// Asks for a proof and follows it until a shard is being proven.
async fn until_proving(client: &Client) -> sextant_client::Proving {
    let mut proving = client.prove(committee_change(), ProofKind::Stark, None).await.expect("accepted");
    while let Some(progress) = proving.next_progress().await {
        if matches!(progress, Progress::Proving { .. }) {
            return proving;
        }
    }
    panic!("ended before proving: {:?}", proving.finish().await);
}

/// Waits for a condition.
async fn eventually(what: &str, limit: Duration, condition: impl Fn() -> bool) {
    let limit = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < limit, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_proves_both_statements_and_survives_cancels_and_kills() {
    let mut server = Server::start(&[]);
    let client = Client::connect(server.address()).await.expect("connects");

    // A killed worker is one failed request, with a reason and a hint to try again.
    let proving = until_proving(&client).await;
    let workers = server.workers();
    assert_eq!(workers.len(), 1, "one worker proves");
    send_signal(workers[0], SIGKILL);
    match proving.finish().await {
        Err(ClientError::Server(error)) => {
            assert_eq!(error.code, ErrorCode::ProverFailed, "{error}");
            assert!(error.message.contains("signal"), "{error}");
            assert_ne!(error.retry_after_ms, 0);
        }
        other => panic!("expected a failed prover, got {other:?}"),
    }
    client.ping().await.expect("the server lives");

    // A cancelled request ends its proof: the worker's work stops within a second or two.
    let proving = until_proving(&client).await;
    let worker = server.workers()[0];
    drop(proving);
    eventually("the worker of a cancelled request goes on", Duration::from_secs(3), || !is_alive(worker))
        .await;

    // Both statements at once over one connection. The second waits, and says so; pings never wait.
    let started = Instant::now();
    let mut first = client.prove(committee_change(), ProofKind::Stark, None).await.expect("accepted");
    let mut second = client.prove(inclusion(), ProofKind::Stark, None).await.expect("accepted");
    let (mut seen, mut queued) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            Some(progress) = first.next_progress() => seen.push(progress),
            Some(progress) = second.next_progress() => {
                queued.push(progress);
                let asked = Instant::now();
                client.ping().await.expect("pong");
                assert!(asked.elapsed() < Duration::from_secs(2), "a ping waited for proving");
            }
            else => break,
        }
    }
    let first = first.finish().await.expect("a committee change");
    let second = second.finish().await.expect("an inclusion");
    println!("both STARKs in {:?}, workers started included", started.elapsed());
    for (name, proof) in [("committee change", &first), ("inclusion", &second)] {
        println!("{name}: {:?}, {} bytes", proof.cost, proof.record.proof.len());
    }
    assert!(seen.iter().any(|progress| matches!(progress, Progress::Executing { .. })), "{seen:?}");
    assert!(seen.iter().any(|progress| matches!(progress, Progress::Proving { total: 1.., .. })), "{seen:?}");
    assert!(queued.iter().any(|progress| matches!(progress, Progress::Queued { .. })), "{queued:?}");
    assert!(first.cost.cycles > 0 && first.cost.peak_memory > 0);

    // A proof is a file, and a verifier needs nothing else.
    let verifier = Verifier::new();
    for proof in [&first, &second] {
        let read = ProofRecord::from_file_bytes(&proof.record.to_file_bytes()).expect("a proof file");
        assert_eq!(verifier.verify(&read).expect("verifies"), proof.statement);
    }
    refuse_tampered(&verifier, &first.record, &second.record);
    client.verify_remote(first.record.clone()).await.expect("the server agrees");

    // The same statement as a compressed proof: another worker, one recursive proof, smaller.
    let asked = Instant::now();
    let proving = client.prove(committee_change(), ProofKind::Compressed, None).await.expect("accepted");
    let compressed = proving.finish().await.expect("a compressed proof");
    println!("compressed in {:?}: {:?}", asked.elapsed(), compressed.cost);
    assert_eq!(verifier.verify(&compressed.record).expect("verifies"), first.statement);
    assert!(compressed.record.proof.len() < first.record.proof.len());
    refuse_changed_bytes(&verifier, &compressed.record);
    // A server with circuits would wrap it; this one says that it has none.
    if !client.info().await.expect("information").kinds.contains(&ProofKind::Groth16) {
        let proving = client.wrap(compressed.record.clone(), None).await.expect("sent");
        match proving.finish().await {
            Err(ClientError::Server(error)) => assert_eq!(error.code, ErrorCode::Unsupported, "{error}"),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
    let error = client.wrap(first.record.clone(), None).await.expect_err("a STARK");
    assert!(matches!(error, ClientError::Wrap(_)), "{error:?}");
    let mut claimed = compressed.record.clone();
    claimed.public_values = second.record.public_values.clone();
    assert!(verifier.verify(&claimed).is_err(), "public values of another statement");

    // SIGTERM ends the server and its workers, with exit code 0.
    let workers = server.workers();
    server.signal(SIGTERM);
    assert_eq!(server.wait(Duration::from_secs(20)), Some(0));
    // Killed by then; the system may still be at taking back gigabytes of one.
    let ended = Instant::now();
    for worker in workers {
        while is_alive(worker) {
            assert!(ended.elapsed() < Duration::from_secs(5), "worker {worker} outlived its server");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Rules 15 to 17: nothing passes that is not this program's own proof of these very public values.
fn refuse_tampered(verifier: &Verifier, change: &ProofRecord, inclusion: &ProofRecord) {
    type Edit<'a> = &'a dyn Fn(&mut ProofRecord);
    let edits: [(&str, Edit<'_>); 9] = [
        ("the other program's proof", &|record| record.proof = inclusion.proof.clone()),
        ("the other program's proof and values", &|record| {
            (record.proof, record.public_values) = (inclusion.proof.clone(), inclusion.public_values.clone());
        }),
        ("the other program's tag", &|record| record.program = Program::Inclusion.tag()),
        ("an unknown program", &|record| record.program = 77),
        ("another verifying key", &|record| record.vk_hash[0] ^= 1),
        ("another circuit version", &|record| record.circuit_version = "v6.0.0".into()),
        ("another kind", &|record| record.kind = ProofKind::Compressed),
        ("an edited public value", &|record| *record.public_values.last_mut().expect("values") ^= 1),
        ("public values cut short", &|record| record.public_values.truncate(32)),
    ];
    for (name, edit) in edits {
        let mut record = change.clone();
        edit(&mut record);
        let error = verifier.verify(&record).expect_err(name);
        println!("{name}: {error}");
    }
    refuse_changed_bytes(verifier, change);
}

/// Bytes all over the proof: each is either part of what the cryptography covers, or refused by the decoder.
fn refuse_changed_bytes(verifier: &Verifier, record: &ProofRecord) {
    let length = record.proof.len();
    for at in (0..24).map(|i| i * (length / 24) + i) {
        let mut record = record.clone();
        record.proof[at] ^= 1;
        assert!(verifier.verify(&record).is_err(), "byte {at} of the {} proof", record.kind);
    }
}
