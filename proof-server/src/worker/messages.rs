//! What server and worker process say to each other, in the protocol's frames over the worker's stdin and stdout.

use bytes::Bytes;
use sextant_protocol::{Progress, ProofKind, ProofRecord, ServerError, message, proof::MAX_RECORD, record};

/// Cap on a frame in either direction: the largest proof there is, or a statement input with hints, and what surrounds
/// them.
pub const MAX_WORKER_FRAME: usize = MAX_RECORD + (1 << 20);

/// What a worker is for. Each loads only what it needs; another purpose is another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
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
            // A place in a bundle is made of proofs, by no worker.
            ProofKind::Groth16 | ProofKind::Plonk | ProofKind::Bundled => &[],
        }
    }

    /// Those of them that come after the compressed proof of the same statement. Empty for a kind that is not made of one.
    pub fn after_compressing(kind: ProofKind) -> &'static [Self] {
        match Self::stages(kind) {
            [Self::Compressed, rest @ ..] => rest,
            _ => &[],
        }
    }

    /// The form of what it makes: a wrapped proof is still a compressed one, but for its proof. None for the one that makes
    /// nothing.
    pub const fn makes(self) -> Option<ProofKind> {
        match self {
            Self::Stark => Some(ProofKind::Stark),
            Self::Compressed | Self::Wrap => Some(ProofKind::Compressed),
            Self::Groth16 => Some(ProofKind::Groth16),
            Self::Verify => None,
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

message! {
/// A job for the worker; one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerRequest {
    /// Prove a statement that has been checked.
    0 = Prove(job: ProveJob),
    /// Go on with what the worker of the stage before made.
    1 = Continue(before: Box<Proved>),
    /// Verify a proof.
    2 = Verify {
        /// The encoded record.
        1 = record: Bytes,
    },
    /// Execute a statement that has been checked, and say which parts its proof has.
    3 = Plan(job: ProveJob),
    /// Make one of those parts: a shard's proof, or, on the way to a compressed proof, the recursion proof of it.
    4 = Part {
        /// The statement.
        1 = job: ProveJob,
        /// The plan.
        2 = plan: Bytes,
        /// The part's name in it.
        3 = name: String,
    },
    /// Put parts together that follow each other, in their order. All of the plan's are the proof.
    5 = Fold {
        /// The statement.
        1 = job: ProveJob,
        /// The plan.
        2 = plan: Bytes,
        /// What was made of them.
        3 = parts: Vec<MadePart>,
    },
}
}

record! {
/// Everything the guest needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveJob {
    /// Tag of the program.
    1 = program: u32,
    /// The kind wanted; the worker's mode must be for it.
    2 = kind: ProofKind,
    /// The statement input.
    3 = input: Vec<u8>,
    /// Hints for the guest's signature checks.
    4 = hints: Vec<u8>,
    /// Records of the proofs that the guest verifies, as [`BundleRequest`](sextant_protocol::BundleRequest) has them; they
    /// hold.
    5 = proofs: Bytes = Bytes::new(),
}
}

message! {
/// What a worker reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerEvent {
    /// It has started and takes jobs.
    0 = Ready,
    /// Its job moved on.
    1 = Progress {
        /// Where it stands.
        1 = step: Progress,
    },
    /// Its job is a proof, verified; or, in a stage before the last, what the next stage goes on with.
    2 = Proved(proved: Box<Proved>),
    /// The proof it was given is valid.
    3 = Verified,
    /// Its job came to nothing.
    4 = Failed(error: ServerError),
    /// What its job's proof is made of.
    5 = Planned(planned: Planned),
    /// Its part is made. It was not verified by itself: whoever goes on with it does that.
    6 = Part(part: Box<MadePart>),
}
}

record! {
/// A run, and the parts of its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The engine's plan, for whoever makes a part.
    1 = plan: Bytes,
    /// The parts' names, in their order.
    2 = parts: Vec<String>,
}
}

record! {
/// A part of a proof, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadePart {
    /// The engine's part.
    1 = part: Bytes,
    /// Milliseconds of it, and of the parts that it was made of.
    2 = proving_ms: u64,
    /// Peak resident memory of the largest worker so far, bytes.
    3 = peak_memory: u64,
}
}

record! {
/// A finished proof and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The proof.
    1 = proof: ProofRecord,
    /// Guest cycles.
    2 = cycles: u64,
    /// Milliseconds of executing, proving and verifying, in all stages so far.
    3 = proving_ms: u64,
    /// Peak resident memory of the largest worker so far, bytes.
    4 = peak_memory: u64,
}
}
