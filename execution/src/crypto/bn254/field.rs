//! The base field, in place: each operation is one call of the machine, whose result is canonical.

use crate::crypto::machine::{Bn254, Curve, FieldCall, Limbs, bn254_field};

/// A field element. Invariant: below the modulus, so that equal limbs are equal elements.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(transparent)]
pub(crate) struct Fp(pub(crate) Limbs);

impl Fp {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);

    #[inline(always)]
    pub(crate) fn is_zero(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, other: &Self) {
        // SAFETY: both are references to limbs.
        unsafe { bn254_field(FieldCall::Add, &raw mut self.0, &raw const other.0) }
    }

    #[inline(always)]
    pub(crate) fn subtract(&mut self, other: &Self) {
        // SAFETY: as above.
        unsafe { bn254_field(FieldCall::Subtract, &raw mut self.0, &raw const other.0) }
    }

    #[inline(always)]
    pub(crate) fn multiply(&mut self, other: &Self) {
        // SAFETY: as above.
        unsafe { bn254_field(FieldCall::Multiply, &raw mut self.0, &raw const other.0) }
    }

    #[inline(always)]
    pub(crate) fn double(&mut self) {
        let place = &raw mut self.0;
        // SAFETY: both operands may be the same.
        unsafe { bn254_field(FieldCall::Add, place, place) }
    }

    #[inline(always)]
    pub(crate) fn square(&mut self) {
        let place = &raw mut self.0;
        // SAFETY: as above.
        unsafe { bn254_field(FieldCall::Multiply, place, place) }
    }

    #[inline(always)]
    pub(crate) fn negate(&mut self) {
        let mut negation = Self::ZERO;
        negation.subtract(self);
        *self = negation;
    }

    /// The inverse (Fermat); zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut exponent = Bn254::MODULUS;
        exponent[0] -= 2;
        let mut powers = [Self::ONE; 16];
        for i in 1..16 {
            let (below, above) = powers.split_at_mut(i);
            above[0] = *self;
            above[0].multiply(&below[i - 1]);
        }
        let mut result = Self::ONE;
        for i in (0..64).rev() {
            for _ in 0..4 {
                result.square();
            }
            result.multiply(&powers[(exponent[i / 16] >> (4 * (i % 16)) & 15) as usize]);
        }
        result
    }
}
