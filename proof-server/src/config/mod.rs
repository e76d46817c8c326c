//! Configuration: flags, then environment, then a TOML file, then defaults.
//!
//! [`Settings`] is what a person may say, in any of the three places under the same names; [`Config`] is the
//! outcome, complete and checked.

mod clients;
mod effective;
mod elsewhere;
mod environment;
mod error;
mod offered;
mod plain;
mod resolve;
mod settings;
mod traces;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use effective::listing;
pub use elsewhere::{FleetConfig, UpstreamConfig};
pub use environment::unknown_variables;
pub use error::ConfigError;
pub(crate) use plain::check_broker;
pub(crate) use resolve::half;
use serde::{Deserialize, Serialize};
pub use settings::Settings;
pub use traces::TracesConfig;

use crate::{
    access::Budget, circuits::CircuitsConfig, kinds::Kinds, networks::Networks, origins::Origins,
    proxy::Network, tls::TlsFiles,
};

/// Which part of the service this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// All sub-servers and verification behind one entrypoint.
    All,
    /// Proves committee changes, and verifies.
    CommitteeChange,
    /// Proves inclusions, and verifies.
    Inclusion,
    /// Proves bundles and chains of committees, and verifies.
    Bundle,
    /// Proves nothing itself: checks statements, has others prove them, servers that it forwards to or a fleet, and verifies
    /// their answers.
    Entrypoint,
    /// Takes work from a fleet, and verifies.
    Prover,
    /// Verifies only.
    Verifier,
}

impl Role {
    /// Whether it makes proofs itself.
    pub const fn proves(self) -> bool {
        !matches!(self, Self::Entrypoint | Self::Verifier)
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One line for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Limits on the finished proofs that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheConfig {
    /// Bytes in memory.
    pub memory: usize,
    /// Folder, if any.
    pub folder: Option<PathBuf>,
    /// Bytes in the folder.
    pub disk: u64,
    /// Bytes of proofs in the making, in memory or in the folder.
    pub stages: u64,
}

/// A complete configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What this process does.
    pub role: Role,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address to listen on for HTTP, if any.
    pub http_listen: Option<SocketAddr>,
    /// Origins of the web pages that may ask over HTTP.
    pub http_origins: Origins,
    /// Folder of a web page to serve over HTTP.
    pub http_files: Option<PathBuf>,
    /// Whether clients that do not say who they are get served.
    pub anonymous: bool,
    /// File with known tokens.
    pub token_file: Option<PathBuf>,
    /// Certificate files; TLS if given.
    pub tls: Option<TlsFiles>,
    /// Clients connected at once.
    pub max_connections: usize,
    /// Balancers whose PROXY headers are believed.
    pub balancers: Vec<Network>,
    /// Connections of one client, and of strangers from one network.
    pub max_connections_per_address: usize,
    /// Requests open at once on one connection.
    pub max_requests: usize,
    /// What one client may ask for.
    pub budget: Budget,
    /// Places of the proving queues that one client may take.
    pub queue_share: usize,
    /// Prove requests waiting for each program.
    pub queue_capacity: usize,
    /// Proofs waiting for verification.
    pub verify_queue_capacity: usize,
    /// Largest statement input, bytes.
    pub max_input: usize,
    /// Largest proof record to verify, bytes.
    pub max_record: usize,
    /// Memory for large messages, bytes.
    pub buffers: usize,
    /// Longest a prove request may take.
    pub max_deadline: Duration,
    /// How long the job of a vanished client goes on.
    pub reconnect_grace: Duration,
    /// For a client to introduce itself.
    pub handshake_timeout: Duration,
    /// For a message to arrive once it has begun, and for the next part of a large request.
    pub frame_timeout: Duration,
    /// Silence after which an unused connection is closed.
    pub idle_timeout: Duration,
    /// For a client to take anything of what is sent to it.
    pub write_timeout: Duration,
    /// Finished proofs that are kept.
    pub cache: CacheConfig,
    /// Memory of the machine, bytes: what engine settings are derived from.
    pub machine_memory: u64,
    /// Resident memory at which a prover worker is killed, bytes.
    pub worker_memory: u64,
    /// Time after which a prover worker is killed over one job.
    pub worker_time_limit: Duration,
    /// Time after which a worker that does nothing for its job is killed.
    pub worker_silence: Duration,
    /// Idle time after which the verification worker is ended; `None` keeps it.
    pub verify_worker_idle: Option<Duration>,
    /// Program started as worker; `None` is this one.
    pub worker_program: Option<PathBuf>,
    /// The kinds of proof that are made.
    pub kinds: Kinds,
    /// The chains that statements may be about.
    pub networks: Networks,
    /// How long statements are gathered that become one bundle, if they are.
    pub bundle_window: Option<Duration>,
    /// What SNARKs are made with.
    pub circuits: CircuitsConfig,
    /// Whether the STARK worker starts with the server.
    pub warm: bool,
    /// Where an entrypoint forwards to.
    pub upstreams: UpstreamConfig,
    /// The fleet that an entrypoint asks or a prover works for.
    pub fleet: Option<FleetConfig>,
    /// The stages that a prover takes; `None` is all of the kinds that it makes.
    pub stages: Option<Vec<String>>,
    /// Whether a prover takes what was too large for others, and nothing else.
    pub large: bool,
    /// What a prover's machine is called in the fleet.
    pub machine: String,
    /// Servers that a request may have passed through before this one.
    pub max_hops: u32,
    /// Address for health checks and metrics.
    pub operations_listen: Option<SocketAddr>,
    /// Jobs waiting at which the server is busy.
    pub busy_at: usize,
    /// How long clients are still let in when the server drains.
    pub drain_delay: Duration,
    /// How long running jobs may go on when the server drains.
    pub drain_timeout: Duration,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Who takes traces, if anybody does.
    pub traces: Option<TracesConfig>,
}

#[cfg(test)]
mod tests;
