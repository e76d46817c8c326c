//! What a server says when it cannot do what was asked: a code to act on and a sentence to read.

use serde::{Deserialize, Serialize};

/// A typed refusal or failure. `message` names what is wrong; programs decide by `code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServerError {
    /// The class of error.
    pub code: ErrorCode,
    /// One line for a person; at most 1 KiB.
    pub message: String,
    /// When asking again may help: after this many milliseconds. 0: asking again changes nothing.
    pub retry_after_ms: u64,
}

impl ServerError {
    /// An error that asking again does not change.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: 0 }
    }

    /// An error worth another try after `retry_after_ms`.
    pub fn retryable(code: ErrorCode, message: impl Into<String>, retry_after_ms: u64) -> Self {
        Self { code, message: message.into(), retry_after_ms }
    }
}

/// Classes of error. The numbers are the wire's; they never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorCode {
    /// 0: the peer speaks another protocol or version.
    Version,
    /// 1: a frame or message that does not decode, or comes at the wrong time.
    Malformed,
    /// 2: over a size limit.
    TooLarge,
    /// 3: the program, kind or request is not offered here.
    Unsupported,
    /// 4: the statement is false or its evidence incomplete; the message names the rule.
    InvalidStatement,
    /// 5: the proof is not valid; the message says why.
    InvalidProof,
    /// 6: no place for it now (queue, connections, budget); asking again later may help.
    Busy,
    /// 7: the deadline passed.
    DeadlineExceeded,
    /// 8: cancelled by the client.
    Cancelled,
    /// 9: the prover failed (crash, memory, time); asking again may help.
    ProverFailed,
    /// 10: the server is shutting down.
    ShuttingDown,
    /// 11: a request id that is already in use.
    DuplicateRequest,
    /// 12: not allowed to ask this.
    Unauthorized,
    /// 13: a fault of the server's own.
    Internal,
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Version => "version mismatch",
            Self::Malformed => "malformed message",
            Self::TooLarge => "too large",
            Self::Unsupported => "unsupported",
            Self::InvalidStatement => "invalid statement",
            Self::InvalidProof => "invalid proof",
            Self::Busy => "busy",
            Self::DeadlineExceeded => "deadline exceeded",
            Self::Cancelled => "cancelled",
            Self::ProverFailed => "prover failed",
            Self::ShuttingDown => "shutting down",
            Self::DuplicateRequest => "duplicate request id",
            Self::Unauthorized => "unauthorized",
            Self::Internal => "internal error",
        })
    }
}
