//! Who else makes proofs for this server: servers that it forwards to, or a fleet.

use std::path::PathBuf;

use super::{ConfigError, Role, Settings, plain, resolve::positive};

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
    /// Takes what the settings say of upstreams.
    pub(super) fn of(settings: &mut Settings) -> Result<Self, ConfigError> {
        let upstreams = Self {
            committee_change: addresses(
                "committee-change-upstreams",
                settings.committee_change_upstreams.take(),
            )?,
            inclusion: addresses("inclusion-upstreams", settings.inclusion_upstreams.take())?,
            bundle: addresses("bundle-upstreams", settings.bundle_upstreams.take())?,
            ca: settings.upstream_ca.take(),
            token_file: settings.upstream_token_file.take(),
            allow_plain: settings.allow_plain_secrets.unwrap_or(false),
        };
        plain::check_upstreams(&upstreams)?;
        Ok(upstreams)
    }

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
    /// Takes what the settings say of a fleet.
    pub(super) fn of(settings: &mut Settings) -> Result<Option<Self>, ConfigError> {
        let replicas = positive("fleet-replicas", settings.fleet_replicas.unwrap_or(1))?;
        let Some(servers) = settings.fleet.take() else { return Ok(None) };
        let fleet = Self {
            servers,
            replicas,
            credentials: settings.fleet_credentials.take(),
            authorities: settings.fleet_ca.take(),
            allow_plain: settings.allow_plain_secrets.unwrap_or(false),
        };
        plain::check_broker(&fleet)?;
        Ok(Some(fleet))
    }

    /// Whether it is at a broker, and not in a folder.
    pub(crate) fn is_broker(&self) -> bool {
        self.servers.contains("://")
    }
}

/// Refuses a role that nobody works with, or others that the role has no work for.
pub(super) fn check_role(
    role: Role,
    upstreams: &UpstreamConfig,
    fleet: Option<&FleetConfig>,
) -> Result<(), ConfigError> {
    let needs = |setting, what| Err(ConfigError::Needs(setting, what));
    match (role, upstreams.all().next().is_some(), fleet.is_some()) {
        (Role::Entrypoint, false, false) => needs("role entrypoint", "upstreams or fleet"),
        (Role::Entrypoint, true, true) => Err(ConfigError::Both("upstreams", "fleet")),
        (Role::Entrypoint, ..) | (Role::Prover, false, true) => Ok(()),
        (_, true, _) => needs("upstreams", "role entrypoint"),
        (Role::Prover, ..) => needs("role prover", "fleet"),
        (_, _, true) => needs("fleet", "role entrypoint or prover"),
        _ => Ok(()),
    }
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
