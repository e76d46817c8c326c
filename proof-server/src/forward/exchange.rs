//! One question to one upstream, on a connection of its own: what happens to one request touches no other.

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use sextant_protocol::{
    ClientMessage, PROTOCOL_VERSION, Request, RequestId, Response, ServerInfo, ServerMessage, Token,
    frame::{MAX_CLIENT_FRAME, MAX_HANDSHAKE_FRAME, MAX_SERVER_FRAME, MessageReader, MessageWriter},
    message::MAGIC,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::{failure::Failure, upstream::Upstream};
use crate::{checked::CheckedRequest, programs::AGENT};

/// For a connection to be made and greeted.
const CONNECT: Duration = Duration::from_secs(5);
/// How often an upstream is pinged while it works.
const PING: Duration = Duration::from_secs(10);
/// Silence after which it is given up.
const SILENCE: Duration = Duration::from_secs(40);
/// For the cancellation to be read.
const FAREWELL: Duration = Duration::from_secs(1);

/// The only request of a connection; pings have larger ids.
const ID: RequestId = 1;

/// How upstreams are reached.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) token: Token,
}

type Stream = Box<dyn Duplex>;

/// A stream in both directions.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

struct Link {
    reader: MessageReader<tokio::io::ReadHalf<Stream>, ServerMessage>,
    writer: MessageWriter<tokio::io::WriteHalf<Stream>, ClientMessage>,
}

/// Asks for a proof by the program with the key `vk_hash`, and passes the steps on. Dropped half-way, the upstream is
/// told to cancel.
pub(super) async fn prove(
    connector: &Connector,
    upstream: &Arc<Upstream>,
    request: &Arc<CheckedRequest>,
    vk_hash: [u8; 32],
) -> Result<Response, Failure> {
    let cancelled = CancellationToken::new();
    let _cancel_when_dropped = cancelled.clone().drop_guard();
    let (connector, upstream, request) = (connector.clone(), upstream.clone(), request.clone());
    // A task of its own outlives the caller for as long as saying good-bye takes.
    let exchange = tokio::spawn(async move {
        let broken = |error: String| Failure::Broken(error);
        let mut link = Link::connect(&connector, &upstream, request.caller.hops + 1).await?;
        let mut asked = request.request.clone();
        // Who waits here keeps their own time, and may be joined by others.
        asked.deadline_ms = 0;
        link.ask(Request::ProveBy { request: asked, vk_hash }).await?;
        let mut pings = tokio::time::interval_at(Instant::now() + PING, PING);
        let (mut heard, mut last_id) = (Instant::now(), ID);
        loop {
            let message = tokio::select! {
                message = link.reader.next() => message.map_err(|error| broken(error.to_string()))?,
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(broken(format!("silent for {} s", heard.elapsed().as_secs())));
                    }
                    last_id += 1;
                    link.send(&ClientMessage::Request { id: last_id, request: Request::Ping }).await?;
                    continue;
                }
                () = cancelled.cancelled() => {
                    let farewell = async {
                        let _ = link.send(&ClientMessage::Cancel { id: ID }).await;
                        let _ = link.reader.next().await;
                    };
                    let _ = timeout(FAREWELL, farewell).await;
                    return Err(broken("cancelled".into()));
                }
            };
            heard = Instant::now();
            match message {
                Some(ServerMessage::Progress { id: ID, progress }) => request.audience.send(progress),
                Some(ServerMessage::Answer { id: ID, result }) => return result.map_err(Failure::Refused),
                Some(ServerMessage::Answer { id, .. }) if id <= last_id => {}
                Some(ServerMessage::Refused(error)) => return Err(Failure::Refused(error)),
                Some(_) => return Err(broken("it broke the protocol".into())),
                None => return Err(broken("it closed the connection".into())),
            }
        }
    });
    exchange.await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
}

/// Asks what it runs.
pub(super) async fn info(connector: &Connector, upstream: &Upstream) -> Result<ServerInfo, Failure> {
    // As a client of its own: whom it would forward to does not matter here.
    let mut link = Link::connect(connector, upstream, 1).await?;
    link.ask(Request::Info).await?;
    match link.reader.next().await.map_err(|error| Failure::Broken(error.to_string()))? {
        Some(ServerMessage::Answer { id: ID, result: Ok(Response::Info(info)) }) => Ok(info),
        Some(ServerMessage::Answer { result: Err(error), .. } | ServerMessage::Refused(error)) => {
            Err(Failure::Refused(error))
        }
        _ => Err(Failure::Broken("it broke the protocol".into())),
    }
}

impl Link {
    /// Connects and greets. What fails here fails whatever the request is, but for a refusal, which says why.
    async fn connect(connector: &Connector, upstream: &Upstream, hops: u32) -> Result<Self, Failure> {
        let connecting = async {
            let stream = Self::stream(connector, upstream).await.map_err(Failure::Unreachable)?;
            let (read, write) = tokio::io::split(stream);
            let mut link = Self {
                reader: MessageReader::new(read, MAX_HANDSHAKE_FRAME, "server message"),
                writer: MessageWriter::new(write, MAX_CLIENT_FRAME),
            };
            link.greet(connector, hops).await.map_err(|failure| match failure {
                Failure::Broken(reason) => Failure::Unreachable(reason),
                failure => failure,
            })?;
            Ok(link)
        };
        let too_long = || Failure::Unreachable(format!("no connection within {} s", CONNECT.as_secs()));
        timeout(CONNECT, connecting).await.map_err(|_| too_long())?
    }

    async fn stream(connector: &Connector, upstream: &Upstream) -> Result<Stream, String> {
        let stream = TcpStream::connect(upstream.address).await.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let Some(tls) = &connector.tls else { return Ok(Box::new(stream)) };
        let host = upstream.host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
        let secured = TlsConnector::from(tls.clone()).connect(name, stream).await;
        Ok(Box::new(secured.map_err(|error| error.to_string())?))
    }

    async fn greet(&mut self, connector: &Connector, hops: u32) -> Result<(), Failure> {
        let hello = ClientMessage::Hello { magic: MAGIC, version: PROTOCOL_VERSION, agent: AGENT.into() };
        self.send(&hello).await?;
        self.send(&ClientMessage::Introduction { token: connector.token.clone(), hops }).await?;
        match self.reader.next().await {
            Ok(Some(ServerMessage::Welcome { version: PROTOCOL_VERSION, .. })) => {}
            Ok(Some(ServerMessage::Refused(error))) => return Err(Failure::Refused(error)),
            Ok(Some(_)) => return Err(Failure::Broken("it broke the protocol".into())),
            Ok(None) => return Err(Failure::Broken("it closed the connection".into())),
            Err(error) => return Err(Failure::Broken(error.to_string())),
        }
        self.reader.set_cap(MAX_SERVER_FRAME);
        Ok(())
    }

    async fn ask(&mut self, request: Request) -> Result<(), Failure> {
        self.send(&ClientMessage::Request { id: ID, request }).await
    }

    async fn send(&mut self, message: &ClientMessage) -> Result<(), Failure> {
        match timeout(SILENCE, self.writer.send(message)).await {
            Ok(sent) => sent.map_err(|error| Failure::Broken(error.to_string())),
            Err(_) => Err(Failure::Broken("it does not read".into())),
        }
    }
}
