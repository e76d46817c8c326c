//! The listener: accepts clients, a bounded number at a time, until it is told to stop.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    connection::{self, ConnectionLimits},
    services::Services,
};

/// Pause after a failing accept, doubled up to the last: running out of descriptors passes.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(1);
/// How long clients get to take their last messages when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Accepts clients until `shutdown`, then waits for the connections to end.
pub(crate) async fn run(
    listener: TcpListener,
    services: Arc<Services>,
    limits: ConnectionLimits,
    max_connections: usize,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(max_connections));
    let mut connections = JoinSet::new();
    loop {
        // A place first: clients beyond the cap wait in the kernel's backlog.
        let accepted = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (accept(&listener).await, place)
        };
        let (stream, place) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.cancelled() => break,
        };
        // Forget those that ended.
        while connections.try_join_next().is_some() {}
        let (services, shutdown) = (services.clone(), shutdown.clone());
        connections.spawn(async move {
            let _place = place;
            let Ok(peer) = stream.peer_addr() else { return };
            configure(&stream);
            let (read, write) = stream.into_split();
            if let Err(ended) = connection::serve(read, write, peer, services, limits, shutdown).await {
                tracing::info!(%peer, reason = %ended, "connection ended");
            }
        });
    }
    drop(listener);
    let farewell = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        // Dropping the set ends them.
        tracing::warn!(left = connections.len(), "connections cut off");
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    let mut pause = *BACKOFF.start();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "accept");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(*BACKOFF.end());
            }
        }
    }
}

/// Small messages at once; a peer that vanished is noticed within minutes even while it waits for a proof.
fn configure(stream: &TcpStream) {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let configured =
        stream.set_nodelay(true).and_then(|()| socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = configured {
        tracing::debug!(%error, "socket options");
    }
}
