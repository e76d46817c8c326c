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
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

use crate::{AskError, LinkConfig, Received, TransportError, outgoing};

/// Progress events that wait for a slow reader; later ones are dropped, the answer never is.
const PROGRESS_BUFFER: usize = 256;

/// For the server to close after this side has.
const FAREWELL: Duration = Duration::from_secs(1);

/// A running connection. Clones share it; it closes with the last of them and their requests.
#[derive(Clone, Debug)]
pub struct Link {
    connection: Arc<Connection>,
}

/// Dropping it ends both tasks, after what was posted is written.
#[derive(Debug)]
struct Connection {
    shared: Arc<Shared>,
    server_agent: String,
    capabilities: Vec<String>,
}

#[derive(Debug)]
struct Shared {
    /// Unbounded, so that a dropped request can say `Cancel` without waiting; the process itself is its only source.
    outgoing: mpsc::UnboundedSender<ClientMessage>,
    requests: Mutex<Requests>,
    max_record: usize,
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
    answer: oneshot::Sender<Ended>,
    /// What has come of its proof, here or on a connection before.
    received: Option<Received>,
}

/// How a request ended, and what had come of its proof if that was not all.
type Ended = (Result<Response, AskError>, Option<Received>);

/// The asking side of an open request. Dropping it before its answer has come cancels the request.
#[derive(Debug)]
pub struct Pending {
    id: RequestId,
    progress: mpsc::Receiver<Progress>,
    answer: oneshot::Receiver<Ended>,
    received: Option<Received>,
    // Keeps the connection's tasks alive as long as a request is.
    connection: Arc<Connection>,
}

impl Link {
    /// Starts the tasks on streams whose handshake is done.
    pub(crate) fn start<R, W>(
        mut reader: MessageReader<R, ServerMessage>,
        mut writer: MessageWriter<W, ClientMessage>,
        server_agent: String,
        capabilities: Vec<String>,
        config: &LinkConfig,
    ) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let LinkConfig { ping_interval, silence_limit, max_record } = *config;
        let (outgoing, messages) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { outgoing, requests: Mutex::default(), max_record });

        // Holds no sender itself: a `Shared` kept here would keep the writer running for ever.
        let reading = Arc::downgrade(&shared);
        let mut reader = tokio::spawn(async move {
            let mut heard = Instant::now();
            let mut pings = interval_at(Instant::now() + ping_interval, ping_interval);
            pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let lost = loop {
                let message = tokio::select! {
                    message = reader.next() => message,
                    _ = pings.tick() => {
                        let Some(shared) = reading.upgrade() else { continue };
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
                match message {
                    Ok(Some(message)) => {
                        // Nobody there any more: what still comes is read, for the last words to be read over there.
                        let Some(shared) = reading.upgrade() else { continue };
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

        // Ends when the last sender is gone, and closes the stream then.
        let writing = Arc::downgrade(&shared);
        writer.set_patience(silence_limit);
        tokio::spawn(async move {
            match outgoing::write(&mut writer, messages).await {
                Ok(()) => {
                    // Closing with unread bytes would reset the stream, and the server lose what was said last.
                    let _ = writer.into_inner().shutdown().await;
                    let _ = timeout(FAREWELL, &mut reader).await;
                }
                Err(error) => {
                    if let Some(shared) = writing.upgrade() {
                        shared.lose(error.into());
                    }
                }
            }
            reader.abort();
        });
        Self { connection: Arc::new(Connection { shared, server_agent, capabilities }) }
    }

    /// How the server introduced itself. Untrusted text.
    pub fn server_agent(&self) -> &str {
        &self.connection.server_agent
    }

    /// What the server says it can besides what its version can.
    pub fn capabilities(&self) -> &[String] {
        &self.connection.capabilities
    }

    /// Whether it is over: then every request fails.
    pub fn is_lost(&self) -> bool {
        self.connection.shared.requests().lost.is_some()
    }

    /// Sends a request.
    ///
    /// # Errors
    /// If the connection is already gone.
    pub fn ask(&self, request: Request) -> Result<Pending, TransportError> {
        self.go_on(request, None)
    }

    /// Sends a request for the rest of a proof of which some has come already.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn go_on(&self, request: Request, received: Option<Received>) -> Result<Pending, TransportError> {
        let (progress_sender, progress) = mpsc::channel(PROGRESS_BUFFER);
        let (answer_sender, answer) = oneshot::channel();
        let shared = &self.connection.shared;
        let mut requests = shared.requests();
        if let Some(lost) = &requests.lost {
            return Err(lost.clone());
        }
        requests.last += 1;
        let id = requests.last;
        requests.open.insert(id, Open { progress: progress_sender, answer: answer_sender, received });
        drop(requests);
        shared.post(ClientMessage::Request { id, request });
        Ok(Pending { id, progress, answer, received: None, connection: self.connection.clone() })
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
                // Steps of a later version say nothing here.
                if let Some(open) =
                    requests.open.get(&id).filter(|_| !matches!(progress, Progress::Unknown(_)))
                {
                    // A full buffer means that nobody reads: the event is lost, as the buffer's comment says.
                    let _ = open.progress.try_send(progress);
                }
                Ok(())
            }
            ServerMessage::Answer { id, result } => self.answer(id, result),
            ServerMessage::Part { id, offset, bytes } => self.part(id, offset, &bytes),
            ServerMessage::Unknown(_) => Ok(()),
        }
    }

    fn answer(&self, id: RequestId, result: Result<Response, ServerError>) -> Result<(), TransportError> {
        let mut requests = self.requests();
        requests.known(id)?;
        // None: cancelled a moment ago, or a ping that nobody waits for.
        let Some(mut open) = requests.open.remove(&id) else { return Ok(()) };
        let result = match result {
            Ok(Response::Proof(head)) => match Received::begin(head, open.received.take(), self.max_record) {
                Ok(received) if received.is_complete() => received.finish().map(Response::Proof),
                Ok(received) => {
                    open.received = Some(received);
                    requests.open.insert(id, open);
                    return Ok(());
                }
                Err(error) => {
                    self.post(ClientMessage::Cancel { id });
                    Err(error)
                }
            },
            Ok(response) => Ok(response),
            Err(error) => Err(AskError::Server(error)),
        };
        let _ = open.answer.send((result, None));
        Ok(())
    }

    fn part(&self, id: RequestId, offset: u64, bytes: &[u8]) -> Result<(), TransportError> {
        let mut requests = self.requests();
        requests.known(id)?;
        // None: nobody waits for the rest any more.
        let Some(open) = requests.open.get_mut(&id) else { return Ok(()) };
        let Some(received) = &mut open.received else {
            return Err(TransportError::Protocol("a part of a proof before its answer"));
        };
        received.part(offset, bytes)?;
        if received.is_complete()
            && let Some(Open { answer, received: Some(received), .. }) = requests.open.remove(&id)
        {
            drop(requests);
            let _ = answer.send((received.finish().map(Response::Proof), None));
        }
        Ok(())
    }

    /// Ends every open request with `reason`, and refuses new ones.
    fn lose(&self, reason: TransportError) {
        let mut requests = self.requests();
        for (_, open) in requests.open.drain() {
            let _ = open.answer.send((Err(reason.clone().into()), open.received));
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
    /// The answer; of a proof all of it. Safe to drop half-way and call again.
    ///
    /// # Errors
    /// [`AskError`]. After [`AskError::Transport`], [`Self::received`] is what had come.
    pub async fn answer(&mut self) -> Result<Response, AskError> {
        // The sender leaves the map only by sending, or with the connection.
        let (result, received) =
            (&mut self.answer).await.unwrap_or_else(|_| (Err(TransportError::Closed.into()), None));
        self.received = received;
        result
    }

    /// What had come of a proof when the connection broke.
    pub fn received(&mut self) -> Option<Received> {
        self.received.take()
    }

    /// The next progress event; `None` once the answer is there.
    pub async fn progress(&mut self) -> Option<Progress> {
        self.progress.recv().await
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let shared = &self.connection.shared;
        if shared.requests().open.remove(&self.id).is_some() {
            shared.post(ClientMessage::Cancel { id: self.id });
        }
    }
}
