//! The listener: accepts clients, a bounded number at a time, until it is told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sextant_protocol::{ErrorCode, ServerError, ServerMessage, wire};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    connection::{self, Context, Ended},
    door::Door,
    http::{self, Gateway},
    metrics::Metrics,
    places::{NoPlace, Place, Places},
    proxy::{self, Network},
    system,
    visitor::Visitor,
};

/// Pause after a failing accept, doubled up to the last: running out of descriptors passes.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(1);
/// How long clients get to take their last messages when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// Refused clients that get to read why, at once, and how long for it.
const REFUSALS: usize = 64;
const REFUSAL: Duration = Duration::from_secs(1);
/// Bytes that a connection takes ahead of what it has sent.
const UNSENT: u32 = 128 << 10;

/// A listener that is not running yet.
pub(crate) struct Entrance {
    pub(crate) speaks: Speaks,
    pub(crate) door: watch::Receiver<Arc<Door>>,
    pub(crate) context: Arc<Context>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) places: Arc<Places>,
    /// Speak for others: with a header, before anything else.
    pub(crate) balancers: Vec<Network>,
    pub(crate) refusals: Refusals,
}

/// What is spoken behind an entrance.
pub(crate) enum Speaks {
    /// The frames of the protocol.
    Frames,
    /// HTTP.
    Http(Arc<Gateway>),
}

/// Clients that get the time to read why they are refused.
pub(crate) struct Refusals(Arc<Semaphore>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REFUSALS)))
    }
}

impl Entrance {
    /// Accepts clients until the server drains; then, until it stops, waits for the connections to end.
    pub(crate) async fn run(self, listener: TcpListener) {
        let entrance = Arc::new(self);
        let control = entrance.context.control.clone();
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = accept(&listener) => accepted,
                () = control.ending() => break,
            };
            // Forget those that ended.
            while connections.try_join_next().is_some() {}
            // TLS and the introduction together.
            let introduce_by = Instant::now() + entrance.context.limits.handshake;
            if entrance.balancers.iter().any(|network| network.contains(peer.ip())) {
                // Balancers are trusted to connect for others only, and to say for whom at once.
                connections.spawn(entrance.clone().receive_for(stream, peer, introduce_by));
            } else if let Some((stream, place)) = entrance.place(stream, peer) {
                connections.spawn(entrance.clone().receive(stream, peer, introduce_by, place));
            }
        }
        drop(listener);
        // Those with running requests stay until these are answered, or the server stops.
        let answered = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            () = answered => {}
            () = control.stop.cancelled() => {}
        }
        let farewell = async { while connections.join_next().await.is_some() {} };
        if timeout(FAREWELL, farewell).await.is_err() {
            // Dropping the set ends them.
            tracing::warn!(left = connections.len(), "connections cut off");
        }
    }

    /// A place for a client, or a word to it why there is none.
    fn place(&self, stream: TcpStream, peer: SocketAddr) -> Option<(TcpStream, Place)> {
        match self.places.take(peer.ip()) {
            Ok(place) => {
                self.metrics.connections(self.places.count());
                Some((stream, place))
            }
            Err(reason) => {
                self.metrics.refused(reason.label());
                // Over TLS it would cost a handshake, which is more than a refusal is worth.
                if self.door.borrow().tls.is_none() {
                    self.refusals.tell(stream, &self.speaks.refusal(reason));
                }
                None
            }
        }
    }

    async fn receive_for(self: Arc<Self>, mut stream: TcpStream, balancer: SocketAddr, by: Instant) {
        match proxy::client(&mut stream, by).await {
            Ok(client) => {
                let peer = client.unwrap_or(balancer);
                if let Some((stream, place)) = self.place(stream, peer) {
                    self.receive(stream, peer, by, place).await;
                }
            }
            Err(error) => {
                self.metrics.refused("proxy");
                tracing::debug!(%balancer, %error, "connection ended");
            }
        }
    }

    async fn receive(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        introduce_by: Instant,
        place: Place,
    ) {
        let shed = place.shed();
        let served = tokio::select! {
            served = self.serve(stream, peer, introduce_by, place) => served,
            () = shed.cancelled() => {
                self.metrics.refused("shed");
                Err(Ended::Silent)
            }
        };
        match served {
            Err(Ended::Refused(error)) if error.code == ErrorCode::Unauthorized => {
                self.metrics.refused("unauthorized");
                tracing::info!(%peer, reason = %error, "client refused");
            }
            Err(ended) => tracing::debug!(%peer, reason = %ended, "connection ended"),
            Ok(()) => {}
        }
        self.metrics.connections(self.places.count());
    }

    async fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        introduce_by: Instant,
        place: Place,
    ) -> Result<(), Ended> {
        configure(&stream);
        let door = self.door.clone();
        let tls = door.borrow().tls.clone();
        let context = self.context.clone();
        let Some(tls) = tls else {
            let visitor = Visitor::new(peer, introduce_by, Vec::new(), door, place);
            return match &self.speaks {
                Speaks::Frames => {
                    let (read, write) = stream.into_split();
                    connection::serve(read, write, visitor, context).await
                }
                Speaks::Http(gateway) => gateway.serve(stream, visitor).await,
            };
        };
        let secured = timeout_at(introduce_by, tls.accept(stream)).await;
        let stream = secured.map_err(|_| Ended::Silent)?.map_err(|error| Ended::Broken(error.into()))?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let certificates = certificates.iter().map(|certificate| certificate.clone().into_owned()).collect();
        let visitor = Visitor::new(peer, introduce_by, certificates, door, place);
        match &self.speaks {
            Speaks::Frames => {
                let (read, write) = tokio::io::split(stream);
                connection::serve(read, write, visitor, context).await
            }
            Speaks::Http(gateway) => gateway.serve(stream, visitor).await,
        }
    }
}

impl Speaks {
    /// All that a client hears for which there is no place.
    fn refusal(&self, reason: NoPlace) -> Vec<u8> {
        let error = ServerError::retryable(ErrorCode::Busy, reason.message(), 5_000);
        match self {
            Self::Frames => {
                let body = wire::to_bytes(&ServerMessage::Refused(error));
                [&u32::try_from(body.len()).unwrap_or(0).to_be_bytes(), &body[..]].concat()
            }
            Self::Http(_) => http::refusal(error),
        }
    }
}

impl Refusals {
    /// Says why, where that is cheap: the bytes are few and fit into the socket's buffer.
    fn tell(&self, stream: TcpStream, refusal: &[u8]) {
        if stream.try_write(refusal).is_err() {
            return;
        }
        // Closing with unread bytes resets the connection, and the client may lose the reason: a few are given the time
        // to read it.
        let Ok(permit) = self.0.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _permit = permit;
            let mut stream = stream;
            let mut rest = [0; 1024];
            let until_closed = async {
                let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
                while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
            };
            let _ = timeout(REFUSAL, until_closed).await;
        });
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = *BACKOFF.start();
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "accept");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(*BACKOFF.end());
            }
        }
    }
}

/// Small messages at once; a peer that vanished is noticed within minutes even while it waits for a proof, and one that
/// reads slowly is seen to read.
fn configure(stream: &TcpStream) {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let configured = stream
        .set_nodelay(true)
        .and_then(|()| socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive))
        .and_then(|()| system::bound_unsent(stream, UNSENT));
    if let Err(error) = configured {
        tracing::debug!(%error, "socket options");
    }
}
