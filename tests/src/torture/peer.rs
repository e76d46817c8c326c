//! A client that writes whatever bytes it likes.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use sextant_protocol::{
    ClientMessage, Request, RequestId, Response, ServerError, ServerMessage, Token,
    frame::{MAX_FRAME, MessageReader},
    wire,
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpSocket,
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
#[derive(Debug)]
pub(super) enum End {
    Refused(ServerError),
    Closed,
    /// Nothing was said for longer than anything may take.
    Silence,
}

/// Who a client is and says it is.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// Where it connects from: any address of this machine's own.
    pub(super) source: Ipv4Addr,
    pub(super) token: String,
    pub(super) hops: u32,
    pub(super) on_behalf: String,
}

impl Default for Who {
    fn default() -> Self {
        Self { source: Ipv4Addr::LOCALHOST, token: String::new(), hops: 0, on_behalf: String::new() }
    }
}

pub(super) fn frame(message: &ClientMessage) -> Vec<u8> {
    let body = wire::to_bytes(message);
    [&(body.len() as u32).to_be_bytes(), &body[..]].concat()
}

impl Peer {
    /// Connects and says nothing.
    pub(super) async fn mute(address: &str) -> std::io::Result<Self> {
        Self::mute_from(Ipv4Addr::LOCALHOST, address).await
    }

    /// [`Self::mute`] from another address.
    pub(super) async fn mute_from(source: Ipv4Addr, address: &str) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((source, 0).into())?;
        let address: SocketAddr = address.parse().expect("an address and a port");
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let (read, writer) = stream.into_split();
        Ok(Self { reader: MessageReader::new(read, MAX_FRAME, "server message"), writer })
    }

    /// Connects and shakes hands.
    pub(super) async fn connect(address: &str) -> Self {
        Self::introduced(address, &Who::default()).await.expect("a welcome was due")
    }

    /// Connects and shakes hands, as far as the server agrees.
    pub(super) async fn introduced(address: &str, who: &Who) -> Result<Self, End> {
        let mut peer = Self::mute_from(who.source, address).await.map_err(|_| End::Closed)?;
        let Who { token, hops, on_behalf, .. } = who.clone();
        let introduction =
            ClientMessage::Introduction { token: Token(token), hops, on_behalf, traceparent: None };
        let greeting = [frame(&ClientMessage::hello("torture")), frame(&introduction)].concat();
        peer.write(&greeting).await.map_err(|_| End::Closed)?;
        match peer.next().await? {
            ServerMessage::Welcome { .. } => Ok(peer),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        timeout(PATIENCE, self.writer.write_all(bytes)).await.expect("the server reads or closes")
    }

    /// Asks on a connection that is there.
    pub(super) async fn ask(&mut self, id: RequestId, request: Request) {
        self.try_ask(id, request).await.expect("the server reads");
    }

    /// Asks on a connection that the server may have closed.
    pub(super) async fn try_ask(&mut self, id: RequestId, mut request: Request) -> Result<(), End> {
        let parts = request.split();
        let mut bytes = frame(&ClientMessage::Request { id, request });
        for (offset, part) in parts {
            bytes.extend(frame(&ClientMessage::Part { id, offset, bytes: part }));
        }
        self.write(&bytes).await.map_err(|_| End::Closed)
    }

    pub(super) async fn next(&mut self) -> Result<ServerMessage, End> {
        self.next_within(PATIENCE).await
    }

    pub(super) async fn next_within(&mut self, limit: Duration) -> Result<ServerMessage, End> {
        match timeout(limit, self.reader.next()).await {
            Ok(Ok(Some(ServerMessage::Refused(error)))) => Err(End::Refused(error)),
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None) | Err(_)) => Err(End::Closed),
            Err(_) => Err(End::Silence),
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

    /// Pings, and says how long the answer took.
    ///
    /// # Panics
    /// If there is none, where one is due.
    pub(super) async fn ping(&mut self) -> Duration {
        self.try_ping().await.expect("a pong was due")
    }

    /// [`Self::ping`] on a connection that may come to its end.
    pub(super) async fn try_ping(&mut self) -> Result<Duration, End> {
        let start = Instant::now();
        self.try_ask(RequestId::MAX, Request::Ping).await?;
        match self.answer().await? {
            Ok(Response::Pong) => Ok(start.elapsed()),
            Err(error) => Err(End::Refused(error)),
            Ok(other) => panic!("{other:?}"),
        }
    }

    /// The encoded proof that answers request `wanted`, to its last part, with `limit` for each message.
    pub(super) async fn record(
        &mut self,
        wanted: RequestId,
        limit: Duration,
    ) -> Result<Result<Vec<u8>, ServerError>, End> {
        let (mut record, mut more): (Vec<u8>, _) = (Vec::new(), None);
        while more != Some(0) {
            match self.next_within(limit).await? {
                ServerMessage::Answer { id, result } if id == wanted => match result {
                    Ok(Response::Proof(proof)) => {
                        record.extend_from_slice(&proof.record);
                        more = Some(proof.more);
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => return Ok(Err(error)),
                },
                ServerMessage::Part { id, offset, bytes } if id == wanted => {
                    assert_eq!(offset, record.len() as u64, "parts come in order");
                    record.extend_from_slice(&bytes);
                    more = more.map(|more| more - bytes.len() as u64);
                }
                _ => {}
            }
        }
        Ok(Ok(record))
    }
}
