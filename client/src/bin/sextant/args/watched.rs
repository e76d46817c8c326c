//! `--address`, `--slot` and `--mapping-slot`: slots belong to the address before them, so their order counts, which
//! clap's derived arguments do not keep.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, error::ErrorKind};
use sextant_client::sources::{Watched, mapping_slot};

/// Accounts, each with its slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedAccounts(pub Vec<Watched>);

impl Args for WatchedAccounts {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str| Arg::new(name).long(name).action(ArgAction::Append);
        command
            .arg(arg("address").value_name("ADDRESS").value_parser(address).help(
                "An account to look up; repeatable",
            ))
            .arg(arg("slot").value_name("SLOT").value_parser(word).requires("address").help(
                "A storage slot of the address before it, in hex or decimal; repeatable",
            ))
            .arg(
                arg("mapping-slot")
                    .value_names(["BASE", "KEY"])
                    .num_args(2)
                    .value_parser(word)
                    .requires("address")
                    .help("The slot of a mapping's value: the mapping's own slot, and a key (address, number or 32 bytes)"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// One argument as it stands on the command line.
enum Token {
    Address([u8; 20]),
    Slot([u8; 32]),
}

impl FromArgMatches for WatchedAccounts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut tokens: Vec<(usize, Token)> = Vec::new();
        let indices = |name| matches.indices_of(name).into_iter().flatten();
        let addresses = matches.get_many::<[u8; 20]>("address").into_iter().flatten();
        tokens.extend(indices("address").zip(addresses.map(|address| Token::Address(*address))));
        let slots = matches.get_many::<[u8; 32]>("slot").into_iter().flatten();
        tokens.extend(indices("slot").zip(slots.map(|slot| Token::Slot(*slot))));
        let pairs = matches.get_occurrences::<[u8; 32]>("mapping-slot").into_iter().flatten();
        let pairs = pairs.map(|pair| pair.copied().collect::<Vec<_>>());
        // Two values an occurrence: the position of the first tells.
        tokens.extend(indices("mapping-slot").step_by(2).zip(pairs.filter_map(|pair| match pair[..] {
            [base, key] => Some(Token::Slot(mapping_slot(&base, &key))),
            _ => None,
        })));
        tokens.sort_by_key(|(index, _)| *index);

        let mut accounts: Vec<Watched> = Vec::new();
        let mut current = None;
        for (_, token) in tokens {
            match token {
                Token::Address(address) => {
                    let known = accounts.iter().position(|account| account.address == address);
                    current = Some(known.unwrap_or_else(|| {
                        accounts.push(Watched { address, slots: Vec::new() });
                        accounts.len() - 1
                    }));
                }
                Token::Slot(slot) => {
                    let Some(account) = current.and_then(|index: usize| accounts.get_mut(index)) else {
                        let reason = "a slot belongs to the --address before it; none stands there\n";
                        return Err(Error::raw(ErrorKind::MissingRequiredArgument, reason));
                    };
                    if account.slots.contains(&slot) {
                        let reason = format!("slot 0x{} is asked for twice\n", hex::encode(slot));
                        return Err(Error::raw(ErrorKind::ValueValidation, reason));
                    }
                    account.slots.push(slot);
                }
            }
        }
        Ok(Self(accounts))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(super) fn address(text: &str) -> Result<[u8; 20], String> {
    let mut address = [0; 20];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut address)
        .map_err(|error| format!("not an address of 20 bytes in hex: {error}"))?;
    Ok(address)
}

/// A word of 32 bytes: hex of at most as many, or a decimal number, right-aligned.
fn word(text: &str) -> Result<[u8; 32], String> {
    let digits = match text.strip_prefix("0x") {
        Some(digits) => digits.to_owned(),
        None => format!(
            "{:x}",
            text.parse::<u128>().map_err(|error| format!("neither hex with 0x nor a number: {error}"))?
        ),
    };
    let mut word = [0; 32];
    match digits.len() {
        1..=64 => hex::decode_to_slice(format!("{digits:0>64}"), &mut word)
            .map(|()| word)
            .map_err(|error| format!("not hex: {error}")),
        length => Err(format!("1 to 64 hex digits make a word, found {length}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        watched: WatchedAccounts,
    }

    fn parse(arguments: &str) -> Result<Vec<Watched>, String> {
        let line = Line::try_parse_from(std::iter::once("x").chain(arguments.split_whitespace()));
        line.map(|line| line.watched.0).map_err(|error| error.to_string())
    }

    fn number(number: u8) -> [u8; 32] {
        let mut word = [0; 32];
        word[31] = number;
        word
    }

    #[test]
    fn slots_belong_to_the_address_before_them() {
        let [a, b] = [[0x11; 20], [0x22; 20]];
        let [one, two] = [a, b].map(hex::encode);
        let accounts = parse(&format!(
            "--address 0x{one} --slot 0x1 --mapping-slot 3 0x{two} --slot 2 --address {two} --mapping-slot 0x4 5"
        ));
        let mut key = [0; 32];
        key[12..].copy_from_slice(&b);
        let expected = [
            Watched { address: a, slots: vec![number(1), mapping_slot(&number(3), &key), number(2)] },
            Watched { address: b, slots: vec![mapping_slot(&number(4), &number(5))] },
        ];
        assert_eq!(accounts.unwrap(), expected);
        let again = parse(&format!("--address {one} --slot 1 --address {two} --address {one} --slot 2"));
        assert_eq!(again.unwrap()[0], Watched { address: a, slots: vec![number(1), number(2)] });
    }

    #[test]
    fn mistakes_are_named() {
        let address = "11".repeat(20);
        assert!(parse("--slot 1").unwrap_err().contains("--address"));
        assert!(parse(&format!("--slot 1 --address {address}")).unwrap_err().contains("before it"));
        assert!(parse(&format!("--address {address} --slot 1 --slot 0x01")).unwrap_err().contains("twice"));
        assert!(parse(&format!("--address {address} --mapping-slot 1")).unwrap_err().contains("2 values"));
        assert!(parse(&format!("--address {address} --slot 0x")).unwrap_err().contains("found 0"));
        assert!(parse(&format!("--address {address} --slot 1f")).unwrap_err().contains("neither hex"));
        assert!(parse("--address 0x1234").unwrap_err().contains("20 bytes"));
    }
}
