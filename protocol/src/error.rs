//! What a server says when it cannot do what was asked: a code to act on and a sentence to read.

use bytes::Bytes;

use crate::{encoding::EncodingError, record, wire::Wire};

record! {
/// A typed refusal or failure. `message` names what is wrong; programs decide by `code`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServerError {
    /// The class of error.
    1 = code: ErrorCode,
    /// One line for a person; at most 1 KiB.
    2 = message: String = String::new(),
    /// When asking again may help: after this many milliseconds. 0: asking again changes nothing.
    3 = retry_after_ms: u64 = 0,
}
}

impl ServerError {
    /// An error that asking again does not change.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: 0 }
    }

    /// Whether it is about who asks and for what, not about now: asked again, the same server says the same.
    pub fn stands(&self) -> bool {
        use ErrorCode as E;
        self.retry_after_ms == 0
            && matches!(
                self.code,
                E::Version
                    | E::Malformed
                    | E::TooLarge
                    | E::Unsupported
                    | E::InvalidStatement
                    | E::InvalidProof
                    | E::Unauthorized
            )
    }

    /// An error worth another try after `retry_after_ms`.
    pub fn retryable(code: ErrorCode, message: impl Into<String>, retry_after_ms: u64) -> Self {
        Self { code, message: message.into(), retry_after_ms }
    }
}

/// Classes of error. The numbers are the wire's; they never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// 14: no job of this key is known here: never submitted, or not kept any longer.
    UnknownJob,
    /// A code of a later version.
    Other(u32),
}

impl ErrorCode {
    /// All that this version knows, each at the place of its number.
    pub const ALL: [Self; 15] = [
        Self::Version,
        Self::Malformed,
        Self::TooLarge,
        Self::Unsupported,
        Self::InvalidStatement,
        Self::InvalidProof,
        Self::Busy,
        Self::DeadlineExceeded,
        Self::Cancelled,
        Self::ProverFailed,
        Self::ShuttingDown,
        Self::DuplicateRequest,
        Self::Unauthorized,
        Self::Internal,
        Self::UnknownJob,
    ];

    /// The wire's number.
    pub fn number(self) -> u32 {
        match (self, Self::ALL.iter().position(|code| *code == self)) {
            (Self::Other(number), _) => number,
            (_, place) => place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX),
        }
    }
}

impl Wire for ErrorCode {
    fn write(&self, out: &mut Vec<u8>) {
        self.number().write(out);
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        let number = u32::read(what, bytes)?;
        let known = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number));
        Ok(known.copied().unwrap_or(Self::Other(number)))
    }
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
            Self::UnknownJob => "unknown job",
            Self::Other(number) => return write!(f, "error code {number}"),
        })
    }
}
