//! The client's side of the handshake.

use sextant_protocol::{
    ClientMessage, OLDEST_VERSION, PROTOCOL_VERSION, ServerMessage, Token,
    frame::{MAX_FRAME, MAX_HANDSHAKE_FRAME, MessageReader, MessageWriter},
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Link, LinkConfig, TransportError};

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Introduction {
    /// Name and version of the software.
    pub agent: String,
    /// What says who it is; empty if nothing does.
    pub token: Token,
    /// Servers that the requests have passed through.
    pub hops: u32,
    /// For whom a server asks; empty for itself.
    pub on_behalf: String,
    /// W3C trace context of what the server does for them.
    pub traceparent: Option<String>,
}

impl Link {
    /// Shakes hands with the server on a fresh stream.
    ///
    /// # Errors
    /// [`TransportError`]; [`TransportError::Refused`] has the server's own words.
    pub async fn greet<R, W>(
        reader: R,
        writer: W,
        introduction: Introduction,
        config: &LinkConfig,
    ) -> Result<Self, TransportError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let mut reader = MessageReader::new(reader, MAX_HANDSHAKE_FRAME, "server message");
        let mut writer = MessageWriter::new(writer, MAX_FRAME);
        let Introduction { agent, token, hops, on_behalf, traceparent } = introduction;
        writer.send(&ClientMessage::hello(&agent)).await?;
        writer.send(&ClientMessage::Introduction { token, hops, on_behalf, traceparent }).await?;
        let (version, agent, capabilities) = match reader.next().await? {
            Some(ServerMessage::Welcome { version, agent, capabilities }) => (version, agent, capabilities),
            Some(ServerMessage::Refused(error)) => return Err(TransportError::Refused(error)),
            Some(_) => return Err(TransportError::Protocol("another message than a welcome came first")),
            None => return Err(TransportError::Closed),
        };
        if !(OLDEST_VERSION..=PROTOCOL_VERSION).contains(&version) {
            return Err(TransportError::Version { got: version });
        }
        reader.set_cap(MAX_FRAME);
        Ok(Self::start(reader, writer, agent, capabilities, config))
    }
}
