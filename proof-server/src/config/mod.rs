//! Configuration: flags, then environment, then a TOML file, then defaults.
//!
//! [`Settings`] is what a person may say, in any of the three places under the same names; [`Config`] is the
//! outcome, complete and checked.

mod effective;
mod elsewhere;
mod environment;
mod plain;
mod settings;
mod traces;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

pub use effective::listing;
pub use elsewhere::{FleetConfig, UpstreamConfig};
pub use environment::unknown_variables;
pub(crate) use plain::check_broker;
use serde::{Deserialize, Serialize};
pub use settings::Settings;
use sextant_protocol::{ProofKind, proof::MAX_RECORD};
pub use traces::TracesConfig;

use crate::{
    access::Budget,
    circuits::CircuitsConfig,
    kinds::Kinds,
    machine,
    networks::Networks,
    origins::Origins,
    proxy::{Network, NotANetwork},
    tls::TlsFiles,
    toml_file::{self, TomlFileError},
};

const MIB: u64 = 1 << 20;

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

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, is not TOML, or names what is no setting.
    #[error("configuration file {0}")]
    File(#[from] TomlFileError),
    /// A number that would stop the server from working.
    #[error("{0} must not be 0")]
    Zero(&'static str),
    /// An address others reach, and nothing that says who they are.
    #[error(
        "{0} is not an address of this machine alone: anybody who reaches it could make proofs. Say who may with \
         --token-file or --tls-client-ca, or --allow-anonymous if that is meant"
    )]
    Remote(SocketAddr),
    /// A setting that needs another one.
    #[error("{0} needs {1}")]
    Needs(&'static str, &'static str),
    /// Two settings of which only one can be.
    #[error("{0} and {1} exclude each other")]
    Both(&'static str, &'static str),
    /// A balancer's address that is none.
    #[error("proxy-protocol-from: {0}")]
    Network(NotANetwork),
    /// A setting that is a list, with something in it that is none of its values.
    #[error("{setting}: {reason}")]
    List {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Workers are too small for any proof.
    #[error("no kind of proof fits into workers of {0} MiB; to try anyway, name the kinds with --kinds")]
    Memory(u64),
    /// No address of a server.
    #[error("{setting}: {value:?} is not HOST:PORT")]
    Address {
        /// The setting.
        setting: &'static str,
        /// What it says.
        value: String,
    },
    /// No address of a collector. What it says may hold a secret.
    #[error("otlp-endpoint: not http://HOST:PORT or https://HOST:PORT, with a path or without")]
    Collector,
    /// A secret that anybody on the way could read.
    #[error(
        "{setting}: {secret} would cross the network to {address} in the clear: speak TLS ({tls}), or say \
         --allow-plain-secrets"
    )]
    PlainSecret {
        /// The setting that names the secret.
        setting: &'static str,
        /// What the secret is.
        secret: &'static str,
        /// To whom it would go.
        address: String,
        /// How TLS is spoken there.
        tls: &'static str,
    },
    /// This build cannot do that.
    #[error("this program was built without the feature `prover`: it can be an entrypoint or a verifier")]
    NoProver,
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

impl Settings {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`ConfigError::File`].
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        Ok(toml_file::read(path)?)
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// Any [`ConfigError`] but those about the file.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let machine_memory = machine::memory();
        let role = self.role.unwrap_or(Role::All);
        if cfg!(not(feature = "prover")) && role.proves() {
            return Err(ConfigError::NoProver);
        }
        let listen = self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7100)));
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(cert), Some(key)) => {
                Some(TlsFiles { cert, key, client_ca: self.tls_client_ca, client_crl: self.tls_client_crl })
            }
            (None, None) if self.tls_client_crl.is_some() => {
                return Err(ConfigError::Needs("tls-client-crl", "tls-cert"));
            }
            (None, None) if self.tls_client_ca.is_some() => {
                return Err(ConfigError::Needs("tls-client-ca", "tls-cert"));
            }
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::Needs("tls-cert", "tls-key")),
            (None, Some(_)) => return Err(ConfigError::Needs("tls-key", "tls-cert")),
        };
        if let Some(TlsFiles { client_ca: None, client_crl: Some(_), .. }) = tls {
            return Err(ConfigError::Needs("tls-client-crl", "tls-client-ca"));
        }
        let known = self.token_file.is_some() || tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        // Whoever is served without a name is so at every address.
        let remote = [Some(listen), self.http_listen].into_iter().flatten().find(|at| !at.ip().is_loopback());
        let anonymous = self.allow_anonymous.unwrap_or(!known && remote.is_none());
        if !known && !anonymous {
            return Err(ConfigError::Remote(remote.unwrap_or(listen)));
        }
        if self.http_origins.is_some() && self.http_listen.is_none() {
            return Err(ConfigError::Needs("http-origins", "http-listen"));
        }
        if self.http_files.is_some() && self.http_listen.is_none() {
            return Err(ConfigError::Needs("http-files", "http-listen"));
        }
        let allow_plain = self.allow_plain_secrets.unwrap_or(false);
        let upstreams = UpstreamConfig {
            committee_change: addresses("committee-change-upstreams", self.committee_change_upstreams)?,
            inclusion: addresses("inclusion-upstreams", self.inclusion_upstreams)?,
            bundle: addresses("bundle-upstreams", self.bundle_upstreams)?,
            ca: self.upstream_ca,
            token_file: self.upstream_token_file,
            allow_plain,
        };
        plain::check_upstreams(&upstreams)?;
        let forwards = upstreams.all().next().is_some();
        let replicas = positive("fleet-replicas", self.fleet_replicas.unwrap_or(1))?;
        let fleet = self.fleet.map(|servers| FleetConfig {
            servers,
            replicas,
            credentials: self.fleet_credentials,
            authorities: self.fleet_ca,
            allow_plain,
        });
        fleet.as_ref().map_or(Ok(()), check_broker)?;
        match (role, forwards, fleet.is_some()) {
            (Role::Entrypoint, false, false) => {
                return Err(ConfigError::Needs("role entrypoint", "upstreams or fleet"));
            }
            (Role::Entrypoint, true, true) => return Err(ConfigError::Both("upstreams", "fleet")),
            (Role::Entrypoint, ..) | (Role::Prover, false, true) => {}
            (_, true, _) => return Err(ConfigError::Needs("upstreams", "role entrypoint")),
            (Role::Prover, ..) => return Err(ConfigError::Needs("role prover", "fleet")),
            (_, _, true) => return Err(ConfigError::Needs("fleet", "role entrypoint or prover")),
            _ => {}
        }
        let worker_memory = match self.worker_memory_mib {
            Some(mib) => positive("worker-memory-mib", mib)?.saturating_mul(MIB),
            None => machine_memory / 10 * 9,
        };
        let in_list = |setting| move |reason| ConfigError::List { setting, reason };
        let circuits = CircuitsConfig {
            folder: self.circuits.or_else(CircuitsConfig::standard_folder),
            allow_development: self.allow_dev_circuits.unwrap_or(false),
        };
        let kinds = match &self.kinds {
            Some(names) => Kinds::named(names, worker_memory).map_err(in_list("kinds"))?,
            None if role.proves() => Kinds::that_fit(worker_memory),
            // Whether its provers have circuits is not known here.
            None if fleet.is_some() => Kinds::that_fit(u64::MAX).without(ProofKind::Groth16),
            // Made elsewhere, and refused there if they are not.
            None => Kinds::that_fit(u64::MAX),
        };
        let snarks = cfg!(feature = "snark") && circuits.folder.is_some();
        if role.proves() && self.kinds.is_some() && !snarks && kinds.offers(ProofKind::Groth16) {
            return Err(ConfigError::Needs(
                "kinds groth16",
                "circuits, and a program built with the feature `snark`",
            ));
        }
        if role.proves() && kinds.offered().is_empty() {
            return Err(ConfigError::Memory(worker_memory / MIB));
        }
        let bundle_window = self.bundle_window.map(|length| seconds("bundle-window", length)).transpose()?;
        let max_deadline = seconds("max-deadline", self.max_deadline.unwrap_or(7200))?;
        if let Some(window) = bundle_window {
            let statements = !upstreams.committee_change.is_empty() || !upstreams.inclusion.is_empty();
            let needs = |what| Err(ConfigError::Needs("bundle-window", what));
            match role {
                Role::All => {}
                Role::Entrypoint if fleet.is_some() => {}
                Role::Entrypoint if statements && !upstreams.bundle.is_empty() => {}
                Role::Entrypoint => return needs("bundle-upstreams, and upstreams for the statements"),
                _ => return needs("role all or entrypoint: statements and bundles are proven there"),
            }
            if window >= max_deadline {
                return needs("a longer max-deadline: no request may take as long");
            }
        }
        let networks = self.networks.as_deref().map_or_else(|| Ok(Networks::default()), Networks::named);
        let queue_capacity = positive("queue-capacity", self.queue_capacity.unwrap_or(16))?;
        Ok(Config {
            role,
            listen,
            http_listen: self.http_listen,
            http_origins: Origins::named(&self.http_origins.unwrap_or_default())
                .map_err(in_list("http-origins"))?,
            http_files: self.http_files,
            anonymous,
            token_file: self.token_file,
            tls,
            max_connections: positive("max-connections", self.max_connections.unwrap_or(256))?,
            balancers: self
                .proxy_protocol_from
                .unwrap_or_default()
                .iter()
                .map(|network| network.parse().map_err(ConfigError::Network))
                .collect::<Result<_, _>>()?,
            max_connections_per_address: positive(
                "max-connections-per-address",
                self.max_connections_per_address.unwrap_or(64),
            )?,
            max_requests: positive("max-requests", self.max_requests.unwrap_or(32))?,
            budget: Budget {
                requests: positive("client-requests", self.client_requests.unwrap_or(64))?,
                proofs_per_hour: self.client_proofs_per_hour.unwrap_or(0),
            },
            queue_share: positive("queue-share", self.queue_share.unwrap_or(half(queue_capacity)))?,
            queue_capacity,
            verify_queue_capacity: positive(
                "verify-queue-capacity",
                self.verify_queue_capacity.unwrap_or(64),
            )?,
            max_input: positive("max-input-kib", self.max_input_kib.unwrap_or(8192))?.saturating_mul(1024),
            max_record: positive("max-record-mib", self.max_record_mib.unwrap_or(64))?
                .saturating_mul(MIB as usize)
                .min(MAX_RECORD),
            buffers: positive("buffer-mib", self.buffer_mib.unwrap_or(512))?.saturating_mul(MIB as usize),
            max_deadline,
            reconnect_grace: Duration::from_secs(self.reconnect_grace.unwrap_or(10)),
            handshake_timeout: seconds("handshake-timeout", self.handshake_timeout.unwrap_or(10))?,
            frame_timeout: seconds("frame-timeout", self.frame_timeout.unwrap_or(60))?,
            idle_timeout: seconds("idle-timeout", self.idle_timeout.unwrap_or(600))?,
            write_timeout: seconds("write-timeout", self.write_timeout.unwrap_or(30))?,
            cache: CacheConfig {
                memory: self.cache_mib.unwrap_or(64).saturating_mul(MIB as usize),
                folder: self.cache_dir,
                disk: (self.cache_disk_mib.unwrap_or(1024) as u64).saturating_mul(MIB),
                stages: (self.stages_mib.unwrap_or(64) as u64).saturating_mul(MIB),
            },
            machine_memory,
            worker_memory,
            worker_time_limit: seconds("worker-time-limit", self.worker_time_limit.unwrap_or(3600))?,
            worker_silence: seconds("worker-silence", self.worker_silence.unwrap_or(120))?,
            verify_worker_idle: Some(Duration::from_secs(self.verify_worker_idle.unwrap_or(300)))
                .filter(|idle| !idle.is_zero()),
            worker_program: self.worker_program,
            kinds,
            networks: networks.map_err(in_list("networks"))?,
            bundle_window,
            circuits,
            warm: self.warm.unwrap_or(true),
            upstreams,
            fleet,
            stages: self.stages,
            large: self.large.unwrap_or(false),
            machine: self.machine.unwrap_or_else(machine::host_name),
            max_hops: self.max_hops.unwrap_or(2),
            operations_listen: self.operations_listen,
            busy_at: positive("busy-at", self.busy_at.unwrap_or(queue_capacity))?,
            drain_delay: Duration::from_secs(self.drain_delay.unwrap_or(0)),
            drain_timeout: Duration::from_secs(self.drain_timeout.unwrap_or(300)),
            log_format: self.log_format.unwrap_or_default(),
            traces: TracesConfig::of(self.otlp_endpoint, self.otlp_ca, self.otlp_headers_file, allow_plain)?,
        })
    }
}

/// What one client may take of a queue, if nothing else is said.
pub(crate) fn half(capacity: usize) -> usize {
    (capacity / 2).max(1)
}

fn positive<T: Default + PartialEq>(name: &'static str, value: T) -> Result<T, ConfigError> {
    if value == T::default() { Err(ConfigError::Zero(name)) } else { Ok(value) }
}

fn seconds(name: &'static str, value: u64) -> Result<Duration, ConfigError> {
    Ok(Duration::from_secs(positive(name, value)?))
}

fn addresses(setting: &'static str, values: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    let values = values.unwrap_or_default();
    let wrong = values.iter().find(|value| {
        let port = value.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        !port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
    });
    match wrong {
        Some(value) => Err(ConfigError::Address { setting, value: value.clone() }),
        None => Ok(values),
    }
}

#[cfg(test)]
mod tests;
