//! Sends spans to a collector, in OTLP over HTTP. Spans wait in a queue of a bounded length; what it has no room for is
//! lost, and what a collector does not take is not kept.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{ValueEnum, builder::PossibleValue};
use prost::Message;
use reqwest::{
    Certificate, Client, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use sextant_link::is_this_machine;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Traces,
    otlp::{Export, KeyValue, Resource, Span},
};
use crate::{
    causes,
    config::{Config, TracesConfig},
    metrics::Metrics,
    reload::{self, Reloaded},
};

/// Spans that wait at most, and that are sent at once.
const WAITING: usize = 4096;
const BATCH: usize = 512;
/// How long spans wait for others to be sent with.
const GATHER: Duration = Duration::from_secs(1);
/// For a collector to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// For it to take what is left when the server ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why a server that is to send its spans somewhere does not start.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The authorities that certify the collector.
    #[error("otlp-ca: {}: {reason}", .path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The headers for the collector.
    #[error("otlp-headers-file: {}: {reason}", .path.display())]
    Headers {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Nothing can be sent there.
    #[error("otlp-endpoint: {0}")]
    Endpoint(String),
}

/// Who takes spans, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Collector {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

/// The way of spans out of this process.
pub(super) struct Outlet {
    spans: mpsc::Sender<Span>,
    metrics: Arc<Metrics>,
}

/// What sends them, until it is told to finish.
#[derive(Default)]
pub(crate) struct Exporting(Option<(CancellationToken, JoinHandle<()>)>);

/// The collector that is configured, and how it is made anew from its files.
///
/// # Errors
/// [`TracesError`] names the setting and the file.
pub(crate) fn collector(
    config: &TracesConfig,
) -> Result<(watch::Receiver<Collector>, Reloaded), TracesError> {
    let files = reload::files([config.authorities.as_deref(), config.headers.as_deref()]);
    let config = config.clone();
    reload::reloaded("collector's authorities and headers", files, move || Collector::read(&config))
}

/// Begins to record, if there is somebody to send to.
pub(crate) fn start(
    collector: Option<watch::Receiver<Collector>>,
    config: &Config,
    metrics: &Arc<Metrics>,
) -> (Traces, Exporting) {
    let Some(collector) = collector else { return (Traces::default(), Exporting::default()) };
    let role = config.role.to_possible_value();
    let attributes = vec![
        KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("host.name", config.machine.as_str()),
        KeyValue::new("process.pid", std::process::id()),
        KeyValue::new("sextant.role", role.as_ref().map(PossibleValue::get_name).unwrap_or_default()),
    ];
    let (spans, waiting) = mpsc::channel(WAITING);
    let exporter = Exporter {
        waiting,
        collector,
        resource: Resource { attributes },
        metrics: metrics.clone(),
        refused: false,
    };
    let finish = CancellationToken::new();
    let running = tokio::spawn(exporter.run(finish.clone()));
    let outlet = Outlet { spans, metrics: metrics.clone() };
    (Traces(Some(Arc::new(outlet))), Exporting(Some((finish, running))))
}

impl Outlet {
    /// Has a span sent, or loses it.
    pub(super) fn send(&self, span: Span) {
        if self.spans.try_send(span).is_err() {
            self.metrics.spans("lost", 1);
        }
    }
}

impl Exporting {
    /// Has what waits sent, for a moment.
    pub(crate) async fn finish(self) {
        if let Some((finish, running)) = self.0 {
            finish.cancel();
            let _ = timeout(FAREWELL, running).await;
        }
    }
}

impl Collector {
    fn read(config: &TracesConfig) -> Result<Self, TracesError> {
        let wrong = |reason: String| TracesError::Endpoint(reason);
        let url: Url = config.endpoint.parse().map_err(|error| wrong(format!("{error}")))?;
        // What is sent there may be secret: to that address and no other, and past no proxy that a variable names.
        let mut builder = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
        if let Some(path) = &config.authorities {
            builder = builder.tls_built_in_root_certs(false);
            for certificate in authorities(path)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let headers = config.headers.as_deref().map_or_else(|| Ok(HeaderMap::new()), headers)?;
        if !headers.is_empty() && url.scheme() == "http" && !config.allow_plain {
            // The name was looked at when the server started; it stands for what it stood for then.
            let addresses = url.socket_addrs(|| None).map_err(|error| wrong(error.to_string()))?;
            if !is_this_machine(&addresses) {
                return Err(wrong("the headers would cross the network in the clear".into()));
            }
            builder = builder.resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses);
        }
        let client = builder.build().map_err(|error| wrong(causes::explained(&error.into())))?;
        Ok(Self { client, url, headers })
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), String> {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let response = request.header(CONTENT_TYPE, "application/x-protobuf").body(body).send().await;
        // Its address is in the settings, and may be nobody else's business.
        let response =
            response.map_err(|error| causes::explained(&anyhow::Error::from(error.without_url())))?;
        if response.status().is_success() { Ok(()) } else { Err(response.status().to_string()) }
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, TracesError> {
    let wrong = |reason: String| TracesError::Authorities { path: path.into(), reason };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() { Err(wrong("no certificate in it".into())) } else { Ok(certificates) }
}

/// A header a line, `NAME: VALUE`, none of which is ever shown.
fn headers(path: &Path) -> Result<HeaderMap, TracesError> {
    let wrong = |reason: String| TracesError::Headers { path: path.into(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut headers = HeaderMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let pair = line.split_once(':').and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
        });
        let (name, value) = pair.ok_or_else(|| wrong(format!("line {} is not NAME: VALUE", number + 1)))?;
        headers.append(name, value);
    }
    if headers.is_empty() { Err(wrong("no header in it".into())) } else { Ok(headers) }
}

/// Takes spans out of the queue and sends them.
struct Exporter {
    waiting: mpsc::Receiver<Span>,
    collector: watch::Receiver<Collector>,
    resource: Resource,
    metrics: Arc<Metrics>,
    /// Whether the collector took nothing the last time, which is said once.
    refused: bool,
}

impl Exporter {
    async fn run(mut self, finish: CancellationToken) {
        loop {
            let mut spans = Vec::new();
            tokio::select! {
                gathered = gather(&mut self.waiting, &mut spans) => if !gathered { return },
                // What waits is told to nobody else; no more comes.
                () = finish.cancelled() => self.waiting.close(),
            }
            while spans.len() < BATCH {
                let Ok(span) = self.waiting.try_recv() else { break };
                spans.push(span);
            }
            if !spans.is_empty() {
                self.send(spans).await;
            } else if finish.is_cancelled() {
                return;
            }
        }
    }

    async fn send(&mut self, spans: Vec<Span>) {
        let count = spans.len() as u64;
        let body = Export::new(&self.resource, spans).encode_to_vec();
        let collector = self.collector.borrow().clone();
        match collector.send(body).await {
            Ok(()) => {
                self.metrics.spans("sent", count);
                if std::mem::take(&mut self.refused) {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(reason) => {
                self.metrics.spans("lost", count);
                if !std::mem::replace(&mut self.refused, true) {
                    tracing::warn!(reason, "otlp-endpoint: the collector takes no spans; they are lost");
                }
            }
        }
    }
}

/// Waits for a span, and a moment for others; false if there will be none. Safe to drop half-way: what has come is in
/// `spans`.
async fn gather(waiting: &mut mpsc::Receiver<Span>, spans: &mut Vec<Span>) -> bool {
    let Some(first) = waiting.recv().await else { return false };
    spans.push(first);
    let more = async {
        while spans.len() < BATCH {
            let Some(span) = waiting.recv().await else { return };
            spans.push(span);
        }
    };
    let _ = timeout(GATHER, more).await;
    true
}
