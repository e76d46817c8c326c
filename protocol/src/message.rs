//! The envelope: the handshake, then messages that name the request they belong to.
//!
//! The client opens with [`ClientMessage::Hello`], the server answers [`ServerMessage::Welcome`] or
//! [`ServerMessage::Refused`]. After that any number of requests run at once; every answer echoes its id.

use serde::{Deserialize, Serialize};

use crate::{Progress, Request, Response, ServerError};

/// Version of this protocol; both sides must speak the same.
pub const PROTOCOL_VERSION: u32 = 1;

/// First bytes of a hello, so that a stray connection of another protocol is recognised.
pub const MAGIC: [u8; 8] = *b"SEXTANT\0";

/// Chosen by the client, unique among its open requests on one connection.
pub type RequestId = u64;

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First message of a connection.
    Hello {
        /// [`MAGIC`].
        magic: [u8; 8],
        /// [`PROTOCOL_VERSION`] of the client.
        version: u32,
        /// Name and version of the client software, for the server's log; at most 64 bytes.
        agent: String,
    },
    /// A new request.
    Request {
        /// Identifies the answers.
        id: RequestId,
        /// What is asked.
        request: Request,
    },
    /// Gives up request `id`; it ends with [`crate::ErrorCode::Cancelled`] unless it has just finished.
    Cancel {
        /// The request to end.
        id: RequestId,
    },
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The handshake succeeded.
    Welcome {
        /// [`PROTOCOL_VERSION`] of the server.
        version: u32,
        /// Name and version of the server software.
        agent: String,
    },
    /// The handshake failed; the connection closes after it.
    Refused(ServerError),
    /// Request `id` moved on; any number of these come before its answer.
    Progress {
        /// The request.
        id: RequestId,
        /// Where it stands.
        progress: Progress,
    },
    /// The one final answer to request `id`.
    Answer {
        /// The request.
        id: RequestId,
        /// Its outcome.
        result: Result<Response, ServerError>,
    },
}
