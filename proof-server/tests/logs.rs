//! What an entrypoint and its upstream log, line by line. Alone in its file: the log is the whole process's.

mod common;

use std::{
    io,
    sync::{Arc, Mutex},
};

use common::{Client, PATIENCE, Server, good_request, until, worker::Script};
use proof_server::{Role, logging::LOGGED};
use sextant_protocol::{Request, Response};
use tracing_subscriber::EnvFilter;

/// Everything that was logged, in lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Logs from now on what a server logs that is told nothing about it.
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(LOGGED))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    }

    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        str::from_utf8(&bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_leaves_a_line_at_each_server_and_looking_leaves_none() {
    let log = Log::start();
    let script = Script::for_jobs(&good_request(), "cat $D/executing; cat $D/proved");
    let upstream = Server::start_with(Some(script), |config| {
        config.role = Role::CommitteeChange;
        config.cache.memory = 0;
    })
    .await;
    let credulous = Script::for_jobs(&good_request(), "cat $D/verified");
    let entrypoint = Server::start_with(Some(credulous), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = vec![upstream.address.to_string()];
        config.cache.memory = 0;
    })
    .await;
    let looks = async || upstream.metric("sextant_requests_total{request=\"info\",outcome=\"ok\"}").await;
    until("the entrypoint has looked", PATIENCE, async || looks().await >= 1.0).await;
    until("it is ready", PATIENCE, async || entrypoint.http("/readyz").await.0 == 200).await;

    // Whoever looks, and however often: an entrypoint, balancers, clients that ask what there is.
    let (before, seen) = (log.lines(), looks().await);
    for _ in 0..20 {
        let mut client = Client::connect(&entrypoint).await;
        client.request(1, Request::Ping).await;
        client.answer().await.1.unwrap();
        client.request(2, Request::Info).await;
        client.answer().await.1.unwrap();
        for path in ["/healthz", "/readyz", "/metrics"] {
            entrypoint.http(path).await;
        }
    }
    until("the entrypoint has looked twice more", PATIENCE, async || looks().await >= seen + 2.0).await;
    assert_eq!(log.lines()[before.len()..], [""; 0]);

    // The same name at both servers says that it is the same request.
    let request = good_request();
    let Request::Prove(prove) = &request else { unreachable!() };
    let job = format!("job=\"{}\"", hex::encode(&prove.input.digest()[..8]));
    let mut client = Client::connect(&entrypoint).await;
    client.request(3, request).await;
    assert!(matches!(client.answer().await, (3, Ok(Response::Proof { .. }))));
    // A line is written after the answer.
    let accounts =
        || log.lines().into_iter().filter(|line| line.contains("request=\"prove\"")).collect::<Vec<_>>();
    until("both have written", PATIENCE, async || accounts().len() >= 2).await;
    for server in [entrypoint, upstream] {
        server.stop().await;
    }
    let accounts = accounts();
    assert_eq!(accounts.len(), 2, "{accounts:#?}");
    for line in &accounts {
        assert!(line.contains(&job) && line.contains("outcome=\"ok\"") && line.contains("client="), "{line}");
    }
}
