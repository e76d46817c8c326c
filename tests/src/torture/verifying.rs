//! The verification lane: floods of bad proofs, killed workers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sextant_artifacts::{CIRCUIT_VERSION, COMMITTEE_CHANGE};
use sextant_consensus::{bls::Plain, check_statement};
use sextant_protocol::{ErrorCode, ProofKind, ProofRecord, Request, Response, proof::Circuits};
use tokio::task::JoinSet;

use super::{Report, peer::Peer, percentile};
use crate::server::{Server, send_signal};

/// A proof of the right shape with rubbish inside, which gets as far as the worker.
pub(super) fn bad_proof(rubbish: u8) -> ProofRecord {
    let (_, program, input) = sextant_fixtures::statements().swap_remove(0);
    let statement = check_statement(program, &input, &mut Plain).expect("a true statement");
    ProofRecord {
        program: program.tag(),
        kind: ProofKind::Stark,
        circuits: Circuits::Release,
        circuit_version: CIRCUIT_VERSION.into(),
        vk_hash: COMMITTEE_CHANGE.vk_hash,
        public_values: statement.abi_encode(),
        proof: vec![rubbish; 20_000],
    }
}

/// Starts the verification worker.
pub(super) async fn warm_up(address: &str) {
    let mut peer = Peer::connect(address).await;
    peer.ask(1, Request::verify(&bad_proof(0))).await;
    assert!(matches!(peer.answer().await, Ok(Err(error)) if error.code == ErrorCode::InvalidProof));
}

/// Proofs of the right shape with rubbish inside, as many as the server takes, and pings meanwhile.
pub(super) async fn bad_proofs(address: &str, pings: usize, report: &mut Report) {
    const FLOODERS: usize = 4;
    let done = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for flooder in 0..FLOODERS {
        let (address, done) = (address.to_owned(), done.clone());
        flood.spawn(async move {
            let mut peer = Peer::connect(&address).await;
            let proof = bad_proof(flooder as u8);
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
        });
    }
    let mut peer = Peer::connect(address).await;
    let mut times = Vec::with_capacity(pings);
    for id in 0..pings as u64 {
        let start = Instant::now();
        peer.ask(id, Request::Ping).await;
        assert!(matches!(peer.answer().await, Ok(Ok(Response::Pong))), "a pong was due");
        times.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    done.store(true, Ordering::Relaxed);
    while let Some(refused) = flood.join_next().await {
        report.bad_proofs += refused.expect("a flooder ends");
    }
    report.pings = (percentile(&mut times, 50), percentile(&mut times, 99));
}

/// The verification worker is killed while somebody waits for it.
pub(super) async fn kills(server: &Server, count: usize, report: &mut Report) {
    let mut peer = Peer::connect(server.address()).await;
    for round in 0..count {
        for id in 0..8 {
            peer.ask(id, Request::verify(&bad_proof(round as u8))).await;
        }
        for worker in server.workers() {
            send_signal(worker, 9);
        }
        report.kills.0 += 1;
        let mut typed = true;
        for _ in 0..8 {
            let answer = peer.answer().await;
            typed &= matches!(&answer, Ok(Err(error)) if matches!(error.code,
                ErrorCode::InvalidProof | ErrorCode::ProverFailed) );
        }
        // And the next one gets its answer.
        peer.ask(9, Request::verify(&bad_proof(0))).await;
        typed &= matches!(peer.answer().await, Ok(Err(error)) if error.code == ErrorCode::InvalidProof);
        report.kills.1 += usize::from(typed);
    }
}
