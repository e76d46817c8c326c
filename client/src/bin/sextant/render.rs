//! Decoded public values for people (a table) and for programs (JSON).

mod statement;

use std::{
    fmt::{self, Display},
    time::Duration,
};

use indicatif::HumanCount;

pub use sextant_verifier::rules::{json::statement as statement_json, words::hex};
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 7, 999, 1000, 1_234_567].map(grouped), ["0", "7", "999", "1,000", "1,234,567"]);
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
