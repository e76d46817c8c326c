//! The attacks, one after the other.

use std::time::{Duration, Instant};

use sextant_artifacts::{CIRCUIT_VERSION, COMMITTEE_CHANGE};
use sextant_consensus::{Program, bls::Plain, check_statement};
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofKind, ProofRecord, ProveRequest, Request, Response, StatementInput,
    encoding, proof::Circuits,
};

use super::{
    Report,
    peer::{End, Peer, frame},
};
use crate::server::{Server, send_signal};

/// A small generator of bytes, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// A proof of the right shape with rubbish inside, which gets as far as the worker.
fn bad_proof(rubbish: u8) -> ProofRecord {
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

pub(super) async fn warm_up(address: &str) {
    let mut peer = Peer::connect(address).await;
    peer.ask(1, Request::Verify(bad_proof(0))).await;
    assert!(matches!(peer.answer().await, Ok(Err(error)) if error.code == ErrorCode::InvalidProof));
}

/// Messages whose frame is whole and whose content is not what it should be. Those at first are answered one by one;
/// the last of a connection does not decode, and ends it.
pub(super) async fn broken_frames(address: &str, count: usize, report: &mut Report) {
    const AT_ONCE: usize = 30;
    let mut random = Random(0x5e87_a117);
    let corpus: Vec<Vec<u8>> = sextant_fuzz_targets::seeds::of("messages")
        .into_iter()
        .flat_map(|vector| frames_of(&vector))
        .chain(sextant_fuzz_targets::seeds::of("statement"))
        .filter(|bytes| !bytes.is_empty())
        .collect();
    while report.frames.0 < count {
        let mut peer = Peer::connect(address).await;
        let mut bytes = Vec::new();
        let answerable = random.below(AT_ONCE);
        for id in 0..answerable as u64 {
            let seed = &corpus[random.below(corpus.len())];
            bytes.extend(frame(&ClientMessage::Request { id, request: refusable(seed, &mut random) }));
        }
        let body = undecodable(&corpus[random.below(corpus.len())], &mut random);
        peer.write(&bytes).await.expect("the server reads");
        for _ in 0..answerable {
            match peer.answer().await {
                Ok(Err(_)) => report.frames.1 += 1,
                Ok(Ok(response)) => panic!("a broken request was answered: {response:?}"),
                Err(_) => panic!("an answerable request ended the connection"),
            }
        }
        let end = [&(body.len() as u32).to_be_bytes(), &body[..]].concat();
        // It may close before it has read all.
        let _ = peer.write(&end).await;
        match peer.next().await {
            Err(End::Refused(_) | End::Closed) => report.ended += 1,
            Ok(message) => panic!("{message:?} where the end was due"),
        }
        report.frames.0 += answerable + 1;
    }
}

/// The bodies of a vector's frames.
fn frames_of(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let length = (u32::from_be_bytes(*head) as usize).min(rest.len());
        bodies.push(rest[..length].to_vec());
        bytes = &rest[length..];
    }
    bodies
}

/// A request that decodes and is refused without a worker.
fn refusable(seed: &[u8], random: &mut Random) -> Request {
    match random.below(4) {
        0 => {
            let mut proof = bad_record(random);
            proof.public_values = seed.iter().take(2_000).copied().collect();
            Request::Verify(proof)
        }
        1 => Request::ProveBy { request: garbage(seed, random), vk_hash: [random.next() as u8; 32] },
        _ => Request::Prove(garbage(seed, random)),
    }
}

fn bad_record(random: &mut Random) -> ProofRecord {
    ProofRecord {
        program: random.below(4) as u32,
        kind: ProofKind::Stark,
        circuits: Circuits::Development,
        circuit_version: "v0".into(),
        vk_hash: [random.next() as u8; 32],
        public_values: Vec::new(),
        proof: vec![random.next() as u8; random.below(2_000)],
    }
}

fn garbage(seed: &[u8], random: &mut Random) -> ProveRequest {
    let mut bytes: Vec<u8> = seed.to_vec();
    // Cut: no input of the consensus crate is the beginning of another.
    bytes.truncate(random.below(bytes.len()));
    if !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    let program = Program::ALL[random.below(2)];
    ProveRequest { input: StatementInput::new(program, bytes), kind: ProofKind::Stark, deadline_ms: 1_000 }
}

/// A body that is no message of a client.
fn undecodable(seed: &[u8], random: &mut Random) -> Vec<u8> {
    loop {
        let mut body: Vec<u8> = seed.iter().take(60_000).copied().collect();
        for _ in 0..=random.below(4) {
            if body.is_empty() {
                break;
            }
            let at = random.below(body.len());
            match random.below(3) {
                0 => body[at] = random.next() as u8,
                1 => body.truncate(at),
                _ => body.insert(at, random.next() as u8),
            }
        }
        let decoded = encoding::decode::<ClientMessage>("client message", &body, 1 << 20);
        if decoded.is_err() {
            return body;
        }
    }
}

/// Connections that say nothing, many more than the server takes.
pub(super) async fn idle_connections(address: &str, count: usize, report: &mut Report) {
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

/// Proofs of the right shape with rubbish inside, as many as the server takes, and pings meanwhile.
pub(super) async fn bad_proofs(address: &str, pings: usize, report: &mut Report) {
    const FLOODERS: usize = 4;
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut flood = tokio::task::JoinSet::new();
    for flooder in 0..FLOODERS {
        let (address, done) = (address.to_owned(), done.clone());
        flood.spawn(async move {
            let mut peer = Peer::connect(&address).await;
            let proof = bad_proof(flooder as u8);
            let mut refused = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                for id in 0..8 {
                    peer.ask(id, Request::Verify(proof.clone())).await;
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
    done.store(true, std::sync::atomic::Ordering::Relaxed);
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
            peer.ask(id, Request::Verify(bad_proof(round as u8))).await;
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
        peer.ask(9, Request::Verify(bad_proof(0))).await;
        typed &= matches!(peer.answer().await, Ok(Err(error)) if error.code == ErrorCode::InvalidProof);
        report.kills.1 += usize::from(typed);
    }
}

/// A server whose worker never gets ready, with its queue full: how fast it says so.
pub(super) async fn full_queue(count: usize, report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let worker = folder.path().join("worker.sh");
    std::fs::write(&worker, "#!/bin/sh\nexec sleep 600\n").expect("a script");
    let mut rights = std::fs::metadata(&worker).expect("it is there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
    std::fs::set_permissions(&worker, rights).expect("it is ours");
    let worker = worker.to_str().expect("a plain name").to_owned();
    let arguments =
        ["--warm=false", "--queue-capacity", "1", "--queue-share", "1", "--worker-program", &worker];
    let server = Server::start(&arguments);
    let requests: Vec<Request> = sextant_fixtures::statements()
        .into_iter()
        .filter(|(_, program, _)| *program == Program::CommitteeChange)
        .map(|(_, program, bytes)| {
            let input = StatementInput::new(program, bytes);
            Request::Prove(ProveRequest { input, kind: ProofKind::Stark, deadline_ms: 0 })
        })
        .collect();
    let mut holder = Peer::connect(server.address()).await;
    for (id, request) in (0..2).zip(&requests) {
        holder.ask(id, request.clone()).await;
        // One goes to the worker, one waits.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let mut peer = Peer::connect(server.address()).await;
    let mut times = Vec::with_capacity(count);
    for id in 0..count as u64 {
        let start = Instant::now();
        peer.ask(id, requests[2].clone()).await;
        match peer.answer().await {
            Ok(Err(error)) if error.code == ErrorCode::Busy && error.retry_after_ms > 0 => {}
            Ok(other) => panic!("{other:?} where Busy was due"),
            Err(_) => panic!("the connection ended"),
        }
        times.push(start.elapsed());
    }
    report.busy = (percentile(&mut times, 50), percentile(&mut times, 100));
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).clamp(1, times.len()) - 1]
}
