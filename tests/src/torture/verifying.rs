//! The verification lane: floods of bad proofs, killed workers.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sextant_artifacts::{CIRCUIT_VERSION, COMMITTEE_CHANGE};
use sextant_consensus::{Program, bls::Plain, check_statement, codec};
use sextant_protocol::{ErrorCode, ProofKind, ProofRecord, Request, proof::Circuits};
use tokio::task::JoinSet;

use super::{
    Form,
    company::beside,
    outcome::{Outcome, Times},
    peer::Peer,
    tortured::Tortured,
};
use crate::server::send_signal;

/// A proof of the right shape with rubbish inside, which gets as far as the worker.
pub(super) fn bad_proof(rubbish: u8) -> ProofRecord {
    static VALUES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        let statement = check_statement(Program::CommitteeChange, &input, &mut Plain);
        statement.expect("a true statement").abi_encode()
    });
    ProofRecord {
        program: Program::CommitteeChange.tag(),
        kind: ProofKind::Stark,
        circuits: Circuits::Release,
        circuit_version: CIRCUIT_VERSION.into(),
        vk_hash: COMMITTEE_CHANGE.vk_hash,
        public_values: VALUES.clone(),
        proof: vec![rubbish; 20_000],
    }
}

/// A server whose verification worker has started.
async fn server() -> Tortured {
    let mut tortured = Tortured::start(&["--warm=false", "--client-requests", "100000"]);
    let mut peer = Peer::connect(tortured.address()).await;
    peer.ask(1, Request::verify(&bad_proof(0))).await;
    assert!(matches!(peer.answer().await, Ok(Err(error)) if error.code == ErrorCode::InvalidProof));
    tortured.is_warm();
    tortured
}

/// Proofs of the right shape with rubbish inside, as many as the server takes, and pings meanwhile.
pub(super) async fn bad_proofs(form: Form) -> Outcome {
    const FLOODERS: u8 = 4;
    let tortured = server().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for flooder in 0..FLOODERS {
        flood.spawn(flooded(tortured.address().to_owned(), bad_proof(flooder), done.clone()));
    }
    let mut peer = Peer::connect(tortured.address()).await;
    let mut pings = Times::default();
    beside(&mut flood, async {
        for _ in 0..form.pick(300, 5_000) {
            pings.add(peer.ping().await);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    done.store(true, Ordering::Relaxed);
    let mut refused = 0;
    while let Some(of_one) = flood.join_next().await {
        refused += of_one.expect("a flooder ends");
    }
    let mut outcome = Outcome::default();
    outcome.row("bad proofs refused", refused);
    outcome.check(refused > 0, "no bad proof was refused");
    outcome.times("pings meanwhile", &pings);
    let most = pings.percentile(99);
    outcome.check(most < Duration::from_millis(50), format!("p99 of pings is {most:?}"));
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// Brings the same bad proof until it is done, and counts how often it was refused.
async fn flooded(address: String, proof: ProofRecord, done: Arc<AtomicBool>) -> usize {
    let mut peer = Peer::connect(&address).await;
    let mut refused = 0;
    while !done.load(Ordering::Relaxed) {
        for id in 0..8 {
            peer.ask(id, Request::verify(&proof)).await;
        }
        for _ in 0..8 {
            match peer.answer().await {
                Ok(Err(error)) if error.code == ErrorCode::InvalidProof => refused += 1,
                Ok(Err(error)) if error.code == ErrorCode::Busy => {}
                Ok(other) => panic!("{other:?}"),
                Err(_) => panic!("the connection ended"),
            }
        }
    }
    refused
}

/// The verification worker is killed while somebody waits for it.
pub(super) async fn kills(form: Form) -> Outcome {
    let (tortured, count) = (server().await, form.pick(3, 20));
    let mut peer = Peer::connect(tortured.address()).await;
    let mut answered = 0;
    for round in 0..count {
        for id in 0..8 {
            peer.ask(id, Request::verify(&bad_proof(round))).await;
        }
        for worker in tortured.server.workers() {
            send_signal(worker, 9);
        }
        let mut typed = true;
        for _ in 0..8 {
            let answer = peer.answer().await;
            typed &= matches!(&answer, Ok(Err(error)) if matches!(error.code,
                ErrorCode::InvalidProof | ErrorCode::ProverFailed) );
        }
        // And the next one gets its answer; the one after it where the kill came between two proofs and not into one.
        peer.ask(9, Request::verify(&bad_proof(0))).await;
        let mut next = peer.answer().await;
        if matches!(&next, Ok(Err(error)) if error.code == ErrorCode::ProverFailed) {
            peer.ask(10, Request::verify(&bad_proof(0))).await;
            next = peer.answer().await;
        }
        typed &= matches!(next, Ok(Err(error)) if error.code == ErrorCode::InvalidProof);
        answered += u8::from(typed);
    }
    let mut outcome = Outcome::default();
    outcome.row("verifier killed, typed answers", format!("{count}, {answered}"));
    outcome.check(answered == count, format!("after {answered} of {count} kills all answers were typed"));
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}
