//! Configuration: flags, then environment, then a TOML file, then defaults.
//!
//! [`Settings`] is what a person may say, in any of the three places under the same names; [`Config`] is the
//! outcome, complete and checked.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::process;

const MIB: u64 = 1 << 20;

/// Which part of the service this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Both sub-servers and verification behind one entrypoint.
    All,
}

/// Settings by flag, environment variable or TOML key (the flag's name with underscores). What is left out has the
/// default that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:7100]
    #[arg(long, env = "SEXTANT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Listen on an address that is not this machine's own: whoever reaches it can make proofs [default: false]
    #[arg(long, env = "SEXTANT_ALLOW_REMOTE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_remote: Option<bool>,

    /// What this process does [default: all]
    #[arg(long, env = "SEXTANT_ROLE", value_enum)]
    pub role: Option<Role>,

    /// Clients connected at once; more wait [default: 256]
    #[arg(long, env = "SEXTANT_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<usize>,

    /// Requests open at once on one connection [default: 32]
    #[arg(long, env = "SEXTANT_MAX_REQUESTS", value_name = "N")]
    pub max_requests: Option<usize>,

    /// Prove requests waiting for each program [default: 16]
    #[arg(long, env = "SEXTANT_QUEUE_CAPACITY", value_name = "N")]
    pub queue_capacity: Option<usize>,

    /// Proofs waiting for verification [default: 64]
    #[arg(long, env = "SEXTANT_VERIFY_QUEUE_CAPACITY", value_name = "N")]
    pub verify_queue_capacity: Option<usize>,

    /// Largest statement input, KiB [default: 8192]
    #[arg(long, env = "SEXTANT_MAX_INPUT_KIB", value_name = "KIB")]
    pub max_input_kib: Option<usize>,

    /// Longest a prove request may take, queueing included, seconds [default: 7200]
    #[arg(long, env = "SEXTANT_MAX_DEADLINE", value_name = "SECONDS")]
    pub max_deadline: Option<u64>,

    /// For a client to introduce itself, seconds [default: 10]
    #[arg(long, env = "SEXTANT_HANDSHAKE_TIMEOUT", value_name = "SECONDS")]
    pub handshake_timeout: Option<u64>,

    /// Silence after which a connection without open requests is closed, seconds [default: 600]
    #[arg(long, env = "SEXTANT_IDLE_TIMEOUT", value_name = "SECONDS")]
    pub idle_timeout: Option<u64>,

    /// For a client to take one message, seconds [default: 30]
    #[arg(long, env = "SEXTANT_WRITE_TIMEOUT", value_name = "SECONDS")]
    pub write_timeout: Option<u64>,

    /// Resident memory at which a prover worker is killed, MiB [default: nine tenths of the machine's]
    #[arg(long, env = "SEXTANT_WORKER_MEMORY_MIB", value_name = "MIB")]
    pub worker_memory_mib: Option<u64>,

    /// Time after which a prover worker is killed over one job, seconds [default: 3600]
    #[arg(long, env = "SEXTANT_WORKER_TIME_LIMIT", value_name = "SECONDS")]
    pub worker_time_limit: Option<u64>,

    /// Program started as worker, in place of this one [default: this program]
    #[arg(long, env = "SEXTANT_WORKER_PROGRAM", value_name = "FILE")]
    pub worker_program: Option<PathBuf>,

    /// Start the STARK worker with the server, not with the first request [default: true]
    #[arg(long, env = "SEXTANT_WARM", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub warm: Option<bool>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is not TOML, or names what is no setting.
    #[error("configuration file {path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The reason, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A number that would stop the server from working.
    #[error("{0} must not be 0")]
    Zero(&'static str),
    /// An address others reach, without saying so.
    #[error(
        "{0} is not an address of this machine alone: anybody who reaches it could make proofs. Say --allow-remote if that is meant"
    )]
    Remote(SocketAddr),
}

/// A complete configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// What this process does.
    pub role: Role,
    /// Clients connected at once.
    pub max_connections: usize,
    /// Requests open at once on one connection.
    pub max_requests: usize,
    /// Prove requests waiting for each program.
    pub queue_capacity: usize,
    /// Proofs waiting for verification.
    pub verify_queue_capacity: usize,
    /// Largest statement input, bytes.
    pub max_input: usize,
    /// Longest a prove request may take.
    pub max_deadline: Duration,
    /// For a client to introduce itself.
    pub handshake_timeout: Duration,
    /// Silence after which an unused connection is closed.
    pub idle_timeout: Duration,
    /// For a client to take one message.
    pub write_timeout: Duration,
    /// Memory of the machine, bytes: what engine settings are derived from.
    pub machine_memory: u64,
    /// Resident memory at which a prover worker is killed, bytes.
    pub worker_memory: u64,
    /// Time after which a prover worker is killed over one job.
    pub worker_time_limit: Duration,
    /// Program started as worker; `None` is this one.
    pub worker_program: Option<PathBuf>,
    /// Whether the STARK worker starts with the server.
    pub warm: bool,
}

impl Settings {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`ConfigError::File`] or [`ConfigError::Toml`].
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.into(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::Toml { path: path.into(), source: Box::new(source) })
    }

    /// These settings, and `lower`'s where these say nothing.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        Self {
            listen: self.listen.or(lower.listen),
            allow_remote: self.allow_remote.or(lower.allow_remote),
            role: self.role.or(lower.role),
            max_connections: self.max_connections.or(lower.max_connections),
            max_requests: self.max_requests.or(lower.max_requests),
            queue_capacity: self.queue_capacity.or(lower.queue_capacity),
            verify_queue_capacity: self.verify_queue_capacity.or(lower.verify_queue_capacity),
            max_input_kib: self.max_input_kib.or(lower.max_input_kib),
            max_deadline: self.max_deadline.or(lower.max_deadline),
            handshake_timeout: self.handshake_timeout.or(lower.handshake_timeout),
            idle_timeout: self.idle_timeout.or(lower.idle_timeout),
            write_timeout: self.write_timeout.or(lower.write_timeout),
            worker_memory_mib: self.worker_memory_mib.or(lower.worker_memory_mib),
            worker_time_limit: self.worker_time_limit.or(lower.worker_time_limit),
            worker_program: self.worker_program.or(lower.worker_program),
            warm: self.warm.or(lower.warm),
        }
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError::Zero`] or [`ConfigError::Remote`].
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let machine_memory = process::machine_memory();
        let listen = self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7100)));
        if !listen.ip().is_loopback() && !self.allow_remote.unwrap_or(false) {
            return Err(ConfigError::Remote(listen));
        }
        Ok(Config {
            listen,
            role: self.role.unwrap_or(Role::All),
            max_connections: positive("max-connections", self.max_connections.unwrap_or(256))?,
            max_requests: positive("max-requests", self.max_requests.unwrap_or(32))?,
            queue_capacity: positive("queue-capacity", self.queue_capacity.unwrap_or(16))?,
            verify_queue_capacity: positive(
                "verify-queue-capacity",
                self.verify_queue_capacity.unwrap_or(64),
            )?,
            max_input: positive("max-input-kib", self.max_input_kib.unwrap_or(8192))?.saturating_mul(1024),
            max_deadline: seconds("max-deadline", self.max_deadline.unwrap_or(7200))?,
            handshake_timeout: seconds("handshake-timeout", self.handshake_timeout.unwrap_or(10))?,
            idle_timeout: seconds("idle-timeout", self.idle_timeout.unwrap_or(600))?,
            write_timeout: seconds("write-timeout", self.write_timeout.unwrap_or(30))?,
            machine_memory,
            worker_memory: match self.worker_memory_mib {
                Some(mib) => positive("worker-memory-mib", mib)?.saturating_mul(MIB),
                None => machine_memory / 10 * 9,
            },
            worker_time_limit: seconds("worker-time-limit", self.worker_time_limit.unwrap_or(3600))?,
            worker_program: self.worker_program,
            warm: self.warm.unwrap_or(true),
        })
    }
}

fn positive<T: Default + PartialEq>(name: &'static str, value: T) -> Result<T, ConfigError> {
    if value == T::default() { Err(ConfigError::Zero(name)) } else { Ok(value) }
}

fn seconds(name: &'static str, value: u64) -> Result<Duration, ConfigError> {
    Ok(Duration::from_secs(positive(name, value)?))
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    #[test]
    fn every_setting_is_documented_with_its_default() {
        let command = Settings::augment_args(clap::Command::new("serve"));
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("[default: "), "{}: {help:?}", argument.get_id());
            assert!(argument.get_env().is_some(), "{} has no environment variable", argument.get_id());
        }
    }

    #[test]
    fn documented_numbers_are_the_defaults() {
        let config = Settings::default().resolve().unwrap();
        let command = Settings::augment_args(clap::Command::new("serve"));
        let documented = |name: &str| {
            let help =
                command.get_arguments().find(|a| a.get_id() == name).unwrap().get_help().unwrap().to_string();
            help.split("[default: ").nth(1).unwrap().trim_end_matches(']').to_owned()
        };
        for (name, value) in [
            ("listen", config.listen.to_string()),
            ("max_connections", config.max_connections.to_string()),
            ("max_requests", config.max_requests.to_string()),
            ("queue_capacity", config.queue_capacity.to_string()),
            ("verify_queue_capacity", config.verify_queue_capacity.to_string()),
            ("max_input_kib", (config.max_input / 1024).to_string()),
            ("max_deadline", config.max_deadline.as_secs().to_string()),
            ("handshake_timeout", config.handshake_timeout.as_secs().to_string()),
            ("idle_timeout", config.idle_timeout.as_secs().to_string()),
            ("write_timeout", config.write_timeout.as_secs().to_string()),
            ("worker_time_limit", config.worker_time_limit.as_secs().to_string()),
            ("warm", config.warm.to_string()),
        ] {
            assert_eq!(documented(name), value, "{name}");
        }
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let command = Settings::augment_args(clap::Command::new("serve"));
        let flags = command.get_matches_from(["serve", "--queue-capacity", "3", "--warm=false"]);
        let flags = Settings::from_arg_matches(&flags).unwrap();
        let file: Settings = toml::from_str("queue_capacity = 5\nmax_requests = 7\nrole = \"all\"").unwrap();
        let config = flags.or(file).resolve().unwrap();
        assert_eq!((config.queue_capacity, config.max_requests, config.max_connections), (3, 7, 256));
        assert!(!config.warm);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        assert!(toml::from_str::<Settings>("que_capacity = 5").is_err());
        assert!(toml::from_str::<Settings>("role = \"sequencer\"").is_err());
        let zero = Settings { queue_capacity: Some(0), ..Settings::default() };
        assert!(matches!(zero.resolve(), Err(ConfigError::Zero("queue-capacity"))));
        let remote = Settings { listen: Some("0.0.0.0:1".parse().unwrap()), ..Settings::default() };
        assert!(matches!(remote.clone().resolve(), Err(ConfigError::Remote(_))));
        assert!(Settings { allow_remote: Some(true), ..remote }.resolve().is_ok());
        assert!(matches!(Settings::from_file(Path::new("/nonexistent")), Err(ConfigError::File { .. })));
    }
}
