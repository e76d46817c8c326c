//! How to reach a broker, and what to keep there.

use std::{path::PathBuf, time::Duration};

use async_nats::ServerAddr;

use crate::{QueueLimits, StoreLimits, Worker};

/// A connection's settings.
#[derive(Clone, Debug)]
pub struct NatsConfig {
    /// Addresses with commas between them, `nats://host:port` or `tls://host:port`.
    pub servers: String,
    /// User and password, where the broker wants them.
    pub user: Option<(String, String)>,
    /// Whether they may be sent without TLS to brokers that are not in `servers`: others of the cluster, as one of it names
    /// them.
    pub allow_plain: bool,
    /// Certificates that the broker's must go back to, PEM; none: the machine's.
    pub authorities: Option<PathBuf>,
    /// Certificate and key of this client, PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Begins all names: several fleets may share a broker.
    pub prefix: Worker,
    /// Copies of everything, for a cluster: 1 or 3.
    pub replicas: usize,
    /// Limits of the queue.
    pub queue: QueueLimits,
    /// Limits of the store.
    pub store: StoreLimits,
    /// How long a worker that says nothing keeps its message. It says something three times as often.
    pub lease: Duration,
    /// How long one answer of the broker's may take.
    pub answer: Duration,
    /// How long everything waits for a broker that has gone.
    pub outage: Duration,
    /// Takes a broker that is older than [`NatsConfig::OLDEST`].
    pub accept_old: bool,
}

impl NatsConfig {
    /// The oldest nats-server that is taken without being asked to.
    pub const OLDEST: &'static str = "2.11";

    /// The usual settings, for the broker at `servers`.
    #[must_use]
    pub fn new(servers: impl Into<String>) -> Self {
        Self {
            servers: servers.into(),
            user: None,
            allow_plain: false,
            authorities: None,
            certificate: None,
            prefix: Worker::literal("sxt"),
            replicas: 1,
            queue: QueueLimits::default(),
            store: StoreLimits::of(8 << 30),
            lease: Duration::from_secs(30),
            answer: Duration::from_secs(5),
            outage: Duration::from_secs(120),
            accept_old: false,
        }
    }
}

/// Those of these brokers, named like [`NatsConfig::servers`], that are not reached within TLS: host and port. What is no
/// address is left to whoever connects.
#[must_use]
pub fn without_tls(servers: &str) -> Vec<(String, u16)> {
    let plain = addresses(servers).filter(|address| !speaks_tls(address));
    plain.map(|address| (address.host().to_owned(), address.port())).collect()
}

/// Whether user and password stand among the addresses themselves.
#[must_use]
pub fn holds_password(servers: &str) -> bool {
    addresses(servers).any(|address| address.has_user_pass())
}

fn addresses(servers: &str) -> impl Iterator<Item = ServerAddr> {
    servers.split(',').filter_map(|server| server.trim().parse().ok())
}

fn speaks_tls(address: &ServerAddr) -> bool {
    matches!(address.scheme(), "tls" | "wss")
}
