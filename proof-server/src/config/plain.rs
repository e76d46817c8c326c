//! Secrets and networks: what a server shows of itself to others, the token for its upstreams and the password for its fleet's
//! broker, leaves this machine within TLS, or where a setting says by name that it need not.

use std::net::{SocketAddr, ToSocketAddrs};

use sextant_fleet::nats;
use sextant_link::is_this_machine;

use super::{ConfigError, FleetConfig, UpstreamConfig};

/// Refuses a token that would be sent in the clear to an upstream elsewhere.
pub(super) fn check_upstreams(config: &UpstreamConfig) -> Result<(), ConfigError> {
    if config.token_file.is_none() || config.ca.is_some() || config.allow_plain {
        return Ok(());
    }
    match config.all().find(|name| !is_here(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(ConfigError::PlainSecret {
            setting: "upstream-token-file",
            secret: "the token",
            address: name.clone(),
            tls: "--upstream-ca FILE",
        }),
    }
}

/// Refuses user and password that would be sent in the clear to a broker elsewhere.
pub(crate) fn check_broker(config: &FleetConfig) -> Result<(), ConfigError> {
    let secret = config.credentials.is_some() || nats::holds_password(&config.servers);
    if !secret || config.allow_plain {
        return Ok(());
    }
    let elsewhere =
        nats::without_tls(&config.servers).into_iter().find(|(host, port)| !is_here((&host[..], *port)));
    match elsewhere {
        None => Ok(()),
        Some((host, port)) => Err(ConfigError::PlainSecret {
            setting: if config.credentials.is_some() { "fleet-credentials" } else { "fleet" },
            secret: "the password",
            address: format!("{host}:{port}"),
            tls: "tls:// in place of nats://",
        }),
    }
}

/// Whether a name stands for this machine alone. One that nobody knows now may stand for anything later.
fn is_here(name: impl ToSocketAddrs) -> bool {
    let addresses: Vec<SocketAddr> = name.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    is_this_machine(&addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: Result<(), ConfigError>) -> String {
        result.map_or_else(|error| error.to_string(), |()| "fine".into())
    }

    #[test]
    fn a_token_leaves_this_machine_only_within_tls_or_by_name() {
        let config = |names: &[&str]| UpstreamConfig {
            inclusion: names.iter().map(|name| (*name).to_owned()).collect(),
            token_file: Some("token".into()),
            ..UpstreamConfig::default()
        };
        for here in [&["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "127.0.0.2:1"][..], &[]] {
            assert_eq!(told(check_upstreams(&config(here))), "fine", "{here:?}");
        }
        let elsewhere = config(&["127.0.0.1:1", "192.0.2.7:7100"]);
        let said = "upstream-token-file: the token would cross the network to 192.0.2.7:7100 in the clear: speak TLS \
                    (--upstream-ca FILE), or say --allow-plain-secrets";
        assert_eq!(told(check_upstreams(&elsewhere)), said);
        let changes = UpstreamConfig { committee_change: elsewhere.inclusion.clone(), ..config(&[]) };
        assert_eq!(told(check_upstreams(&changes)), said);
        assert!(told(check_upstreams(&config(&["a..b:1"]))).contains("a..b:1"));
        for fine in [
            UpstreamConfig { ca: Some("ca".into()), ..elsewhere.clone() },
            UpstreamConfig { allow_plain: true, ..elsewhere.clone() },
            UpstreamConfig { token_file: None, ..elsewhere.clone() },
        ] {
            assert_eq!(told(check_upstreams(&fine)), "fine", "{fine:?}");
        }
    }

    #[test]
    fn a_brokers_password_leaves_this_machine_only_within_tls_or_by_name() {
        let config = |servers: &str| FleetConfig {
            servers: servers.into(),
            credentials: Some("credentials".into()),
            authorities: None,
            replicas: 1,
            allow_plain: false,
        };
        for fine in ["nats://127.0.0.1:4222, nats://[::1]:4222", "tls://192.0.2.7:4222,tls://192.0.2.8"] {
            assert_eq!(told(check_broker(&config(fine))), "fine", "{fine}");
        }
        for plain in [
            "nats://192.0.2.7:4222",
            "192.0.2.7",
            "tls://192.0.2.8:4222, nats://192.0.2.7:4222",
            "nats://127.0.0.1,ws://192.0.2.7:4222",
        ] {
            assert_eq!(
                told(check_broker(&config(plain))),
                "fleet-credentials: the password would cross the network to 192.0.2.7:4222 in the clear: speak TLS \
                 (tls:// in place of nats://), or say --allow-plain-secrets",
                "{plain}"
            );
        }
        let elsewhere = config("nats://192.0.2.7:4222");
        let allowed = FleetConfig { allow_plain: true, ..elsewhere.clone() };
        let nothing = FleetConfig { credentials: None, ..elsewhere };
        assert_eq!(
            (told(check_broker(&allowed)), told(check_broker(&nothing))),
            ("fine".into(), "fine".into())
        );
        let named = FleetConfig { servers: "nats://fleet:secret@192.0.2.7".into(), ..nothing };
        let said = told(check_broker(&named));
        assert!(said.starts_with("fleet: the password") && !said.contains("secret@"), "{said}");
    }
}
