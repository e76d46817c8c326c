//! The handshake, then messages that name the request they belong to.
//!
//! The client opens with [`ClientMessage::Hello`] and [`ClientMessage::Introduction`]; the server answers
//! [`ServerMessage::Welcome`] or [`ServerMessage::Refused`]. After that any number of requests run at once; every answer
//! echoes its id.

use bytes::Bytes;

use crate::{
    Progress, Request, Response, ServerError,
    encoding::EncodingError,
    message,
    wire::{self, Fields, Wire},
};

/// The newest version of this protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 3;

/// The oldest version that it speaks.
pub const OLDEST_VERSION: u32 = 3;

/// First bytes of a hello, so that a stray connection of another protocol is recognised.
pub const MAGIC: [u8; 8] = *b"SEXTANT\0";

/// Capability of a server that knows [`Request::Wrap`] and [`Request::SubmitWrap`]. Whether it makes SNARKs is another
/// question, which [`Request::Info`] answers.
pub const WRAP: &str = "wrap";

/// Capability of a server that knows [`Request::Bundle`] and [`Request::SubmitBundle`]. Whether it makes bundles is another
/// question, which [`Request::Info`] answers.
pub const BUNDLE: &str = "bundle";

/// Capability of a server that also takes [`Program::Chain`](sextant_consensus::Program::Chain) in a
/// [`BundleRequest`](crate::BundleRequest).
pub const CHAIN: &str = "chain";

/// Chosen by the client, unique among its open requests on one connection.
pub type RequestId = u64;

/// The version in which two sides speak that know the versions from `oldest` to `newest` and those of this crate: the
/// newest of both.
pub fn common_version(oldest: u32, newest: u32) -> Option<u32> {
    let version = newest.min(PROTOCOL_VERSION);
    (oldest <= version && version >= OLDEST_VERSION).then_some(version)
}

message! {
/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// First message of a connection. Any version can read it.
    0 = Hello {
        /// [`MAGIC`].
        1 = magic: [u8; 8],
        /// The oldest version that the client speaks.
        2 = oldest: u32,
        /// The newest one.
        3 = newest: u32,
        /// Name and version of the client software, for the server's log; at most 64 bytes.
        4 = agent: String = String::new(),
        /// What the client can besides what every one of its version can.
        5 = capabilities: Vec<String> = Vec::new(),
    },
    /// Second message of a connection: on whose behalf it is.
    1 = Introduction {
        /// Proves who the client is, where the server wants to know; empty otherwise.
        1 = token: Token = Token::default(),
        /// Servers between the asking client and this connection: 0 for a client, one more at each entrypoint. Believed
        /// of servers only.
        2 = hops: u32 = 0,
        /// What an entrypoint calls the client for whom it asks; empty where the connection speaks for itself. Believed
        /// of servers only.
        3 = on_behalf: String = String::new(),
        /// W3C trace context of what a server does for that client. Believed of servers only.
        4 = traceparent: Option<String> = None,
    },
    /// A new request.
    2 = Request {
        /// Identifies the answers.
        1 = id: RequestId,
        /// What is asked.
        2 = request: Request,
    },
    /// More of what request `id` carries.
    3 = Part {
        /// The request.
        1 = id: RequestId,
        /// Where these bytes belong.
        2 = offset: u64,
        /// At most [`crate::parts::PART`] of them.
        3 = bytes: Bytes,
    },
    /// Gives up request `id`; it ends with [`crate::ErrorCode::Cancelled`] unless it has just finished.
    4 = Cancel {
        /// The request to end.
        1 = id: RequestId,
    },
}
}

impl ClientMessage {
    /// The hello of this crate's versions.
    pub fn hello(agent: &str) -> Self {
        Self::Hello {
            magic: MAGIC,
            oldest: OLDEST_VERSION,
            newest: PROTOCOL_VERSION,
            agent: agent.into(),
            capabilities: Vec::new(),
        }
    }

    /// Whose request or part a message is, where the rest of it does not decode.
    pub fn request_id(message: Bytes) -> Option<RequestId> {
        match wire::split_tag("client message", message) {
            Ok((2 | 3, fields)) => Fields::new("client message", fields).take(1, "id", None).ok(),
            _ => None,
        }
    }
}

/// A bearer token: whoever has it is its owner. Never shown in debug output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Token(pub String);

impl Wire for Token {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        String::read(what, bytes).map(Self)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "Token(none)" } else { "Token(secret)" })
    }
}

message! {
/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// The handshake succeeded.
    0 = Welcome {
        /// Version of the protocol that this connection speaks: the newest that both sides know.
        1 = version: u32,
        /// Name and version of the server software.
        2 = agent: String = String::new(),
        /// What the server can besides what every one of its version can.
        3 = capabilities: Vec<String> = Vec::new(),
    },
    /// The handshake failed, or the server ends the connection; it closes after this. Any version can read it.
    1 = Refused(error: ServerError),
    /// Request `id` moved on; any number of these come before its answer.
    2 = Progress {
        /// The request.
        1 = id: RequestId,
        /// Where it stands.
        2 = progress: Progress,
    },
    /// The one final answer to request `id`.
    3 = Answer {
        /// The request.
        1 = id: RequestId,
        /// Its outcome.
        2 = result: Result<Response, ServerError>,
    },
    /// More of what the answer to request `id` carries.
    4 = Part {
        /// The request.
        1 = id: RequestId,
        /// Where these bytes belong.
        2 = offset: u64,
        /// At most [`crate::parts::PART`] of them.
        3 = bytes: Bytes,
    },
}
}
