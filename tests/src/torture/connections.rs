//! Connections: far too many, and slow ones.

use std::time::{Duration, Instant};

use sextant_protocol::{ClientMessage, ErrorCode, Request};

use super::{
    Report,
    peer::{End, Peer, frame},
    verifying::bad_proof,
};

/// Connections that say nothing, many more than the server takes.
pub(super) async fn idle(address: &str, count: usize, report: &mut Report) {
    let mut held = Vec::new();
    for _ in 0..count {
        // A full backlog makes connecting slow, not impossible.
        let mut peer = Peer::mute(address).await.expect("connects");
        match tokio::time::timeout(Duration::from_millis(5), peer.next()).await {
            Err(_) => held.push(peer),
            Ok(Err(End::Refused(error))) => {
                assert_eq!(error.code, ErrorCode::Busy, "{error}");
                report.idle.1 += 1;
            }
            Ok(Err(End::Closed)) => report.idle.2 += 1,
            Ok(Ok(message)) => panic!("{message:?} to a silent client"),
        }
    }
    // Those that were not answered at once may have been a little later.
    for mut peer in held {
        match tokio::time::timeout(Duration::from_millis(1), peer.next()).await {
            Err(_) => report.idle.0 += 1,
            Ok(Err(End::Refused(_))) => report.idle.1 += 1,
            Ok(Err(End::Closed)) => report.idle.2 += 1,
            Ok(Ok(message)) => panic!("{message:?} to a silent client"),
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// A good message that comes a byte at a time: nothing is wrong with it but its pace.
pub(super) async fn drips(address: &str, count: usize, report: &mut Report) {
    let message = frame(&ClientMessage::Request { id: 1, request: Request::verify(&bad_proof(0)) });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (mut peer, message) = (Peer::connect(address).await, message.clone());
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
    while let Some(took) = tasks.join_next().await {
        let took = took.expect("a drip ends");
        let (count, first, last) = &mut report.drips;
        *first = if *count == 0 { took } else { took.min(*first) };
        *last = took.max(*last);
        *count += 1;
    }
}
