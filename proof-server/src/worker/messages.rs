//! What server and worker process say to each other, in the protocol's frames over the worker's stdin and stdout.

use serde::{Deserialize, Serialize};
use sextant_protocol::{Progress, ProofKind, ProofRecord, ServerError};

/// Cap on a frame in either direction: a statement input with hints, or a proof, and what surrounds them.
pub const MAX_WORKER_FRAME: usize = 64 << 20;

/// What a worker is for. Each loads only what it needs; another purpose is another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
pub enum WorkerMode {
    /// Makes core proofs: small, starts in seconds.
    Stark,
    /// Makes compressed proofs: holds recursion keys.
    Compressed,
    /// Verifies proofs of strangers.
    Verify,
}

impl WorkerMode {
    /// The worker that makes proofs of `kind`, if this version makes them.
    pub const fn for_kind(kind: ProofKind) -> Option<Self> {
        match kind {
            ProofKind::Stark => Some(Self::Stark),
            ProofKind::Compressed => Some(Self::Compressed),
            ProofKind::Groth16 | ProofKind::Plonk => None,
        }
    }

    /// The name on the worker's command line and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stark => "stark",
            Self::Compressed => "compressed",
            Self::Verify => "verify",
        }
    }
}

/// A job for the worker; one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerRequest {
    /// Prove a statement that has been checked.
    Prove(ProveJob),
    /// Verify a proof.
    Verify(ProofRecord),
}

/// Everything the guest needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveJob {
    /// Tag of the program.
    pub program: u32,
    /// The kind wanted; the worker's mode must be for it.
    pub kind: ProofKind,
    /// The statement input.
    pub input: Vec<u8>,
    /// Hints for the guest's signature checks.
    pub hints: Vec<u8>,
}

/// What a worker reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerEvent {
    /// It has started and takes jobs.
    Ready,
    /// Its job moved on.
    Progress(Progress),
    /// Its job is a proof, verified.
    Proved(Box<Proved>),
    /// The proof it was given is valid.
    Verified,
    /// Its job came to nothing.
    Failed(ServerError),
}

/// A finished proof and what it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// The proof.
    pub proof: ProofRecord,
    /// Guest cycles.
    pub cycles: u64,
    /// Milliseconds of executing, proving and verifying.
    pub proving_ms: u64,
    /// Peak resident memory of the worker so far, bytes.
    pub peak_memory: u64,
}
