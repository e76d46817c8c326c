//! How a server is reached, the first time and again: the connection, and who asks.

use std::{io, sync::Arc, time::Duration};

use sextant_link::{Introduction, Link, LinkConfig};
use sextant_protocol::{Request, Response, proof::MAX_RECORD};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::lookup_host,
    time::timeout,
};

use crate::{ClientError, DeadlineElapsed, Security, TransportError, verify::LocalVerifier};

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
    /// Times to connect again, one after the other, where the connection breaks during a proof. Each waits twice as long
    /// as the one before, beginning with a quarter of a second. Default: 5.
    pub reconnects: u32,
    /// Largest proof record that is taken, bytes. Default: 256 MiB, the most there is.
    pub max_record: usize,
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
            reconnects: 5,
            max_record: MAX_RECORD,
            agent: concat!("sextant-client/", env!("CARGO_PKG_VERSION")).into(),
            security: Security::default(),
            verifier: LocalVerifier::default(),
        }
    }
}

/// What it takes to connect once more.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    /// `host:port`; unknown where the streams came from elsewhere.
    server: Option<Arc<str>>,
    pub(crate) config: Arc<ClientConfig>,
}

impl Dialer {
    /// To this server (`host:port`), or to whoever is at the other end of streams.
    pub(crate) fn new(server: Option<&str>, config: ClientConfig) -> Self {
        Self { server: server.map(Into::into), config: Arc::new(config) }
    }

    /// A new connection; `None` where it is not known to whom.
    pub(crate) async fn dial(&self) -> Result<Option<Link>, ClientError> {
        let Some(server) = self.server.as_deref() else { return Ok(None) };
        let config = &self.config;
        let failed = |source| TransportError::Connect { server: server.into(), source: Arc::new(source) };
        let dialed = async {
            let addresses: Vec<_> = lookup_host(server).await.map_err(failed)?.collect();
            config
                .security
                .check_token(&addresses)
                .map_err(|error| failed(io::Error::new(io::ErrorKind::PermissionDenied, error)))?;
            Link::dial(&addresses[..], server, config.security.tls()).await
        };
        let (reader, writer) = timeout(config.connect_timeout, dialed)
            .await
            .map_err(|_| DeadlineElapsed { what: "connection", after: config.connect_timeout })??;
        self.greet(reader, writer).await.map(Some)
    }

    /// The answer of whoever is at the other end of `link`.
    pub(crate) async fn ask(
        &self,
        link: &Link,
        request: Request,
        what: &'static str,
    ) -> Result<Response, ClientError> {
        let mut pending = link.ask(request)?;
        let after = self.config.request_timeout;
        match timeout(after, pending.answer()).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(DeadlineElapsed { what, after }.into()),
        }
    }

    pub(crate) async fn greet<R, W>(&self, reader: R, writer: W) -> Result<Link, ClientError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let config = &self.config;
        let introduction = Introduction {
            agent: config.agent.clone(),
            token: config.security.token(),
            ..Introduction::default()
        };
        let kept = LinkConfig {
            ping_interval: config.ping_interval,
            silence_limit: config.silence_limit,
            max_record: config.max_record,
        };
        let greeted = timeout(config.connect_timeout, Link::greet(reader, writer, introduction, &kept));
        let late = |_| DeadlineElapsed { what: "handshake", after: config.connect_timeout };
        Ok(greeted.await.map_err(late)??)
    }
}
