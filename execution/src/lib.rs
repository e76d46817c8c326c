//! Stateless validation of Ethereum execution blocks, free of I/O: the third statement that Sextant proves.
//!
//! The same code runs natively and in the zkVM. Read it from the statement down:
//!
//! - [`statement`]: a block is valid, from an input's bytes to the 43 bytes that a proof says;
//! - [`input`], [`payload`], [`ssz`]: the input, read in place, with the payload's root, its name in public; [`encode`]:
//!   writing it;
//! - [`schema`], [`forks`]: which fork's rules; [`block`]: the payload as a block, under its hash;
//! - [`rules`]: header, body, and what execution must have come to; [`execute`], [`evm`]: the execution; [`senders`],
//!   [`crypto`]: signatures, precompiles and hashes;
//! - [`witness`]: the state before the block; [`trie`], [`by_hash`]: its tries, as far as the witness has their nodes.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod block;
pub mod by_hash;
pub mod crypto;
pub mod encode;
pub mod evm;
pub mod execute;
pub mod forks;
pub mod input;
pub mod payload;
mod payload_root;
pub mod rules;
pub mod schema;
pub mod senders;
pub mod ssz;
pub mod statement;
pub mod trie;
pub mod witness;
#[cfg(test)]
mod world;
