//! Statement inputs from what nodes serve: the beacon API's light-client objects and `eth_getProof`, as JSON files.

mod beacon;
mod error;
mod execution;
mod file;
mod json;
mod statement;

pub use beacon::{bootstrap, finality_update, updates};
pub use error::InputError;
pub use execution::accounts;
pub use statement::{Prepared, committee_change, inclusion};

/// A value and where it came from: a file, and its place in it where the file holds several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// For error messages, such as `updates.json[1]`.
    pub source: String,
    /// The value.
    pub value: T,
}

impl<T> Sourced<T> {
    /// The same source with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { source: self.source, value: change(self.value) }
    }
}
