//! The first messages of a client: which versions it speaks, and who it says it is.

use sextant_protocol::{
    ClientMessage, ErrorCode, OLDEST_VERSION, PROTOCOL_VERSION, ServerError, Token,
    message::{MAGIC, common_version},
};
use tokio::io::AsyncRead;

use super::{Ended, Reader, frame_error};

/// Longest agent name that is accepted, bytes.
const MAX_AGENT: usize = 64;

/// What a client has said about itself.
pub(super) struct Greeting {
    /// The version that both sides speak.
    pub(super) version: u32,
    pub(super) agent: String,
    pub(super) token: Token,
    pub(super) hops: u32,
    pub(super) on_behalf: String,
    pub(super) traceparent: Option<String>,
}

/// Reads what a connection begins with.
pub(super) async fn greet<R: AsyncRead + Unpin>(reader: &mut Reader<R>) -> Result<Greeting, Ended> {
    let refuse = |code, message: String| Err(Ended::Refused(ServerError::new(code, message)));
    let (oldest, newest, agent) = match next(reader).await? {
        ClientMessage::Hello { magic, .. } if magic != MAGIC => {
            return refuse(ErrorCode::Version, "not a Sextant client".into());
        }
        ClientMessage::Hello { agent, .. } if agent.len() > MAX_AGENT => {
            let message = format!("agent of {} bytes exceeds the limit of {MAX_AGENT}", agent.len());
            return refuse(ErrorCode::TooLarge, message);
        }
        ClientMessage::Hello { oldest, newest, agent, .. } => (oldest, newest, agent),
        _ => return refuse(ErrorCode::Malformed, "the first message must be a hello".into()),
    };
    let Some(version) = common_version(oldest, newest) else {
        let speaks = format!("versions {OLDEST_VERSION} to {PROTOCOL_VERSION}");
        let message = format!("this server speaks {speaks}, the client {oldest} to {newest}");
        return refuse(ErrorCode::Version, message);
    };
    match next(reader).await? {
        ClientMessage::Introduction { token, hops, on_behalf, traceparent } => {
            Ok(Greeting { version, agent, token, hops, on_behalf, traceparent })
        }
        _ => refuse(ErrorCode::Malformed, "the second message must be an introduction".into()),
    }
}

async fn next<R: AsyncRead + Unpin>(reader: &mut Reader<R>) -> Result<ClientMessage, Ended> {
    match reader.next().await {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(Ended::Silent),
        Err(error) => Err(Ended::Refused(frame_error(&error))),
    }
}
