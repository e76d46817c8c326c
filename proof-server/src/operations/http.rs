//! The HTTP endpoints: `/healthz`, `/readyz`, `/metrics`, and the pages of parts.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{NoPage, Operations, seats::Seats};
use crate::metrics::TextFormat;

// What every server answers.
const ALIVE: &str = "/healthz";
const READY: &str = "/readyz";
const METRICS: &str = "/metrics";
/// For a request's head to arrive, also on a connection that has asked before.
const HEAD: Duration = Duration::from_secs(3);
/// For a whole connection: scrapers come again.
const CONNECTION: Duration = Duration::from_secs(30);

/// Answers until `stop`.
pub(crate) async fn serve(listener: TcpListener, operations: Arc<Operations>, stop: CancellationToken) {
    let seats = Arc::new(Seats::default());
    let routes = router(operations);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(talk(stream, peer.ip(), seats.clone(), routes.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "operations: accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn talk(stream: TcpStream, peer: IpAddr, seats: Arc<Seats>, routes: Router, stop: CancellationToken) {
    let seat = Arc::new(seats.take(peer));
    let asked = seat.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        asked.asked();
        TowerToHyperService::new(routes.clone()).call(request)
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

fn router(operations: Arc<Operations>) -> Router {
    let mut router = Router::new()
        .route(ALIVE, get(async || "alive\n"))
        .route(READY, get(ready))
        .route(METRICS, get(metrics));
    for (number, page) in operations.pages.iter().enumerate() {
        let tell = async move |State(operations): State<Arc<Operations>>, RawQuery(query): RawQuery| {
            of_part((operations.pages[number].tell)(&query.unwrap_or_default()))
        };
        router = router.route(page.path, get(tell));
    }
    let paths = [ALIVE, READY, METRICS].into_iter().chain(operations.pages.iter().map(|page| page.path));
    let known = format!("there are {}\n", paths.collect::<Vec<_>>().join(", "));
    router
        .fallback(async move || (StatusCode::NOT_FOUND, known))
        .method_not_allowed_fallback(async || (StatusCode::METHOD_NOT_ALLOWED, "only GET\n"))
        .with_state(operations)
}

async fn ready(State(operations): State<Arc<Operations>>) -> (StatusCode, String) {
    let (status, line) = match operations.readiness.check() {
        Ok(()) => (StatusCode::OK, "ready".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    };
    let lines = [vec![line], operations.readiness.details()].concat();
    (status, lines.join("\n") + "\n")
}

async fn metrics(State(operations): State<Arc<Operations>>, headers: HeaderMap) -> Response {
    let format = format(&headers);
    let kind = HeaderValue::from_static(format.content_type());
    ([(header::CONTENT_TYPE, kind)], operations.metrics.encode(format)).into_response()
}

/// What a part of the server has told.
fn of_part(told: Result<String, NoPage>) -> Response {
    match told {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(NoPage::Wrong(reason)) => (StatusCode::BAD_REQUEST, reason + "\n").into_response(),
        Err(NoPage::NotNow(reason)) => (StatusCode::SERVICE_UNAVAILABLE, reason + "\n").into_response(),
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
