//! A collector of traces that is played: it keeps what it is sent. The messages are read by their numbers, without the
//! server's own description of them.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use proof_server::TracesConfig;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A span as it came.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: Bytes,
    pub id: Bytes,
    /// Empty of the first span of a trace.
    pub parent: Bytes,
    pub name: String,
    pub kind: u64,
    pub start: u64,
    pub end: u64,
    pub attributes: HashMap<String, String>,
    /// The spans that it is linked with.
    pub links: Vec<Bytes>,
    pub failed: bool,
    /// The role of the server that has sent it.
    pub role: String,
}

impl Span {
    /// What it says, or nothing.
    pub fn says(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub fn outcome(&self) -> &str {
        self.says("sextant.outcome")
    }
}

#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
    /// The headers of each message.
    headers: Arc<Mutex<Vec<hyper::HeaderMap>>>,
    status: Arc<AtomicU16>,
}

impl Collector {
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that speaks TLS, with the certificate of the tests' authority.
    pub async fn secure() -> Self {
        let [cert, key] = ["server.pem", "server-key.pem"].map(tls);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        Self::start_with(Some(Arc::new(config).into())).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            address: listener.local_addr().unwrap(),
            spans: Arc::default(),
            headers: Arc::default(),
            status: Arc::new(200.into()),
        };
        let served = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                let service = service_fn(move |request| {
                    let served = served.clone();
                    async move { Ok::<_, Infallible>(served.take(request).await) }
                });
                let (http, tls) = (http1::Builder::new(), tls.clone());
                tokio::spawn(async move {
                    let served = match tls {
                        None => http.serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => {
                            // Some do not take the certificate.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            http.serve_connection(TokioIo::new(stream), service).await
                        }
                    };
                    drop(served);
                });
            }
        });
        collector
    }

    /// How a server is told of it.
    pub fn config(&self) -> Option<TracesConfig> {
        at(self.address)
    }

    /// Answers everything so from now on.
    pub fn says(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// What has come so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    /// The headers of what has come so far.
    pub fn headers(&self) -> Vec<hyper::HeaderMap> {
        self.headers.lock().unwrap().clone()
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Empty<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let status = self.status.load(Ordering::Relaxed);
        assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/v1/traces"));
        assert_eq!(head.headers["content-type"], "application/x-protobuf");
        self.headers.lock().unwrap().push(head.headers);
        if status == 200 {
            self.spans.lock().unwrap().extend(read(body));
        }
        let location = format!("http://{}/v1/traces", self.address);
        Response::builder().status(status).header("location", location).body(Empty::new()).unwrap()
    }
}

/// One of the tests' certificates and keys.
pub fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// How a server is told of a collector there.
pub fn at(address: SocketAddr) -> Option<TracesConfig> {
    let endpoint = format!("http://{address}/v1/traces");
    Some(TracesConfig { endpoint, authorities: None, headers: None, allow_plain: false })
}

/// The spans in an `ExportTraceServiceRequest`.
fn read(body: Bytes) -> Vec<Span> {
    let mut spans = Vec::new();
    for of_one in all(body, 1) {
        let resource = attributes(all(one(&of_one, 1), 1));
        assert_eq!(resource["service.name"], "proof-server");
        for scope in all(of_one, 2) {
            for span in all(scope, 2) {
                let status = one(&span, 15);
                spans.push(Span {
                    trace: one(&span, 1),
                    id: one(&span, 2),
                    parent: one(&span, 4),
                    name: text(&one(&span, 5)),
                    kind: number(&span, 6),
                    start: number(&span, 7),
                    end: number(&span, 8),
                    attributes: attributes(all(span.clone(), 9)),
                    links: all(span, 13).iter().map(|link| one(link, 2)).collect(),
                    failed: number(&status, 3) == 2,
                    role: resource["sextant.role"].clone(),
                });
            }
        }
    }
    spans
}

fn attributes(pairs: Vec<Bytes>) -> HashMap<String, String> {
    let pair = |pair: &Bytes| {
        let value = one(pair, 2);
        let words = text(&one(&value, 1));
        let value = if words.is_empty() { number(&value, 3).to_string() } else { words };
        (text(&one(pair, 1)), value)
    };
    pairs.iter().map(pair).collect()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A field of protobuf.
enum Field {
    Number(u64),
    Bytes(Bytes),
}

fn all(message: Bytes, tag: u64) -> Vec<Bytes> {
    let bytes = |(found, field)| match field {
        Field::Bytes(bytes) if found == tag => Some(bytes),
        _ => None,
    };
    fields(message).into_iter().filter_map(bytes).collect()
}

/// Bytes that are there at most once; empty where they are not.
fn one(message: &Bytes, tag: u64) -> Bytes {
    let mut all = all(message.clone(), tag);
    assert!(all.len() < 2, "field {tag}");
    all.pop().unwrap_or_default()
}

/// A number, 0 where there is none.
fn number(message: &Bytes, tag: u64) -> u64 {
    let number = |(found, field)| match field {
        Field::Number(number) if found == tag => Some(number),
        _ => None,
    };
    fields(message.clone()).into_iter().find_map(number).unwrap_or_default()
}

fn fields(mut message: Bytes) -> Vec<(u64, Field)> {
    let mut fields = Vec::new();
    while message.has_remaining() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Number(message.get_u64_le()),
            2 => {
                let length = varint(&mut message) as usize;
                Field::Bytes(message.split_to(length))
            }
            kind => panic!("wire type {kind}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn varint(message: &mut Bytes) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = message.get_u8();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number without end")
}
