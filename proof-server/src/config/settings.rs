//! What a person may say about the server: by flag, environment variable or TOML key (the flag's name with
//! underscores). What is left out has the default that is named.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{LogFormat, Role};

/// Writes the struct and [`Settings::or`] from one list of fields.
macro_rules! settings {
    ($(#[$outer:meta])* pub struct $name:ident { $($(#[$meta:meta])* pub $field:ident: Option<$type:ty>,)* }) => {
        $(#[$outer])*
        pub struct $name { $($(#[$meta])* pub $field: Option<$type>,)* }

        impl $name {
            /// These settings, and `lower`'s where these say nothing.
            #[must_use]
            pub fn or(self, lower: Self) -> Self {
                Self { $($field: self.$field.or(lower.$field),)* }
            }
        }
    };
}

settings! {
/// The server's settings. No setting is a secret; secrets are in the files that settings name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What this process does [default: all]
    #[arg(long, env = "SEXTANT_ROLE", value_enum)]
    pub role: Option<Role>,

    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:7100]
    #[arg(long, env = "SEXTANT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Address to listen on for HTTP and WebSocket as well; port 0 takes a free one [default: none]
    #[arg(long, env = "SEXTANT_HTTP_LISTEN", value_name = "ADDRESS")]
    pub http_listen: Option<SocketAddr>,

    /// Origins of the web pages that may ask over HTTP and WebSocket: schemes, hosts and ports, separated by commas [default: none]
    #[arg(long, env = "SEXTANT_HTTP_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub http_origins: Option<Vec<String>>,

    /// Folder of a web page to serve there, as `make web` makes it [default: none]
    #[arg(long, env = "SEXTANT_HTTP_FILES", value_name = "FOLDER")]
    pub http_files: Option<PathBuf>,

    /// Serve clients that do not say who they are, even where they come from elsewhere: whoever reaches the address can
    /// make proofs [default: only on this machine's own addresses, and only without tokens and client certificates]
    #[arg(long, env = "SEXTANT_ALLOW_ANONYMOUS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_anonymous: Option<bool>,

    /// File with the names, hashes and budgets of bearer tokens [default: none]
    #[arg(long, env = "SEXTANT_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Certificate chain of this server, PEM; with it, TLS is all that is spoken [default: none]
    #[arg(long, env = "SEXTANT_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate, PEM [default: none]
    #[arg(long, env = "SEXTANT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Authorities whose client certificates say who a client is, PEM [default: none]
    #[arg(long, env = "SEXTANT_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,

    /// Lists of revoked client certificates by those authorities, PEM [default: none]
    #[arg(long, env = "SEXTANT_TLS_CLIENT_CRL", value_name = "FILE")]
    pub tls_client_crl: Option<PathBuf>,

    /// Clients connected at once; more are refused with Busy [default: 256]
    #[arg(long, env = "SEXTANT_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<usize>,

    /// Balancers in front of this server: connections from these addresses or networks begin with a PROXY header, version
    /// 1 or 2, that says for whom they are [default: none]
    #[arg(long, env = "SEXTANT_PROXY_PROTOCOL_FROM", value_name = "NETWORK", value_delimiter = ',')]
    pub proxy_protocol_from: Option<Vec<String>>,

    /// Connections of one client, and of strangers from one address or one /64 network of IPv6; a /56 has half as many
    /// more, a /48 twice as many [default: 64]
    #[arg(long, env = "SEXTANT_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    pub max_connections_per_address: Option<usize>,

    /// Requests open at once on one connection [default: 32]
    #[arg(long, env = "SEXTANT_MAX_REQUESTS", value_name = "N")]
    pub max_requests: Option<usize>,

    /// Prove and verify requests open at once for one client, over all its connections; a token may have its own
    /// number [default: 64]
    #[arg(long, env = "SEXTANT_CLIENT_REQUESTS", value_name = "N")]
    pub client_requests: Option<usize>,

    /// Proofs that one client may have made in an hour; 0 is no limit; a token may have its own number [default: 0]
    #[arg(long, env = "SEXTANT_CLIENT_PROOFS_PER_HOUR", value_name = "N")]
    pub client_proofs_per_hour: Option<u32>,

    /// Places of each queue that one client may take [default: half of the queue]
    #[arg(long, env = "SEXTANT_QUEUE_SHARE", value_name = "N")]
    pub queue_share: Option<usize>,

    /// Prove requests waiting for each program [default: 16]
    #[arg(long, env = "SEXTANT_QUEUE_CAPACITY", value_name = "N")]
    pub queue_capacity: Option<usize>,

    /// Proofs waiting for verification [default: 64]
    #[arg(long, env = "SEXTANT_VERIFY_QUEUE_CAPACITY", value_name = "N")]
    pub verify_queue_capacity: Option<usize>,

    /// Largest statement input, KiB [default: 8192]
    #[arg(long, env = "SEXTANT_MAX_INPUT_KIB", value_name = "KIB")]
    pub max_input_kib: Option<usize>,

    /// Largest proof record to verify, MiB, at most 256 [default: 64]
    #[arg(long, env = "SEXTANT_MAX_RECORD_MIB", value_name = "MIB")]
    pub max_record_mib: Option<usize>,

    /// Memory for large messages that are being read or worked on, all clients together, MiB; one client may have as much
    /// of it as it leaves free for others [default: 512]
    #[arg(long, env = "SEXTANT_BUFFER_MIB", value_name = "MIB")]
    pub buffer_mib: Option<usize>,

    /// Longest a prove request may take, queueing included, seconds [default: 7200]
    #[arg(long, env = "SEXTANT_MAX_DEADLINE", value_name = "SECONDS")]
    pub max_deadline: Option<u64>,

    /// How long the job of a client that vanished goes on, for it to come back and ask again, seconds [default: 10]
    #[arg(long, env = "SEXTANT_RECONNECT_GRACE", value_name = "SECONDS")]
    pub reconnect_grace: Option<u64>,

    /// For a client to introduce itself, TLS included, seconds [default: 10]
    #[arg(long, env = "SEXTANT_HANDSHAKE_TIMEOUT", value_name = "SECONDS")]
    pub handshake_timeout: Option<u64>,

    /// For a message to arrive whole once it has begun, and for the next part of a large request, seconds [default: 60]
    #[arg(long, env = "SEXTANT_FRAME_TIMEOUT", value_name = "SECONDS")]
    pub frame_timeout: Option<u64>,

    /// Silence after which a connection without open requests is closed, seconds [default: 600]
    #[arg(long, env = "SEXTANT_IDLE_TIMEOUT", value_name = "SECONDS")]
    pub idle_timeout: Option<u64>,

    /// For a client to take anything of what is sent to it, seconds [default: 30]
    #[arg(long, env = "SEXTANT_WRITE_TIMEOUT", value_name = "SECONDS")]
    pub write_timeout: Option<u64>,

    /// Memory for finished proofs, MiB; 0 keeps none [default: 64]
    #[arg(long, env = "SEXTANT_CACHE_MIB", value_name = "MIB")]
    pub cache_mib: Option<usize>,

    /// Folder for finished proofs, kept over restarts [default: none]
    #[arg(long, env = "SEXTANT_CACHE_DIR", value_name = "FOLDER")]
    pub cache_dir: Option<PathBuf>,

    /// Most that the folder may hold, MiB [default: 1024]
    #[arg(long, env = "SEXTANT_CACHE_DISK_MIB", value_name = "MIB")]
    pub cache_disk_mib: Option<usize>,

    /// Most that is kept of SNARKs in the making, for the next stage and the next request, MiB: in `cache-dir`, or in memory; 0 keeps nothing [default: 64]
    #[arg(long, env = "SEXTANT_STAGES_MIB", value_name = "MIB")]
    pub stages_mib: Option<usize>,

    /// Resident memory at which a prover worker is killed, MiB [default: nine tenths of the machine's]
    #[arg(long, env = "SEXTANT_WORKER_MEMORY_MIB", value_name = "MIB")]
    pub worker_memory_mib: Option<u64>,

    /// Time after which a prover worker is killed over one job, seconds [default: 3600]
    #[arg(long, env = "SEXTANT_WORKER_TIME_LIMIT", value_name = "SECONDS")]
    pub worker_time_limit: Option<u64>,

    /// Time after which a worker that has a job but neither speaks nor computes is killed, seconds [default: 120]
    #[arg(long, env = "SEXTANT_WORKER_SILENCE", value_name = "SECONDS")]
    pub worker_silence: Option<u64>,

    /// Idle time after which the verification worker is ended to free its memory, seconds; 0 keeps it [default: 300]
    #[arg(long, env = "SEXTANT_VERIFY_WORKER_IDLE", value_name = "SECONDS")]
    pub verify_worker_idle: Option<u64>,

    /// Program started as worker, in place of this one [default: this program]
    #[arg(long, env = "SEXTANT_WORKER_PROGRAM", value_name = "FILE")]
    pub worker_program: Option<PathBuf>,

    /// Kinds of proof that are made: stark, compressed, groth16,... [default: those that fit into a worker's memory]
    #[arg(long, env = "SEXTANT_KINDS", value_name = "KIND", value_delimiter = ',')]
    pub kinds: Option<Vec<String>>,

    /// Networks whose statements are proven: names, digests of other chains, or `any` [default: mainnet, sepolia,
    /// holesky, hoodi]
    #[arg(long, env = "SEXTANT_NETWORKS", value_name = "NETWORK", value_delimiter = ',')]
    pub networks: Option<Vec<String>>,

    /// Folder with Groth16 circuits, for SNARKs [default: where SP1 keeps the released ones, if they are there]
    #[arg(long, env = "SEXTANT_CIRCUITS", value_name = "FOLDER")]
    pub circuits: Option<PathBuf>,

    /// Make and accept SNARKs by development circuits, which prove nothing: for tests [default: false]
    #[arg(long, env = "SEXTANT_ALLOW_DEV_CIRCUITS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_dev_circuits: Option<bool>,

    /// Start the STARK worker with the server, not with the first request [default: true]
    #[arg(long, env = "SEXTANT_WARM", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub warm: Option<bool>,

    /// Entrypoint: servers that make committee-change proofs, HOST:PORT,... [default: none]
    #[arg(long, env = "SEXTANT_COMMITTEE_CHANGE_UPSTREAMS", value_name = "HOST:PORT", value_delimiter = ',')]
    pub committee_change_upstreams: Option<Vec<String>>,

    /// Entrypoint: servers that make inclusion proofs, HOST:PORT,... [default: none]
    #[arg(long, env = "SEXTANT_INCLUSION_UPSTREAMS", value_name = "HOST:PORT", value_delimiter = ',')]
    pub inclusion_upstreams: Option<Vec<String>>,

    /// Entrypoint: servers that bundle and chain proofs, HOST:PORT,... [default: none]
    #[arg(long, env = "SEXTANT_BUNDLE_UPSTREAMS", value_name = "HOST:PORT", value_delimiter = ',')]
    pub bundle_upstreams: Option<Vec<String>>,

    /// Entrypoint: authorities that certify the upstreams, PEM; with it, TLS is spoken to them [default: none]
    #[arg(long, env = "SEXTANT_UPSTREAM_CA", value_name = "FILE")]
    pub upstream_ca: Option<PathBuf>,

    /// Entrypoint: file with the one token that upstreams want [default: none]
    #[arg(long, env = "SEXTANT_UPSTREAM_TOKEN_FILE", value_name = "FILE")]
    pub upstream_token_file: Option<PathBuf>,

    /// Broker of a fleet, nats://HOST:PORT, several with commas between them: an entrypoint has proofs made by the fleet's
    /// provers, a prover works for it [default: none]
    #[arg(long, env = "SEXTANT_FLEET", value_name = "URL")]
    pub fleet: Option<String>,

    /// File with the user and the password that the broker wants, with a colon between them [default: none]
    #[arg(long, env = "SEXTANT_FLEET_CREDENTIALS", value_name = "FILE")]
    pub fleet_credentials: Option<PathBuf>,

    /// Gather statements asked for as `bundled` for so long, seconds, and prove them as one bundle [default: off]
    #[arg(long, env = "SEXTANT_BUNDLE_WINDOW", value_name = "SECONDS")]
    pub bundle_window: Option<u64>,

    /// Authorities that certify the broker, PEM, for tls:// [default: the system's]
    #[arg(long, env = "SEXTANT_FLEET_CA", value_name = "FILE")]
    pub fleet_ca: Option<PathBuf>,

    /// Entrypoint: copies that a cluster of brokers keeps of everything [default: 1]
    #[arg(long, env = "SEXTANT_FLEET_REPLICAS", value_name = "N")]
    pub fleet_replicas: Option<usize>,

    /// Prover: the stages that it takes: stark, compressed, wrap, groth16,... [default: those of the kinds that it makes]
    #[arg(long, env = "SEXTANT_STAGES", value_name = "STAGE", value_delimiter = ',')]
    pub stages: Option<Vec<String>>,

    /// Prover: take what was too large for others, and nothing else [default: false]
    #[arg(long, env = "SEXTANT_LARGE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub large: Option<bool>,

    /// Prover: what its machine is called in the fleet; one that is shut out stays so under that name [default: its host name]
    #[arg(long, env = "SEXTANT_MACHINE", value_name = "NAME")]
    pub machine: Option<String>,

    /// Send the token for upstreams, the broker's user and password, or a collector's headers without TLS to other machines,
    /// for whoever listens on the way to read [default: false]
    #[arg(long, env = "SEXTANT_ALLOW_PLAIN_SECRETS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_plain_secrets: Option<bool>,

    /// Servers that a request may have passed through before this one [default: 2]
    #[arg(long, env = "SEXTANT_MAX_HOPS", value_name = "N")]
    pub max_hops: Option<u32>,

    /// Address for health checks and metrics over HTTP [default: none]
    #[arg(long, env = "SEXTANT_OPERATIONS_LISTEN", value_name = "ADDRESS")]
    pub operations_listen: Option<SocketAddr>,

    /// Jobs waiting at which the server reports itself busy, so that others are asked [default: the queue's capacity]
    #[arg(long, env = "SEXTANT_BUSY_AT", value_name = "N")]
    pub busy_at: Option<usize>,

    /// How long clients are still let in after SIGTERM, while `/readyz` says 503 already, seconds [default: 0]
    #[arg(long, env = "SEXTANT_DRAIN_DELAY", value_name = "SECONDS")]
    pub drain_delay: Option<u64>,

    /// How long running jobs may go on after SIGTERM, seconds [default: 300]
    #[arg(long, env = "SEXTANT_DRAIN_TIMEOUT", value_name = "SECONDS")]
    pub drain_timeout: Option<u64>,

    /// Form of the log [default: text]
    #[arg(long, env = "SEXTANT_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,

    /// OpenTelemetry collector that traces of requests for proofs are sent to, in OTLP over HTTP, http://HOST:4318 or https://…
    /// [default: none]
    #[arg(long, env = "SEXTANT_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Authorities that certify the collector, PEM, for https:// [default: those that browsers know]
    #[arg(long, env = "SEXTANT_OTLP_CA", value_name = "FILE")]
    pub otlp_ca: Option<PathBuf>,

    /// File with headers that the collector wants, such as its authorization, `NAME: VALUE` a line [default: none]
    #[arg(long, env = "SEXTANT_OTLP_HEADERS_FILE", value_name = "FILE")]
    pub otlp_headers_file: Option<PathBuf>,
}
}
