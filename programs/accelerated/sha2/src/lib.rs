//! SHA-256 for guests: the part of `sha2` 0.10's API that guests use, with the zkVM's two SHA-256 precompiles
//! (message schedule, compression) doing the work.
//!
//! The guests' workspace patches this crate in for the real one. Hosts never link it; there its tests run it over
//! a software stand-in of the precompiles and compare it with the real crate.
#![no_std]

mod block;
mod hasher;
mod precompile;

pub use block::{compress256, hash_pair};
pub use digest::{self, Digest};
pub use hasher::Sha256;
