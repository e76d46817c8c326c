//! What travels between client, server and prover worker. `docs/protocol.md` describes it down to bytes.
//!
//! One direction of reading: a [`frame`] holds one encoded [`message`]; a message carries a [`request`],
//! its [`progress`], and in the end a response or an [`error`]. A finished proof is a [`proof::ProofRecord`],
//! on the wire and as a file alike.

pub mod encoding;
pub mod error;
pub mod frame;
pub mod message;
pub mod progress;
pub mod proof;
pub mod request;

pub use error::{ErrorCode, ServerError};
pub use message::{ClientMessage, OLDEST_VERSION, PROTOCOL_VERSION, RequestId, ServerMessage, Token};
pub use progress::Progress;
pub use proof::{ProofKind, ProofRecord};
pub use request::{ProveRequest, Request, Response, ServerInfo, StatementInput};
