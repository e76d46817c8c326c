//! Who else makes proofs for this server: servers that it forwards to, or a fleet.

use std::path::PathBuf;

/// Where an entrypoint forwards to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// `host:port` of servers that prove committee changes.
    pub committee_change: Vec<String>,
    /// `host:port` of servers that prove inclusions.
    pub inclusion: Vec<String>,
    /// `host:port` of servers that prove bundles and chains of committees.
    pub bundle: Vec<String>,
    /// Authorities that certify them; TLS if given.
    pub ca: Option<PathBuf>,
    /// File with the token they want.
    pub token_file: Option<PathBuf>,
    /// Whether the token may cross a network without TLS.
    pub allow_plain: bool,
}

impl UpstreamConfig {
    /// Every `host:port` that is named.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.committee_change.iter().chain(&self.inclusion).chain(&self.bundle)
    }
}

/// How a fleet is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetConfig {
    /// Addresses of its broker, with commas between them.
    pub servers: String,
    /// File with user and password.
    pub credentials: Option<PathBuf>,
    /// Authorities that certify the broker; the system's if there is no file.
    pub authorities: Option<PathBuf>,
    /// Copies that a cluster of brokers keeps.
    pub replicas: usize,
    /// Whether user and password may cross a network without TLS.
    pub allow_plain: bool,
}

impl FleetConfig {
    /// Whether it is at a broker, and not in a folder.
    pub(crate) fn is_broker(&self) -> bool {
        self.servers.contains("://")
    }
}
