//! Many large proofs at once: the server's memory stays within its setting, and nobody else waits for them. Alone in its
//! file: memory and threads are the whole process's.

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Client, HANGS, PATIENCE, Server, until};
use sextant_protocol::{ClientMessage, ErrorCode, Request, Response, parts::PART};

const BUFFERS: usize = 96 << 20;
const RECORD: usize = 31 << 20;
/// What everything else may take: connections with a frame each, one record on its way to a worker, the test itself.
const BESIDES: usize = 48 << 20;

/// How much may be computed, by each of the threads that serve, while one ping waits. Not how long it waits, which is the
/// machine's matter too: where much else runs, threads that compute next to nothing get nowhere for as long.
const BEFORE_A_PONG: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_proofs_take_the_memory_that_is_meant_for_them() {
    let serving = Serving::find().await;
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
    let (mut pinger, mut longest, mut slowest) =
        (Client::connect(&server).await, Duration::ZERO, Duration::ZERO);
    let mut most = 0;
    let mut codes = Vec::new();
    while !clients.is_empty() {
        let (asked, before) = (Instant::now(), serving.computed());
        pinger.request(1, Request::Ping).await;
        assert_eq!(pinger.answer().await, (1, Ok(Response::Pong)));
        longest = longest.max(serving.computed_since(&before));
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
    println!("the slowest ping took {slowest:?}; {longest:?} was computed before a pong");
    assert!(longest < BEFORE_A_PONG, "{longest:?} was computed before a pong that came after {slowest:?}");
    server.stop().await;
}

/// The threads that serve, by their numbers.
struct Serving(Vec<String>);

impl Serving {
    /// All of the runtime's, as long as there are none yet for what takes long. A thread gives itself its name, so it may
    /// be there a moment before it has one.
    async fn find() -> Self {
        let mut found = Vec::new();
        until("the runtime's two threads have their names", PATIENCE, async || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
            let numbers = tasks.map(|task| task.file_name().into_string().unwrap());
            let name =
                |number: &String| std::fs::read_to_string(format!("/proc/self/task/{number}/comm")).unwrap();
            found = numbers.filter(|number| name(number).starts_with("tokio")).collect();
            found.len() == 2
        })
        .await;
        Self(found)
    }

    /// What each has computed so far.
    fn computed(&self) -> Vec<Duration> {
        let hundredths = |number: &String| {
            let stat = std::fs::read_to_string(format!("/proc/self/task/{number}/stat")).unwrap();
            // After the name: fields 14 and 15 of the whole.
            let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
            fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum::<u64>()
        };
        self.0.iter().map(|number| Duration::from_millis(10 * hundredths(number))).collect()
    }

    /// What each has computed since then, at least: while one of them has nothing to do, nobody waits.
    fn computed_since(&self, before: &[Duration]) -> Duration {
        self.computed().iter().zip(before).map(|(now, before)| *now - *before).min().unwrap()
    }
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
}
