//! The running side of a connection after its handshake: messages in, a task for each request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use sextant_protocol::{
    ClientMessage, ErrorCode, Request, RequestId, Response, ServerError, ServerMessage,
    frame::{FrameError, MAX_FRAME},
    wire,
};
use tokio::{
    io::AsyncRead,
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Context, Ended, Reader, encoding_error, frame_error, over_cap,
    upload::{self, Upload},
};
use crate::{
    access::Caller,
    account::Account,
    audience::ProgressSender,
    errors::shutting_down,
    outbox::{self, Download, Outgoing, Reply},
};

/// Requests that are not answered yet.
type Open = Arc<Mutex<HashMap<RequestId, OpenRequest>>>;

#[derive(Debug)]
struct OpenRequest {
    cancelled: CancellationToken,
    /// Where the parts go that it waits for.
    upload: Option<Upload>,
}

pub(super) struct Requests {
    context: Arc<Context>,
    outbox: mpsc::Sender<Outgoing>,
    open: Open,
    caller: Arc<Caller>,
    /// Ends them all.
    end: CancellationToken,
    /// Every request listens until its answer is in the outbox.
    in_progress: watch::Sender<()>,
}

impl Requests {
    pub(super) fn new(context: Arc<Context>, outbox: mpsc::Sender<Outgoing>, caller: Caller) -> Self {
        let (open, end) = (Open::default(), CancellationToken::new());
        Self { context, outbox, open, caller: Arc::new(caller), end, in_progress: watch::Sender::new(()) }
    }

    /// Completes when the server drains and every request here has its answer in the outbox.
    pub(super) async fn drained(&self) {
        self.context.control.ending().await;
        self.settled().await;
    }

    /// Completes when every request here has its answer in the outbox.
    pub(super) async fn settled(&self) {
        self.in_progress.closed().await;
    }

    /// Requests that are open.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends all requests that have no answer yet. Whoever waits for their jobs besides goes on waiting.
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
            let frame = timeout(limits.frame, reader.frame()).await.map_err(|_| {
                let message = format!("a message took longer than {} s to arrive", limits.frame.as_secs());
                Ended::Refused(ServerError::new(ErrorCode::DeadlineExceeded, message))
            })?;
            let frame = frame.map_err(|error| {
                if over_cap(&error) { Ended::Refused(frame_error(&error)) } else { Ended::Broken(error) }
            })?;
            self.message(frame).await?;
        }
    }

    /// Takes one message.
    async fn message(&self, frame: Bytes) -> Result<(), Ended> {
        match wire::from_bytes("client message", frame.clone(), MAX_FRAME) {
            Ok(ClientMessage::Request { id, request }) => self.start(id, request).await,
            Ok(ClientMessage::Part { id, offset, bytes }) => self.part(id, offset, bytes).await,
            Ok(ClientMessage::Cancel { id }) => self.cancel(id),
            Ok(ClientMessage::Hello { .. } | ClientMessage::Introduction { .. }) => {
                let error = ServerError::new(ErrorCode::Malformed, "a second hello or introduction");
                return Err(Ended::Refused(error));
            }
            // A later version's: it knows which of its messages this one does not have.
            Ok(ClientMessage::Unknown(_)) => {}
            Err(error) => match ClientMessage::request_id(frame) {
                // One request that makes no sense; the others do.
                Some(id) => self.answer(id, Err(encoding_error(&error))).await,
                None => return Err(Ended::Refused(frame_error(&FrameError::Encoding(error)))),
            },
        }
        Ok(())
    }

    async fn start(&self, id: RequestId, mut request: Request) {
        let services = &self.context.services;
        let mut account = Account::new((&services.metrics, &services.traces), &self.caller, &request);
        let refused = self.refused(id).map(Err);
        // What needs no work is answered on the spot: a client may close as soon as it has asked.
        if let Some(result) = refused.or_else(|| services.answer_at_once(&request)) {
            account.close(result.as_ref().err());
            return self.answer(id, result).await;
        }
        let mut held = self.context.memory.hold(&self.caller.identity);
        let upload = match upload::begin(&mut request, &self.context.limits, &mut held) {
            Ok(upload) => upload,
            Err(error) => {
                account.close(Some(&error));
                return self.answer(id, Err(error)).await;
            }
        };
        let (upload, arriving) = upload.unzip();
        // Its own: what a client does not want is not sent, but a client that says no more is sent what it has asked for.
        let (cancelled, end) = (CancellationToken::new(), self.end.clone());
        self.lock().insert(id, OpenRequest { cancelled: cancelled.clone(), upload });
        let (context, outbox, caller) = (self.context.clone(), self.outbox.clone(), self.caller.clone());
        let registration = Registration { open: self.open.clone(), id };
        let in_progress = self.in_progress.subscribe();
        tokio::spawn(async move {
            let _in_progress = in_progress;
            let progress = ProgressSender::new(id, outbox.clone());
            let work = async {
                if let Some(arriving) = arriving {
                    upload::receive(&mut request, arriving, &mut held, context.limits.frame).await?;
                }
                account.arrived(&request);
                context.services.answer(request, &caller, progress, held, &account.span()).await
            };
            let result = tokio::select! {
                result = work => result,
                () = cancelled.cancelled() => Err(ServerError::new(ErrorCode::Cancelled, "cancelled")),
                () = end.cancelled() => Err(if context.control.stop.is_cancelled() {
                    shutting_down()
                } else {
                    ServerError::new(ErrorCode::Cancelled, "the connection ends")
                }),
            };
            account.close(result.as_ref().err());
            let _ = outbox.send(outgoing(id, result, cancelled, registration)).await;
        });
    }

    /// Why a new request under this id is not taken.
    fn refused(&self, id: RequestId) -> Option<ServerError> {
        let open = self.lock();
        if open.contains_key(&id) {
            Some(ServerError::new(ErrorCode::DuplicateRequest, format!("request {id} is open already")))
        } else if open.len() >= self.context.limits.requests {
            let message = format!("{} requests are open on this connection already", open.len());
            Some(ServerError::retryable(ErrorCode::Busy, message, 1_000))
        } else {
            None
        }
    }

    /// Hands a part to its request. Not open: it was refused or cancelled while its parts were on their way.
    async fn part(&self, id: RequestId, offset: u64, bytes: Bytes) {
        let accepted = match self.lock().get_mut(&id) {
            Some(OpenRequest { upload: Some(upload), .. }) => upload.accept(offset, bytes),
            _ => return,
        };
        let (request, part) = accepted;
        // Fails when the request has all it needs, or has ended.
        let _ = request.send(part).await;
    }

    async fn answer(&self, id: RequestId, result: Result<Response, ServerError>) {
        // Closed: the connection ends anyway.
        let _ = self.outbox.send(Outgoing::Message(ServerMessage::Answer { id, result })).await;
    }

    fn cancel(&self, id: RequestId) {
        // Not open: the answer has crossed the cancellation.
        if let Some(open) = self.lock().get(&id) {
            open.cancelled.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, OpenRequest>> {
        // Nothing panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is sent for an answer. The id is free before its last message is sent: a client may use it again as soon as it
/// has read that.
fn outgoing(
    id: RequestId,
    result: Result<Reply, ServerError>,
    cancelled: CancellationToken,
    registration: Registration,
) -> Outgoing {
    let (answer, parts) = match result {
        Ok(Reply::Proof(answer, offset)) => outbox::open(answer, offset),
        Ok(Reply::Response(response)) => {
            return Outgoing::Message(ServerMessage::Answer { id, result: Ok(response) });
        }
        Err(error) => return Outgoing::Message(ServerMessage::Answer { id, result: Err(error) }),
    };
    Outgoing::Proof(Download {
        id,
        answer: Some(ServerMessage::Answer { id, result: Ok(Response::Proof(answer)) }),
        parts,
        cancelled,
        open: Some(Box::new(registration)),
    })
}

/// Takes a request off the list of open ones, also when its task panics.
#[derive(Debug)]
struct Registration {
    open: Open,
    id: RequestId,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
