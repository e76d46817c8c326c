//! What is changed: the list that `cargo mutants --list --json` prints.

use std::ops::Range;

use serde::Deserialize;

/// A change in one place.
#[derive(Deserialize)]
pub struct Mutant {
    /// `FILE:LINE:COLUMN: what is changed`; no two have the same.
    pub name: String,
    pub file: String,
    span: Span,
    /// What stands where `span` is.
    pub replacement: String,
    pub genre: Genre,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

#[derive(Deserialize)]
struct Span {
    start: Position,
    end: Position,
}

/// Both from 1; columns are characters.
#[derive(Deserialize)]
struct Position {
    line: usize,
    column: usize,
}

impl Mutant {
    /// The bytes of its file that are replaced.
    pub fn replaced(&self, text: &str) -> Range<usize> {
        self.span.start.offset(text)..self.span.end.offset(text)
    }

    /// The text of its file with this change alone.
    pub fn applied(&self, text: &str) -> String {
        let Range { start, end } = self.replaced(text);
        [&text[..start], &self.replacement, &text[end..]].concat()
    }
}

impl Position {
    fn offset(&self, text: &str) -> usize {
        let start: usize = text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let line = &text[start..];
        start + line.char_indices().nth(self.column - 1).map_or(line.len(), |(offset, _)| offset)
    }
}
