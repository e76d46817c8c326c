//! What waits to be written to a client.

use bytes::Bytes;
use sextant_protocol::{RequestId, ServerError, ServerMessage, encoding};

/// The answer to a request, before it has an id.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A small one.
    Response(sextant_protocol::Response),
    /// One that is encoded already, and shared with whoever else gets the same.
    Encoded(Bytes),
}

/// One message on its way to a client. A client that does not read must not cost a copy of every proof it asked for:
/// proofs are shared.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// An ordinary message.
    Message(ServerMessage),
    /// A successful answer with an encoded response.
    Encoded { id: RequestId, response: Bytes },
}

impl Outgoing {
    /// The answer to request `id`.
    pub(crate) fn answer(id: RequestId, result: Result<Reply, ServerError>) -> Self {
        match result {
            Ok(Reply::Encoded(response)) => Self::Encoded { id, response },
            Ok(Reply::Response(response)) => {
                Self::Message(ServerMessage::Answer { id, result: Ok(response) })
            }
            Err(error) => Self::Message(ServerMessage::Answer { id, result: Err(error) }),
        }
    }

    /// Its bytes, in two parts.
    pub(crate) fn parts(&self) -> (Vec<u8>, Bytes) {
        match self {
            Self::Message(message) => (encoding::encode(message), Bytes::new()),
            Self::Encoded { id, response } => (ServerMessage::answer_start(*id).to_vec(), response.clone()),
        }
    }
}
