//! JSON files and the envelopes around what they hold, read so that every error names its field.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{InputError, Sourced};

/// A JSON value within a file, and how to name it.
#[derive(Debug)]
pub(super) struct Document {
    /// The file, with the position where it holds a list.
    pub source: String,
    /// Path of `value` in it, such as `data`; empty at the top.
    prefix: String,
    value: Value,
}

/// Splits a file's text where it holds a list.
pub(super) fn split(file: &Path, text: &[u8]) -> Result<Vec<Document>, InputError> {
    let source = file.display().to_string();
    match serde_json::from_slice(text).map_err(|source| InputError::Syntax { file: file.into(), source })? {
        Value::Array(values) if values.is_empty() => Err(InputError::Empty { source_file: source }),
        Value::Array(values) => Ok(values
            .into_iter()
            .enumerate()
            .map(|(index, value)| Document {
                source: format!("{source}[{index}]"),
                prefix: String::new(),
                value,
            })
            .collect()),
        value => Ok(vec![Document { source, prefix: String::new(), value }]),
    }
}

/// The object in a file's text, which must not be a longer list.
pub(super) fn only(file: &Path, text: &[u8]) -> Result<Document, InputError> {
    let mut documents = split(file, text)?;
    if documents.len() > 1 {
        let reason = format!("expected one object, found a list of {}", documents.len());
        return Err(documents.swap_remove(0).field("", reason));
    }
    // A list of one is what some tools save; its element is as good.
    Ok(documents.swap_remove(0))
}

impl InputError {
    /// A node's own error, saved instead of a result.
    pub(super) fn node(document: &Document, message: &Value) -> Self {
        let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
        Self::NodeError { source_file: document.source.clone(), message }
    }
}

impl Document {
    /// Steps into `name`, if it is there.
    pub(super) fn enter(mut self, name: &str) -> Result<Self, Self> {
        match self.value.get_mut(name).map(Value::take) {
            None => Err(self),
            Some(value) => Ok(Self { prefix: self.path_of(name), value, source: self.source }),
        }
    }

    /// A member of the object, untouched.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// Whether this is JSON's `null`.
    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// Reads the value as a `T`.
    pub(super) fn decode<T: DeserializeOwned>(self) -> Result<Sourced<T>, InputError> {
        // `serde_path_to_error` needs the value by itself; the document lends its name to the error.
        let Self { source, prefix, value } = self;
        match serde_path_to_error::deserialize(value) {
            Ok(value) => Ok(Sourced { source, value }),
            Err(error) => {
                let path = error.path().to_string();
                let named = Self { source, prefix, value: Value::Null };
                // "." is how the library writes the top.
                Err(named.field(if path == "." { "" } else { &path }, error.into_inner().to_string()))
            }
        }
    }

    /// An error about `name` below this value.
    pub(super) fn field(&self, name: &str, reason: impl Into<String>) -> InputError {
        InputError::Field {
            source_file: self.source.clone(),
            path: match self.path_of(name) {
                path if path.is_empty() => "(top level)".into(),
                path => path,
            },
            reason: reason.into(),
        }
    }

    fn path_of(&self, name: &str) -> String {
        match (self.prefix.as_str(), name) {
            (prefix, "") => prefix.into(),
            ("", name) => name.into(),
            (prefix, name) => format!("{prefix}.{name}"),
        }
    }
}
