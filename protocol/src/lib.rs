//! What travels between client, server and prover worker. `docs/protocol.md` describes it down to bytes.
//!
//! One direction of reading: a [`frame`] holds one [`mod@message`], laid out as [`wire`] says; a message carries a
//! [`request`], its [`progress`], and in the end a response or an [`error`], and what is large in them follows in
//! [`parts`]. A finished proof is a [`proof::ProofRecord`], on the wire and as a file alike; of a statement that shares its
//! proof with others it holds a [`mod@place`].

pub mod encoding;
pub mod error;
pub mod frame;
pub mod message;
pub mod parts;
pub mod place;
pub mod progress;
pub mod proof;
pub mod request;
pub mod wire;

pub use error::{ErrorCode, ServerError};
pub use message::{ClientMessage, OLDEST_VERSION, PROTOCOL_VERSION, RequestId, ServerMessage, Token};
pub use progress::Progress;
pub use proof::{ProofKind, ProofRecord};
pub use request::{
    BundleRequest, JobKey, ProofAnswer, ProveRequest, Request, Response, ServerInfo, StatementInput,
    WrapRequest,
};
