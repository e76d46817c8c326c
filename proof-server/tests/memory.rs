//! Many large proofs at once: the server's memory stays within its setting, and nobody else waits for them. Alone in its
//! file: the memory is the whole process's.

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Client, HANGS, Server};
use sextant_protocol::{ClientMessage, ErrorCode, Request, Response, parts::PART};

const BUFFERS: usize = 96 << 20;
const RECORD: usize = 31 << 20;
/// What everything else may take: connections with a frame each, one record on its way to a worker, the test itself.
const BESIDES: usize = 48 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_proofs_take_the_memory_that_is_meant_for_them() {
    let server = Server::start(Some(HANGS), |config| config.buffers = BUFFERS).await;
    // The part that all clients send again and again.
    let part = Bytes::from(vec![7; PART]);
    let before = resident();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (mut client, part) = (Client::connect(&server).await, part.clone());
        clients.spawn(async move {
            let request = Request::Verify { record: part.to_vec(), more: (RECORD - PART) as u64 };
            client.send(&ClientMessage::Request { id: 1, request }).await;
            for offset in (PART..RECORD).step_by(PART) {
                let (offset, bytes) = (offset as u64, part.clone());
                client.send(&ClientMessage::Part { id: 1, offset, bytes }).await;
            }
            client.error(1).await.code
        });
    }
    let (mut pinger, mut slowest, mut most) = (Client::connect(&server).await, Duration::ZERO, 0);
    let mut codes = Vec::new();
    while !clients.is_empty() {
        let asked = Instant::now();
        pinger.request(1, Request::Ping).await;
        assert_eq!(pinger.answer().await, (1, Ok(Response::Pong)));
        slowest = slowest.max(asked.elapsed());
        most = most.max(resident());
        while let Some(code) = clients.try_join_next() {
            codes.push(code.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // They are no proofs; those that found no room were told.
    assert!(codes.contains(&ErrorCode::Malformed) && codes.contains(&ErrorCode::Busy), "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, ErrorCode::Malformed | ErrorCode::Busy)), "{codes:?}");
    let grown = most.saturating_sub(before);
    assert!(grown < BUFFERS + BESIDES, "{} MiB more", grown >> 20);
    assert!(slowest < Duration::from_secs(1), "a ping took {slowest:?}");
    server.stop().await;
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
}
