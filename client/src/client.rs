//! One connection to a server, shared by any number of requests.

use std::{sync::Arc, time::Duration};

use sextant_protocol::{
    ClientMessage, PROTOCOL_VERSION, ProofKind, ProofRecord, ProveRequest, Request, Response, ServerInfo,
    ServerMessage, StatementInput,
    frame::{MAX_CLIENT_FRAME, MAX_HANDSHAKE_FRAME, MAX_SERVER_FRAME, MessageReader, MessageWriter},
    message::MAGIC,
};
use sextant_verifier::pinned_vk_hash;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use crate::{
    AnswerError, CheckedInput, ClientError, DeadlineElapsed, Proving, Security, TransportError,
    connection::{Connection, response_name},
    proving::Asked,
    verify::LocalVerifier,
};

/// How long a client waits, and how it introduces itself.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// For the TCP connection and for the handshake, each. Default: 10 s.
    pub connect_timeout: Duration,
    /// For the answer to a ping, an information or a verification request. Default: 2 minutes.
    pub request_timeout: Duration,
    /// How long past a request's deadline its answer may take to arrive. Default: 30 s.
    pub deadline_grace: Duration,
    /// While requests are open, ping the server this often. Default: 20 s.
    pub ping_interval: Duration,
    /// While requests are open, give the connection up after this long without a message. Default: 3 minutes.
    pub silence_limit: Duration,
    /// Name and version for the server's log. Default: `sextant-client/VERSION`.
    pub agent: String,
    /// TLS and who asks. Default: neither.
    pub security: Security,
    /// What proofs are verified with. Default: no SNARKs by development circuits.
    pub verifier: LocalVerifier,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(120),
            deadline_grace: Duration::from_secs(30),
            ping_interval: Duration::from_secs(20),
            silence_limit: Duration::from_secs(180),
            agent: concat!("sextant-client/", env!("CARGO_PKG_VERSION")).into(),
            security: Security::default(),
            verifier: LocalVerifier::default(),
        }
    }
}

/// A connection to a proof server. Clones share it; it closes with the last of them and their requests.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Arc<Connection>,
    config: Arc<ClientConfig>,
    server_agent: Arc<str>,
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
        let late = |_| DeadlineElapsed { what: "connection", after: config.connect_timeout };
        let failed = |source| TransportError::Connect { server: server.into(), source: Arc::new(source) };
        let connected = timeout(config.connect_timeout, TcpStream::connect(server)).await;
        let stream = connected.map_err(late)?.map_err(failed)?;
        // Small messages (cancel, ping) must not wait for larger ones; failing to set it changes nothing else.
        let _ = stream.set_nodelay(true);
        let secured = timeout(config.connect_timeout, config.security.secure(server, stream)).await;
        let (reader, writer) = secured.map_err(late)?.map_err(failed)?;
        Self::over(reader, writer, config).await
    }

    /// Speaks to a server over any pair of streams.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn over<R, W>(reader: R, writer: W, config: ClientConfig) -> Result<Self, ClientError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let mut reader = MessageReader::new(reader, MAX_HANDSHAKE_FRAME, "server message");
        let mut writer = MessageWriter::new(writer, MAX_CLIENT_FRAME);
        let handshake = async {
            let hello =
                ClientMessage::Hello { magic: MAGIC, version: PROTOCOL_VERSION, agent: config.agent.clone() };
            writer.send(&hello).await.map_err(TransportError::from)?;
            let introduction = ClientMessage::Introduction { token: config.security.token(), hops: 0 };
            writer.send(&introduction).await.map_err(TransportError::from)?;
            match reader.next().await.map_err(TransportError::from)? {
                Some(ServerMessage::Welcome { version: PROTOCOL_VERSION, agent }) => Ok(agent),
                Some(ServerMessage::Welcome { version, .. }) => Err(TransportError::Version { got: version }),
                Some(ServerMessage::Refused(error)) => Err(TransportError::Refused(error)),
                Some(_) => Err(TransportError::Protocol("another message than a welcome came first")),
                None => Err(TransportError::Closed),
            }
        };
        let server_agent = timeout(config.connect_timeout, handshake)
            .await
            .map_err(|_| DeadlineElapsed { what: "handshake", after: config.connect_timeout })??;
        reader.set_cap(MAX_SERVER_FRAME);
        let connection = Connection::start(reader, writer, config.ping_interval, config.silence_limit);
        Ok(Self {
            connection: Arc::new(connection),
            config: Arc::new(config),
            server_agent: server_agent.into(),
        })
    }

    /// How the server introduced itself. Untrusted text.
    pub fn server_agent(&self) -> &str {
        &self.server_agent
    }

    /// Asks for a proof of `input`. The statement is checked here first, natively: a false one is never sent, and the
    /// public values that must come back are known before the server is asked.
    ///
    /// `deadline` counts from now, queueing included; `None` leaves it to the server.
    ///
    /// # Errors
    /// [`ClientError::Check`] names the rule that does not hold; [`ClientError::Transport`] if the connection is
    /// already gone. Everything else comes out of [`Proving::finish`].
    pub async fn prove(
        &self,
        input: StatementInput,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Proving, ClientError> {
        Ok(self.prove_checked(CheckedInput::check(input).await?, kind, deadline)?)
    }

    /// [`Self::prove`] for an input that was checked before.
    ///
    /// # Errors
    /// If the connection is already gone.
    pub fn prove_checked(
        &self,
        checked: CheckedInput,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Proving, TransportError> {
        let (input, expected) = checked.into_parts();
        let program = expected.head().program;
        let input_digest = input.digest();
        // At least a millisecond: 0 would mean "no deadline" on the wire.
        let deadline_ms =
            deadline.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1));
        let request = ProveRequest { input, kind, deadline_ms };
        // A server with another build of the program says so at once, and not with a proof that is refused here.
        let request = Request::ProveBy { request, vk_hash: pinned_vk_hash(program) };
        let pending = self.connection.send(request)?;
        let limit = deadline.map(|limit| limit + self.config.deadline_grace);
        let asked = Asked { program, kind, expected, input_digest };
        Ok(Proving::new(pending, asked, limit, self.config.verifier.clone()))
    }

    /// Asks the server to verify a proof. For one's own use [`crate::verify::verify`] is the one to trust.
    ///
    /// # Errors
    /// [`ClientError::Server`] with code `InvalidProof` if the server finds it wrong.
    pub async fn verify_remote(&self, proof: ProofRecord) -> Result<(), ClientError> {
        match self.ask(Request::Verify(proof), "verdict").await? {
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
            Response::Info(info) => Ok(info),
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
        let mut pending = self.connection.send(request)?;
        let after = self.config.request_timeout;
        match timeout(after, pending.answer()).await {
            Ok(answer) => answer,
            Err(_) => Err(DeadlineElapsed { what, after }.into()),
        }
    }
}

fn unexpected(expected: &'static str, got: &Response) -> ClientError {
    AnswerError::Unexpected { expected, got: response_name(got) }.into()
}
