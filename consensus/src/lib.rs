//! The light-client rules and the two statements that Sextant proves, free of I/O.
//!
//! The same code runs natively, where clients and servers check a statement before any proof is made, and in the
//! zkVM, where the guest programs do. Read it from the statements down:
//!
//! - [`committee_change`] and [`inclusion`]: what is proven; [`public_values`]: what a proof says;
//! - [`finality`]: the signed header both stand on; [`beacon`], [`trie`]: proofs into it and below it;
//! - [`chain`], [`networks`]: which chain; [`merkle`], [`rlp`], [`codec`], [`hash`], [`bls`]: the tools;
//! - [`light_client`] and [`build`]: from the beacon API's objects to an input, for clients.
#![no_std]
extern crate alloc;

mod abi;
pub mod beacon;
pub mod bls;
pub mod build;
pub mod chain;
pub mod codec;
pub mod committee_change;
pub mod finality;
pub mod hash;
pub mod inclusion;
#[cfg(feature = "serde")]
pub mod json;
pub mod light_client;
pub mod merkle;
pub mod networks;
mod program;
pub mod public_values;
pub mod rlp;
mod statement;
pub mod trie;

pub use abi::AbiError;
pub use program::Program;
pub use statement::{StatementError, check_statement};
