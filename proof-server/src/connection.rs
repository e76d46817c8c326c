//! One client: handshake, then any number of requests at once until either side has enough.
//!
//! Three parties share a connection. The reader takes messages and starts a task for each request; the tasks put
//! progress and their one answer into a bounded channel; the writer takes them from there, in order, with a deadline
//! for each. When the reader ends, all tasks are cancelled; when the writer cannot write, the reader ends.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sextant_protocol::{
    ClientMessage, ErrorCode, PROTOCOL_VERSION, Request, RequestId, ServerError, ServerMessage,
    frame::{
        FrameError, MAX_CLIENT_FRAME, MAX_HANDSHAKE_FRAME, MAX_SERVER_FRAME, MessageReader, MessageWriter,
    },
    message::MAGIC,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    progress::ProgressSender,
    services::{AGENT, Services},
    sub_server::shutting_down,
};

/// Messages that may wait for a slow client before progress is dropped.
const OUTBOX: usize = 64;
/// Longest agent name that is accepted, bytes.
const MAX_AGENT: usize = 64;

/// Deadlines and caps of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// For the client to say hello.
    pub(crate) handshake: Duration,
    /// Without any open request.
    pub(crate) idle: Duration,
    /// For a client to take one message.
    pub(crate) write: Duration,
    /// Requests open at once.
    pub(crate) requests: usize,
}

/// Why a connection ended, for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("refused: {0}")]
    Refused(ServerError),
    #[error("{0}")]
    Broken(#[from] FrameError),
    #[error("nothing said in time")]
    Silent,
    #[error("the client does not read")]
    NotReading,
}

type Reader<R> = MessageReader<R, ClientMessage>;
type Writer<W> = MessageWriter<W, ServerMessage>;

/// Requests that are not answered yet, with what cancels them.
type Open = Arc<Mutex<HashMap<RequestId, CancellationToken>>>;

/// Serves one client from its first byte to its last.
pub(crate) async fn serve(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    services: Arc<Services>,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
) -> Result<(), Ended> {
    let mut reader = MessageReader::new(read, MAX_HANDSHAKE_FRAME, "client message");
    let mut writer = MessageWriter::new(write, MAX_SERVER_FRAME);
    let hello = tokio::select! {
        hello = handshake(&mut reader, &limits) => hello,
        () = shutdown.cancelled() => Err(Ended::Refused(shutting_down())),
    };
    let agent = match hello {
        Ok(agent) => agent,
        Err(ended) => return refuse(&mut writer, &limits, ended).await,
    };
    tracing::info!(%peer, agent = %agent.escape_debug(), "client");
    send(&mut writer, &limits, &ServerMessage::Welcome { version: PROTOCOL_VERSION, agent: AGENT.into() })
        .await?;
    reader.set_cap(MAX_CLIENT_FRAME);

    let (outbox, messages) = mpsc::channel(OUTBOX);
    // The writer ends by itself when the last sender is gone and everything is written.
    let writing = tokio::spawn(write_messages(writer, messages, limits));
    let gone = CancellationToken::new();
    let open = Open::default();
    let requests = Requests { services, outbox: outbox.clone(), open, gone: gone.clone(), limits };
    let ended = tokio::select! {
        ended = requests.read(&mut reader) => ended,
        // The writer gave up before the reader did.
        () = outbox.closed() => Err(Ended::NotReading),
        () = shutdown.cancelled() => Err(Ended::Refused(shutting_down())),
    };
    gone.cancel();
    if let Err(Ended::Refused(error)) = &ended {
        // The last message, after the answers that are on their way.
        let _ = timeout(limits.write, outbox.send(ServerMessage::Refused(error.clone()))).await;
    }
    drop((requests, outbox));
    let written = writing.await.unwrap_or(Err(Ended::NotReading));
    ended.and(written)
}

async fn handshake<R: AsyncRead + Unpin>(
    reader: &mut Reader<R>,
    limits: &ConnectionLimits,
) -> Result<String, Ended> {
    let refuse = |code, message: String| Err(Ended::Refused(ServerError::new(code, message)));
    match timeout(limits.handshake, reader.next()).await {
        Err(_) => Err(Ended::Silent),
        Ok(Err(error)) => Err(Ended::Refused(frame_error(&error))),
        Ok(Ok(None)) => Err(Ended::Silent),
        Ok(Ok(Some(ClientMessage::Hello { magic, .. }))) if magic != MAGIC => {
            refuse(ErrorCode::Version, "not a Sextant client".into())
        }
        Ok(Ok(Some(ClientMessage::Hello { version, .. }))) if version != PROTOCOL_VERSION => refuse(
            ErrorCode::Version,
            format!("this server speaks version {PROTOCOL_VERSION}, not {version}"),
        ),
        Ok(Ok(Some(ClientMessage::Hello { agent, .. }))) if agent.len() > MAX_AGENT => refuse(
            ErrorCode::TooLarge,
            format!("agent of {} bytes exceeds the limit of {MAX_AGENT}", agent.len()),
        ),
        Ok(Ok(Some(ClientMessage::Hello { agent, .. }))) => Ok(agent),
        Ok(Ok(Some(_))) => refuse(ErrorCode::Malformed, "the first message must be a hello".into()),
    }
}

/// The running side of a connection after its handshake.
struct Requests {
    services: Arc<Services>,
    outbox: mpsc::Sender<ServerMessage>,
    open: Open,
    /// Cancelled when the client is gone; parent of every request's own token.
    gone: CancellationToken,
    limits: ConnectionLimits,
}

impl Requests {
    /// Reads messages until the client closes or breaks the rules.
    async fn read<R: AsyncRead + Unpin>(&self, reader: &mut Reader<R>) -> Result<(), Ended> {
        loop {
            let message = match timeout(self.limits.idle, reader.next()).await {
                // Waiting for a proof is not idling. A frame that was half read stays in the reader.
                Err(_) if self.open_requests() > 0 => continue,
                Err(_) => return Err(Ended::Silent),
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error @ FrameError::Io(_))) if !over_cap(&error) => return Err(error.into()),
                Ok(Err(error)) => return Err(Ended::Refused(frame_error(&error))),
            };
            match message {
                ClientMessage::Request { id, request } => self.start(id, request).await,
                ClientMessage::Cancel { id } => self.cancel(id),
                ClientMessage::Hello { .. } => {
                    return Err(Ended::Refused(ServerError::new(ErrorCode::Malformed, "a second hello")));
                }
            }
        }
    }

    async fn start(&self, id: RequestId, request: Request) {
        let cancelled = self.gone.child_token();
        let refused = {
            let mut open = self.lock();
            if open.contains_key(&id) {
                Some(ServerError::new(ErrorCode::DuplicateRequest, format!("request {id} is open already")))
            } else if open.len() >= self.limits.requests {
                let message = format!("{} requests are open on this connection already", open.len());
                Some(ServerError::retryable(ErrorCode::Busy, message, 1_000))
            } else {
                open.insert(id, cancelled.clone());
                None
            }
        };
        if let Some(error) = refused {
            // Closed: the connection ends anyway.
            let _ = self.outbox.send(ServerMessage::Answer { id, result: Err(error) }).await;
            return;
        }
        let (services, outbox, open) = (self.services.clone(), self.outbox.clone(), self.open.clone());
        let registration = Registration { open, id };
        tokio::spawn(async move {
            let progress = ProgressSender::new(id, outbox.clone());
            let result = tokio::select! {
                result = services.answer(request, progress) => result,
                () = cancelled.cancelled() => Err(ServerError::new(ErrorCode::Cancelled, "cancelled")),
            };
            if let Err(error) = &result {
                tracing::info!(id, %error, "request failed");
            }
            // First free the id, then answer: a client may use it again as soon as it has read the answer.
            drop(registration);
            let _ = outbox.send(ServerMessage::Answer { id, result }).await;
        });
    }

    fn cancel(&self, id: RequestId) {
        // Not open: the answer has crossed the cancellation.
        if let Some(token) = self.lock().get(&id) {
            token.cancel();
        }
    }

    fn open_requests(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RequestId, CancellationToken>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a request off the list of open ones, also when its task panics.
struct Registration {
    open: Open,
    id: RequestId,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

async fn write_messages<W: AsyncWrite + Unpin>(
    mut writer: Writer<W>,
    mut messages: mpsc::Receiver<ServerMessage>,
    limits: ConnectionLimits,
) -> Result<(), Ended> {
    while let Some(message) = messages.recv().await {
        send(&mut writer, &limits, &message).await?;
    }
    Ok(())
}

async fn send<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    limits: &ConnectionLimits,
    message: &ServerMessage,
) -> Result<(), Ended> {
    Ok(timeout(limits.write, writer.send(message)).await.map_err(|_| Ended::NotReading)??)
}

/// Says why, if there is something to say, and hands the reason on.
async fn refuse<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    limits: &ConnectionLimits,
    ended: Ended,
) -> Result<(), Ended> {
    if let Ended::Refused(error) = &ended {
        // The client may be gone; the log has the reason anyway.
        let _ = send(writer, limits, &ServerMessage::Refused(error.clone())).await;
    }
    Err(ended)
}

fn over_cap(error: &FrameError) -> bool {
    matches!(error, FrameError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData)
}

fn frame_error(error: &FrameError) -> ServerError {
    let code = if over_cap(error) { ErrorCode::TooLarge } else { ErrorCode::Malformed };
    ServerError::new(code, error.to_string().chars().take(300).collect::<String>())
}
