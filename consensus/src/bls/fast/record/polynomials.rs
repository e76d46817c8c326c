//! Polynomials over the base field, for the quotient of the claims. Lowest coefficient first.

use alloc::vec;
use alloc::vec::Vec;

use crate::bls::fast::field::Fp;
use crate::bls::fast::fp2::Fp2;
use crate::bls::fast::fp12::Fp12;
use crate::bls::fast::g2::Walk;
use crate::bls::fast::identity::QUOTIENT;

/// The product.
pub fn multiply(a: &[Fp], b: &[Fp]) -> Vec<Fp> {
    let mut product = vec![Fp::ZERO; a.len() + b.len() - 1];
    for (i, a) in a.iter().enumerate().filter(|(_, a)| !a.is_zero()) {
        for (j, b) in b.iter().enumerate().filter(|(_, b)| !b.is_zero()) {
            let mut term = *a;
            term.mul(b);
            product[i + j].add(&term);
        }
    }
    product
}

/// `a = a factor + b`.
pub fn combine(a: &mut Vec<Fp>, factor: &Fp, b: &[Fp]) {
    a.resize(a.len().max(b.len()), Fp::ZERO);
    a.iter_mut().for_each(|a| a.mul(factor));
    a.iter_mut().zip(b).for_each(|(a, b)| a.add(b));
}

/// Divides by `X^12 - 2 X^6 + 2`: rest and quotient.
pub fn divide(mut dividend: Vec<Fp>) -> Option<([Fp; 12], [Fp; QUOTIENT])> {
    dividend.resize(dividend.len().max(QUOTIENT + 12), Fp::ZERO);
    let mut quotient = vec![Fp::ZERO; dividend.len() - 12];
    for i in (0..quotient.len()).rev() {
        let mut coefficient = core::mem::replace(&mut dividend[i + 12], Fp::ZERO);
        quotient[i] = coefficient;
        coefficient.double();
        dividend[i + 6].add(&coefficient);
        dividend[i].sub(&coefficient);
    }
    // Above its degree are zeros.
    Some((dividend.first_chunk().copied()?, quotient.first_chunk().copied()?))
}

/// `c0 + c1 i` with `i = X^6 - 1`.
pub fn quadratic(element: &Fp2) -> [Fp; 7] {
    let mut polynomial = [Fp::ZERO; 7];
    polynomial[0] = element.c0;
    polynomial[0].sub(&element.c1);
    polynomial[6] = element.c1;
    polynomial
}

/// An element of the pairing's field.
pub fn element(element: &Fp12) -> [Fp; 12] {
    let mut polynomial = [Fp::ZERO; 12];
    for (k, coefficient) in element.0.iter().enumerate() {
        let quadratic = quadratic(coefficient);
        polynomial[k] = quadratic[0];
        polynomial[k + 6] = quadratic[6];
    }
    polynomial
}

/// A line, as `identity` evaluates it.
pub fn line(slope: &Fp2, through: &Walk, scale: &Fp) -> Vec<Fp> {
    let slope = quadratic(slope);
    let mut line = multiply(&slope, &quadratic(through.x()));
    for (line, y) in line.iter_mut().zip(quadratic(through.y())) {
        line.sub(&y);
    }
    if through.negated() {
        line[3].sub(scale);
    } else {
        line[3].add(scale);
    }
    for (i, mut slope) in [(2, slope[0]), (8, slope[6])] {
        slope.mul(scale);
        line[i].add(&slope);
    }
    line
}
