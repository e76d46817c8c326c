//! A small HTTP/1.1 server, written out so that it can also break off, dawdle and never end.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::AbortHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A request as a handler sees it.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// `GET` or `POST`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query's parameters.
    pub query: BTreeMap<String, String>,
    /// The `Accept` header.
    pub accept: String,
    /// The JSON-RPC call; `null` without a body. A batch is asked call by call.
    pub call: Value,
    /// How many calls came with it in one batch, itself counted; 0 where it came by itself.
    pub batch: usize,
    /// How many requests this node had before.
    pub earlier: usize,
}

/// What a node does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status 200 with JSON; in a batch one answer of several.
    Json(Value),
    /// Status 200 with JSON; in place of all answers to a batch.
    Whole(Value),
    /// Status 200 with SSZ and, if not empty, `Eth-Consensus-Version`.
    Ssz(Vec<u8>, &'static str),
    /// Status, header lines and body as they stand.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The reply's head with its full length, and half its body.
    CutShort(Box<Reply>),
    /// The reply, later.
    Late(Duration, Box<Reply>),
    /// A body that announces no length and goes on.
    Endless,
}

impl Reply {
    /// A beacon API error.
    pub fn refused(status: u16, message: &str) -> Self {
        let body = format!(r#"{{"code":{status},"message":"{message}"}}"#);
        Self::Raw(status, vec![("content-type", "application/json".into())], body.into_bytes())
    }
}

/// A running node; it ends when dropped.
#[derive(Debug)]
pub struct Node {
    scheme: &'static str,
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Ask>>>,
    task: AbortHandle,
}

impl Node {
    /// Starts a node on a free port of the loopback address.
    pub async fn start(handler: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        Self::serving(None, handler).await
    }

    /// The same behind HTTPS, with a certificate and its key from PEM files.
    pub async fn start_tls(
        certificate: &Path,
        key: &Path,
        handler: impl Fn(&Ask) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("they belong together");
        Self::serving(Some(Arc::new(config).into()), handler).await
    }

    async fn serving(
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Ask) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (asked, handler) = (Arc::new(Mutex::new(Vec::new())), Arc::new(handler));
        let log = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, handler, log) = (tls.clone(), handler.clone(), log.clone());
                tokio::spawn(async move {
                    match tls {
                        // Whoever does not trust the certificate ends the handshake, and has asked nothing.
                        Some(tls) => serve(tls.accept(stream).await.ok()?, &*handler, &log).await,
                        None => serve(stream, &*handler, &log).await,
                    }
                });
            }
        });
        Self { scheme, address, asked, task: task.abort_handle() }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Ask> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    handler: &(impl Fn(&Ask) -> Reply + Sync),
    log: &Mutex<Vec<Ask>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let ask = read(&mut stream).await?;
    let answer = |mut ask: Ask| {
        {
            let mut log = log.lock().expect("no panic");
            ask.earlier = log.len();
            log.push(ask.clone());
        }
        handler(&ask)
    };
    let reply = match &ask.call {
        Value::Array(calls) => {
            let one = |call: &Value| answer(Ask { call: call.clone(), batch: calls.len(), ..ask.clone() });
            batch(calls.iter().map(one).collect())
        }
        _ => answer(ask),
    };
    write(stream.get_mut(), reply, false).await
}

/// The answers to a batch, which may come in any order: here in the one that nobody counts on. Anything but an answer to one
/// call stands for all.
fn batch(mut replies: Vec<Reply>) -> Reply {
    if let Some(other) = replies.iter().position(|reply| !matches!(reply, Reply::Json(_))) {
        return replies.swap_remove(other);
    }
    let answers = replies.into_iter().rev().filter_map(|reply| match reply {
        Reply::Json(value) => Some(value),
        _ => None,
    });
    Reply::Json(answers.collect())
}

async fn read(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Ask> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut ask = Ask {
        method,
        path: path.into(),
        query: query.map(|(name, value)| (name.into(), value.into())).collect(),
        ..Ask::default()
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "accept" => ask.accept = value.trim().into(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    ask.call = serde_json::from_slice(&body).unwrap_or_default();
    Some(ask)
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), reply: Reply, half: bool) -> Option<()> {
    let (status, mut headers, body) = match reply {
        Reply::Json(value) | Reply::Whole(value) => {
            (200, vec![("content-type", "application/json".to_owned())], value.to_string().into_bytes())
        }
        Reply::Ssz(bytes, version) => {
            let mut headers = vec![("content-type", "application/octet-stream".to_owned())];
            headers.extend((!version.is_empty()).then(|| ("eth-consensus-version", version.to_owned())));
            (200, headers, bytes)
        }
        Reply::Raw(status, headers, body) => (status, headers, body),
        Reply::CutShort(reply) => return Box::pin(write(stream, *reply, true)).await,
        Reply::Late(delay, reply) => {
            tokio::time::sleep(delay).await;
            return Box::pin(write(stream, *reply, half)).await;
        }
        Reply::Endless => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            loop {
                stream.write_all(&[b' '; 4096]).await.ok()?;
            }
        }
    };
    headers.push(("content-length", body.len().to_string()));
    headers.push(("connection", "close".into()));
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("HTTP/1.1 {status} -\r\n{lines}\r\n").as_bytes()).await.ok()?;
    let sent = if half { &body[..body.len() / 2] } else { &body[..] };
    stream.write_all(sent).await.ok()?;
    stream.shutdown().await.ok()
}
