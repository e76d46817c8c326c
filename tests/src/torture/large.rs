//! Many large proofs at once: the server takes the memory that is meant for them, and nobody else waits for it.

use std::time::Duration;

use sextant_protocol::{ClientMessage, ErrorCode, ProofRecord, Request, encoding, parts::PART, wire::Bytes};
use tokio::task::JoinSet;

use super::{
    Form,
    outcome::{Mib, Outcome, Times},
    peer::{Peer, frame},
    tortured::Tortured,
    verifying::bad_proof,
};

/// Clients that bring one each.
const CLIENTS: usize = 16;
/// MiB for everything besides: a frame and a part of each connection, one record on its way to the worker.
const BESIDES: u64 = 128;

pub(super) async fn proofs(form: Form) -> Outcome {
    let (size, buffers) = form.pick((8, 64), (31, 512));
    let mut tortured = Tortured::start(&[
        "--warm=false",
        "--max-connections-per-address",
        "100",
        "--buffer-mib",
        &buffers.to_string(),
    ]);
    let record = ProofRecord { proof: vec![7; size << 20], ..bad_proof(0) };
    let record = Bytes::from(encoding::encode(&record));
    let mut pinger = Peer::connect(tortured.address()).await;
    tortured.is_warm();
    let before = tortured.server.memory();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(brought(tortured.address().to_owned(), record.clone()));
    }
    let (mut pings, mut most, mut refused, mut busy) = (Times::default(), 0, 0, 0);
    let mut others = Vec::new();
    while !clients.is_empty() {
        pings.add(pinger.ping().await);
        most = most.max(tortured.server.memory());
        while let Some(code) = clients.try_join_next() {
            match code.expect("a client ends") {
                ErrorCode::InvalidProof => refused += 1,
                ErrorCode::Busy => busy += 1,
                other => others.push(other),
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let grown = most.saturating_sub(before) >> 20;
    let mut outcome = Outcome::default();
    outcome.row("proofs of so many bytes", format!("{CLIENTS}, {} each", Mib(record.len() as u64)));
    outcome.row("looked at and refused, told Busy", format!("{refused}, {busy}"));
    outcome.row("memory for them, as set and as taken", format!("{buffers} MiB, {grown} MiB"));
    outcome.times("pings meanwhile", &pings);
    outcome.check(refused > 0 && others.is_empty(), format!("{refused} refused, other answers: {others:?}"));
    outcome.check(grown < buffers + BESIDES, format!("{grown} MiB for {buffers} that are set"));
    let worst = pings.worst();
    outcome.check(worst < Duration::from_secs(1), format!("a ping took {worst:?}"));
    // What the allocator keeps of it.
    tortured.end("the server", buffers + BESIDES, &mut outcome).await;
    outcome
}

/// Brings `record` to be verified, and says what was said about it.
async fn brought(address: String, record: Bytes) -> ErrorCode {
    let mut peer = Peer::connect(&address).await;
    let (first, more) = (record[..PART].to_vec(), (record.len() - PART) as u64);
    let request = Request::Verify { record: first, more };
    peer.write(&frame(&ClientMessage::Request { id: 1, request })).await.expect("the server reads");
    for offset in (PART..record.len()).step_by(PART) {
        let bytes = record.slice(offset..record.len().min(offset + PART));
        let part = ClientMessage::Part { id: 1, offset: offset as u64, bytes };
        peer.write(&frame(&part)).await.expect("the server reads");
    }
    match peer.answer().await {
        Ok(Err(error)) => error.code,
        other => panic!("{other:?}"),
    }
}
