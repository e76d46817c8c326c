//! The values that labels have: few, and all of them known.

use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, Progress, ProofKind};

use crate::programs;

/// Names of labels with their values.
pub(super) type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What a time was spent on: a program and a kind of proof, where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    program: &'static str,
    kind: &'static str,
}

impl Work {
    /// A proof of `kind` by the program with this tag.
    pub(crate) fn new(program: u32, kind: ProofKind) -> Self {
        Program::from_tag(program)
            .map(|program| Self { program: programs::name(program), kind: kind.as_str() })
            .unwrap_or_default()
    }

    /// The program's name, or nothing.
    pub(crate) const fn program(self) -> &'static str {
        self.program
    }

    /// The kind's name, or nothing.
    pub(crate) const fn kind(self) -> &'static str {
        self.kind
    }

    pub(super) const fn labels(self, name: &'static str, value: &'static str) -> Labels<3> {
        [(name, value), ("program", self.program), ("kind", self.kind)]
    }
}

/// Types of requests.
pub(super) const REQUESTS: [&str; 10] =
    ["prove", "submit", "wrap", "submit_wrap", "fetch", "withdraw", "verify", "info", "ping", "unknown"];
/// Reasons for which connections are refused.
pub(super) const REFUSALS: [&str; 6] =
    ["connections", "connections_of_address", "connections_of_client", "proxy", "shed", "unauthorized"];
/// What becomes of a request.
pub(super) const OUTCOMES: [&str; 17] = [
    "ok",
    "version",
    "malformed",
    "too_large",
    "unsupported",
    "invalid_statement",
    "invalid_proof",
    "busy",
    "deadline_exceeded",
    "cancelled",
    "prover_failed",
    "shutting_down",
    "duplicate_request",
    "unauthorized",
    "internal",
    "unknown_job",
    "other",
];
/// What is done with the folder of finished proofs, and what is found there.
pub(super) const CACHE_ERRORS: [&str; 6] = ["damaged", "list", "read", "remove", "touch", "write"];

/// The stage that a step belongs to.
pub(crate) fn stage_name(step: &Progress) -> &'static str {
    match step {
        Progress::Checking => "check",
        Progress::Queued { .. } => "queue",
        Progress::Preparing => "prepare",
        Progress::Executing { .. } => "execute",
        Progress::Proving { .. } => "prove",
        Progress::Compressing { .. } => "compress",
        Progress::Shrinking => "shrink",
        Progress::Wrapping => "wrap",
        Progress::Snark => "snark",
        Progress::Verifying => "verify",
        Progress::Done => "done",
        Progress::Bundling { .. } => "bundle",
        Progress::Gathering { .. } => "gather",
        Progress::Unknown(_) => "other",
    }
}

/// What came of a request that failed.
pub(super) fn error_label(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Version => "version",
        ErrorCode::Malformed => "malformed",
        ErrorCode::TooLarge => "too_large",
        ErrorCode::Unsupported => "unsupported",
        ErrorCode::InvalidStatement => "invalid_statement",
        ErrorCode::InvalidProof => "invalid_proof",
        ErrorCode::Busy => "busy",
        ErrorCode::DeadlineExceeded => "deadline_exceeded",
        ErrorCode::Cancelled => "cancelled",
        ErrorCode::ProverFailed => "prover_failed",
        ErrorCode::ShuttingDown => "shutting_down",
        ErrorCode::DuplicateRequest => "duplicate_request",
        ErrorCode::Unauthorized => "unauthorized",
        ErrorCode::Internal => "internal",
        ErrorCode::UnknownJob => "unknown_job",
        ErrorCode::Other(_) => "other",
    }
}
