//! A client that writes whatever bytes it likes.

use std::time::Duration;

use sextant_protocol::{
    ClientMessage, Request, RequestId, Response, ServerError, ServerMessage, Token,
    frame::{MAX_FRAME, MessageReader},
    wire,
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

/// Longest that any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Peer {
    reader: MessageReader<OwnedReadHalf, ServerMessage>,
    pub(super) writer: OwnedWriteHalf,
}

/// How a connection came to its end.
pub(super) enum End {
    Refused(ServerError),
    Closed,
}

pub(super) fn frame(message: &ClientMessage) -> Vec<u8> {
    let body = wire::to_bytes(message);
    [&(body.len() as u32).to_be_bytes(), &body[..]].concat()
}

impl Peer {
    /// Connects and says nothing.
    pub(super) async fn mute(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (read, writer) = stream.into_split();
        Ok(Self { reader: MessageReader::new(read, MAX_FRAME, "server message"), writer })
    }

    /// Connects and shakes hands.
    pub(super) async fn connect(address: &str) -> Self {
        let mut peer = Self::mute(address).await.expect("connects");
        let hello = ClientMessage::hello("torture");
        let introduction =
            ClientMessage::Introduction { token: Token::default(), hops: 0, on_behalf: String::new() };
        peer.write(&[frame(&hello), frame(&introduction)].concat()).await.expect("the server reads");
        let welcome = peer.next().await;
        assert!(matches!(welcome, Ok(ServerMessage::Welcome { .. })), "a welcome was due");
        peer
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        timeout(PATIENCE, self.writer.write_all(bytes)).await.expect("the server reads or closes")
    }

    pub(super) async fn ask(&mut self, id: RequestId, mut request: Request) {
        assert!(request.split().is_empty(), "requests here are small");
        self.write(&frame(&ClientMessage::Request { id, request })).await.expect("the server reads");
    }

    pub(super) async fn next(&mut self) -> Result<ServerMessage, End> {
        self.next_within(PATIENCE).await
    }

    pub(super) async fn next_within(&mut self, limit: Duration) -> Result<ServerMessage, End> {
        match timeout(limit, self.reader.next()).await.expect("the server answers or closes") {
            Ok(Some(ServerMessage::Refused(error))) => Err(End::Refused(error)),
            Ok(Some(message)) => Ok(message),
            Ok(None) | Err(_) => Err(End::Closed),
        }
    }

    /// The next answer, of a proof its beginning; steps and parts are skipped.
    pub(super) async fn answer(&mut self) -> Result<Result<Response, ServerError>, End> {
        self.answer_within(PATIENCE).await
    }

    /// [`Self::answer`], with `limit` for each message.
    pub(super) async fn answer_within(
        &mut self,
        limit: Duration,
    ) -> Result<Result<Response, ServerError>, End> {
        loop {
            match self.next_within(limit).await? {
                ServerMessage::Answer { result, .. } => return Ok(result),
                ServerMessage::Progress { .. } | ServerMessage::Part { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
