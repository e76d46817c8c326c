//! What waits to be written to a client.

use sextant_protocol::{ProofAnswer, RequestId, Response, ServerMessage, parts::Parts};
use tokio_util::sync::CancellationToken;

/// The answer to a request, before it has an id.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A small one.
    Response(Response),
    /// A proof, whose bytes are shared with whoever else gets the same, from this byte of its record on.
    Proof(ProofAnswer, u64),
}

/// One message on its way to a client. A client that does not read must not cost a copy of every proof it asked for:
/// proofs are shared.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// An ordinary message.
    Message(ServerMessage),
    /// An answer, and what follows it.
    Proof(Download),
}

/// A proof on its way: its request is open until the last part is written.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) id: RequestId,
    /// The answer itself, until it is written.
    pub(crate) answer: Option<ServerMessage>,
    pub(crate) parts: Parts,
    /// The client does not want the rest.
    pub(crate) cancelled: CancellationToken,
    /// Frees the id when dropped.
    pub(crate) open: Option<Box<dyn std::fmt::Debug + Send>>,
}

impl Download {
    /// The next message of it; `None` at its end. With the last one the id is free.
    pub(crate) fn next(&mut self) -> Option<ServerMessage> {
        if self.cancelled.is_cancelled() {
            return None;
        }
        let message = self.answer.take().or_else(|| {
            let (offset, bytes) = self.parts.next()?;
            Some(ServerMessage::Part { id: self.id, offset, bytes })
        });
        if self.parts.is_empty() {
            // Before it is sent: a client may use the id again as soon as it has read it.
            self.open = None;
        }
        message
    }
}

/// A proof for sending from `offset` on.
pub(crate) fn open(mut answer: ProofAnswer, offset: u64) -> (ProofAnswer, Parts) {
    let parts = answer.split(offset);
    (answer, parts)
}
