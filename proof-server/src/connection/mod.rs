//! One client: handshake, then any number of requests at once until either side has enough.
//!
//! Three parties share a connection. The reader takes messages and starts a task for each request; the tasks put
//! progress and their one answer into a bounded channel; the writer takes them from there, and gives up on a client that
//! takes nothing for a while. When the reader ends, all tasks end; when the writer cannot write, the reader ends.

mod handshake;
mod requests;
pub(crate) mod upload;
mod writing;

use std::{sync::Arc, time::Duration};

use sextant_protocol::{
    ClientMessage, ErrorCode, ServerError, ServerMessage,
    encoding::EncodingError,
    frame::{FrameError, MAX_FRAME, MAX_HANDSHAKE_FRAME, MessageReader, MessageWriter},
    message::{BUNDLE, CHAIN, WRAP},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{timeout, timeout_at},
};

use crate::{
    control::Control, errors::shutting_down, memory::Memory, outbox::Outgoing, programs::AGENT,
    services::Services, visitor::Visitor,
};
use handshake::Greeting;
use requests::Requests;

/// Messages that may wait for a slow client before progress is dropped.
pub(crate) const OUTBOX: usize = 64;

/// For the requests of a connection that the server ends to be answered.
const SETTLING: Duration = Duration::from_secs(1);

/// Deadlines and caps of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// For the client to say who it is.
    pub(crate) handshake: Duration,
    /// For a message to arrive once it has begun, and for the next part of a large request.
    pub(crate) frame: Duration,
    /// Without any open request.
    pub(crate) idle: Duration,
    /// For a client to take anything of what is sent to it.
    pub(crate) write: Duration,
    /// Requests open at once.
    pub(crate) requests: usize,
    /// Bytes of a statement input.
    pub(crate) max_input: usize,
    /// Bytes of a proof record to verify.
    pub(crate) max_record: usize,
}

/// What every connection needs.
pub(crate) struct Context {
    pub(crate) services: Services,
    pub(crate) limits: ConnectionLimits,
    /// For large requests.
    pub(crate) memory: Arc<Memory>,
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
    let mut writer = MessageWriter::new(write, MAX_FRAME);
    writer.set_patience(limits.write);
    let greeted = tokio::select! {
        greeted = timeout_at(visitor.introduce_by, handshake::greet(&mut reader)) => greeted.unwrap_or(Err(Ended::Silent)),
        () = control.ending() => Err(Ended::Refused(shutting_down())),
    };
    let admitted = greeted.and_then(|greeting| {
        let Greeting { version, agent, token, hops, on_behalf, traceparent } = greeting;
        let caller = visitor.admit(token, hops, on_behalf, traceparent).map_err(Ended::Refused)?;
        Ok((version, agent, caller))
    });
    let (version, agent, caller) = match admitted {
        Ok(admitted) => admitted,
        Err(ended) => return refuse(&mut writer, ended).await,
    };
    tracing::debug!(peer = %visitor.peer, client = %caller.identity, agent = agent.as_str(), "client");
    let capabilities = [WRAP, BUNDLE, CHAIN].map(Into::into).into();
    writer.send(&ServerMessage::Welcome { version, agent: AGENT.into(), capabilities }).await?;
    reader.set_cap(MAX_FRAME);

    let (outbox, messages) = mpsc::channel(OUTBOX);
    // The writer ends by itself when the last sender is gone and everything is written.
    let writing = tokio::spawn(writing::write(writer, messages));
    let gone = caller.gone.clone();
    let requests = Requests::new(context, outbox.clone(), caller);
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
        let _ = timeout(SETTLING, requests.settled()).await;
        let last = Outgoing::Message(ServerMessage::Refused(error.clone()));
        let _ = timeout(limits.write, outbox.send(last)).await;
    }
    drop((requests, outbox));
    let written = writing.await.unwrap_or(Err(Ended::NotReading));
    ended.and(written)
}

/// Says why, if there is something to say, and hands the reason on.
async fn refuse<W: AsyncWrite + Unpin>(writer: &mut Writer<W>, ended: Ended) -> Result<(), Ended> {
    if let Ended::Refused(error) = &ended {
        // The client may be gone; the log has the reason anyway.
        let _ = writer.send(&ServerMessage::Refused(error.clone())).await;
    }
    Err(ended)
}

fn over_cap(error: &FrameError) -> bool {
    matches!(error, FrameError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData)
}

fn frame_error(error: &FrameError) -> ServerError {
    match error {
        FrameError::Encoding(error) => encoding_error(error),
        error => {
            let code = if over_cap(error) { ErrorCode::TooLarge } else { ErrorCode::Malformed };
            ServerError::new(code, error.to_string())
        }
    }
}

fn encoding_error(error: &EncodingError) -> ServerError {
    let code = match error {
        EncodingError::TooLarge { .. } => ErrorCode::TooLarge,
        // Something of a later version.
        EncodingError::Unknown { .. } => ErrorCode::Unsupported,
        _ => ErrorCode::Malformed,
    };
    ServerError::new(code, error.to_string().chars().take(300).collect::<String>())
}
