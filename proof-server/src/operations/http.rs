//! The HTTP endpoints: `/healthz`, `/readyz`, `/metrics`.

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

use super::{Operations, seats::Seats};
use crate::metrics::TextFormat;

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
    const TEXT: &str = "text/plain; charset=utf-8";
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, TEXT, "alive\n".into()),
        (&Method::GET | &Method::HEAD, "/readyz") => {
            let (status, line) = match operations.readiness.check() {
                Ok(()) => (StatusCode::OK, "ready".to_owned()),
                Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
            };
            let lines = [vec![line], operations.readiness.details()].concat();
            (status, TEXT, lines.join("\n") + "\n")
        }
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let format = format(request.headers());
            (StatusCode::OK, format.content_type(), operations.metrics.encode(format))
        }
        (_, "/healthz" | "/readyz" | "/metrics") => {
            (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into())
        }
        _ => (StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".into()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
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
