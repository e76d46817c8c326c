//! Statement inputs from what nodes serve: the beacon API's light-client objects, `eth_getProof`, `eth_getBlockByHash` and
//! `eth_getBlockReceipts`, as files or as answers that were just fetched.

mod answer;
mod beacon;
mod block;
mod error;
mod execution;
mod file;
mod inclusion;
mod json;
mod statement;
pub(crate) mod transaction;

pub use answer::{Answer, Encoding};
pub use block::Block;
pub use error::InputError;
pub use file::{accounts, block_header, blocks, bootstrap, finality_update, receipts, updates};
pub use inclusion::{Parts, asked, inclusion};
pub(crate) use json::{Document, only};
pub use statement::{Prepared, Signers, committee_change};

/// Reading answers, whatever they came from.
pub mod read {
    pub use super::beacon::{bootstrap, finality_update, optimistic_update, updates};
    pub use super::block::{blocks, receipts};
    pub use super::execution::{accounts, block_header};
}

/// A value and where it came from: a file or a node's answer, and its place in it where that holds several.
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
