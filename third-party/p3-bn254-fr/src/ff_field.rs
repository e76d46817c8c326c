//! The field as the `ff` crate's traits know it. `ff`'s derive macro makes all of it, as in the original.

// The macro's own items have no docs.
#![allow(missing_docs)]

use ff::PrimeField;

use crate::limbs::Limbs;

/// An element in Montgomery form, always fully reduced.
#[derive(PrimeField)]
#[PrimeFieldModulus = "21888242871839275222246405745257275088548364400416034343698204186575808495617"]
#[PrimeFieldGenerator = "5"]
#[PrimeFieldReprEndianness = "little"]
pub struct FFBn254Fr([u64; 4]);

impl FFBn254Fr {
    /// The element that these limbs are the Montgomery form of. They must be below the prime.
    #[inline(always)]
    pub(crate) const fn from_limbs(limbs: Limbs) -> Self {
        Self(limbs)
    }

    #[inline(always)]
    pub(crate) const fn limbs(&self) -> &Limbs {
        &self.0
    }
}
