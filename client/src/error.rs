//! What can go wrong with a request, by who is to blame: the transport, the clock, the server's own refusal, an answer
//! that is not to be believed, or a statement that is false to begin with.

use std::time::Duration;

use sextant_consensus::Program;
use sextant_link::AskError;
pub use sextant_link::TransportError;
use sextant_protocol::{ProofKind, ServerError, encoding::EncodingError};

use crate::{
    checked::{CheckError, WrapError},
    offer::NotOffered,
    verify::VerifyError,
};

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
    /// The server does not offer what is wanted; nothing was sent.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// Stopped by whoever asked.
    #[error("cancelled{}", if *.told { "; the server was told" } else { "" })]
    Cancelled {
        /// Whether a request was open, and the server has heard that nobody waits for it any more.
        told: bool,
    },
    /// The statement does not hold; nothing was sent.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The proof cannot be wrapped; nothing was sent.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

impl From<AskError> for ClientError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Transport(error) => Self::Transport(error),
            AskError::Server(error) => Self::Server(error),
            AskError::TooLarge { got, limit } => Self::Answer(AnswerError::TooLarge { got, limit }),
            AskError::Checksum => Self::Answer(AnswerError::Checksum),
        }
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
    /// Larger than this client takes.
    #[error("a proof of {got} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Its size as announced, bytes.
        got: u64,
        /// The limit, bytes.
        limit: usize,
    },
    /// Not the proof that was announced.
    #[error("the proof that came is not the one that was announced: its SHA-256 differs")]
    Checksum,
    /// No proof at all.
    #[error(transparent)]
    Record(#[from] EncodingError),
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
