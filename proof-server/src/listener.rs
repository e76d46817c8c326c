//! The listener: accepts clients, a bounded number at a time, until it is told to stop.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sextant_protocol::{ErrorCode, ServerError, ServerMessage, encoding};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    access::network,
    connection::{self, Context, Ended},
    door::Door,
    metrics::Metrics,
};

/// Pause after a failing accept, doubled up to the last: running out of descriptors passes.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(1);
/// How long clients get to take their last messages when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// Refused clients that get to read why, at once, and how long for it.
const REFUSALS: usize = 64;
const REFUSAL: Duration = Duration::from_secs(1);

/// A listener that is not running yet.
pub(crate) struct Entrance {
    pub(crate) door: watch::Receiver<Arc<Door>>,
    pub(crate) context: Arc<Context>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) places: Arc<Places>,
}

impl Entrance {
    /// Accepts clients until the server drains; then, until it stops, waits for the connections to end.
    pub(crate) async fn run(self, listener: TcpListener) {
        let control = self.context.control.clone();
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = accept(&listener) => accepted,
                () = control.ending() => break,
            };
            // Forget those that ended.
            while connections.try_join_next().is_some() {}
            let door = self.door.borrow().clone();
            let place = match self.places.take(peer.ip()) {
                Ok(place) => place,
                Err(refused) => {
                    self.metrics.refused(refused.label());
                    refuse(stream, refused, door.tls.is_some(), &refusals);
                    continue;
                }
            };
            self.metrics.connections(self.places.count());
            let (context, metrics, places) =
                (self.context.clone(), self.metrics.clone(), self.places.clone());
            connections.spawn(async move {
                if let Err(ended) = serve(stream, peer, door, context).await {
                    if matches!(&ended, Ended::Refused(error) if error.code == ErrorCode::Unauthorized) {
                        metrics.refused("unauthorized");
                    }
                    tracing::info!(%peer, reason = %ended, "connection ended");
                }
                drop(place);
                metrics.connections(places.count());
            });
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
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    door: Arc<Door>,
    context: Arc<Context>,
) -> Result<(), Ended> {
    configure(&stream);
    let access = door.access.clone();
    match &door.tls {
        None => {
            let (read, write) = stream.into_split();
            connection::serve(read, write, peer, None, access, context).await
        }
        Some(tls) => {
            let secured = timeout(context.limits.handshake, tls.accept(stream)).await;
            let stream = secured.map_err(|_| Ended::Silent)?.map_err(|error| Ended::Broken(error.into()))?;
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificate = certificates.first().map(|certificate| certificate.to_vec());
            let (read, write) = tokio::io::split(stream);
            connection::serve(read, write, peer, certificate, access, context).await
        }
    }
}

/// The connections that are open, by address.
#[derive(Debug)]
pub(crate) struct Places {
    open: Mutex<Open>,
    total: usize,
    per_address: usize,
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    Total,
    Address,
}

impl NoPlace {
    fn label(self) -> &'static str {
        match self {
            Self::Total => "connections",
            Self::Address => "connections_of_address",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Total => "too many clients are connected",
            Self::Address => "too many connections from your address",
        }
    }
}

impl Places {
    pub(crate) fn new(total: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), total, per_address })
    }

    /// A place for a client from `ip`.
    pub(crate) fn take(self: &Arc<Self>, ip: IpAddr) -> Result<Place, NoPlace> {
        let address = network(ip);
        let mut open = self.open();
        if open.count >= self.total {
            return Err(NoPlace::Total);
        }
        let of_address = open.by_address.entry(address).or_default();
        if *of_address >= self.per_address {
            return Err(NoPlace::Address);
        }
        *of_address += 1;
        open.count += 1;
        Ok(Place { places: self.clone(), address })
    }

    fn count(&self) -> usize {
        self.open().count
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        open.count -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// Says why, where that is cheap: the bytes are few and fit into the socket's buffer. Over TLS it would cost a
/// handshake, which is more than a refusal is worth.
fn refuse(stream: TcpStream, reason: NoPlace, tls: bool, refusals: &Arc<Semaphore>) {
    if tls {
        return;
    }
    let error = ServerError::retryable(ErrorCode::Busy, reason.message(), 5_000);
    let body = encoding::encode(&ServerMessage::Refused(error));
    let frame = [&u32::try_from(body.len()).unwrap_or(0).to_be_bytes(), &body[..]].concat();
    if stream.try_write(&frame).is_err() {
        return;
    }
    // Closing with unread bytes resets the connection, and the client may lose the reason: a few are given the time to
    // read it.
    let Ok(permit) = refusals.clone().try_acquire_owned() else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_by_address() {
        let places = Places::new(3, 2);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = places.take(ip("192.0.2.1")).unwrap();
        let second = places.take(ip("192.0.2.1")).unwrap();
        assert_eq!(places.take(ip("192.0.2.1")).unwrap_err(), NoPlace::Address);
        let third = places.take(ip("2001:db8::1")).unwrap();
        assert_eq!(places.take(ip("2001:db8::2")).unwrap_err(), NoPlace::Total);
        drop((first, third));
        assert_eq!(places.count(), 1);
        let _one_network = [places.take(ip("2001:db8::1")).unwrap(), places.take(ip("2001:db8::2")).unwrap()];
        drop(second);
        assert_eq!(places.take(ip("2001:db8::3")).unwrap_err(), NoPlace::Address);
    }
}
