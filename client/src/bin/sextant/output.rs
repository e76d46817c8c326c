//! Text to the terminal: what strangers wrote is made harmless first.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicU8, Ordering},
};

use serde_json::Value;

use crate::commands::Outcome;

/// How much is told on standard error besides results: one process has one terminal.
static TOLD: AtomicU8 = AtomicU8::new(NOTES);
const NOTHING: u8 = 0;
const NOTES: u8 = 1;
const DETAILS: u8 = 2;

/// Chooses how much is told: `-q`, `-v`, or neither.
pub fn choose(quiet: bool, verbose: bool) {
    TOLD.store(if quiet { NOTHING } else { NOTES + u8::from(verbose) }, Ordering::Relaxed);
}

/// Whether only results and errors are wanted.
pub fn is_quiet() -> bool {
    TOLD.load(Ordering::Relaxed) == NOTHING
}

/// Something that people should know, unless they said `-q`.
pub fn note(text: &str) {
    if !is_quiet() {
        eprintln!("note: {}", one_line(text));
    }
}

/// Something for those who said `-v`.
pub fn detail(text: &str) {
    if TOLD.load(Ordering::Relaxed) >= DETAILS {
        eprintln!("{}", one_line(text));
    }
}

/// Longest error line, in characters.
const MAX_LINE: usize = 2048;

/// One printable line: control characters escaped, overlong text cut.
pub fn one_line(text: &str) -> String {
    let mut line = printable(text.trim_end(), false);
    if let Some((end, _)) = line.char_indices().nth(MAX_LINE) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Writes text to standard output. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Outcome {
    write(&printable(text, true))
}

/// Writes indented JSON and a line end to standard output.
pub fn print_json(value: &Value) -> Outcome {
    write(&(json_text(&format!("{value:#}")) + "\n"))
}

/// Writes JSON in one line to standard output.
pub fn print_json_line(value: &Value) -> Outcome {
    write(&(json_line(value) + "\n"))
}

/// JSON in one line.
pub fn json_line(value: &Value) -> String {
    json_text(&value.to_string())
}

/// Writes to standard error what belongs to a result whose bytes go to standard output.
pub fn print_aside(text: &str) {
    eprint!("{}", printable(text, true));
}

/// Writes bytes to standard output, all or none of them counting.
pub fn print_bytes(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())?;
    Ok(())
}

fn json_text(json: &str) -> String {
    // Only inside strings can anything be left to escape: in JSON's own way then.
    escape(json, true, |character| format!("\\u{:04x}", u32::from(character)))
}

fn write(text: &str) -> Outcome {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn printable(text: &str, keep_lines: bool) -> String {
    escape(text, keep_lines, |character| character.escape_default().to_string())
}

/// Replaces control characters, and the marks that reorder or hide the text around them.
fn escape(text: &str, keep_lines: bool, replacement: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let hides = matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        );
        if (character.is_control() && !(keep_lines && character == '\n')) || hides {
            out.push_str(&replacement(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\x1b[31mb\nc\td"), "a\\u{1b}[31mb\\nc\\td");
        assert_eq!(one_line("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(printable("a\nb\r", true), "a\nb\\r");
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(one_line(&"é".repeat(3000)).chars().count(), MAX_LINE + 1);
    }
}
