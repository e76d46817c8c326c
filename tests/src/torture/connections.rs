//! Connections: far too many, and slow ones.

use std::time::{Duration, Instant};

use sextant_protocol::{ClientMessage, ErrorCode, Request};

use super::{
    Form,
    outcome::{Millis, Outcome},
    peer::{End, Peer, frame},
    tortured::Tortured,
    verifying::bad_proof,
};

/// Connections that the server takes.
const CONNECTIONS: usize = 400;
/// What it gives a message to arrive.
const FRAME_TIMEOUT: Duration = Duration::from_secs(2);
/// MiB that buffers may keep.
const GROWTH: u64 = 50;

fn server() -> Tortured {
    let connections = CONNECTIONS.to_string();
    let timeout = FRAME_TIMEOUT.as_secs().to_string();
    Tortured::start(&[
        "--warm=false",
        "--max-connections",
        &connections,
        "--max-connections-per-address",
        &connections,
        "--frame-timeout",
        &timeout,
    ])
}

/// Connections that say nothing, many more than the server takes.
pub(super) async fn silence(form: Form) -> Outcome {
    let (tortured, count) = (server(), form.pick(600, 10_000));
    let address = tortured.address();
    let (mut kept, mut busy, mut closed) = (0, 0, 0);
    let mut held = Vec::new();
    for _ in 0..count {
        // A full backlog makes connecting slow, not impossible.
        let mut peer = Peer::mute(address).await.expect("connects");
        match tokio::time::timeout(Duration::from_millis(5), peer.next()).await {
            Err(_) => held.push(peer),
            Ok(Err(End::Refused(error))) => {
                assert_eq!(error.code, ErrorCode::Busy, "{error}");
                busy += 1;
            }
            Ok(Err(End::Closed)) => closed += 1,
            Ok(other) => panic!("{other:?} to a silent client"),
        }
    }
    // Those that were not answered at once may have been a little later.
    for mut peer in held {
        match tokio::time::timeout(Duration::from_millis(1), peer.next()).await {
            Err(_) => kept += 1,
            Ok(Err(End::Refused(_))) => busy += 1,
            Ok(Err(End::Closed)) => closed += 1,
            Ok(other) => panic!("{other:?} to a silent client"),
        }
    }
    let mut outcome = Outcome::default();
    outcome.row("silent connections", format!("{kept} held, {busy} told Busy, {closed} closed"));
    outcome.check(kept <= CONNECTIONS, format!("{kept} silent connections were held"));
    outcome.check(kept + busy + closed == count, "silent connections are not all accounted for");
    tortured.end("the server", GROWTH, &mut outcome).await;
    outcome
}

/// A good message that comes a byte at a time: nothing is wrong with it but its pace.
pub(super) async fn drips(form: Form) -> Outcome {
    let (tortured, count) = (server(), form.pick(10, 100));
    let message = frame(&ClientMessage::Request { id: 1, request: Request::verify(&bad_proof(0)) });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (mut peer, message) = (Peer::connect(tortured.address()).await, message.clone());
        tasks.spawn(async move {
            let start = Instant::now();
            for byte in message {
                match tokio::time::timeout(Duration::from_millis(50), peer.next()).await {
                    Err(_) if peer.write(&[byte]).await.is_ok() => {}
                    Err(_) | Ok(Err(_)) => return start.elapsed(),
                    Ok(Ok(message)) => panic!("{message:?} to half a message"),
                }
            }
            panic!("not cut");
        });
    }
    let mut cut: Vec<Duration> = Vec::new();
    while let Some(took) = tasks.join_next().await {
        cut.push(took.expect("a drip ends"));
    }
    let (first, last) = (cut.iter().min().expect("drips"), cut.iter().max().expect("drips"));
    let mut outcome = Outcome::default();
    let after = format!("{}, after {} to {}", cut.len(), Millis(*first), Millis(*last));
    outcome.row("slow drips cut", after);
    outcome.check(cut.len() == count, format!("{} of {count} drips were cut", cut.len()));
    outcome.check(*first > FRAME_TIMEOUT * 9 / 10, format!("a drip was cut after {first:?}"));
    outcome.check(*last < FRAME_TIMEOUT * 2, format!("a drip was cut after {last:?} only"));
    tortured.end("the server", GROWTH, &mut outcome).await;
    outcome
}
