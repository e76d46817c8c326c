//! Decoded public values for people (a table) and for programs (JSON).

mod json;
mod statement;

use std::{
    fmt::{self, Display},
    time::Duration,
};

use indicatif::HumanCount;
use ruint::aliases::U256;
use sextant_client::sources::forks;
use sextant_consensus::{chain::ChainConfig, hash::Root, networks, public_values::Inclusion};

pub use json::statement as statement_json;
pub use statement::rows as statement;

/// Rows of a label and a value, aligned, in sections.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<(String, Option<String>)>,
}

impl Table {
    /// Adds a row.
    pub fn row(&mut self, label: &str, value: impl Display) {
        self.rows.push((label.into(), Some(value.to_string())));
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.rows.push((title.into(), None));
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.rows.iter().filter(|(_, value)| value.is_some());
        let width = values.map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, value) in &self.rows {
            match value {
                Some(value) => writeln!(f, "  {label:width$}  {value}")?,
                None => writeln!(f, "\n{label}")?,
            }
        }
        Ok(())
    }
}

/// Bytes as `0x` and hex digits.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A time that somebody waits, rounded up to what can be planned with.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// The name of a chain with this digest, if it is a known one, whichever of its forks have a date in it.
fn network_of(digest: &Root) -> Option<&'static str> {
    let has = |config: &ChainConfig| forks::agreeing(config, 0).iter().any(|chain| chain.digest() == *digest);
    networks::NETWORKS.iter().find(|(_, config)| has(config)).map(|(name, _)| *name)
}

/// Whether what an inclusion says is about the finalized block itself, and not about one before it.
fn is_about_the_finalized(values: &Inclusion) -> bool {
    values.facts.hash == values.head.block_hash
}

/// A word that public values leave zero where nothing proves it.
fn proven(word: &Root) -> Option<String> {
    (*word != [0; 32]).then(|| hex(word))
}

/// A big-endian 256-bit number in decimal.
fn decimal(number: &[u8; 32]) -> String {
    U256::from_be_bytes(*number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 7, 999, 1000, 1_234_567].map(grouped), ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!(decimal(&[0; 32]), "0");
        let mut ether = [0; 32];
        ether[16..].copy_from_slice(&1_000_000_000_000_000_000u128.to_be_bytes());
        assert_eq!(decimal(&ether), "1000000000000000000");
        assert_eq!(
            decimal(&[0xff; 32]),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        );
    }

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::default();
        table.row("a", 1);
        table.section("part");
        table.row("long", "x");
        assert_eq!(table.to_string(), "  a     1\n\npart\n  long  x\n");
    }
}
