//! Why no endpoint gave a usable answer: which request, which endpoint, and what was wrong with what it said.

use std::{fmt, time::Duration};

use reqwest::StatusCode;

use crate::input::InputError;

/// A request that no endpoint answered usably.
#[derive(Debug, thiserror::Error)]
pub struct SourceError {
    /// What was asked, such as `finality update`.
    pub request: String,
    /// The last failure of each endpoint that was asked, in the order of the endpoints.
    pub failures: Vec<Failure>,
}

/// What one endpoint did wrong.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint}: {reason}")]
pub struct Failure {
    /// Scheme, host and port: the rest of a URL may be a secret.
    pub endpoint: String,
    /// What was wrong.
    pub reason: Reason,
}

/// What was wrong with an endpoint or its answer.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// No connection, a broken one, or an answer cut short.
    #[error("{0}")]
    Transport(String),
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// Another HTTP status than success.
    #[error("HTTP status {status}{}", .message.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Status {
        /// The status.
        status: StatusCode,
        /// What the node said about it.
        message: Option<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// More bytes than any honest answer has. Reading stopped there.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit for this request.
        limit: u64,
    },
    /// Neither JSON nor SSZ.
    #[error("content type {0:?} is neither JSON nor SSZ")]
    ContentType(String),
    /// The node's own error in JSON-RPC.
    #[error("JSON-RPC error {code}: {message}")]
    Rpc {
        /// Its code.
        code: i64,
        /// Its message.
        message: String,
        /// What a reverted call returned, where the node says.
        data: Option<Vec<u8>>,
    },
    /// The answer does not parse.
    #[error(transparent)]
    Answer(#[from] InputError),
    /// The answer is about something else than what was asked.
    #[error("answers another question: {what} is {got}, asked for {expected}")]
    Mismatch {
        /// Which property.
        what: &'static str,
        /// In the answer.
        got: String,
        /// In the question.
        expected: String,
    },
    /// The answer is well-formed and false, or not usable: the native checks refuse it.
    #[error("refused: {0}")]
    Refused(String),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.request)?;
        for (index, failure) in self.failures.iter().enumerate() {
            write!(f, "{}{failure}", if index == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl SourceError {
    /// What the call returned that a node says was reverted; empty where the node does not tell.
    pub fn revert(&self) -> Option<&[u8]> {
        self.failures.iter().find_map(|failure| failure.reason.revert())
    }

    /// Whether every node says that it does not have the method.
    pub fn is_unsupported(&self) -> bool {
        self.failures.iter().all(|failure| {
            // JSON-RPC 2.0 and EIP-1474.
            matches!(failure.reason, Reason::Rpc { code: -32601 | -32004, .. })
        })
    }

    /// Whether some endpoint contradicted itself or the chain, rather than being absent, slow or behind.
    pub fn is_lie(&self) -> bool {
        self.failures.iter().any(|failure| failure.reason.is_lie())
    }
}

/// Codes of nodes and providers that are overloaded or limit rates: "limit exceeded" (EIP-1474), "internal error"
/// (JSON-RPC), HTTP's own, and those that providers chose.
const BUSY: [i64; 7] = [-32005, -32603, 429, -32007, -32016, -32029, -32097];

impl Reason {
    /// Refused by a native check.
    pub fn refused(error: impl fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }

    /// Answers another question.
    pub(crate) fn mismatch(what: &'static str, got: impl fmt::Display, expected: impl fmt::Display) -> Self {
        Self::Mismatch { what, got: got.to_string(), expected: expected.to_string() }
    }

    /// A transport error without its URL, which may hold a secret, and with its causes.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::Transport(text)
    }

    /// What a reverted call returned, if this says that a call was reverted: code 3, or the words of the clients that have
    /// another. Anything else with hex digits as its data, or that word in its text, is a node's own trouble.
    pub(crate) fn revert(&self) -> Option<&[u8]> {
        const WORDS: [&str; 3] =
            ["execution reverted", "vm exception while processing", "vm execution error"];
        let Self::Rpc { code, message, data } = self else { return None };
        let message = message.to_ascii_lowercase();
        (*code == 3 || WORDS.iter().any(|words| message.contains(words)))
            .then(|| data.as_deref().unwrap_or_default())
    }

    /// Whether asking the same endpoint again may help.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Timeout(_) => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
                        .contains(status)
            }
            Self::Rpc { code, .. } => BUSY.contains(code) && self.revert().is_none(),
            _ => false,
        }
    }

    /// Whether the endpoint said something that is not so.
    fn is_lie(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Mismatch { .. } | Self::Answer(_))
    }
}
