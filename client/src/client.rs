//! One connection to a server, shared by any number of requests.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use sextant_consensus::public_values::Statement;
use sextant_link::Link;
use sextant_protocol::{
    JobKey, ProofKind, ProofRecord, ProveRequest, Request, Response, ServerInfo, StatementInput,
    request::ServerLimits,
};
use sextant_verifier::pinned_vk_hash;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    CheckedInput, ClientConfig, ClientError, NotOffered, Proving, TransportError,
    dialer::Dialer,
    proving::{Asked, milliseconds, unexpected},
    size::check_size,
};

/// A connection to a proof server. Clones share it; it closes with the last of them and their requests.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) link: Link,
    pub(crate) dialer: Dialer,
    /// What the server at the other end of `link` takes at most, once it was asked.
    limits: Arc<OnceLock<ServerLimits>>,
}

/// A job that goes on without its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// What it is fetched by.
    pub job: JobKey,
    /// How long its outcome is kept after its end.
    pub kept: Duration,
}

impl Client {
    /// Connects to `server` (`host:port`) with the default [`ClientConfig`].
    ///
    /// # Errors
    /// [`ClientError::Transport`] or [`ClientError::Deadline`].
    pub async fn connect(server: &str) -> Result<Self, ClientError> {
        Self::connect_with(server, ClientConfig::default()).await
    }

    /// Connects to `server` (`host:port`).
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with(server: &str, config: ClientConfig) -> Result<Self, ClientError> {
        let dialer = Dialer::new(Some(server), config);
        let Some(link) = dialer.dial().await? else { unreachable!("the server's name is known") };
        Ok(Self { link, dialer, limits: Arc::default() })
    }

    /// Speaks to a server over any pair of streams. There is no connecting again if they break.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn over<R, W>(reader: R, writer: W, config: ClientConfig) -> Result<Self, ClientError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let dialer = Dialer::new(None, config);
        Ok(Self { link: dialer.greet(reader, writer).await?, dialer, limits: Arc::default() })
    }

    /// How the server introduced itself. Untrusted text.
    pub fn server_agent(&self) -> &str {
        self.link.server_agent()
    }

    /// Whether the connection is over: then every request fails.
    pub fn is_lost(&self) -> bool {
        self.link.is_lost()
    }

    /// Asks for a proof of `input`. The statement is checked here first, natively: a false one is never sent, and the
    /// public values that must come back are known before the server is asked. Nor is one that is larger than the server
    /// takes.
    ///
    /// `deadline` counts from now, queueing included; `None` leaves it to the server.
    ///
    /// # Errors
    /// [`ClientError::Check`] names the rule that does not hold, [`crate::NotOffered::Size`] what would be smaller;
    /// [`ClientError::Transport`] if the connection is already gone. Everything else comes out of [`Proving::finish`].
    pub async fn prove(
        &self,
        input: StatementInput,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Proving, ClientError> {
        self.prove_checked(CheckedInput::check(input).await?, kind, deadline).await
    }

    /// [`Self::prove`] for an input that was checked before.
    ///
    /// # Errors
    /// If it is larger than the server takes, or the connection is already gone.
    pub async fn prove_checked(
        &self,
        checked: CheckedInput,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Proving, ClientError> {
        let (request, asked) = request(checked, kind, deadline);
        self.takes(&request.input).await?;
        Ok(Proving::start(&self.link, self.dialer.clone(), Request::Prove(request), asked, deadline)?)
    }

    /// Whether the server takes an input of this size. It is asked once on a connection.
    async fn takes(&self, input: &StatementInput) -> Result<(), ClientError> {
        let limits = match self.limits.get() {
            Some(limits) => *limits,
            None => self.info().await?.limits,
        };
        Ok(check_size(input, &limits).map_err(NotOffered::from)?)
    }

    /// Asks for a proof that somebody will come back for, with [`Self::fetch`]: the job goes on when this client goes.
    ///
    /// # Errors
    /// [`ClientError::Server`] if it is not taken on, [`crate::NotOffered::Size`] if it is larger than the server takes.
    pub async fn submit(
        &self,
        checked: CheckedInput,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Submitted, ClientError> {
        let (request, _) = request(checked, kind, deadline);
        self.takes(&request.input).await?;
        self.submitted(Request::Submit(request)).await
    }

    pub(crate) async fn submitted(&self, request: Request) -> Result<Submitted, ClientError> {
        match self.ask(request, "job").await? {
            Response::Submitted { job, kept_s } => Ok(Submitted { job, kept: Duration::from_secs(kept_s) }),
            other => Err(unexpected("job", &other)),
        }
    }

    /// Waits for a job that was submitted, on whichever connection, for a proof of what was checked when it was. Giving up
    /// the [`Proving`] does not give up the job.
    ///
    /// # Errors
    /// If the connection is already gone. A job that the server does not know comes out of [`Proving::finish`] as
    /// [`ClientError::Server`] with code `UnknownJob`.
    pub fn fetch(
        &self,
        job: JobKey,
        checked: impl Into<Statement>,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Proving, TransportError> {
        let expected = checked.into();
        let asked = Asked { program: expected.program(), kind, expected };
        let request = Request::Fetch { job, offset: 0, deadline_ms: milliseconds(deadline) };
        Proving::start(&self.link, self.dialer.clone(), request, asked, deadline)
    }

    /// Gives up a job that this client has submitted. It ends if nobody else wants it.
    ///
    /// # Errors
    /// [`ClientError::Server`] with code `UnknownJob` if this client has no such job there.
    pub async fn withdraw(&self, job: JobKey) -> Result<(), ClientError> {
        match self.ask(Request::Withdraw { job }, "withdrawal").await? {
            Response::Withdrawn => Ok(()),
            other => Err(unexpected("withdrawal", &other)),
        }
    }

    /// Asks the server to verify a proof. For one's own use [`crate::verify::verify`] is the one to trust.
    ///
    /// # Errors
    /// [`ClientError::Server`] with code `InvalidProof` if the server finds it wrong.
    pub async fn verify_remote(&self, proof: ProofRecord) -> Result<(), ClientError> {
        match self.ask(Request::verify(&proof), "verdict").await? {
            Response::Verified => Ok(()),
            other => Err(unexpected("verdict", &other)),
        }
    }

    /// What the server runs and offers.
    ///
    /// # Errors
    /// Any [`ClientError`] but [`ClientError::Check`].
    pub async fn info(&self) -> Result<ServerInfo, ClientError> {
        match self.ask(Request::Info, "information").await? {
            Response::Info(info) => {
                // What it said first counts: it takes no less later.
                let _ = self.limits.set(info.limits);
                Ok(info)
            }
            other => Err(unexpected("information", &other)),
        }
    }

    /// One round trip.
    ///
    /// # Errors
    /// Any [`ClientError`] but [`ClientError::Check`].
    pub async fn ping(&self) -> Result<(), ClientError> {
        match self.ask(Request::Ping, "pong").await? {
            Response::Pong => Ok(()),
            other => Err(unexpected("pong", &other)),
        }
    }

    async fn ask(&self, request: Request, what: &'static str) -> Result<Response, ClientError> {
        self.dialer.ask(&self.link, request, what).await
    }
}

/// What is sent, and what must come back.
fn request(checked: CheckedInput, kind: ProofKind, deadline: Option<Duration>) -> (ProveRequest, Asked) {
    let (input, expected) = checked.into_parts();
    let program = expected.program();
    let request = ProveRequest {
        deadline_ms: milliseconds(deadline),
        // A server with another build of the program says so at once, and not with a proof that is refused here.
        vk_hash: Some(pinned_vk_hash(program)),
        ..ProveRequest::new(input, kind)
    };
    (request, Asked { program, kind, expected })
}
