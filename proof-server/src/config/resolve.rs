//! From what was said to a configuration: defaults, limits, and what cannot work together.

use std::{net::SocketAddr, path::Path, time::Duration};

use sextant_protocol::proof::MAX_RECORD;

use super::{
    CacheConfig, Config, ConfigError, FleetConfig, Role, Settings, TracesConfig, UpstreamConfig, clients,
    elsewhere, offered,
};
use crate::{access::Budget, machine, networks::Networks, origins::Origins, toml_file};

const MIB: u64 = 1 << 20;

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
    pub fn resolve(mut self) -> Result<Config, ConfigError> {
        let machine_memory = machine::memory();
        let role = self.role.unwrap_or(Role::All);
        if cfg!(not(feature = "prover")) && role.proves() {
            return Err(ConfigError::NoProver);
        }
        let listen = self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7100)));
        let tls = clients::tls(&mut self)?;
        let anonymous = clients::anonymous(&self, listen, tls.as_ref())?;
        for (setting, is_set) in
            [("http-origins", self.http_origins.is_some()), ("http-files", self.http_files.is_some())]
        {
            if is_set && self.http_listen.is_none() {
                return Err(ConfigError::Needs(setting, "http-listen"));
            }
        }
        let allow_plain = self.allow_plain_secrets.unwrap_or(false);
        let upstreams = UpstreamConfig::of(&mut self)?;
        let fleet = FleetConfig::of(&mut self)?;
        elsewhere::check_role(role, &upstreams, fleet.as_ref())?;
        let worker_memory = match self.worker_memory_mib {
            Some(mib) => positive("worker-memory-mib", mib)?.saturating_mul(MIB),
            None => machine_memory / 10 * 9,
        };
        let in_list = |setting| move |reason| ConfigError::List { setting, reason };
        let circuits = offered::circuits(&mut self);
        let kinds = offered::kinds(&self, role, fleet.is_some(), worker_memory, &circuits)?;
        let max_deadline = seconds("max-deadline", self.max_deadline.unwrap_or(7200))?;
        let bundle_window = offered::bundle_window(&self, role, &upstreams, fleet.is_some(), max_deadline)?;
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

pub(super) fn positive<T: Default + PartialEq>(name: &'static str, value: T) -> Result<T, ConfigError> {
    if value == T::default() { Err(ConfigError::Zero(name)) } else { Ok(value) }
}

pub(super) fn seconds(name: &'static str, value: u64) -> Result<Duration, ConfigError> {
    Ok(Duration::from_secs(positive(name, value)?))
}
