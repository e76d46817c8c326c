//! What can go wrong with a request, by who is to blame: the transport, the clock, the server's own refusal, an answer
//! that is not to be believed, or a statement that is false to begin with.

use std::{io, sync::Arc, time::Duration};

use sextant_consensus::Program;
use sextant_protocol::{PROTOCOL_VERSION, ProofKind, ServerError, frame::FrameError};

use crate::{checked::CheckError, verify::VerifyError};

/// Why a request gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection could not be made, or broke.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The client's own clock ran out.
    #[error(transparent)]
    Deadline(#[from] DeadlineElapsed),
    /// The server said so.
    #[error("server: {0}")]
    Server(#[from] ServerError),
    /// The server answered, but the answer is not what it must be.
    #[error("the server's answer is refused: {0}")]
    Answer(#[from] AnswerError),
    /// The statement does not hold; nothing was sent.
    #[error(transparent)]
    Check(#[from] CheckError),
}

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
    /// The server welcomed us in another version than ours.
    #[error("the server speaks protocol version {got}, this client {PROTOCOL_VERSION}")]
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
    /// The server has sent nothing for long, not even answers to pings.
    #[error("the server has been silent for {} s", .after.as_secs())]
    Silent {
        /// How long.
        after: Duration,
    },
}

impl From<FrameError> for TransportError {
    fn from(error: FrameError) -> Self {
        Self::Broken(Arc::new(error))
    }
}

/// The client's clock ran out before the result came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} within {} s", .after.as_secs_f32())]
pub struct DeadlineElapsed {
    /// What was waited for.
    pub what: &'static str,
    /// How long.
    pub after: Duration,
}

/// Why an answer is not believed.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// An answer to another kind of question.
    #[error("it answers another question ({got} where {expected} was asked for)")]
    Unexpected {
        /// What was asked for.
        expected: &'static str,
        /// What came.
        got: &'static str,
    },
    /// Made from another input.
    #[error("it was made from another input: digest {}, sent {}", hex::encode(.got), hex::encode(.expected))]
    InputDigest {
        /// Digest of the input that was sent.
        expected: [u8; 32],
        /// Digest in the answer.
        got: [u8; 32],
    },
    /// A proof by another program.
    #[error("it is a proof by program {got}, asked for {expected} ({})", .expected.tag())]
    Program {
        /// The program asked for.
        expected: Program,
        /// The tag in the answer.
        got: u32,
    },
    /// Another kind of proof.
    #[error("it is a {got} proof, asked for {expected}")]
    Kind {
        /// The kind asked for.
        expected: ProofKind,
        /// The kind in the answer.
        got: ProofKind,
    },
    /// It proves something else than what was asked for.
    #[error("its public values are not those of the statement (first difference at byte {at})")]
    PublicValues {
        /// Where the two differ first.
        at: usize,
    },
    /// The proof itself is wrong.
    #[error("the proof does not verify: {0}")]
    Verify(#[from] VerifyError),
}
