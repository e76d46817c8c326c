//! What a client is sent: small messages go first, and between them the parts of proofs in turn.

use std::collections::VecDeque;

use sextant_protocol::ServerMessage;
use tokio::{
    io::AsyncWrite,
    sync::mpsc::{Receiver, error::TryRecvError},
};

use super::{Ended, Writer};
use crate::outbox::{Download, Outgoing};

/// Writes until the last sender is gone and everything is written.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    mut writer: Writer<W>,
    mut messages: Receiver<Outgoing>,
) -> Result<(), Ended> {
    let mut downloads: VecDeque<Download> = VecDeque::new();
    let mut last = None;
    loop {
        let message = match (&last, downloads.is_empty()) {
            (None, true) => messages.recv().await.ok_or(TryRecvError::Disconnected),
            (None, false) => messages.try_recv(),
            // Nothing comes after it.
            (Some(_), _) => Err(TryRecvError::Disconnected),
        };
        match message {
            Ok(Outgoing::Message(refused @ ServerMessage::Refused(_))) => last = Some(refused),
            Ok(Outgoing::Message(message)) => writer.send(&message).await?,
            Ok(Outgoing::Proof(download)) => downloads.push_back(download),
            Err(ended) => {
                let Some(mut download) = downloads.pop_front() else {
                    match last {
                        Some(refused) => writer.send(&refused).await?,
                        None if ended == TryRecvError::Empty => continue,
                        None => {}
                    }
                    return Ok(());
                };
                if let Some(message) = download.next() {
                    writer.send(&message).await?;
                    downloads.push_back(download);
                }
            }
        }
    }
}
