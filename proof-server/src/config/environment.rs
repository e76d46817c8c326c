//! Environment variables that look like settings and are none: a misspelt one would otherwise do nothing, silently.

use clap::Args;

use super::Settings;

const PREFIX: &str = "SEXTANT_";
/// Of the command, the client and the build: they may stand in the same environment.
const OTHERS: [&str; 9] = [
    "SEXTANT_CONFIG",
    "SEXTANT_SERVER",
    "SEXTANT_CONTRACT",
    "SEXTANT_KEY",
    "SEXTANT_KEYSTORE_PASSWORD",
    "SEXTANT_CACHE",
    "SEXTANT_FEATURES",
    "SEXTANT_COMMIT",
    "SEXTANT_LOG",
];
const OTHER_PREFIXES: [&str; 2] = ["SEXTANT_CLIENT_", "SEXTANT_GUEST_"];

/// Variables of this process that begin like a setting's and are no setting's. Their values may be secrets, so only
/// names are told.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))
}

fn unknown(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let command = Settings::augment_args(clap::Command::new("serve"));
    let settings: Vec<_> = command.get_arguments().filter_map(|argument| argument.get_env()).collect();
    let mut unknown: Vec<_> = names
        .into_iter()
        .filter(|name| name.starts_with(PREFIX))
        .filter(|name| !settings.iter().any(|setting| *setting == name.as_str()))
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .filter(|name| !OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        // Kubernetes describes each service in variables of that form, under the service's name.
        .filter(|name| !name.contains("_SERVICE_") && !name.contains("_PORT_") && !name.ends_with("_PORT"))
        .collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_setting_is_found_by_name() {
        let names = [
            "SEXTANT_QUEUE_SIZE",
            "SEXTANT_QUEUE_CAPACITY",
            "SEXTANT_CONFIG",
            "SEXTANT_CLIENT_TOKEN",
            "SEXTANT_PROVER_SERVICE_HOST",
            "SEXTANT_PROVER_PORT_7100_TCP",
            "PATH",
            "SEXTANT_",
        ];
        assert_eq!(unknown(names.map(String::from)), ["SEXTANT_", "SEXTANT_QUEUE_SIZE"]);
    }
}
