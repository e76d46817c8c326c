//! The light-client rules and the statements that Sextant proves, free of I/O.
//!
//! The same code runs natively, where clients and servers check a statement before any proof is made, and in the
//! zkVM, where the guest programs do. Read it from the statements down:
//!
//! - [`committee_change`] and [`inclusion`]: what is proven; [`bundle`]: many of them in one proof; [`committee_chain`]: any
//!   number of committee changes in one; [`public_values`]: what a proof says;
//! - [`finality`]: the signed header both stand on; [`beacon`], [`execution`]: proofs into it;
//! - [`ancestry`]: from the finalized execution block ([`execution_header`]) to an earlier one; [`accounts`], [`events`]:
//!   what is under it, by [`trie`], [`trie_nodes`], [`receipt`], [`bloom`] and [`ordered`];
//! - [`chain`], [`networks`]: which chain; [`merkle`], [`rlp`], [`codec`], [`hash`], [`bls`]: the tools;
//! - [`light_client`] and [`build`]: from the beacon API's objects to an input, for clients; [`ssz`]: those objects
//!   from SSZ; [`store`]: the specification's own light client on them.
#![no_std]
extern crate alloc;

mod abi;
pub mod accounts;
pub mod ancestry;
pub mod beacon;
#[cfg(feature = "serde")]
pub mod block_header;
pub mod bloom;
pub mod bls;
pub mod build;
#[cfg(feature = "recursion")]
pub mod bundle;
pub mod chain;
#[cfg(feature = "serde")]
pub mod chain_spec;
pub mod codec;
#[cfg(feature = "chain")]
pub mod committee_chain;
pub mod committee_change;
pub mod events;
pub mod execution;
pub mod execution_header;
pub mod finality;
pub mod hash;
pub mod inclusion;
#[cfg(feature = "serde")]
pub mod json;
pub mod light_client;
pub mod merkle;
pub mod networks;
pub mod ordered;
mod program;
pub mod public_values;
pub mod receipt;
#[cfg(feature = "serde")]
pub mod receipt_json;
pub mod rlp;
#[cfg(feature = "serde")]
mod rlp_json;
pub mod ssz;
mod statement;
pub mod step;
pub mod store;
pub mod trie;
pub mod trie_nodes;

pub use abi::AbiError;
pub use program::Program;
#[cfg(not(target_os = "zkvm"))]
pub use statement::check_with_hints;
pub use statement::{StatementError, check_statement};
