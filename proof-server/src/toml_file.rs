//! TOML files that people write: read whole, and refused in one line that says where.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TomlFileError {
    /// It cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// It is not TOML, or not of the right form.
    #[error("{}:{line}: {message}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong. Quotes no line of the file, which may hold what somebody pasted there by mistake.
        message: String,
    },
}

/// Reads a file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, TomlFileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| TomlFileError::Read { path: path.into(), source })?;
    toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        TomlFileError::Form {
            path: path.into(),
            line: 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count(),
            // Lists of what was expected may come in lines.
            message: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[allow(dead_code)] // Only read from files.
        number: u32,
    }

    #[test]
    fn mistakes_are_one_line_that_says_where() {
        for (text, expected) in [
            ("# fine\n\nnumber = \"x\"", ":3: invalid type"),
            ("number = 1\nother = 2", ":2: unknown field `other`"),
            ("number = 1\nnumber", ":2: "),
            ("", ":1: missing field `number`"),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let error = read::<Form>(file.path()).unwrap_err().to_string();
            let (path, what) = error.split_at(file.path().as_os_str().len());
            assert_eq!(Path::new(path), file.path());
            assert!(what.starts_with(expected) && !what.contains('\n'), "{error:?}");
        }
        let error = read::<Form>(Path::new("/nonexistent.toml")).unwrap_err().to_string();
        assert_eq!(error, "/nonexistent.toml: No such file or directory (os error 2)");
    }
}
