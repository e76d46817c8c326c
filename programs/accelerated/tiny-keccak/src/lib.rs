//! Keccak for guests: the part of `tiny-keccak` 2.0's API that guests use, with the zkVM's Keccak-f\[1600\]
//! precompile doing the work.
//!
//! The guests' workspace patches this crate in for the real one. Hosts never link it; there its tests run it over
//! a software permutation and compare it with the real crate.
#![no_std]

mod keccak;
mod permutation;

pub use keccak::Keccak;
pub use permutation::keccakf;

/// A hash function over a stream of bytes.
pub trait Hasher {
    /// Absorbs more input. May be called any number of times.
    fn update(&mut self, input: &[u8]);

    /// Pads, and fills `output` with the digest.
    fn finalize(self, output: &mut [u8]);
}
