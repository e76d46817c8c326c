//! JSON answers and the envelopes around what they hold, read so that every error names its field.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Answer, InputError, Sourced};

/// A JSON value within an answer, and how to name it.
#[derive(Debug)]
pub struct Document {
    /// The answer, with the position where it holds a list.
    pub source: String,
    /// Path of `value` in it, such as `data`; empty at the top.
    prefix: String,
    value: Value,
}

/// Splits an answer where it holds a list.
pub fn split(answer: &Answer) -> Result<Vec<Document>, InputError> {
    let source = answer.source.clone();
    let document = |source, value| Document { source, prefix: String::new(), value };
    match serde_json::from_slice(&answer.bytes) {
        Err(error) => Err(InputError::Syntax { source_file: source, error }),
        Ok(Value::Array(values)) if values.is_empty() => Err(InputError::Empty { source_file: source }),
        Ok(Value::Array(values)) => Ok(values
            .into_iter()
            .enumerate()
            .map(|(index, value)| document(format!("{source}[{index}]"), value))
            .collect()),
        Ok(value) => Ok(vec![document(source, value)]),
    }
}

/// The object in an answer, which must not be a longer list.
pub fn only(answer: &Answer) -> Result<Document, InputError> {
    let mut documents = split(answer)?;
    if documents.len() > 1 {
        let reason = format!("expected one object, found a list of {}", documents.len());
        return Err(documents.swap_remove(0).field("", reason));
    }
    // A list of one is what some tools save; its element is as good.
    Ok(documents.swap_remove(0))
}

impl InputError {
    /// A node's own error, saved instead of a result.
    pub fn node(document: &Document, message: &Value) -> Self {
        let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
        Self::NodeError { source_file: document.source.clone(), message }
    }
}

impl Document {
    /// Refuses an error answer of the beacon API, `{"code": 404, "message": "..."}`, in place of a result.
    pub fn refuse_api_error(&self) -> Result<(), InputError> {
        match (self.member("code"), self.member("message")) {
            (Some(_), Some(message)) => Err(InputError::node(self, message)),
            _ => Ok(()),
        }
    }

    /// Steps into `name`, if it is there.
    pub fn enter(mut self, name: &str) -> Result<Self, Self> {
        match self.value.get_mut(name).map(Value::take) {
            None => Err(self),
            Some(value) => Ok(Self { prefix: self.path_of(name), value, source: self.source }),
        }
    }

    /// A member of the object, untouched.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// The same once more, to be read as something else.
    pub fn copy(&self) -> Self {
        Self { source: self.source.clone(), prefix: self.prefix.clone(), value: self.value.clone() }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value, to be put right before it is read.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// Whether this is JSON's `null`.
    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// Reads the value as a `T`.
    pub fn decode<T: DeserializeOwned>(self) -> Result<Sourced<T>, InputError> {
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
    pub fn field(&self, name: &str, reason: impl Into<String>) -> InputError {
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
