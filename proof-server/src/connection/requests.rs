//! The running side of a connection after its handshake: messages in, a task for each request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sextant_protocol::{
    ClientMessage, ErrorCode, Request, RequestId, ServerError,
    frame::FrameError,
    message::{OPENING, Opening},
};
use tokio::{
    io::AsyncRead,
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Context, Ended, Reader, frame_error, over_cap};
use crate::{access::Caller, audience::ProgressSender, errors::shutting_down, outbox::Outgoing};

/// Messages up to this many bytes are not counted against the memory for large ones.
const SMALL: usize = 64 << 10;

/// How often a draining connection looks whether it is done.
const DRAINING: Duration = Duration::from_millis(50);

/// Requests that are not answered yet, with what cancels them.
type Open = Arc<Mutex<HashMap<RequestId, CancellationToken>>>;

pub(super) struct Requests {
    context: Arc<Context>,
    outbox: mpsc::Sender<Outgoing>,
    open: Open,
    caller: Arc<Caller>,
    version: u32,
    /// Parent of every request's own token.
    end: CancellationToken,
    /// Held by every request until its answer is in the outbox.
    in_progress: Arc<()>,
}

impl Requests {
    pub(super) fn new(
        context: Arc<Context>,
        outbox: mpsc::Sender<Outgoing>,
        caller: Caller,
        version: u32,
    ) -> Self {
        let (open, end) = (Open::default(), CancellationToken::new());
        Self { context, outbox, open, caller: Arc::new(caller), version, end, in_progress: Arc::default() }
    }

    /// Completes when the server drains and every request here has its answer in the outbox.
    pub(super) async fn drained(&self) {
        self.context.control.ending().await;
        self.settled(DRAINING).await;
    }

    /// Completes when every request here has its answer in the outbox; looks every `pause`.
    pub(super) async fn settled(&self, pause: Duration) {
        while Arc::strong_count(&self.in_progress) > 1 {
            tokio::time::sleep(pause).await;
        }
    }

    /// Requests that are open.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends all requests. Whoever waits for their jobs besides goes on waiting.
    pub(super) fn end_all(&self) {
        self.end.cancel();
    }

    /// Reads messages until the client closes or breaks the rules.
    pub(super) async fn read<R: AsyncRead + Unpin>(&self, reader: &mut Reader<R>) -> Result<(), Ended> {
        let limits = &self.context.limits;
        loop {
            match timeout(limits.idle, reader.begin()).await {
                // Waiting for a proof is not idling.
                Err(_) if self.count() > 0 => continue,
                Err(_) => return Err(Ended::Silent),
                Ok(begun) => {
                    if !begun? {
                        return Ok(());
                    }
                }
            }
            // From its first byte on a message must come in, whatever else is open.
            match timeout(limits.frame, self.message(reader)).await {
                Ok(Ok(())) => {}
                Ok(Err(ended)) => return Err(ended),
                Err(_) => {
                    let message =
                        format!("a message took longer than {} s to arrive", limits.frame.as_secs());
                    return Err(Ended::Refused(ServerError::new(ErrorCode::DeadlineExceeded, message)));
                }
            }
        }
    }

    /// Takes the message that has begun.
    async fn message<R: AsyncRead + Unpin>(&self, reader: &mut Reader<R>) -> Result<(), Ended> {
        let refused = |error: FrameError| match error {
            error @ FrameError::Io(_) if !over_cap(&error) => Ended::Broken(error),
            error => Ended::Refused(frame_error(&error)),
        };
        let (length, opening) = reader.opening(OPENING).await.map_err(refused)?;
        let opening = self.context.limits.caps.of(opening);
        // What cannot be taken is read past, so that the connection and its other requests go on.
        let buffer = match (self.buffer(length, opening), opening.id) {
            (Ok(buffer), _) => buffer,
            (Err(error), Some(id)) => {
                reader.skip().await.map_err(refused)?;
                self.answer(id, error).await;
                return Ok(());
            }
            (Err(error), None) => return Err(Ended::Refused(error)),
        };
        match reader.next().await.map_err(refused)? {
            Some(ClientMessage::Request { id, request }) => self.start(id, request, buffer).await,
            Some(ClientMessage::Cancel { id }) => self.cancel(id),
            Some(ClientMessage::Hello { .. } | ClientMessage::Introduction { .. }) => {
                let error = ServerError::new(ErrorCode::Malformed, "a second hello or introduction");
                return Err(Ended::Refused(error));
            }
            None => {}
        }
        Ok(())
    }

    /// Memory for a message of `length` bytes.
    fn buffer(&self, length: usize, opening: Opening) -> Result<Option<OwnedSemaphorePermit>, ServerError> {
        if length > opening.cap {
            let message =
                format!("message of {length} bytes exceeds the limit of {} for its type", opening.cap);
            return Err(ServerError::new(ErrorCode::TooLarge, message));
        }
        if length <= SMALL {
            return Ok(None);
        }
        let kib = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        match self.context.buffers.clone().try_acquire_many_owned(kib) {
            Ok(permit) => Ok(Some(permit)),
            Err(_) => {
                let message = "no memory for large messages is left now";
                Err(ServerError::retryable(ErrorCode::Busy, message, 5_000))
            }
        }
    }

    async fn start(&self, id: RequestId, request: Request, buffer: Option<OwnedSemaphorePermit>) {
        let cancelled = self.end.child_token();
        let refused = {
            let mut open = self.lock();
            if open.contains_key(&id) {
                Some(ServerError::new(ErrorCode::DuplicateRequest, format!("request {id} is open already")))
            } else if open.len() >= self.context.limits.requests {
                let message = format!("{} requests are open on this connection already", open.len());
                Some(ServerError::retryable(ErrorCode::Busy, message, 1_000))
            } else if self.version == 1 && matches!(request, Request::ProveBy { .. }) {
                Some(ServerError::new(ErrorCode::Unsupported, "version 1 has no such request"))
            } else {
                open.insert(id, cancelled.clone());
                None
            }
        };
        if let Some(error) = refused {
            self.answer(id, error).await;
            return;
        }
        let (context, outbox, caller) = (self.context.clone(), self.outbox.clone(), self.caller.clone());
        let registration = Registration { open: self.open.clone(), id };
        let in_progress = self.in_progress.clone();
        tokio::spawn(async move {
            let _in_progress = in_progress;
            let progress = ProgressSender::new(id, outbox.clone());
            let result = tokio::select! {
                result = context.services.answer(request, &caller, progress, buffer) => result,
                () = cancelled.cancelled() => Err(if context.control.stop.is_cancelled() {
                    shutting_down()
                } else {
                    ServerError::new(ErrorCode::Cancelled, "cancelled")
                }),
            };
            if let Err(error) = &result {
                tracing::info!(id, client = %caller.identity, %error, "request failed");
            }
            // First free the id, then answer: a client may use it again as soon as it has read the answer.
            drop(registration);
            let _ = outbox.send(Outgoing::answer(id, result)).await;
        });
    }

    async fn answer(&self, id: RequestId, error: ServerError) {
        // Closed: the connection ends anyway.
        let _ = self.outbox.send(Outgoing::answer(id, Err(error))).await;
    }

    fn cancel(&self, id: RequestId) {
        // Not open: the answer has crossed the cancellation.
        if let Some(token) = self.lock().get(&id) {
            token.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, CancellationToken>> {
        // Nothing panics while it holds the lock.
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
