//! Why no endpoint gave a usable answer: which request, which endpoint, and what was wrong with what it said.

use std::{fmt, time::Duration};

use reqwest::StatusCode;

use crate::{http, input::InputError, rpc};

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
        /// What a reverted call returned, if that is what happened; empty where the node does not tell.
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
    /// The node does not have what was asked for.
    #[error("null: the node has none")]
    Nothing,
    /// The answer is well-formed and false, or not usable: the native checks refuse it.
    #[error("refused: {0}")]
    Refused(String),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.request)?;
        for (index, failure) in self.failures.iter().enumerate() {
            let Failure { endpoint, reason } = failure;
            let reason = reason.to_string();
            // An answer that cannot be read is named by what was asked, which stands in front already.
            let reason = reason.strip_prefix(&*self.request).unwrap_or(&reason).trim_start_matches(": ");
            write!(f, "{}{endpoint}: {reason}", if index == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl SourceError {
    /// What the call returned that a node says was reverted; empty where the node does not tell.
    pub fn revert(&self) -> Option<&[u8]> {
        self.failures.iter().find_map(|failure| match &failure.reason {
            Reason::Rpc { data, .. } => data.as_deref(),
            _ => None,
        })
    }

    /// Whether every node says that it does not have the method.
    pub fn is_unsupported(&self) -> bool {
        self.failures.iter().all(|failure| failure.reason.is_unsupported())
    }

    /// Whether every node says that it does not have the method, or by that method not what was asked for.
    pub(crate) fn is_unserved(&self) -> bool {
        let unserved = |reason: &Reason| matches!(reason, Reason::Nothing) || reason.is_unsupported();
        self.failures.iter().all(|failure| unserved(&failure.reason))
    }

    /// Whether asking again may help: nobody has said anything that is final.
    pub fn is_passing(&self) -> bool {
        self.failures.iter().all(|failure| failure.reason.is_passing())
    }

    /// Whether some endpoint contradicted itself or the chain, rather than being absent, slow or behind.
    pub fn is_lie(&self) -> bool {
        self.failures.iter().any(|failure| failure.reason.is_lie())
    }
}

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

    /// Whether asking the same endpoint again may help.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Timeout(_) => true,
            Self::Status { status, .. } => http::is_passing(*status),
            Self::Rpc { code, message, data } => data.is_none() && rpc::is_passing(*code, message),
            _ => false,
        }
    }

    /// JSON-RPC 2.0 and EIP-1474.
    fn is_unsupported(&self) -> bool {
        matches!(self, Self::Rpc { code: -32601 | -32004, .. })
    }

    /// Whether the endpoint said something that is not so.
    fn is_lie(&self) -> bool {
        matches!(self, Self::Nothing | Self::Refused(_) | Self::Mismatch { .. } | Self::Answer(_))
    }
}
