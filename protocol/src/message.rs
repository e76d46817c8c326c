//! The envelope: the handshake, then messages that name the request they belong to.
//!
//! The client opens with [`ClientMessage::Hello`] and, since version 2, [`ClientMessage::Introduction`]; the server
//! answers [`ServerMessage::Welcome`] or [`ServerMessage::Refused`]. After that any number of requests run at once;
//! every answer echoes its id.

use serde::{Deserialize, Serialize};

use crate::{Progress, Request, Response, ServerError};

/// Version of this protocol that clients of this crate speak.
pub const PROTOCOL_VERSION: u32 = 2;

/// The oldest version that servers still understand: no introduction, no program named by its key.
pub const OLDEST_VERSION: u32 = 1;

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
    /// Second message of a connection, since version 2: on whose behalf it is.
    Introduction {
        /// Proves who the client is, where the server wants to know; empty otherwise.
        token: Token,
        /// Servers between the asking client and this connection: 0 for a client, one more at each entrypoint.
        hops: u32,
    },
}

/// A bearer token: whoever has it is its owner. Never shown in debug output.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "Token(none)" } else { "Token(secret)" })
    }
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The handshake succeeded.
    Welcome {
        /// Version of the protocol that this connection speaks: the client's.
        version: u32,
        /// Name and version of the server software.
        agent: String,
    },
    /// The handshake failed, or the server ends the connection; it closes after this.
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

impl ServerMessage {
    /// The bytes that come before an encoded [`Response`] in the encoding of a successful [`Self::Answer`].
    pub fn answer_start(id: RequestId) -> [u8; 16] {
        let mut start = [0; 16];
        start[0] = 3;
        start[4..12].copy_from_slice(&id.to_le_bytes());
        start
    }
}

/// How many bytes of a client's message [`RequestCaps::of`] needs to know what it is.
pub const OPENING: usize = 16;

/// Largest frames after the handshake, by what they carry. Everything else is small.
#[derive(Clone, Copy, Debug)]
pub struct RequestCaps {
    /// Bytes of a statement input.
    pub input: usize,
    /// Bytes of a proof record.
    pub record: usize,
}

/// What the first bytes of a client's message say about the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The request it makes, if it makes one.
    pub id: Option<RequestId>,
    /// Largest frame of this type, bytes.
    pub cap: usize,
}

impl RequestCaps {
    /// Most that a request holds besides an input or a record, bytes.
    const AROUND: usize = 128;

    /// Reads the first [`OPENING`] bytes of a message, or all of a shorter one. What is unknown gets the smallest cap;
    /// decoding says what is wrong with it.
    pub fn of(&self, opening: &[u8]) -> Opening {
        let u32_at = |at: usize| {
            let bytes = opening.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let id = opening.get(4..12).and_then(|id| id.try_into().ok()).map(u64::from_le_bytes);
        match (u32_at(0), id, u32_at(12)) {
            (Some(1), id, Some(0 | 4)) => Opening { id, cap: self.input.saturating_add(Self::AROUND) },
            (Some(1), id, Some(1)) => Opening { id, cap: self.record.saturating_add(Self::AROUND) },
            (Some(1), id, _) => Opening { id, cap: Self::AROUND },
            _ => Opening { id: None, cap: Self::AROUND },
        }
    }
}
