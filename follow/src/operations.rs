//! `/healthz`, `/readyz` and `/metrics` over HTTP, for whoever watches a follower. One request a connection, of which only
//! the first line counts.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::Health;

/// Bytes of a request that are read.
const MAX_REQUEST: usize = 8 << 10;
/// For a request and its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers until it is dropped. A head older than `max_behind` seconds is not ready; 0: no limit.
pub async fn serve(listener: TcpListener, health: Arc<Health>, max_behind: u64) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let health = health.clone();
                tokio::spawn(async move { timeout(PATIENCE, answer(stream, &health, max_behind)).await });
            }
            // Out of file descriptors, perhaps: not to be tried in a busy loop.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, health: &Health, max_behind: u64) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk).await? {
            0 => return Ok(()),
            count => request.extend_from_slice(&chunk[..count]),
        }
        if request.len() > MAX_REQUEST {
            return Ok(());
        }
    }
    let line =
        String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, kind, body) = match (method, target.split('?').next().unwrap_or_default()) {
        ("GET" | "HEAD", "/healthz") => ("200 OK", "text/plain", "alive\n".to_owned()),
        ("GET" | "HEAD", "/readyz") => {
            let ready = health.readiness(max_behind);
            let status = if ready.ready { "200 OK" } else { "503 Service Unavailable" };
            (status, "application/json", serde_json::to_string(&ready).unwrap_or_default() + "\n")
        }
        ("GET" | "HEAD", "/metrics") => ("200 OK", "text/plain; version=0.0.4", health.metrics(max_behind)),
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "/healthz, /readyz or /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "GET only\n".to_owned()),
    };
    let length = body.len();
    let body = if method == "HEAD" { String::new() } else { body };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(address: std::net::SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
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
        server.abort();
    }
}
