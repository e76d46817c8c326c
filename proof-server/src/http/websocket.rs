//! A connection that has become a WebSocket: each binary message is the body of one frame, so that from there on it is a
//! connection like any other, with the same handshake, limits and answers.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll, ready},
    time::Duration,
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use hyper::{
    HeaderMap, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use sextant_protocol::{
    ErrorCode, ServerError, ServerMessage,
    frame::{MAX_FRAME, MessageReader},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf},
    sync::Notify,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Guest, problem::Problem};
use crate::{
    connection::{self, Context, Ended},
    visitor::Visitor,
};

/// Bytes that wait between socket and connection, in each direction.
const BETWEEN: usize = 64 << 10;
/// For a client to take the last message, and to close.
const FAREWELL: Duration = Duration::from_secs(1);

/// Agrees to speak WebSocket from the next byte on.
pub(super) async fn upgrade(mut request: Request) -> Result<Response, Problem> {
    let headers = request.headers();
    let wanted = says(headers, header::CONNECTION, "upgrade") && says(headers, header::UPGRADE, "websocket");
    let version = says(headers, header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| wanted && version);
    let Some(key) = key.map(|key| derive_accept_key(key.as_bytes())) else {
        let error = ServerError::new(ErrorCode::Unsupported, "this is for WebSocket, version 13");
        let mut response = Problem::with_status(StatusCode::UPGRADE_REQUIRED, error).into_response();
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Ok(response);
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let guest = request.extensions().get::<Guest>();
    let lost = || ServerError::new(ErrorCode::Internal, "the connection is lost");
    let guest = guest.ok_or_else(lost)?;
    *guest.upgrade.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(upgrade);
    let headers = [
        (header::CONNECTION, "upgrade".into()),
        (header::UPGRADE, "websocket".into()),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// Whether a header that is a list has this in it.
fn says(headers: &HeaderMap, name: HeaderName, what: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(what))
}

/// Serves one client whose connection is a WebSocket.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    mut visitor: Visitor,
    context: Arc<Context>,
) -> Result<(), Ended> {
    let limits = context.limits;
    visitor.introduce_by = Instant::now() + limits.handshake;
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let arrived = Arc::new(Notify::new());
    let stream = Noticed { stream, arrived: arrived.clone() };
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let (sink, messages) = socket.split();
    let (ours, theirs) = tokio::io::duplex(BETWEEN);
    let (frames, bodies) = tokio::io::split(ours);
    let (read, write) = tokio::io::split(theirs);
    let inward = inward(messages, bodies, &arrived, limits.frame);
    let serving = async {
        let (ended, ()) =
            tokio::join!(connection::serve(read, write, visitor, context), outward(frames, sink));
        ended
    };
    let (mut inward, mut serving) = (std::pin::pin!(inward), std::pin::pin!(serving));
    let mut said = false;
    loop {
        tokio::select! {
            ended = &mut serving => {
                if !said {
                    // Closed with bytes unread, the client might lose the last message.
                    let _ = timeout(FAREWELL, inward).await;
                }
                return ended;
            }
            () = &mut inward, if !said => said = true,
        }
    }
}

/// Passes messages on as frames, until the client closes or breaks the rules of WebSocket. What is not binary is no
/// message of the protocol, and the protocol's to refuse.
async fn inward(
    mut messages: impl Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
    mut bodies: WriteHalf<tokio::io::DuplexStream>,
    arrived: &Notify,
    patience: Duration,
) {
    let mut served = true;
    loop {
        // What has come belongs to what was read before.
        let _ = arrived.notified().now_or_never();
        let stalled = async {
            arrived.notified().await;
            tokio::time::sleep(patience).await;
        };
        let message = tokio::select! {
            message = messages.next() => message,
            // From its first byte on a message must come in, as over TCP.
            () = stalled => None,
        };
        let body = match message {
            Some(Ok(Message::Binary(body))) => body,
            Some(Ok(Message::Text(text))) => text.into(),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
        };
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        // Served to its end: what comes is read, so that the client reads what it was told.
        served = served && bodies.write_all(&length).await.is_ok() && bodies.write_all(&body).await.is_ok();
    }
    let _ = bodies.shutdown().await;
}

/// Passes frames on as messages, until there are no more.
async fn outward(
    frames: ReadHalf<tokio::io::DuplexStream>,
    mut sink: impl Sink<Message, Error = tungstenite::Error> + Unpin,
) {
    let mut frames = MessageReader::<_, ServerMessage>::new(frames, MAX_FRAME, "server message");
    while let Ok(true) = frames.begin().await {
        let Ok(frame) = frames.frame().await else { break };
        if sink.send(Message::Binary(frame)).await.is_err() {
            return;
        }
    }
    let _ = timeout(FAREWELL, sink.close()).await;
}

/// A stream that tells when bytes have come.
struct Noticed<S> {
    stream: S,
    arrived: Arc<Notify>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Noticed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(task, buffer))?;
        if buffer.filled().len() > before {
            self.arrived.notify_one();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noticed<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
