//! A prove request in progress, and the checks its answer has to pass.

use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use sextant_consensus::{Program, public_values::Statement};
use sextant_link::{AskError, Link, Pending, Received};
use sextant_protocol::{
    BundleRequest, ErrorCode, Progress, ProofAnswer, ProofKind, ProofRecord, ProveRequest, Request, Response,
    WrapRequest, encoding, request::ProvingCost,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    AnswerError, ClientError, DeadlineElapsed, NotOffered, TransportError,
    dialer::Dialer,
    size::check_size,
    verify::{LocalVerifier, VerifyError},
};

/// Pause before the first attempt to connect again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// A proof that was verified here, and what it says.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The self-describing proof; [`ProofRecord::to_file_bytes`] makes a proof file of it.
    pub record: ProofRecord,
    /// What it proves: the statement that was asked for.
    pub statement: Statement,
    /// What making it took, as the server says.
    pub cost: ProvingCost,
}

/// A prove request in progress. Dropping it cancels the request.
///
/// Where the connection breaks, it connects again and goes on: with the same job if the server still has it, and of a
/// proof that was on its way only the rest is sent.
#[derive(Debug)]
pub struct Proving {
    state: State,
    /// What to ask a new connection for, as long as nothing of the proof has come.
    request: Request,
    asked: Asked,
    limit: Option<(Instant, Duration)>,
    dialer: Dialer,
    /// Attempts to connect again since anything was heard of the request.
    attempts: u32,
    /// Bytes of the proof that had come when the connection broke last.
    came: u64,
}

#[derive(Debug)]
enum State {
    /// For the answer, or for the rest of one.
    Waiting {
        pending: Pending,
        rest: bool,
    },
    /// The connection is gone, for this reason, with so much of the proof received.
    Broken(TransportError, Option<Received>),
    Done(Result<Response, ClientError>),
}

/// What the answer must match.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) program: Program,
    pub(crate) kind: ProofKind,
    pub(crate) expected: Statement,
}

impl Proving {
    pub(crate) fn start(
        link: &Link,
        dialer: Dialer,
        request: Request,
        asked: Asked,
        deadline: Option<Duration>,
    ) -> Result<Self, TransportError> {
        let limit = deadline.map(|limit| limit + dialer.config.deadline_grace);
        // A limit beyond what the clock can express is none.
        let limit = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let state = State::Waiting { pending: link.ask(request.clone())?, rest: false };
        Ok(Self { state, request, asked, limit, dialer, attempts: 0, came: 0 })
    }

    /// The statement that is being proven, as this client computed it.
    pub fn statement(&self) -> &Statement {
        &self.asked.expected
    }

    /// The steps of the request. Ends when the answer is there, or the deadline has passed: then
    /// [`Self::finish`] returns at once.
    pub fn progress(&mut self) -> impl Stream<Item = Progress> + Send + '_ {
        futures::stream::unfold(self, |proving| async {
            let step = proving.next_progress().await?;
            Some((step, proving))
        })
    }

    /// The next step; `None` where [`Self::progress`] ends. Safe to drop half-way and call again.
    pub async fn next_progress(&mut self) -> Option<Progress> {
        match self.limit {
            None => self.step().await,
            Some((at, _)) => timeout_at(at, self.step()).await.ok().flatten(),
        }
    }

    /// Waits for the proof and verifies it: by the pinned program, valid, and with the very public values that this
    /// client computed itself.
    ///
    /// # Errors
    /// [`ClientError::Answer`] for an answer that is not to be believed; [`ClientError::Server`] for the server's own
    /// refusal; [`ClientError::Transport`] and [`ClientError::Deadline`] if no answer came.
    pub async fn finish(mut self) -> Result<Proof, ClientError> {
        while self.next_progress().await.is_some() {}
        let response = match self.state {
            State::Done(result) => result?,
            _ => {
                let after = self.limit.map(|(_, after)| after).unwrap_or_default();
                return Err(DeadlineElapsed { what: "proof", after }.into());
            }
        };
        let Response::Proof(ProofAnswer { record, cost, .. }) = response else {
            return Err(unexpected("proof", &response));
        };
        let (asked, verifier) = (self.asked, self.dialer.config.verifier.clone());
        let (record, statement) = asked.verify(record, verifier).await?;
        Ok(Proof { record, statement, cost })
    }

    /// The next step; `None` once it is done.
    async fn step(&mut self) -> Option<Progress> {
        loop {
            let next = match &mut self.state {
                State::Done(_) => return None,
                State::Waiting { pending, rest } => {
                    if let Some(step) = pending.progress().await {
                        self.attempts = 0;
                        return Some(step);
                    }
                    let answer = pending.answer().await;
                    match answer {
                        Err(AskError::Transport(error)) => State::Broken(error, pending.received()),
                        // There is no rest of it any more: from the beginning.
                        Err(error) if *rest && is_forgotten(&error) => {
                            State::Broken(TransportError::Closed, None)
                        }
                        result => State::Done(result.map_err(ClientError::from)),
                    }
                }
                State::Broken(error, received) => {
                    let (error, received) = (error.clone(), received.clone());
                    let came = received.as_ref().map_or(0, Received::offset);
                    if came > self.came {
                        (self.came, self.attempts) = (came, 0);
                    }
                    match self.go_on(&error, received).await {
                        Some(state) => state,
                        None => continue,
                    }
                }
            };
            self.state = next;
        }
    }

    /// Connects again; `None` if that did not work this time.
    async fn go_on(&mut self, error: &TransportError, received: Option<Received>) -> Option<State> {
        let given_up = State::Done(Err(error.clone().into()));
        if self.attempts >= self.dialer.config.reconnects {
            return Some(given_up);
        }
        sleep(FIRST_PAUSE * 2_u32.saturating_pow(self.attempts)).await;
        self.attempts += 1;
        match self.dialer.dial().await {
            Ok(Some(link)) => {
                let (rest, request) = (received.is_some(), self.request_again(received.as_ref()));
                match self.takes(&link, &request).await {
                    Ok(()) => {}
                    Err(error @ ClientError::NotOffered(_)) => return Some(State::Done(Err(error))),
                    Err(_) => return None,
                }
                let pending = link.go_on(request, received).ok()?;
                Some(State::Waiting { pending, rest })
            }
            // Nobody known to connect to.
            Ok(None) => Some(given_up),
            // The server is there, and does not take this client any more: that is the reason now.
            Err(ClientError::Transport(refused)) if refused.stands() => {
                Some(State::Done(Err(refused.into())))
            }
            Err(_) => None,
        }
    }

    /// Whether whoever is there now takes an input of this size: it may be another server than before.
    async fn takes(&self, link: &Link, request: &Request) -> Result<(), ClientError> {
        let Request::Prove(ProveRequest { input, .. }) = request else { return Ok(()) };
        match self.dialer.ask(link, Request::Info, "information").await? {
            Response::Info(info) => Ok(check_size(input, &info.limits).map_err(NotOffered::from)?),
            other => Err(unexpected("information", &other)),
        }
    }

    /// What a new connection is asked: the rest of the proof, or the same as before in the time that is left.
    fn request_again(&self, received: Option<&Received>) -> Request {
        let left = self.limit.map(|(at, _)| {
            (at - self.dialer.config.deadline_grace).saturating_duration_since(Instant::now())
        });
        let left = milliseconds(left);
        let mut request = match received {
            Some(received) => {
                Request::Fetch { job: received.job(), offset: received.offset(), deadline_ms: left }
            }
            None => self.request.clone(),
        };
        if let Request::Prove(ProveRequest { deadline_ms, .. })
        | Request::Wrap(WrapRequest { deadline_ms, .. })
        | Request::Bundle(BundleRequest { deadline_ms, .. })
        | Request::Fetch { deadline_ms, .. } = &mut request
        {
            *deadline_ms = left;
        }
        request
    }
}

/// Whether a server does not have the job, or not the proof, of which it has sent the beginning.
fn is_forgotten(error: &AskError) -> bool {
    match error {
        AskError::Checksum => true,
        AskError::Server(error) => matches!(error.code, ErrorCode::UnknownJob | ErrorCode::Unsupported),
        _ => false,
    }
}

impl Asked {
    /// Decodes, compares and verifies, away from the async threads. The proof comes from a stranger: where the engine
    /// panics on it, it is refused.
    async fn verify(
        self,
        record: Bytes,
        verifier: LocalVerifier,
    ) -> Result<(ProofRecord, Statement), AnswerError> {
        let verified = spawn_blocking(move || {
            let proof: ProofRecord = encoding::decode("proof record", &record, record.len())?;
            drop(record);
            self.compare(&proof)?;
            let statement = verifier.verify(&proof)?;
            // `compare` saw the bytes; this is what the verifier understood them to say.
            if statement != self.expected {
                return Err(AnswerError::PublicValues { at: 0 });
            }
            Ok((proof, statement))
        });
        verified.await.unwrap_or(Err(AnswerError::Verify(VerifyError::Crashed)))
    }

    /// The comparisons that need no cryptography, so that a mixed-up answer is named as such.
    fn compare(&self, proof: &ProofRecord) -> Result<(), AnswerError> {
        if proof.program != self.program.tag() {
            return Err(AnswerError::Program { expected: self.program, got: proof.program });
        }
        if proof.kind != self.kind {
            return Err(AnswerError::Kind { expected: self.kind, got: proof.kind });
        }
        let expected = self.expected.abi_encode();
        if proof.public_values != expected {
            let same = expected.iter().zip(&proof.public_values).take_while(|(a, b)| a == b).count();
            return Err(AnswerError::PublicValues { at: same });
        }
        Ok(())
    }
}

/// At least one: 0 would mean "no deadline" on the wire.
pub(crate) fn milliseconds(deadline: Option<Duration>) -> u64 {
    deadline.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1))
}

pub(crate) fn unexpected(expected: &'static str, got: &Response) -> ClientError {
    let got = match got {
        Response::Proof(_) => "proof",
        Response::Verified => "verdict",
        Response::Info(_) => "information",
        Response::Pong => "pong",
        Response::Submitted { .. } => "job",
        Response::Withdrawn => "withdrawal",
        Response::Unknown(_) => "something of a later version",
    };
    AnswerError::Unexpected { expected, got }.into()
}
