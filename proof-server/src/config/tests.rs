//! Settings: documented, layered, and refused where they cannot work.

use std::path::Path;

use clap::{Args, FromArgMatches};

use super::*;

fn command() -> clap::Command {
    Settings::augment_args(clap::Command::new("serve"))
}

fn from_flags(flags: &[&str]) -> Settings {
    let matches = command().get_matches_from([&["serve"], flags].concat());
    Settings::from_arg_matches(&matches).unwrap()
}

#[test]
fn every_setting_is_documented_with_its_default() {
    for argument in command().get_arguments() {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.contains("[default: "), "{}: {help:?}", argument.get_id());
        assert!(argument.get_env().is_some(), "{} has no environment variable", argument.get_id());
    }
}

/// The page for operators has a row for every setting, with the default that the help names.
#[test]
fn every_setting_is_in_the_operators_page() {
    let page = include_str!("../../../docs/operations.md");
    for argument in command().get_arguments() {
        let flag = argument.get_long().expect("settings are long flags");
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let default = help.split("[default: ").nth(1).unwrap().trim_end_matches(']');
        let row = page.lines().find(|line| line.starts_with(&format!("| `{flag}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/operations.md has no row for `{flag}`"));
        assert!(row.contains(&format!("| {default} |")), "{row} does not say the default {default:?}");
    }
}

#[test]
fn documented_numbers_are_the_defaults() {
    let config = Settings { role: Some(Role::Verifier), ..Settings::default() }.resolve().unwrap();
    let command = command();
    let documented = |name: &str| {
        let help =
            command.get_arguments().find(|a| a.get_id() == name).unwrap().get_help().unwrap().to_string();
        help.split("[default: ").nth(1).unwrap().trim_end_matches(']').to_owned()
    };
    for (name, value) in [
        ("listen", config.listen.to_string()),
        ("max_connections", config.max_connections.to_string()),
        ("max_connections_per_address", config.max_connections_per_address.to_string()),
        ("max_requests", config.max_requests.to_string()),
        ("client_requests", config.budget.requests.to_string()),
        ("client_proofs_per_hour", config.budget.proofs_per_hour.to_string()),
        ("queue_capacity", config.queue_capacity.to_string()),
        ("verify_queue_capacity", config.verify_queue_capacity.to_string()),
        ("max_input_kib", (config.max_input / 1024).to_string()),
        ("buffer_mib", (config.buffers >> 20).to_string()),
        ("max_deadline", config.max_deadline.as_secs().to_string()),
        ("reconnect_grace", config.reconnect_grace.as_secs().to_string()),
        ("handshake_timeout", config.handshake_timeout.as_secs().to_string()),
        ("frame_timeout", config.frame_timeout.as_secs().to_string()),
        ("idle_timeout", config.idle_timeout.as_secs().to_string()),
        ("write_timeout", config.write_timeout.as_secs().to_string()),
        ("cache_mib", (config.cache.memory >> 20).to_string()),
        ("cache_disk_mib", (config.cache.disk >> 20).to_string()),
        ("stages_mib", (config.cache.stages >> 20).to_string()),
        ("worker_time_limit", config.worker_time_limit.as_secs().to_string()),
        ("worker_silence", config.worker_silence.as_secs().to_string()),
        ("verify_worker_idle", config.verify_worker_idle.unwrap().as_secs().to_string()),
        ("warm", config.warm.to_string()),
        ("max_hops", config.max_hops.to_string()),
        ("drain_delay", config.drain_delay.as_secs().to_string()),
        ("drain_timeout", config.drain_timeout.as_secs().to_string()),
    ] {
        assert_eq!(documented(name), value, "{name}");
    }
    assert_eq!((config.queue_share, config.busy_at), (8, 16), "half of the queue, and all of it");
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let flags = from_flags(&["--queue-capacity", "3", "--warm=false", "--role", "verifier"]);
    let file: Settings = toml::from_str("queue_capacity = 5\nmax_requests = 7\nrole = \"all\"").unwrap();
    let config = flags.or(file).resolve().unwrap();
    assert_eq!((config.queue_capacity, config.max_requests, config.max_connections), (3, 7, 256));
    assert!(!config.warm);
    let flags = from_flags(&["--role", "entrypoint", "--inclusion-upstreams", "a:1,b:2"]);
    assert_eq!(flags.resolve().unwrap().upstreams.inclusion, ["a:1", "b:2"]);
}

#[test]
fn what_cannot_work_is_refused() {
    assert!(toml::from_str::<Settings>("que_capacity = 5").is_err());
    assert!(toml::from_str::<Settings>("role = \"sequencer\"").is_err());
    assert!(matches!(Settings::from_file(Path::new("/nonexistent")), Err(ConfigError::File(_))));
    let refused = |flags: &[&str]| from_flags(&[&["--role", "verifier"], flags].concat()).resolve();
    assert!(matches!(refused(&["--queue-capacity", "0"]), Err(ConfigError::Zero("queue-capacity"))));
    assert!(matches!(refused(&["--tls-cert", "c"]), Err(ConfigError::Needs("tls-cert", _))));
    assert!(matches!(refused(&["--tls-client-ca", "c"]), Err(ConfigError::Needs("tls-client-ca", _))));
    assert!(matches!(refused(&["--inclusion-upstreams", "a:1"]), Err(ConfigError::Needs("upstreams", _))));
    for nonsense in ["nonsense", "a:1,b", ":1", "a:", "a:0", "a:99999", "a:x"] {
        let error = refused(&["--inclusion-upstreams", nonsense]).unwrap_err().to_string();
        assert!(error.starts_with("inclusion-upstreams: ") && error.ends_with("is not HOST:PORT"), "{error}");
    }
    let pages = refused(&["--http-origins", "https://wallet.example"]);
    assert!(matches!(pages, Err(ConfigError::Needs("http-origins", _))));
    let files = refused(&["--http-files", "/srv/page"]);
    assert!(matches!(files, Err(ConfigError::Needs("http-files", _))));
    let error = refused(&["--http-listen", "127.0.0.1:1", "--http-origins", "*"]).unwrap_err().to_string();
    assert!(error.starts_with("http-origins: ") && error.contains("SCHEME://HOST"), "{error}");
    let lonely = from_flags(&["--role", "entrypoint"]).resolve();
    assert!(matches!(lonely, Err(ConfigError::Needs("role entrypoint", _))));
}

/// Strangers are served on loopback only, unless a flag says otherwise by name; TLS alone names nobody.
#[test]
fn other_addresses_need_to_know_who_asks() {
    let config = |flags: &[&str]| from_flags(&[&["--role", "verifier"], flags].concat()).resolve();
    let remote = ["--listen", "0.0.0.0:1"];
    let tls = ["--tls-cert", "c", "--tls-key", "k"];
    assert!(matches!(config(&remote), Err(ConfigError::Remote(_))));
    let http = config(&["--http-listen", "0.0.0.0:2"]);
    assert!(matches!(http, Err(ConfigError::Remote(address)) if address.port() == 2));
    assert!(matches!(config(&[&remote[..], &tls].concat()), Err(ConfigError::Remote(_))));
    for known in [&["--token-file", "t"][..], &[&tls[..], &["--tls-client-ca", "c"]].concat()] {
        let config = config(&[&remote, known].concat()).unwrap();
        assert!(!config.anonymous, "whoever is not known is refused: {known:?}");
    }
    assert!(config(&[&remote[..], &["--allow-anonymous"]].concat()).unwrap().anonymous);
    assert!(config(&[]).unwrap().anonymous, "loopback");
    assert!(!config(&["--token-file", "t"]).unwrap().anonymous, "tokens count on loopback too");
}

/// A chain of somebody's own has as many true statements as they like: only who says so proves about any.
#[test]
fn networks_are_those_with_names_unless_told() {
    let networks = |flags: &[&str]| from_flags(flags).resolve().unwrap().networks;
    assert_eq!(networks(&[]), Networks::default());
    assert!(networks(&[]).names().contains(&"mainnet".to_owned()));
    assert_eq!(networks(&["--networks", "any"]), Networks::Any);
}

/// What is not named is offered where the workers have the memory for it.
#[test]
fn memory_decides_what_a_prover_offers() {
    for mib in [12_000, 15_000, 20_000] {
        let flags = ["--role", "committee-change", "--worker-memory-mib", &mib.to_string()];
        assert_eq!(from_flags(&flags).resolve().unwrap().kinds, Kinds::that_fit(mib << 20));
    }
    let little = from_flags(&["--role", "committee-change", "--worker-memory-mib", "1000"]).resolve();
    assert!(matches!(little, Err(ConfigError::Memory(1000))));
}
