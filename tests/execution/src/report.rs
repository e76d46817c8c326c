//! What a run has shown, in words.

use std::collections::BTreeMap;
use std::fmt;

use crate::chain::Outcome;

/// The outcome of many cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases run.
    pub cases: usize,
    /// Valid blocks that were accepted.
    pub accepted: usize,
    /// Invalid blocks that were refused.
    pub refused: usize,
    /// What refused them, and for what they should be refused: how many.
    pub reasons: BTreeMap<(String, String), usize>,
    /// Case and what is wrong.
    pub wrong: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, name: &str, outcome: Outcome) {
        self.cases += 1;
        self.accepted += outcome.accepted;
        self.refused += outcome.refused.len();
        for (expected, got) in outcome.refused {
            *self.reasons.entry((kind(&got), expected)).or_default() += 1;
        }
        self.wrong.extend(outcome.wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
    }

    /// Whether at least so many cases have run, none of them wrong.
    pub fn is_clean(&self, cases: usize) -> bool {
        self.cases >= cases && self.wrong.is_empty()
    }
}

/// An error's text without its numbers.
pub fn kind(text: &str) -> String {
    let mut kind = String::new();
    for word in text.split_inclusive([' ', ',', ':', '(', ')', '}']) {
        let bare = word.trim_end_matches([' ', ',', ':', '(', ')', '}']);
        if bare.starts_with(|first: char| first.is_ascii_digit()) {
            kind.push('#');
            kind.push_str(&word[bare.len()..]);
        } else {
            kind.push_str(word);
        }
    }
    kind
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Invalid blocks, by what refused them (and for what they should be refused):")?;
        for ((got, expected), count) in &self.reasons {
            writeln!(f, "{count:>6}  {got}  ({expected})")?;
        }
        for wrong in &self.wrong {
            writeln!(f, "WRONG {wrong}")?;
        }
        write!(
            f,
            "{} cases, {} valid blocks accepted, {} invalid blocks refused, {} wrong",
            self.cases,
            self.accepted,
            self.refused,
            self.wrong.len()
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn kinds_are_without_numbers() {
        let text = "header: gas limit 12 on a parent with 0x1f, (5): 7";
        assert_eq!(super::kind(text), "header: gas limit # on a parent with #, (#): #");
    }
}
