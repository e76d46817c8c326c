//! What can go wrong between a fleet's parts.

use sextant_protocol::encoding::EncodingError;

/// Why a queue or a store did not do what it was asked. Nothing has happened then, or what happened may be done again.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No room: the same later.
    #[error("{0} is full")]
    Full(&'static str),
    /// The broker does not answer: the same later.
    #[error("the fleet's broker does not answer: {0}")]
    Unreachable(String),
    /// The broker or the disk refuses, and will go on refusing until somebody sees to it.
    #[error("{what}: {reason}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// A name that could mean something else in a subject or a path.
    #[error("{text:?} is no name of a {what}: 1 to {limit} letters, digits, - and _")]
    Name {
        /// What it should name.
        what: &'static str,
        /// What was given.
        text: String,
        /// The longest that it may be, bytes.
        limit: usize,
    },
    /// More bytes than are taken.
    #[error("{what} of {got} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size, bytes.
        got: u64,
        /// The most, bytes.
        limit: u64,
    },
    /// Bytes that are not what their name or reference says.
    #[error("{what} is damaged: {reason}")]
    Damaged {
        /// What was read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A broker that lacks what a fleet needs.
    #[error("nats-server {found} is older than {needed}, and lacks: {lacks}")]
    Version {
        /// The version that the broker says it is.
        found: String,
        /// The oldest that is taken.
        needed: &'static str,
        /// What would be missing.
        lacks: &'static str,
    },
}

impl FleetError {
    /// Whether the same may work in a while.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Unreachable(_))
    }

    /// A file or folder that the system does not let us use.
    pub(crate) fn disk(what: &'static str, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full("the disk"),
            _ => Self::Refused { what, reason: error.to_string() },
        }
    }

    /// As the reader of a message says it.
    pub(crate) fn on_the_wire(&self, what: &'static str) -> EncodingError {
        EncodingError::Malformed { what, source: Box::new(bincode::ErrorKind::Custom(self.to_string())) }
    }

    pub(crate) fn damaged(what: &str, error: &EncodingError) -> Self {
        Self::Damaged { what: what.into(), reason: error.to_string() }
    }
}
