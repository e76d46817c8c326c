//! Broken messages, made from the vectors and the fuzz targets' seeds.

use std::sync::LazyLock;

use sextant_consensus::Program;
use sextant_protocol::{
    ClientMessage, ProofKind, ProofRecord, ProveRequest, Request, StatementInput, proof::Circuits, wire,
};

use super::{
    Form,
    outcome::Outcome,
    peer::{End, Peer, frame},
    tortured::Tortured,
};

/// A small generator of bytes, so that a run can be repeated.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Messages whose frame is whole and whose content is not what it should be. Those at first are answered one by one;
/// the last of a connection does not decode, and ends it.
pub(super) async fn messages(form: Form) -> Outcome {
    let mut tortured = Tortured::start(&["--warm=false", "--client-requests", "100000"]);
    let mut random = Random(0x5e87_a117);
    let (mut sent, mut answered, mut ended) = (0, 0, 0);
    while sent < form.pick(5_000, 1_000_000) {
        let (all, one_by_one) = connection(tortured.address(), &mut random).await;
        (sent, answered, ended) = (sent + all, answered + one_by_one, ended + 1);
        if ended == 100 {
            // Pools and buffers are as large as they get.
            tortured.is_warm();
        }
    }
    let mut outcome = Outcome::default();
    outcome.row("broken messages sent", sent);
    outcome.row("  answered one by one", answered);
    outcome.row("  connections ended over them", ended);
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// A connection's messages: how many there were, and how many were answered one by one.
async fn connection(address: &str, random: &mut Random) -> (usize, usize) {
    const AT_ONCE: usize = 30;
    let mut peer = Peer::connect(address).await;
    let mut bytes = Vec::new();
    let answerable = random.below(AT_ONCE);
    for id in 0..answerable as u64 {
        let seed = &CORPUS[random.below(CORPUS.len())];
        bytes.extend(frame(&ClientMessage::Request { id, request: refusable(seed, random) }));
    }
    let body = undecodable(&CORPUS[random.below(CORPUS.len())], random);
    peer.write(&bytes).await.expect("the server reads");
    for _ in 0..answerable {
        match peer.answer().await {
            Ok(Err(_)) => {}
            Ok(Ok(response)) => panic!("a broken request was answered: {response:?}"),
            Err(_) => panic!("an answerable request ended the connection"),
        }
    }
    let end = [&(body.len() as u32).to_be_bytes(), &body[..]].concat();
    // It may close before it has read all.
    let _ = peer.write(&end).await;
    match peer.next().await {
        Err(End::Refused(_) | End::Closed) => (answerable + 1, answerable),
        other => panic!("{other:?} where the end was due"),
    }
}

/// What broken messages are made of.
pub(super) static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let vectors = sextant_fuzz_targets::seeds::of("messages").into_iter();
    vectors
        .flat_map(|vector| frames_of(&vector))
        .chain(sextant_fuzz_targets::seeds::of("statement"))
        .filter(|bytes| !bytes.is_empty())
        .collect()
});

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
pub(super) fn refusable(seed: &[u8], random: &mut Random) -> Request {
    match random.below(5) {
        0 => {
            let mut proof = bad_record(random);
            proof.public_values = seed.iter().take(2_000).copied().collect();
            Request::verify(&proof)
        }
        1 => {
            Request::Prove(ProveRequest { vk_hash: Some([random.next() as u8; 32]), ..garbage(seed, random) })
        }
        2 => Request::Unknown(random.next() as u16 | 0x100),
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
    ProveRequest {
        deadline_ms: 1_000,
        ..ProveRequest::new(StatementInput::new(program, bytes), ProofKind::Stark)
    }
}

/// A body that is no message of a client, and names no request that could be answered.
pub(super) fn undecodable(seed: &[u8], random: &mut Random) -> Vec<u8> {
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
        let bytes = wire::Bytes::copy_from_slice(&body);
        let decoded = wire::from_bytes::<ClientMessage>("client message", bytes.clone(), 1 << 20);
        if decoded.is_err() && ClientMessage::request_id(bytes).is_none() {
            return body;
        }
    }
}
