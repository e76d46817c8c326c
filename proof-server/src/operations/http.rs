//! The HTTP endpoints: `/healthz`, `/readyz`, `/metrics`, and the pages of parts.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{NoPage, Operations, seats::Seats};
use crate::metrics::TextFormat;

const TEXT: &str = "text/plain; charset=utf-8";
/// What every server answers.
const PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// For a request's head to arrive, also on a connection that has asked before.
const HEAD: Duration = Duration::from_secs(3);
/// For a whole connection: scrapers come again.
const CONNECTION: Duration = Duration::from_secs(30);

/// Answers until `stop`.
pub(crate) async fn serve(listener: TcpListener, operations: Arc<Operations>, stop: CancellationToken) {
    let seats = Arc::new(Seats::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(talk(stream, peer.ip(), seats.clone(), operations.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "operations: accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn talk(
    stream: TcpStream,
    peer: IpAddr,
    seats: Arc<Seats>,
    operations: Arc<Operations>,
    stop: CancellationToken,
) {
    let seat = Arc::new(seats.take(peer));
    let asked = seat.clone();
    let service = service_fn(move |request| {
        asked.asked();
        let response = answer(&operations, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    // However it ends, the scraper knows.
    tokio::select! {
        _ = tokio::time::timeout(CONNECTION, connection) => {}
        () = seat.left() => {}
        () = stop.cancelled() => {}
    }
}

fn answer(operations: &Operations, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let page = operations.pages.iter().find(|page| page.path == path);
    let known = page.is_some() || PATHS.contains(&path);
    let (status, kind, body) = match *request.method() {
        Method::GET | Method::HEAD if known => {
            let page = page.map(|page| (page.tell)(request.uri().query().unwrap_or_default()));
            page.map_or_else(|| of_server(operations, path, request.headers()), of_part)
        }
        _ if known => (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into()),
        _ => {
            let paths = PATHS.into_iter().chain(operations.pages.iter().map(|page| page.path));
            let paths = paths.collect::<Vec<_>>().join(", ");
            (StatusCode::NOT_FOUND, TEXT, format!("there are {paths}\n"))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What one of [`PATHS`] answers.
fn of_server(operations: &Operations, path: &str, headers: &HeaderMap) -> (StatusCode, &'static str, String) {
    match path {
        "/readyz" => {
            let (status, line) = match operations.readiness.check() {
                Ok(()) => (StatusCode::OK, "ready".to_owned()),
                Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
            };
            let lines = [vec![line], operations.readiness.details()].concat();
            (status, TEXT, lines.join("\n") + "\n")
        }
        "/metrics" => {
            let format = format(headers);
            (StatusCode::OK, format.content_type(), operations.metrics.encode(format))
        }
        _ => (StatusCode::OK, TEXT, "alive\n".into()),
    }
}

/// What a part of the server has told.
fn of_part(told: Result<String, NoPage>) -> (StatusCode, &'static str, String) {
    match told {
        Ok(json) => (StatusCode::OK, "application/json", json),
        Err(NoPage::Wrong(reason)) => (StatusCode::BAD_REQUEST, TEXT, reason + "\n"),
        Err(NoPage::NotNow(reason)) => (StatusCode::SERVICE_UNAVAILABLE, TEXT, reason + "\n"),
    }
}

/// The form of the metrics that is wanted: the older one for whoever does not ask for the newer.
fn format(headers: &HeaderMap) -> TextFormat {
    let wanted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = wanted.flat_map(|value| value.split(','));
    if kinds.any(|kind| kind.trim().starts_with("application/openmetrics-text")) {
        TextFormat::OpenMetrics
    } else {
        TextFormat::Plain
    }
}
