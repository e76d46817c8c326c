//! `/healthz`, `/readyz` and `/metrics` over HTTP, for whoever watches a follower.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::{StatusCode, header::CONTENT_TYPE};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::Health;

/// Bytes of a request's head.
const HEAD: usize = 8 << 10;
/// For a whole connection: scrapers come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is told, and when a follower counts as ready.
#[derive(Clone)]
struct Told {
    health: Arc<Health>,
    max_behind: u64,
}

/// Answers until it is dropped. A head older than `max_behind` seconds is not ready; 0: no limit.
pub async fn serve(listener: TcpListener, health: Arc<Health>, max_behind: u64) {
    let routes = router(Told { health, max_behind });
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(talk(stream, routes.clone()));
            }
            // Out of file descriptors, perhaps: not to be tried in a busy loop.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn talk(stream: TcpStream, routes: Router) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    // However it ends, whoever asked knows.
    let _ = timeout(PATIENCE, connection).await;
}

fn router(told: Told) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(async || (StatusCode::NOT_FOUND, "/healthz, /readyz or /metrics\n"))
        .method_not_allowed_fallback(async || (StatusCode::METHOD_NOT_ALLOWED, "GET only\n"))
        .with_state(told)
}

async fn ready(State(told): State<Told>) -> Response {
    let ready = told.health.readiness(told.max_behind);
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_string(&ready).unwrap_or_default() + "\n";
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn metrics(State(told): State<Told>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], told.health.metrics(told.max_behind)).into_response()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn ask(address: std::net::SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn each_route_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, health) = (listener.local_addr().unwrap(), Arc::new(Health::default()));
        let server = tokio::spawn(serve(listener, health.clone(), 60));
        assert!(ask(address, "GET /healthz").await.starts_with("HTTP/1.1 200 "));
        let unready = ask(address, "GET /readyz").await;
        assert!(unready.starts_with("HTTP/1.1 503 ") && unready.contains("not started"), "{unready}");
        health.report(crate::Report { finalized_time: crate::status::unix_now(), ..Default::default() });
        assert!(ask(address, "GET /readyz?verbose").await.starts_with("HTTP/1.1 200 "));
        assert!(ask(address, "GET /metrics").await.contains("\nsextant_follow_ready 1\n"));
        let head = ask(address, "HEAD /metrics").await;
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(ask(address, "GET /").await.starts_with("HTTP/1.1 404 "));
        assert!(ask(address, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
        // What is no request of HTTP is not answered as one.
        assert!(ask(address, "GET").await.starts_with("HTTP/1.1 400 "));
        server.abort();
    }
}
