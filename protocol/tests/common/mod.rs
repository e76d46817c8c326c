//! The test vectors' values: what the bytes in `vectors/` mean, built with the crate's own types.

// Each test file uses its own part.
#![allow(dead_code)]

use sextant_consensus::Program;
use sextant_protocol::{
    BundleRequest, ClientMessage, ErrorCode, JobKey, PROTOCOL_VERSION, Progress, ProofAnswer, ProofKind,
    ProofRecord, ProveRequest, Request, Response, ServerError, ServerInfo, ServerMessage, StatementInput,
    Token, WrapRequest,
    proof::Circuits,
    request::{ProgramInfo, ProvingCost, ServerLimits},
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

/// The job of the vectors.
pub const JOB: JobKey = JobKey([0x77; 32]);

/// What a client sends: vector name and message.
pub fn client_messages() -> Vec<(&'static str, ClientMessage)> {
    let request = |id, request| ClientMessage::Request { id, request };
    let prove = ProveRequest {
        deadline_ms: 60_000,
        vk_hash: Some(counting(0)),
        ..ProveRequest::new(input(), ProofKind::Compressed)
    };
    let any_build = ProveRequest::new(input(), ProofKind::Stark);
    let mut large = ProveRequest::new(input(), ProofKind::Stark);
    large.more = 2;
    let wrap = WrapRequest::new(&record());
    let bundle = BundleRequest::new(Program::Bundle, &[record()], ProofKind::Groth16);
    let chain = BundleRequest {
        deadline_ms: 1_200_000,
        vk_hash: Some(counting(0)),
        // What a record begins with: the rest comes in parts.
        records: vec![0x51, 0, 0, 0, 2],
        more: 80,
        ..BundleRequest::new(Program::Chain, &[], ProofKind::Compressed)
    };
    vec![
        ("client-hello", ClientMessage::hello("sextant/0.1.0")),
        (
            "client-introduction",
            ClientMessage::Introduction {
                token: Token("correct-horse-battery".into()),
                hops: 1,
                on_behalf: "token alice".into(),
                traceparent: None,
            },
        ),
        ("client-ping", request(10, Request::Ping)),
        ("client-info", request(9, Request::Info)),
        ("client-prove", request(7, Request::Prove(prove))),
        ("client-verify", request(8, Request::verify(&record()))),
        ("client-submit", request(12, Request::Submit(any_build))),
        ("client-fetch", request(13, Request::Fetch { job: JOB, offset: 60, deadline_ms: 5_000 })),
        ("client-withdraw", request(14, Request::Withdraw { job: JOB })),
        ("client-wrap", request(16, Request::Wrap(WrapRequest { deadline_ms: 1_200_000, ..wrap.clone() }))),
        ("client-submit-wrap", request(17, Request::SubmitWrap(wrap))),
        ("client-bundle", request(18, Request::Bundle(bundle))),
        ("client-submit-bundle", request(19, Request::SubmitBundle(chain))),
        ("client-large", request(15, Request::Prove(large))),
        ("client-part", ClientMessage::Part { id: 15, offset: 3, bytes: vec![0xba, 0xbe].into() }),
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
        Progress::Bundling { done: 1, total: 2 },
        Progress::Gathering { done: 1, total: 3, wait_ms: 20_000 },
    ];
    let cost = ProvingCost { cycles: 1_234_567, queued_ms: 5, proving_ms: 90_000, peak_memory: 8 << 30 };
    let whole = ProofAnswer::new(&record(), input().digest(), cost, JOB);
    let mut rest = whole.clone();
    let parts = rest.split(60);
    assert!(parts.is_empty());
    let mut first = whole.clone();
    (first.record, first.more) = (whole.record.slice(..60), whole.record.len() as u64 - 60);
    let info = ServerInfo {
        agent: "proof-server/0.1.0".into(),
        circuit_version: "v6.1.0".into(),
        programs: vec![ProgramInfo {
            program: Program::Inclusion.tag(),
            vk_hash: counting(0),
            elf_sha256: counting(32),
            queued: 3,
            queue_capacity: 16,
            running: 1,
            kinds: vec![ProofKind::Stark, ProofKind::Compressed],
            ready: true,
        }],
        kinds: vec![ProofKind::Stark, ProofKind::Compressed],
        ready: false,
        reason: "draining".into(),
        networks: vec!["mainnet".into()],
        oldest_version: 3,
        newest_version: 3,
        limits: ServerLimits { input: 8 << 20, record: 64 << 20, requests: 32, deadline_ms: 7_200_000 },
        uptime_s: 86_400,
    };
    vec![
        (
            "server-welcome",
            vec![ServerMessage::Welcome {
                version: PROTOCOL_VERSION,
                agent: "proof-server/0.1.0".into(),
                capabilities: Vec::new(),
            }],
        ),
        (
            "server-refused",
            vec![ServerMessage::Refused(ServerError::new(
                ErrorCode::Version,
                "this server speaks versions 3 to 3",
            ))],
        ),
        ("server-progress", progress.map(|progress| ServerMessage::Progress { id: 7, progress }).to_vec()),
        ("server-pong", answer(10, Ok(Response::Pong))),
        ("server-info", answer(9, Ok(Response::Info(info)))),
        ("server-verified", answer(8, Ok(Response::Verified))),
        ("server-proof", answer(7, Ok(Response::Proof(whole)))),
        ("server-submitted", answer(12, Ok(Response::Submitted { job: JOB, kept_s: 3_600 }))),
        ("server-rest", answer(13, Ok(Response::Proof(rest)))),
        ("server-withdrawn", answer(14, Ok(Response::Withdrawn))),
        (
            "server-parts",
            [
                answer(7, Ok(Response::Proof(first.clone()))),
                vec![ServerMessage::Part { id: 7, offset: 60, bytes: record_bytes().slice(60..) }],
            ]
            .concat(),
        ),
        ("server-error", answer(11, Err(ServerError::retryable(ErrorCode::Busy, "the queue is full", 2000)))),
    ]
}

fn record_bytes() -> bytes::Bytes {
    sextant_protocol::encoding::encode(&record()).into()
}

/// Vectors that are no frames.
pub const OTHER_VECTORS: [&str; 3] = ["proof-file", "input-digest", "bundled-record"];

/// This package's folder. Not what was compiled in: clones may share a target folder.
pub fn package() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where this package is").into()
}

/// The text of `vectors/NAME.hex`.
pub fn vector_text(name: &str) -> String {
    let path = package().join(format!("vectors/{name}.hex"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a vector: hex digits, spaces between them, and `;` starts a comment.
pub fn vector(name: &str) -> Vec<u8> {
    let text = vector_text(name);
    let digits: String =
        text.lines().flat_map(|line| line.split(';').next().unwrap_or("").split_whitespace()).collect();
    hex::decode(digits).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `start`, `start + 1`, and so on.
fn counting(start: u8) -> [u8; 32] {
    std::array::from_fn(|i| start + i as u8)
}
