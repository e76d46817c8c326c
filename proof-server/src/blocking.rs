//! Work on many bytes, away from the threads that everybody waits for.

use sextant_protocol::{ErrorCode, ServerError};

/// Does `work` on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServerError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ServerError::new(ErrorCode::Internal, error.to_string()))
}
