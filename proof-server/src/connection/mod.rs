//! One client: handshake, then any number of requests at once until either side has enough.
//!
//! Three parties share a connection. The reader takes messages and starts a task for each request; the tasks put
//! progress and their one answer into a bounded channel; the writer takes them from there, in order, with a deadline
//! for each. When the reader ends, all tasks end; when the writer cannot write, the reader ends.

mod handshake;
mod requests;

use std::{sync::Arc, time::Duration};

use sextant_protocol::{
    ClientMessage, ErrorCode, ServerError, ServerMessage,
    frame::{
        FrameError, MAX_CLIENT_FRAME, MAX_HANDSHAKE_FRAME, MAX_SERVER_FRAME, MessageReader, MessageWriter,
    },
    message::RequestCaps,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Semaphore, mpsc},
    time::{timeout, timeout_at},
};

use crate::{
    control::Control, errors::shutting_down, outbox::Outgoing, programs::AGENT, services::Services,
    visitor::Visitor,
};
use requests::Requests;

/// Messages that may wait for a slow client before progress is dropped.
const OUTBOX: usize = 64;

/// For the requests of a connection that the server ends to be answered.
const SETTLING: Duration = Duration::from_secs(1);

/// Deadlines and caps of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// For the client to say who it is.
    pub(crate) handshake: Duration,
    /// For a message to arrive once it has begun.
    pub(crate) frame: Duration,
    /// Without any open request.
    pub(crate) idle: Duration,
    /// For a client to take one message.
    pub(crate) write: Duration,
    /// Requests open at once.
    pub(crate) requests: usize,
    /// Largest messages by type.
    pub(crate) caps: RequestCaps,
}

/// What every connection needs.
pub(crate) struct Context {
    pub(crate) services: Services,
    pub(crate) limits: ConnectionLimits,
    /// Memory for large messages, KiB.
    pub(crate) buffers: Arc<Semaphore>,
    pub(crate) control: Control,
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

/// Serves one client from its first byte to its last.
pub(crate) async fn serve(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin + Send + 'static,
    mut visitor: Visitor,
    context: Arc<Context>,
) -> Result<(), Ended> {
    let limits = context.limits;
    let control = context.control.clone();
    let mut reader = MessageReader::new(read, MAX_HANDSHAKE_FRAME, "client message");
    let mut writer = MessageWriter::new(write, MAX_SERVER_FRAME);
    let greeted = tokio::select! {
        greeted = timeout_at(visitor.introduce_by, handshake::greet(&mut reader)) => greeted.unwrap_or(Err(Ended::Silent)),
        () = control.ending() => Err(Ended::Refused(shutting_down())),
    };
    let admitted = greeted.and_then(|hello| {
        let caller = visitor.admit(hello.token, hello.hops, hello.on_behalf).map_err(Ended::Refused)?;
        Ok((hello.version, hello.agent, caller))
    });
    let (version, agent, caller) = match admitted {
        Ok(admitted) => admitted,
        Err(ended) => return refuse(&mut writer, &limits, ended).await,
    };
    tracing::debug!(peer = %visitor.peer, client = %caller.identity, agent = agent.as_str(), "client");
    let welcome = ServerMessage::Welcome { version, agent: AGENT.into() };
    send(&mut writer, &limits, &Outgoing::Message(welcome)).await?;
    reader.set_cap(MAX_CLIENT_FRAME);

    let (outbox, messages) = mpsc::channel(OUTBOX);
    // The writer ends by itself when the last sender is gone and everything is written.
    let writing = tokio::spawn(write_messages(writer, messages, limits));
    let gone = caller.gone.clone();
    let requests = Requests::new(context, outbox.clone(), caller, version);
    let ended = tokio::select! {
        ended = requests.read(&mut reader) => ended,
        // The writer gave up before the reader did.
        () = outbox.closed() => Err(Ended::NotReading),
        () = control.stop.cancelled() => Err(Ended::Refused(shutting_down())),
        error = visitor.turned_away() => Err(Ended::Refused(error)),
        () = requests.drained() => Err(Ended::Refused(shutting_down())),
    };
    gone.cancel();
    requests.end_all();
    if let Err(Ended::Refused(error)) = &ended {
        // The last message, after the answers to what was open.
        let _ = timeout(SETTLING, requests.settled(Duration::from_millis(2))).await;
        let last = Outgoing::Message(ServerMessage::Refused(error.clone()));
        let _ = timeout(limits.write, outbox.send(last)).await;
    }
    drop((requests, outbox));
    let written = writing.await.unwrap_or(Err(Ended::NotReading));
    ended.and(written)
}

async fn write_messages<W: AsyncWrite + Unpin>(
    mut writer: Writer<W>,
    mut messages: mpsc::Receiver<Outgoing>,
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
    message: &Outgoing,
) -> Result<(), Ended> {
    let (start, rest) = message.parts();
    let sent = timeout(limits.write, writer.send_encoded(&start, &rest)).await;
    Ok(sent.map_err(|_| Ended::NotReading)??)
}

/// Says why, if there is something to say, and hands the reason on.
async fn refuse<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    limits: &ConnectionLimits,
    ended: Ended,
) -> Result<(), Ended> {
    if let Ended::Refused(error) = &ended {
        // The client may be gone; the log has the reason anyway.
        let refused = Outgoing::Message(ServerMessage::Refused(error.clone()));
        let _ = send(writer, limits, &refused).await;
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
