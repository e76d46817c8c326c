//! The settings in effect, each with where it comes from.

use std::{fmt::Write, path::Path};

use clap::{ArgMatches, Args, parser::ValueSource};
use toml::{Table, Value};

use super::Settings;

/// Every setting as a line of TOML that ends in its source; what is left to its default is commented out. There is
/// nothing to hide: secrets are in files that settings name.
///
/// `given` is what flags and variables say, in `matches`; `file` what the file says.
#[must_use]
pub fn listing(matches: &ArgMatches, given: &Settings, file: Option<(&Path, &Settings)>) -> String {
    let given = values(given);
    let in_file = file.map(|(path, settings)| (path.display().to_string(), values(settings)));
    let command = Settings::augment_args(clap::Command::new("serve"));
    let mut text = String::new();
    for argument in command.get_arguments() {
        let name = argument.get_id().as_str();
        let variable = argument.get_env().unwrap_or_default().to_string_lossy();
        let said = |value: &Value, source: &str| (format!("{name} = {value}"), source.to_owned());
        let said = match (matches.value_source(name), given.get(name), &in_file) {
            (Some(ValueSource::EnvVariable), Some(value), _) => said(value, &variable),
            (_, Some(value), _) => said(value, &format!("--{}", argument.get_long().unwrap_or_default())),
            (_, None, Some((path, values))) if values.contains_key(name) => said(&values[name], path),
            _ => {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let default = help.split_once("[default: ").map_or("", |(_, default)| default);
                (format!("# {name} = {}", default.trim_end_matches(']')), "default".into())
            }
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:48}  # {}", said.0, said.1);
    }
    text
}

fn values(settings: &Settings) -> Table {
    Table::try_from(settings).expect("settings are numbers, texts and lists of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_says_where_it_comes_from_and_all_can_be_read_again() {
        let command = Settings::augment_args(clap::Command::new("serve"));
        let matches = command.get_matches_from(["serve", "--role", "verifier", "--max-requests", "7"]);
        let given = <Settings as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
        let file: Settings = toml::from_str("max_requests = 5\nlisten = \"127.0.0.1:1\"").unwrap();
        let text = listing(&matches, &given, Some((Path::new("s.toml"), &file)));
        let line = |name: &str| {
            let line = text.lines().find(|line| line.trim_start_matches("# ").starts_with(name)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("role "), "role = \"verifier\" # --role");
        assert_eq!(line("max_requests "), "max_requests = 7 # --max-requests");
        assert_eq!(line("listen "), "listen = \"127.0.0.1:1\" # s.toml");
        assert_eq!(line("queue_capacity "), "# queue_capacity = 16 # default");
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), given.or(file));
    }
}
