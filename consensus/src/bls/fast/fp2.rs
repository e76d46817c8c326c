//! The quadratic extension, `i^2 = -1`, in place. Schoolbook throughout: an addition costs as much as a
//! multiplication in the zkVM, so Karatsuba's extra additions would not pay.

use super::field::Fp;

/// `c0 + c1 i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Fp2 {
    /// Real part.
    pub(crate) c0: Fp,
    /// Imaginary part.
    pub(crate) c1: Fp,
}

impl Fp2 {
    /// Zero.
    #[cfg(not(target_os = "zkvm"))]
    pub const ZERO: Self = Self { c0: Fp::ZERO, c1: Fp::ZERO };
    /// One.
    pub const ONE: Self = Self { c0: Fp::ONE, c1: Fp::ZERO };

    /// Whether this is zero.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.c0.is_zero() && self.c1.is_zero()
    }

    /// RFC 9380's `sgn0` for a quadratic extension.
    #[inline]
    pub fn is_odd(&self) -> bool {
        self.c0.is_odd() || self.c0.is_zero() && self.c1.is_odd()
    }

    /// The sign flag of compressed points: by the imaginary part, then by the real part.
    #[inline]
    pub fn is_lexicographically_largest(&self) -> bool {
        self.c1.is_lexicographically_largest() || self.c1.is_zero() && self.c0.is_lexicographically_largest()
    }

    /// Adds in place: 2 calls.
    #[inline(always)]
    pub fn add(&mut self, other: &Self) {
        self.c0.add(&other.c0);
        self.c1.add(&other.c1);
    }

    /// Subtracts in place: 2 calls.
    #[inline(always)]
    pub fn sub(&mut self, other: &Self) {
        self.c0.sub(&other.c0);
        self.c1.sub(&other.c1);
    }

    /// Doubles in place: 2 calls.
    #[cfg(not(target_os = "zkvm"))]
    #[inline(always)]
    pub fn double(&mut self) {
        self.c0.double();
        self.c1.double();
    }

    /// Negates in place: 2 calls.
    #[inline(always)]
    pub fn neg(&mut self) {
        self.c0.neg();
        self.c1.neg();
    }

    /// Conjugates in place: 1 call.
    #[inline(always)]
    pub fn conjugate(&mut self) {
        self.c1.neg();
    }

    /// A copy, see [`Fp::copy`].
    #[inline(always)]
    pub fn copy(&self) -> Self {
        Self { c0: self.c0.copy(), c1: self.c1.copy() }
    }

    /// Multiplies in place: 6 calls, 2 copies. Calls of one kind stand together, which spares the zkVM
    /// loads of the call's number.
    #[inline(always)]
    pub fn mul(&mut self, other: &Self) {
        let mut cross = self.c0.copy();
        let mut high = self.c1.copy();
        cross.mul(&other.c1);
        high.mul(&other.c1);
        self.c0.mul(&other.c0);
        self.c1.mul(&other.c0);
        self.c0.sub(&high);
        self.c1.add(&cross);
    }

    /// Multiplies by a base field element in place: 2 calls.
    #[inline(always)]
    pub fn mul_base(&mut self, other: &Fp) {
        self.c0.mul(other);
        self.c1.mul(other);
    }

    /// Multiplies by the non-residue `1 + i` in place: 2 calls, 1 copy.
    #[cfg(not(target_os = "zkvm"))]
    #[inline(always)]
    pub fn mul_nonresidue(&mut self) {
        let low = self.c0.copy();
        self.c0.sub(&self.c1);
        self.c1.add(&low);
    }

    /// Squares in place: 5 calls, 1 copy.
    #[inline(always)]
    pub fn square(&mut self) {
        let mut high = self.c1.copy();
        self.c1.mul(&self.c0);
        self.c0.square();
        high.square();
        self.c0.sub(&high);
        self.c1.double();
    }
}
