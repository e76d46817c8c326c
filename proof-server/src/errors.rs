//! Errors that several parts answer with.

use sextant_protocol::{ErrorCode, ServerError};

/// What is said to whoever asks a server that is ending, or waits for it: another one may do it.
pub(crate) fn shutting_down() -> ServerError {
    ServerError::retryable(ErrorCode::ShuttingDown, "the server is shutting down", 1_000)
}
