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
    /// Shrinks and wraps compressed proofs, on the way to a SNARK.
    Wrap,
    /// Makes Groth16 proofs of wrapped ones.
    Groth16,
    /// Verifies proofs of strangers.
    Verify,
}

impl WorkerMode {
    /// The workers that make a proof of `kind`, one after the other, each with what the one before it made. The peaks of
    /// their memory do not add up that way. Empty for a kind that this version does not make.
    pub const fn stages(kind: ProofKind) -> &'static [Self] {
        match kind {
            ProofKind::Stark => &[Self::Stark],
            ProofKind::Compressed => &[Self::Compressed],
            ProofKind::Groth16 if cfg!(feature = "snark") => &[Self::Compressed, Self::Wrap, Self::Groth16],
            ProofKind::Groth16 | ProofKind::Plonk => &[],
        }
    }

    /// The name on the worker's command line and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stark => "stark",
            Self::Compressed => "compressed",
            Self::Wrap => "wrap",
            Self::Groth16 => "groth16",
            Self::Verify => "verify",
        }
    }
}

/// A job for the worker; one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerRequest {
    /// Prove a statement that has been checked.
    Prove(ProveJob),
    /// Go on with what the worker of the stage before made.
    Continue(Box<Proved>),
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
    #[serde(with = "serde_bytes")]
    pub input: Vec<u8>,
    /// Hints for the guest's signature checks.
    #[serde(with = "serde_bytes")]
    pub hints: Vec<u8>,
}

/// What a worker reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerEvent {
    /// It has started and takes jobs.
    Ready,
    /// Its job moved on.
    Progress(Progress),
    /// Its job is a proof, verified; or, in a stage before the last, what the next stage goes on with.
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
    /// Milliseconds of executing, proving and verifying, in all stages so far.
    pub proving_ms: u64,
    /// Peak resident memory of the largest worker so far, bytes.
    pub peak_memory: u64,
}
