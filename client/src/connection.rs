//! The tasks behind a connection: one writes what requests send, one reads and hands every message to the request
//! whose id it carries.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sextant_protocol::{
    ClientMessage, Progress, Request, RequestId, Response, ServerError, ServerMessage,
    frame::{MessageReader, MessageWriter},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{ClientError, TransportError};

/// Progress events that wait for a slow reader; later ones are dropped, the answer never is.
const PROGRESS_BUFFER: usize = 256;

/// A running connection. Dropping it ends both tasks.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    reader: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    /// Unbounded, so that a dropped request can say `Cancel` without waiting; the process itself is its only source.
    outgoing: mpsc::UnboundedSender<ClientMessage>,
    requests: Mutex<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    /// The last id given out. Ids are never used twice, so a late answer cannot reach another request.
    last: RequestId,
    open: HashMap<RequestId, Open>,
    /// Why the connection is over, once it is.
    lost: Option<TransportError>,
}

/// Where the messages of an open request go.
#[derive(Debug)]
struct Open {
    progress: mpsc::Sender<Progress>,
    answer: oneshot::Sender<Result<Response, ClientError>>,
}

/// The asking side of an open request. Dropping it before its answer has come cancels the request.
#[derive(Debug)]
pub(crate) struct Pending {
    id: RequestId,
    shared: Arc<Shared>,
    progress: mpsc::Receiver<Progress>,
    answer: oneshot::Receiver<Result<Response, ClientError>>,
    // Keeps the connection's tasks alive as long as a request is.
    _connection: Arc<Connection>,
}

impl Connection {
    /// Starts the tasks on streams whose handshake is done.
    pub(crate) fn start<R, W>(
        mut reader: MessageReader<R, ServerMessage>,
        mut writer: MessageWriter<W, ClientMessage>,
        ping_interval: Duration,
        silence_limit: Duration,
    ) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (outgoing, mut messages) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { outgoing, requests: Mutex::default() });

        // Ends when the last sender is gone, and closes the stream then.
        let writing = Arc::downgrade(&shared);
        tokio::spawn(async move {
            while let Some(message) = messages.recv().await {
                if let Err(error) = writer.send(&message).await {
                    if let Some(shared) = writing.upgrade() {
                        shared.lose(error.into());
                    }
                    return;
                }
            }
        });

        // Holds no sender itself: a `Shared` kept here would keep the writer running for ever.
        let reading = Arc::downgrade(&shared);
        let reader = tokio::spawn(async move {
            let mut heard = Instant::now();
            let mut pings = interval_at(Instant::now() + ping_interval, ping_interval);
            pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let lost = loop {
                let message = tokio::select! {
                    message = reader.next() => message,
                    _ = pings.tick() => {
                        let Some(shared) = reading.upgrade() else { return };
                        if shared.idle() {
                            heard = Instant::now();
                        } else if heard.elapsed() > silence_limit {
                            break TransportError::Silent { after: heard.elapsed() };
                        } else {
                            shared.ping();
                        }
                        continue;
                    }
                };
                heard = Instant::now();
                let Some(shared) = reading.upgrade() else { return };
                match message {
                    Ok(Some(message)) => {
                        if let Err(error) = shared.dispatch(message) {
                            break error;
                        }
                    }
                    Ok(None) => break TransportError::Closed,
                    Err(error) => break error.into(),
                }
            };
            if let Some(shared) = reading.upgrade() {
                shared.lose(lost);
            }
        });
        Self { shared, reader: reader.abort_handle() }
    }

    /// Sends a request.
    pub(crate) fn send(self: &Arc<Self>, request: Request) -> Result<Pending, TransportError> {
        let (progress_sender, progress) = mpsc::channel(PROGRESS_BUFFER);
        let (answer_sender, answer) = oneshot::channel();
        let mut requests = self.shared.requests();
        if let Some(lost) = &requests.lost {
            return Err(lost.clone());
        }
        requests.last += 1;
        let id = requests.last;
        requests.open.insert(id, Open { progress: progress_sender, answer: answer_sender });
        drop(requests);
        self.shared.post(ClientMessage::Request { id, request });
        Ok(Pending { id, shared: Arc::clone(&self.shared), progress, answer, _connection: Arc::clone(self) })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Requests> {
        // No code panics while it holds the lock, and the map is consistent between any two statements.
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, message: ClientMessage) {
        // Fails only when the writer has ended; the reader or the writer reports why.
        let _ = self.outgoing.send(message);
    }

    fn idle(&self) -> bool {
        self.requests().open.is_empty()
    }

    /// A ping that nobody waits for: any message shows that the server is there.
    fn ping(&self) {
        let id = {
            let mut requests = self.requests();
            requests.last += 1;
            requests.last
        };
        self.post(ClientMessage::Request { id, request: Request::Ping });
    }

    fn dispatch(&self, message: ServerMessage) -> Result<(), TransportError> {
        match message {
            ServerMessage::Welcome { .. } => Err(TransportError::Protocol("a second welcome")),
            ServerMessage::Refused(error) => Err(TransportError::Refused(error)),
            ServerMessage::Progress { id, progress } => {
                let requests = self.requests();
                requests.known(id)?;
                if let Some(open) = requests.open.get(&id) {
                    // A full buffer means that nobody reads: the event is lost, as the buffer's comment says.
                    let _ = open.progress.try_send(progress);
                }
                Ok(())
            }
            ServerMessage::Answer { id, result } => self.answer(id, result),
        }
    }

    fn answer(&self, id: RequestId, result: Result<Response, ServerError>) -> Result<(), TransportError> {
        let mut requests = self.requests();
        requests.known(id)?;
        // None: cancelled a moment ago, or a ping that nobody waits for.
        if let Some(open) = requests.open.remove(&id) {
            let _ = open.answer.send(result.map_err(ClientError::Server));
        }
        Ok(())
    }

    /// Ends every open request with `reason`, and refuses new ones.
    fn lose(&self, reason: TransportError) {
        let mut requests = self.requests();
        for (_, open) in requests.open.drain() {
            let _ = open.answer.send(Err(reason.clone().into()));
        }
        requests.lost.get_or_insert(reason);
    }
}

impl Requests {
    fn known(&self, id: RequestId) -> Result<(), TransportError> {
        if (1..=self.last).contains(&id) {
            Ok(())
        } else {
            Err(TransportError::Protocol("an answer to a request that was never made"))
        }
    }
}

impl Pending {
    /// The answer. Safe to drop half-way and call again.
    pub(crate) async fn answer(&mut self) -> Result<Response, ClientError> {
        // The sender leaves the map only by sending, or with the connection.
        (&mut self.answer).await.unwrap_or_else(|_| Err(TransportError::Closed.into()))
    }

    /// The next progress event; `None` once the answer is there.
    pub(crate) async fn progress(&mut self) -> Option<Progress> {
        self.progress.recv().await
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.shared.requests().open.remove(&self.id).is_some() {
            self.shared.post(ClientMessage::Cancel { id: self.id });
        }
    }
}

/// What a response is called in errors.
pub(crate) fn response_name(response: &Response) -> &'static str {
    match response {
        Response::Proof { .. } => "proof",
        Response::Verified => "verdict",
        Response::Info(_) => "information",
        Response::Pong => "pong",
    }
}
