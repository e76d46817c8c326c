//! Statement inputs of what nodes have answered: the beacon API's light-client objects, `eth_getProof`, `eth_getBlockByHash`
//! and `eth_getBlockReceipts`, as files or as answers that were just fetched.
//!
//! - [`read`] and [`file`](mod@file) make objects of answers in JSON and SSZ; every error names the answer and the field;
//! - [`committee_change`], [`inclusion`] and [`asked`] make inputs of objects, [`inclusion_given`] of whole blocks and
//!   [`Questions`] about them;
//! - [`Told`] is all of a statement in one JSON document.
//!
//! Nothing here asks a node, and nothing is believed: whether a statement is true is for
//! [`sextant_consensus::check_statement`] to say.

mod answer;
mod beacon;
mod block;
mod error;
pub mod events;
mod execution;
pub mod file;
mod given;
mod inclusion;
pub mod json;
mod question_error;
mod questions;
mod statement;
mod told;
pub mod transaction;

pub use answer::{Answer, Encoding};
pub use block::Block;
pub use error::InputError;
pub use file::{accounts, block_header, blocks, bootstrap, finality_update, receipts, updates};
pub use given::{Given, inclusion_given};
pub use inclusion::{Parts, asked, inclusion};
pub use question_error::QuestionError;
pub use questions::{BlockName, LogName, Questions, Watched};
pub use statement::{Prepared, Signers, committee_change};
pub use told::{Told, ToldError};

/// Reading answers, whatever they came from.
pub mod read {
    pub use crate::beacon::{bootstrap, finality_update, optimistic_update, updates};
    pub use crate::block::{blocks, receipts};
    pub use crate::execution::{accounts, block_header};
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
