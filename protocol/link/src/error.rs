//! Why there is no connection, and why a request on one gave no answer.

use std::{io, sync::Arc, time::Duration};

use sextant_protocol::{OLDEST_VERSION, PROTOCOL_VERSION, ServerError, frame::FrameError, parts::PartError};

/// Why there is no connection, or no longer one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// The address could not be resolved or reached.
    #[error("cannot connect to {server}: {source}")]
    Connect {
        /// The address as given.
        server: String,
        /// The system's reason.
        source: Arc<io::Error>,
    },
    /// The server refused the handshake, or closed with a reason.
    #[error("the server refused the connection: {0}")]
    Refused(ServerError),
    /// The server welcomed us in a version that was not offered.
    #[error("the server speaks protocol version {got}, offered were {OLDEST_VERSION} to {PROTOCOL_VERSION}")]
    Version {
        /// The server's version.
        got: u32,
    },
    /// The stream broke, or carried something that is no message.
    #[error("{0}")]
    Broken(Arc<FrameError>),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The server sent a well-formed message that has no place there.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
    /// The server sent a part of a proof that does not belong where it came.
    #[error("the server broke the protocol: {0}")]
    Part(#[from] PartError),
    /// The server has sent nothing for long, not even answers to pings.
    #[error("the server has been silent for {} s", .after.as_secs())]
    Silent {
        /// How long.
        after: Duration,
    },
}

impl TransportError {
    /// Whether another connection would end the same way: the server has seen who asks, and how, and said no.
    pub fn stands(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.stands(),
            Self::Version { .. } => true,
            _ => false,
        }
    }
}

impl From<FrameError> for TransportError {
    fn from(error: FrameError) -> Self {
        Self::Broken(Arc::new(error))
    }
}

/// Why a request gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AskError {
    /// The connection broke.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server said so.
    #[error("server: {0}")]
    Server(#[from] ServerError),
    /// The proof is larger than this side takes.
    #[error("a proof of {got} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Its size as announced, bytes.
        got: u64,
        /// The limit, bytes.
        limit: usize,
    },
    /// The proof is not what was announced: damaged on its way, or put together wrongly.
    #[error("the proof that came is not the one that was announced: its SHA-256 differs")]
    Checksum,
}
