//! Asks a server on this machine whether it is well: what a container's health check runs.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use sextant_link::{Introduction, Link, LinkConfig, TransportError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::config::Config;

/// Longest that a healthy server takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes.
const MAX_ANSWER: u64 = 16 << 10;

/// Why a server is not well.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// Nothing answers there.
    #[error("{address}: {source}")]
    Unreachable {
        /// Where it was asked.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{0}: no answer within {limit} s", limit = PATIENCE.as_secs())]
    Silent(SocketAddr),
    /// Another answer than a healthy server's.
    #[error("{address}: {answer}")]
    Unwell {
        /// Where it was asked.
        address: SocketAddr,
        /// What came.
        answer: String,
    },
    /// It cannot be asked that.
    #[error(
        "whether the server is ready can be asked only at the address of `operations-listen`, and none is set"
    )]
    NoOperations,
}

/// Asks the server that runs with this configuration: at its operations address, or else as a client. Returns what it
/// said.
///
/// # Errors
/// [`HealthError`] says what is wrong.
pub async fn ask(config: &Config, ready: bool) -> Result<String, HealthError> {
    let (listen, path) = match (config.operations_listen, ready) {
        (Some(listen), true) => (listen, Some("/readyz")),
        (Some(listen), false) => (listen, Some("/healthz")),
        (None, true) => return Err(HealthError::NoOperations),
        (None, false) => (config.listen, None),
    };
    let address = reachable(listen);
    let connect = async || {
        TcpStream::connect(address).await.map_err(|source| HealthError::Unreachable { address, source })
    };
    let asking = async {
        match path {
            Some(path) => operations(connect().await?, path).await,
            // A handshake would need the authorities that certify it; that it takes connections has to do.
            None if config.tls.is_some() => connect().await.map(|_| Ok("takes connections".into()))?,
            None => greet(address).await,
        }
        .map_err(|answer| HealthError::Unwell { address, answer })
    };
    timeout(PATIENCE, asking).await.map_err(|_| HealthError::Silent(address))?
}

/// Where this machine reaches what listens there.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn operations(mut stream: TcpStream, path: &str) -> Result<String, String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut text = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut text).await.map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
    let body = body.trim_end().to_owned();
    if head.split(' ').nth(1) == Some("200") { Ok(body) } else { Err(body) }
}

async fn greet(address: SocketAddr) -> Result<String, String> {
    let dialed = Link::dial(address, "localhost", None).await;
    let (reader, writer) = dialed.map_err(|error| error.to_string())?;
    let introduction = Introduction { agent: "proof-server health".into(), ..Introduction::default() };
    match Link::greet(reader, writer, introduction, &LinkConfig::default()).await {
        Ok(_) => Ok("welcomes clients".into()),
        // It has no token, and the server is well enough to say so.
        Err(TransportError::Refused(_)) => Ok("answers clients".into()),
        Err(error) => Err(error.to_string()),
    }
}
