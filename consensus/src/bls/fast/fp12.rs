//! The field of the pairing's values, over the quadratic extension: `w^6 = 1 + i`.

use super::constants::FROBENIUS;
use super::fp2::Fp2;

/// The coefficients of `w^0` to `w^5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fp12(pub [Fp2; 6]);

impl Fp12 {
    /// One.
    pub const ONE: Self = Self([Fp2::ONE, Fp2::ZERO, Fp2::ZERO, Fp2::ZERO, Fp2::ZERO, Fp2::ZERO]);

    /// The product, schoolbook.
    pub fn mul(&self, other: &Self) -> Self {
        let mut out = [Fp2::ZERO; 6];
        let mut high = [Fp2::ZERO; 6];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                let mut product = *a;
                product.mul(b);
                if i + j < 6 { out[i + j].add(&product) } else { high[i + j - 6].add(&product) }
            }
        }
        for (low, high) in out.iter_mut().zip(&mut high) {
            high.mul_nonresidue();
            low.add(high);
        }
        Self(out)
    }

    /// The square.
    pub fn square(&self) -> Self {
        self.mul(self)
    }

    /// The product with `constant + quadratic w^2 + w^3`.
    pub fn mul_line(&self, constant: &Fp2, quadratic: &Fp2) -> Self {
        let mut out = [Fp2::ZERO; 6];
        for (k, out) in out.iter_mut().enumerate() {
            let mut wrapped = self.0[(k + 4) % 6];
            wrapped.mul(quadratic);
            let cubic = &self.0[(k + 3) % 6];
            if k < 2 {
                wrapped.add(cubic);
                wrapped.mul_nonresidue();
                *out = wrapped;
            } else if k == 2 {
                *out = *cubic;
                out.mul_nonresidue();
                out.add(&wrapped);
            } else {
                *out = wrapped;
                out.add(cubic);
            }
            let mut straight = self.0[k];
            straight.mul(constant);
            out.add(&straight);
        }
        Self(out)
    }

    /// The `p`-th power.
    pub fn frobenius(&self) -> Self {
        let mut out = *self;
        for (i, coefficient) in out.0.iter_mut().enumerate() {
            coefficient.conjugate();
            if i > 0 {
                coefficient.mul(&FROBENIUS[i - 1]);
            }
        }
        out
    }
}
