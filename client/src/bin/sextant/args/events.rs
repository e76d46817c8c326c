//! `--transaction`, `--log`, `--logs` and `--all-receipts`: what happened in a block.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, error::ErrorKind};
use sextant_client::sources::prepare::{LogName, Questions};
use sextant_consensus::{events::LogFilter, hash::Root};

use super::{root, watched::address};

/// `--logs`: an address, and the topics that logs begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilters(pub Vec<LogFilter>);

/// Transactions and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedEvents {
    /// By their hashes.
    pub transactions: Vec<Root>,
    /// By transaction or place.
    pub logs: Vec<LogName>,
    /// By address and topics.
    pub filters: LogFilters,
    /// Whether absence may be proven by all receipts.
    pub all_receipts: bool,
}

impl AskedEvents {
    /// Adds these to what else is asked.
    pub fn ask(&self, questions: Questions) -> Questions {
        Questions {
            transactions: self.transactions.clone(),
            logs: self.logs.clone(),
            filters: self.filters.0.clone(),
            all_receipts: self.all_receipts,
            ..questions
        }
    }
}

impl Args for LogFilters {
    fn augment_args(command: Command) -> Command {
        let logs = Arg::new("logs").long("logs").action(ArgAction::Append);
        command.arg(logs.value_names(["ADDRESS", "TOPIC"]).num_args(1..=5).help(
            "Every log of this address that begins with these topics; repeatable. Where one block is looked into and has none: \
             that it has none",
        ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LogFilters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let filters = matches.get_occurrences::<String>("logs").into_iter().flatten();
        let filters = filters.map(|words| filter(words).map_err(|reason| invalid("--logs", &reason)));
        let filters: Vec<_> = filters.collect::<Result<_, _>>()?;
        let mut sorted = filters.clone();
        sorted.sort();
        match sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(invalid("--logs", "the same logs are asked for twice")),
            false => Ok(Self(filters)),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for AskedEvents {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append);
        LogFilters::augment_args(command)
            .arg(arg("transaction").value_name("HASH").value_parser(root).help(
                "A transaction: its hash, its place in the block, and whether it succeeded; repeatable",
            ))
            .arg(arg("log").value_name("TX[:POSITION]").value_parser(log_name).help(
                "A log of a transaction, by its position in the receipt, from 0; without one all of them. Or a number: its \
                 place among all logs of the block (logIndex); repeatable",
            ))
            .arg(
                Arg::new("all-receipts")
                    .long("all-receipts")
                    .action(ArgAction::SetTrue)
                    .requires("logs")
                    .help("Prove by all receipts of the block that a log is not there, where its bloom filter cannot"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AskedEvents {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self {
            transactions: matches.get_many("transaction").into_iter().flatten().copied().collect(),
            logs: matches.get_many("log").into_iter().flatten().copied().collect(),
            filters: LogFilters::from_arg_matches(matches)?,
            all_receipts: matches.get_flag("all-receipts"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn invalid(argument: &str, reason: &str) -> Error {
    Error::raw(ErrorKind::ValueValidation, format!("{argument}: {reason}\n"))
}

fn filter<'a>(mut words: impl Iterator<Item = &'a String>) -> Result<LogFilter, String> {
    let address = address(words.next().map_or("", |word| word))?;
    let topics = words.map(|topic| root(topic).map_err(|error| format!("topic: {error}")));
    Ok(LogFilter { address, topics: topics.collect::<Result<_, _>>()? })
}

/// `TX`, `TX:POSITION` or a number.
fn log_name(text: &str) -> Result<LogName, String> {
    let number =
        |text: &str| text.parse::<u32>().map_err(|error| format!("{text:?} is no number of a log: {error}"));
    if let Some((transaction, position)) = text.split_once(':') {
        return Ok(LogName::Of { transaction: root(transaction)?, position: Some(number(position)?) });
    }
    match root(text) {
        Ok(transaction) => Ok(LogName::Of { transaction, position: None }),
        // What looks like a hash was meant as one.
        Err(error) if text.len() > 10 => Err(error),
        Err(_) => number(text).map(LogName::InBlock),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[arg(long)]
        beacon: Option<String>,
        #[command(flatten)]
        events: AskedEvents,
    }

    fn parse(arguments: &str) -> Result<AskedEvents, String> {
        let words = ["x", "--beacon", "b"].into_iter().chain(arguments.split_whitespace());
        Line::try_parse_from(words).map(|line| line.events).map_err(|error| error.to_string())
    }

    #[test]
    fn logs_are_named_in_three_ways() {
        let hash = "7a".repeat(32);
        let events = parse(&format!("--log 0x{hash}:3 --log {hash} --log 17 --transaction {hash}")).unwrap();
        let of = |position| LogName::Of { transaction: [0x7a; 32], position };
        assert_eq!(events.logs, [of(Some(3)), of(None), LogName::InBlock(17)]);
        assert_eq!(events.transactions, [[0x7a; 32]]);
        for (bad, reason) in [
            (format!("{hash}:x"), "no number of a log"),
            (format!("{hash}:-1"), "no number of a log"),
            ("0x7a:1".into(), "not a root of 32 bytes"),
            ("12345678901".into(), "not a root of 32 bytes"),
            ("4294967296".into(), "no number of a log"),
        ] {
            assert!(parse(&format!("--log={bad}")).unwrap_err().contains(reason), "{bad}");
        }
    }

    #[test]
    fn filters_have_an_address_and_up_to_four_topics() {
        let (address, topic) = ("22".repeat(20), "33".repeat(32));
        let events =
            parse(&format!("--logs 0x{address} 0x{topic} {topic} --logs {address} --all-receipts")).unwrap();
        let filter = |topics: &[Root]| LogFilter { address: [0x22; 20], topics: topics.to_vec() };
        assert_eq!(events.filters.0, [filter(&[[0x33; 32], [0x33; 32]]), filter(&[])]);
        assert!(events.all_receipts);
        for (bad, reason) in [
            (format!("--logs {topic}"), "20 bytes"),
            (format!("--logs {address} 0x12"), "topic: not a root"),
            (format!("--logs {address} {}", [&*topic; 5].join(" ")), "unexpected argument"),
            (format!("--logs {address} --logs 0x{address}"), "twice"),
            ("--all-receipts".into(), "--logs"),
        ] {
            assert!(parse(&bad).unwrap_err().contains(reason), "{bad}: {:?}", parse(&bad));
        }
    }
}
