//! Steps of a request on their way to its client.

use sextant_protocol::{Progress, RequestId, ServerMessage};
use tokio::sync::mpsc;

/// Sends the steps of one request. Steps are information: with a client that reads slowly some are dropped, so that
/// nothing here ever waits.
#[derive(Clone)]
pub(crate) struct ProgressSender(Option<(RequestId, mpsc::Sender<ServerMessage>)>);

impl ProgressSender {
    /// Steps of request `id` to its connection.
    pub(crate) fn new(id: RequestId, connection: mpsc::Sender<ServerMessage>) -> Self {
        Self(Some((id, connection)))
    }

    /// Steps that nobody asked for.
    pub(crate) fn nowhere() -> Self {
        Self(None)
    }

    /// Reports a step.
    pub(crate) fn send(&self, progress: Progress) {
        if let Some((id, connection)) = &self.0 {
            // Full: the client is slow. Closed: it is gone, and its request ends by another way.
            let _ = connection.try_send(ServerMessage::Progress { id: *id, progress });
        }
    }
}
