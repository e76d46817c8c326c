//! A client that speaks HTTP: one request a connection, unless a test wants more of one.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

/// A job that nobody has asked for.
pub const NOBODYS: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// An answer that is there whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        let kind = self.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert!(kind == "application/json" || kind == "application/problem+json", "{kind}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What is wrong: the status, and the protocol's name for it. The body agrees with the head.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
        (self.status.as_u16(), problem["name"].as_str().unwrap().to_owned())
    }
}

/// A connection.
pub struct Http(SendRequest<Full<Bytes>>);

impl Http {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    /// Speaks over a stream that is connected already.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    /// Asks, and returns the answer as soon as its head is there.
    pub async fn begin(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        timeout(PATIENCE, self.0.send_request(request)).await.expect("an answer in time")
    }

    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> Answer {
        whole(self.begin(request).await.unwrap()).await
    }
}

async fn whole(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let body = timeout(PATIENCE, body.collect()).await.expect("a body in time").unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

/// A request; `headers` besides those that every request has.
pub fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let host =
        if headers.iter().any(|(name, _)| *name == "host") { None } else { Some(("host", "localhost")) };
    let request = Request::builder().method(method).uri(path);
    let request =
        headers.iter().chain(&host).fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Full::new(body.into())).unwrap()
}

/// Asks on a connection of its own.
pub async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    Http::connect(address).await.ask(request(method, path, headers, body)).await
}

/// The same without headers and body.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, &[], "").await
}
