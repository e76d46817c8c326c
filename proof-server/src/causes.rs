//! An error and its causes as one line.
//!
//! The errors of this workspace name their cause in their own message, as those of the sealed guests' crate do; what
//! `anyhow` adds around them, and many errors of others, do not. Each cause is said once all the same.

use std::fmt::Write;

/// The error's message, and each cause that it does not name already.
#[must_use]
pub fn explained(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.contains(&cause) {
            // Writing to a string does not fail.
            let _ = write!(line, ": {cause}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("token file: {source}")]
    struct NamesItsCause {
        source: io::Error,
    }

    #[test]
    fn a_cause_is_said_once_whoever_names_it() {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file");
        let named = Err::<(), _>(NamesItsCause { source: missing() }).context("start").unwrap_err();
        assert_eq!(explained(&named), "start: token file: no such file");
        let bare = Err::<(), _>(missing()).context("token file").unwrap_err();
        assert_eq!(explained(&bare), "token file: no such file");
    }
}
