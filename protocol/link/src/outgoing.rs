//! What waits to be written to the server: small messages go first, and between them the parts of large requests in turn.

use std::collections::VecDeque;

use sextant_protocol::{
    ClientMessage, RequestId,
    frame::{FrameError, MessageWriter},
    parts::Parts,
};
use tokio::{
    io::AsyncWrite,
    sync::mpsc::{UnboundedReceiver, error::TryRecvError},
};

/// Writes until the last sender is gone and everything is sent.
///
/// # Errors
/// If the stream breaks.
pub(crate) async fn write<W: AsyncWrite + Unpin>(
    writer: &mut MessageWriter<W, ClientMessage>,
    mut messages: UnboundedReceiver<ClientMessage>,
) -> Result<(), FrameError> {
    let mut uploads: VecDeque<(RequestId, Parts)> = VecDeque::new();
    loop {
        let message = if uploads.is_empty() {
            messages.recv().await.ok_or(TryRecvError::Disconnected)
        } else {
            messages.try_recv()
        };
        match message {
            Ok(ClientMessage::Request { id, mut request }) => {
                let parts = request.split();
                writer.send(&ClientMessage::Request { id, request }).await?;
                if !parts.is_empty() {
                    uploads.push_back((id, parts));
                }
            }
            Ok(message) => {
                if let ClientMessage::Cancel { id } = &message {
                    uploads.retain(|(upload, _)| upload != id);
                }
                writer.send(&message).await?;
            }
            Err(TryRecvError::Disconnected) if uploads.is_empty() => return Ok(()),
            Err(_) => {
                let Some((id, mut parts)) = uploads.pop_front() else { continue };
                if let Some((offset, bytes)) = parts.next() {
                    writer.send(&ClientMessage::Part { id, offset, bytes }).await?;
                    uploads.push_back((id, parts));
                }
            }
        }
    }
}
