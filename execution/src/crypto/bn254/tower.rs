//! The fields above: `v^3 = 9 + i`, `w^2 = v`; in place, as far as it goes. Products are schoolbook ones where
//! Karatsuba's would not save calls of the machine.

use super::fp2::Fp2;

/// `c0 + c1 v + c2 v^2`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fp6(pub(crate) [Fp2; 3]);

impl Fp6 {
    const ZERO: Self = Self([Fp2::ZERO; 3]);

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| mine.add(theirs));
    }

    fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| mine.subtract(theirs));
    }

    fn negate(&mut self) {
        self.0.iter_mut().for_each(Fp2::negate);
    }

    fn double(&mut self) {
        self.0.iter_mut().for_each(Fp2::double);
    }

    fn multiply_by_v(&mut self) {
        let [c0, c1, mut c2] = self.0;
        c2.multiply_by_nonresidue();
        self.0 = [c2, c0, c1];
    }

    fn scale(&mut self, factor: &Fp2) {
        self.0.iter_mut().for_each(|part| part.multiply(factor));
    }

    fn product(&self, other: &Self) -> Self {
        let ([a0, a1, a2], [b0, b1, b2]) = (&self.0, &other.0);
        let mut c0 = a1.product(b2);
        c0.add(&a2.product(b1));
        c0.multiply_by_nonresidue();
        c0.add(&a0.product(b0));
        let mut c1 = a2.product(b2);
        c1.multiply_by_nonresidue();
        c1.add(&a0.product(b1));
        c1.add(&a1.product(b0));
        let mut c2 = a0.product(b2);
        c2.add(&a1.product(b1));
        c2.add(&a2.product(b0));
        Self([c0, c1, c2])
    }

    /// The product with `b0 + b1 v`.
    fn sparse_product(&self, b0: &Fp2, b1: &Fp2) -> Self {
        let [a0, a1, a2] = &self.0;
        let mut c0 = a2.product(b1);
        c0.multiply_by_nonresidue();
        c0.add(&a0.product(b0));
        let mut c1 = a1.product(b0);
        c1.add(&a0.product(b1));
        let mut c2 = a2.product(b0);
        c2.add(&a1.product(b1));
        Self([c0, c1, c2])
    }

    fn inverse(&self) -> Self {
        let [a0, a1, a2] = &self.0;
        // The adjoint's first column; its product with this element is the norm.
        let (mut c0, mut c1, mut c2) = (a1.product(a2), *a2, a0.product(a2));
        c0.multiply_by_nonresidue();
        c0.negate();
        c0.add(&a0.product(a0));
        c1.square();
        c1.multiply_by_nonresidue();
        c1.subtract(&a0.product(a1));
        c2.negate();
        c2.add(&a1.product(a1));
        let mut norm = a2.product(&c1);
        norm.add(&a1.product(&c2));
        norm.multiply_by_nonresidue();
        norm.add(&a0.product(&c0));
        let mut inverse = Self([c0, c1, c2]);
        inverse.scale(&norm.inverse());
        inverse
    }
}

/// `even + odd w`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fp12 {
    pub(crate) even: Fp6,
    pub(crate) odd: Fp6,
}

impl Fp12 {
    pub(crate) const ONE: Self = Self { even: Fp6([Fp2::ONE, Fp2::ZERO, Fp2::ZERO]), odd: Fp6::ZERO };

    pub(crate) fn multiply(&mut self, other: &Self) {
        let mut low = self.even.product(&other.even);
        let mut high = self.odd.product(&other.odd);
        let mut sum = other.even;
        sum.add(&other.odd);
        self.odd.add(&self.even);
        self.odd = self.odd.product(&sum);
        self.odd.subtract(&low);
        self.odd.subtract(&high);
        high.multiply_by_v();
        low.add(&high);
        self.even = low;
    }

    pub(crate) fn square(&mut self) {
        let mut cross = self.even.product(&self.odd);
        let mut right = self.odd;
        right.multiply_by_v();
        right.add(&self.even);
        self.even.add(&self.odd);
        self.even = self.even.product(&right);
        self.even.subtract(&cross);
        self.odd = cross;
        self.odd.double();
        cross.multiply_by_v();
        self.even.subtract(&cross);
    }

    /// Multiplies by `a + b w + c w^3`.
    pub(crate) fn multiply_by_line(&mut self, [a, b, c]: &[Fp2; 3]) {
        let mut high = self.odd.sparse_product(b, c);
        let cross = self.even.sparse_product(b, c);
        self.even.scale(a);
        self.odd.scale(a);
        self.odd.add(&cross);
        high.multiply_by_v();
        self.even.add(&high);
    }

    /// `self^(p^6)`; the inverse of what is in the cyclotomic subgroup.
    pub(crate) fn conjugate(&mut self) {
        self.odd.negate();
    }

    pub(crate) fn inverse(&self) -> Self {
        let mut norm = self.odd.product(&self.odd);
        norm.multiply_by_v();
        norm.negate();
        norm.add(&self.even.product(&self.even));
        let norm = norm.inverse();
        let mut inverse = Self { even: self.even.product(&norm), odd: self.odd.product(&norm) };
        inverse.conjugate();
        inverse
    }

    /// The square of an element of the cyclotomic subgroup (Granger and Scott, "Faster squaring in the cyclotomic
    /// subgroup of sixth degree extensions"): with `s = w^3`, three squares of elements `x + y s`.
    pub(crate) fn cyclotomic_square(&mut self) {
        let ([a0, a2, a4], [a1, a3, a5]) = (&mut self.even.0, &mut self.odd.0);
        let (first, second, mut third) = (square_in_s(a0, a3), square_in_s(a1, a4), square_in_s(a2, a5));
        // The third square moves up by `s`.
        third.1.multiply_by_nonresidue();
        let third = (third.1, third.0);
        for (part, square, minus) in [
            (a0, &first.0, true),
            (a3, &first.1, false),
            (a1, &third.0, false),
            (a4, &third.1, true),
            (a2, &second.0, true),
            (a5, &second.1, false),
        ] {
            // 3 square -+ 2 part
            if minus {
                part.negate();
            }
            part.add(square);
            part.double();
            part.add(square);
        }
    }

    /// The parts by power of `w`, in ascending order.
    pub(crate) fn parts_mut(&mut self) -> [&mut Fp2; 6] {
        let ([a0, a2, a4], [a1, a3, a5]) = (&mut self.even.0, &mut self.odd.0);
        [a0, a1, a2, a3, a4, a5]
    }
}

/// `(x + y s)^2` with `s^2 = 9 + i`.
fn square_in_s(x: &Fp2, y: &Fp2) -> (Fp2, Fp2) {
    let mut cross = x.product(y);
    cross.double();
    let (mut low, mut high) = (*x, *y);
    low.square();
    high.square();
    high.multiply_by_nonresidue();
    low.add(&high);
    (low, cross)
}
