//! The test vectors' values: what the bytes in `vectors/` mean, built with the crate's own types.

// Each test file uses its own part.
#![allow(dead_code)]

use sextant_consensus::Program;
use sextant_protocol::{
    ClientMessage, ErrorCode, OLDEST_VERSION, PROTOCOL_VERSION, Progress, ProofKind, ProofRecord,
    ProveRequest, Request, Response, ServerError, ServerInfo, ServerMessage, StatementInput, Token,
    message::MAGIC,
    proof::Circuits,
    request::{ProgramInfo, ProvingCost},
};

/// The proof record that stands in several vectors.
pub fn record() -> ProofRecord {
    ProofRecord {
        program: Program::Inclusion.tag(),
        kind: ProofKind::Compressed,
        circuits: Circuits::Release,
        circuit_version: "v6.1.0".into(),
        vk_hash: counting(0),
        public_values: vec![0xa0, 0xa1, 0xa2],
        proof: vec![0xb0, 0xb1, 0xb2, 0xb3],
    }
}

/// The statement input of `client-prove` and `input-digest`.
pub fn input() -> StatementInput {
    StatementInput::new(Program::CommitteeChange, vec![0xc0, 0xff, 0xee])
}

/// What a client sends: vector name and message.
pub fn client_messages() -> Vec<(&'static str, ClientMessage)> {
    let request = |id, request| ClientMessage::Request { id, request };
    let prove = ProveRequest { input: input(), kind: ProofKind::Compressed, deadline_ms: 60_000 };
    vec![
        (
            "client-hello",
            ClientMessage::Hello { magic: MAGIC, version: PROTOCOL_VERSION, agent: "sextant/0.1.0".into() },
        ),
        (
            "client-hello-1",
            ClientMessage::Hello { magic: MAGIC, version: OLDEST_VERSION, agent: "sextant/0.1.0".into() },
        ),
        (
            "client-introduction",
            ClientMessage::Introduction { token: Token("correct-horse-battery".into()), hops: 0 },
        ),
        ("client-prove", request(7, Request::Prove(prove.clone()))),
        ("client-prove-by", request(7, Request::ProveBy { request: prove, vk_hash: counting(0) })),
        ("client-verify", request(8, Request::Verify(record()))),
        ("client-info", request(9, Request::Info)),
        ("client-ping", request(10, Request::Ping)),
        ("client-cancel", ClientMessage::Cancel { id: 7 }),
    ]
}

/// What a server sends: vector name and messages, in the order of the vector's frames.
pub fn server_messages() -> Vec<(&'static str, Vec<ServerMessage>)> {
    let answer = |id, result| vec![ServerMessage::Answer { id, result }];
    let progress = [
        Progress::Checking,
        Progress::Queued { position: 2 },
        Progress::Preparing,
        Progress::Executing { cycles: 1_234_567 },
        Progress::Proving { done: 3, total: 5 },
        Progress::Compressing { done: 4 },
        Progress::Verifying,
        Progress::Done,
        Progress::Shrinking,
        Progress::Wrapping,
        Progress::Snark,
    ];
    let cost = ProvingCost { cycles: 1_234_567, queued_ms: 5, proving_ms: 90_000, peak_memory: 8 << 30 };
    let info = ServerInfo {
        agent: "proof-server/0.1.0".into(),
        circuit_version: "v6.1.0".into(),
        programs: vec![ProgramInfo {
            program: Program::Inclusion.tag(),
            vk_hash: counting(0),
            elf_sha256: counting(32),
            queued: 3,
            queue_capacity: 16,
        }],
        kinds: vec![ProofKind::Stark, ProofKind::Compressed],
    };
    vec![
        (
            "server-welcome",
            vec![ServerMessage::Welcome { version: PROTOCOL_VERSION, agent: "proof-server/0.1.0".into() }],
        ),
        (
            "server-refused",
            vec![ServerMessage::Refused(ServerError::new(
                ErrorCode::Version,
                "this server speaks versions 1 to 2",
            ))],
        ),
        ("server-progress", progress.map(|progress| ServerMessage::Progress { id: 7, progress }).to_vec()),
        (
            "server-proof",
            answer(7, Ok(Response::Proof { proof: record(), input_digest: input().digest(), cost })),
        ),
        ("server-verified", answer(8, Ok(Response::Verified))),
        ("server-info", answer(9, Ok(Response::Info(info)))),
        ("server-pong", answer(10, Ok(Response::Pong))),
        ("server-error", answer(11, Err(ServerError::retryable(ErrorCode::Busy, "the queue is full", 2000)))),
    ]
}

/// Vectors that are no frames.
pub const OTHER_VECTORS: [&str; 2] = ["proof-file", "input-digest"];

/// This package's folder. Not what was compiled in: clones may share a target folder.
pub fn package() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where this package is").into()
}

/// The text of `vectors/NAME.hex`.
pub fn vector_text(name: &str) -> String {
    let path = package().join(format!("vectors/{name}.hex"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a vector: hex digits, `;` starts a comment.
pub fn vector(name: &str) -> Vec<u8> {
    let digits: String =
        vector_text(name).lines().map(|line| line.split(';').next().unwrap_or("").trim()).collect();
    hex::decode(digits).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `start`, `start + 1`, and so on.
fn counting(start: u8) -> [u8; 32] {
    std::array::from_fn(|i| start + i as u8)
}
