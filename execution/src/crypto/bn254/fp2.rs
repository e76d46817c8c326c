//! The quadratic extension, `i^2 = -1`, in place.
//!
//! An addition costs the machine as much as a multiplication, so products are schoolbook ones.

use super::field::Fp;

/// `c0 + c1 i`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fp2 {
    pub(crate) c0: Fp,
    pub(crate) c1: Fp,
}

impl Fp2 {
    pub(crate) const ZERO: Self = Self { c0: Fp::ZERO, c1: Fp::ZERO };
    pub(crate) const ONE: Self = Self { c0: Fp::ONE, c1: Fp::ZERO };

    #[inline(always)]
    pub(crate) fn is_zero(&self) -> bool {
        self.c0.is_zero() && self.c1.is_zero()
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, other: &Self) {
        self.c0.add(&other.c0);
        self.c1.add(&other.c1);
    }

    #[inline(always)]
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.c0.subtract(&other.c0);
        self.c1.subtract(&other.c1);
    }

    #[inline(always)]
    pub(crate) fn double(&mut self) {
        self.c0.double();
        self.c1.double();
    }

    #[inline(always)]
    pub(crate) fn negate(&mut self) {
        self.c0.negate();
        self.c1.negate();
    }

    #[inline(always)]
    pub(crate) fn conjugate(&mut self) {
        self.c1.negate();
    }

    /// 6 calls.
    #[inline(always)]
    pub(crate) fn multiply(&mut self, other: &Self) {
        let mut cross = self.c0;
        let mut high = self.c1;
        cross.multiply(&other.c1);
        high.multiply(&other.c1);
        self.c0.multiply(&other.c0);
        self.c1.multiply(&other.c0);
        self.c0.subtract(&high);
        self.c1.add(&cross);
    }

    /// The product of two.
    #[inline(always)]
    pub(crate) fn product(&self, other: &Self) -> Self {
        let mut product = *self;
        product.multiply(other);
        product
    }

    /// 2 calls.
    #[inline(always)]
    pub(crate) fn scale(&mut self, factor: &Fp) {
        self.c0.multiply(factor);
        self.c1.multiply(factor);
    }

    /// 5 calls.
    #[inline(always)]
    pub(crate) fn square(&mut self) {
        let mut high = self.c1;
        self.c1.multiply(&self.c0);
        self.c0.square();
        high.square();
        self.c0.subtract(&high);
        self.c1.double();
    }

    /// Multiplies by `9 + i`: 4 calls.
    #[inline(always)]
    pub(crate) fn multiply_by_nonresidue(&mut self) {
        const NINE: Fp = Fp([9, 0, 0, 0]);
        let old = *self;
        self.scale(&NINE);
        self.c0.subtract(&old.c1);
        self.c1.add(&old.c0);
    }

    pub(crate) fn inverse(&self) -> Self {
        let (mut norm, mut high) = (self.c0, self.c1);
        norm.square();
        high.square();
        norm.add(&high);
        let mut inverse = *self;
        inverse.conjugate();
        inverse.scale(&norm.inverse());
        inverse
    }
}
