//! The scalar field of the BN254 curve, defined as `F_r` where
//! `r = 21888242871839275222246405745257275088548364400416034343698204186575808495617`.
//!
//! A drop-in replacement of the crate of the same name and version: same items, same values, same serialized form.
//! Why, and how that is tested, stands in `third-party/README.md`. The type [`FFBn254Fr`] with all its own
//! implementations is still made by `ff`'s derive macro; only [`Bn254Fr`] calculates with the arithmetic here:
//!
//! - `limbs`: modular arithmetic, with the product from `portable`, or from `adx` where the build targets BMI2 and ADX
//!   instructions (`-C target-cpu=native`);
//! - [`lanes`]: many Poseidon2 hashes at once, eight to a vector where the machine has AVX-512 IFMA (found at run time).
//!   The original has nothing like it; a Merkle tree prover has to ask for it.

#[cfg(all(target_arch = "x86_64", target_feature = "bmi2", target_feature = "adx"))]
mod adx;
mod ff_field;
mod field;
#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(target_arch = "x86_64")]
mod ifma_lanes;
#[cfg(target_arch = "x86_64")]
mod ifma_poseidon2;
pub mod lanes;
mod limbs;
mod permutation;
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "bmi2", target_feature = "adx"))))]
mod portable;
mod poseidon2;

pub use ff_field::{FFBn254Fr, FFBn254FrRepr};
pub use poseidon2::DiffusionMatrixBN254;

/// The BN254 curve scalar field prime, defined as `F_r` where
/// `r = 21888242871839275222246405745257275088548364400416034343698204186575808495617`.
#[derive(Copy, Clone, Default)]
pub struct Bn254Fr {
    /// The element as an `ff` field element.
    pub value: FFBn254Fr,
}
