//! Connections: far too many, and slow ones.

use std::time::{Duration, Instant};

use sextant_protocol::ErrorCode;

use super::{
    Report,
    peer::{End, Peer},
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

/// A message that comes a byte at a time, and never wholly.
pub(super) async fn drips(address: &str, count: usize, report: &mut Report) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let mut peer = Peer::connect(address).await;
        tasks.spawn(async move {
            let start = Instant::now();
            peer.write(&1000_u32.to_be_bytes()).await.expect("the server reads");
            loop {
                match tokio::time::timeout(Duration::from_millis(100), peer.next()).await {
                    Err(_) if peer.write(&[1]).await.is_err() => return start.elapsed(),
                    Err(_) if start.elapsed() > Duration::from_secs(30) => panic!("not cut"),
                    Err(_) => {}
                    Ok(_) => return start.elapsed(),
                }
            }
        });
    }
    while let Some(took) = tasks.join_next().await {
        report.drips.0 += 1;
        report.drips.1 = report.drips.1.max(took.expect("a drip ends"));
    }
}
