//! The HTTP endpoints: `/healthz`, `/readyz`, `/metrics`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use super::Operations;

/// Scrapers connected at once.
const CONNECTIONS: usize = 16;
/// For a request's head to arrive.
const HEAD: Duration = Duration::from_secs(5);
/// For a whole connection: scrapers come again.
const CONNECTION: Duration = Duration::from_secs(30);

/// Answers until `stop`.
pub(crate) async fn serve(listener: TcpListener, operations: Arc<Operations>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "operations: accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Too many: closed at once.
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let (operations, stop) = (operations.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
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
                () = stop.cancelled() => {}
            }
        });
    }
}

fn answer(operations: &Operations, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, TEXT, "alive\n".into()),
        (&Method::GET | &Method::HEAD, "/readyz") => match operations.readiness.check() {
            Ok(()) => (StatusCode::OK, TEXT, "ready\n".into()),
            Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{reason}\n")),
        },
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, METRICS, operations.metrics.encode()),
        (_, "/healthz" | "/readyz" | "/metrics") => {
            (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into())
        }
        _ => (StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".into()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
