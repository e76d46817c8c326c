//! Polynomials over the base field, lowest coefficient first, with `w = X` and `i = X^6 - 1`.

use super::*;
use crate::bls::fast::identity::QUOTIENT;

pub fn multiply(a: &[Fp], b: &[Fp]) -> Vec<Fp> {
    let mut product = alloc::vec![Fp::ZERO; a.len() + b.len() - 1];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            let mut term = *a;
            term.mul(b);
            product[i + j].add(&term);
        }
    }
    product
}

/// Rest and quotient by `(X^6 - 1)^2 + 1`, for a degree of no more than the quotient's and 12.
pub fn divide(mut dividend: Vec<Fp>) -> ([Fp; 12], [Fp; QUOTIENT]) {
    assert!(dividend.len() <= QUOTIENT + 12 || dividend[QUOTIENT + 12..].iter().all(Fp::is_zero));
    dividend.resize(QUOTIENT + 12, Fp::ZERO);
    let mut quotient = [Fp::ZERO; QUOTIENT];
    for i in (0..QUOTIENT).rev() {
        // X^12 = 2 X^6 - 2
        quotient[i] = core::mem::replace(&mut dividend[i + 12], Fp::ZERO);
        let mut double = quotient[i];
        double.double();
        dividend[i + 6].add(&double);
        dividend[i].sub(&double);
    }
    (*dividend.first_chunk().unwrap(), quotient)
}

/// The element of the pairing's field that a polynomial stands for, and the quotient.
pub fn reduce(dividend: Vec<Fp>) -> (Fp12, [Fp; QUOTIENT]) {
    let (rest, quotient) = divide(dividend);
    let element = Fp12(core::array::from_fn(|k| {
        // X^6 = 1 + i
        let mut c0 = rest[k];
        c0.add(&rest[k + 6]);
        Fp2 { c0, c1: rest[k + 6] }
    }));
    (element, quotient)
}

/// `c0 + c1 i`.
pub fn quadratic(element: &Fp2) -> [Fp; 7] {
    let mut polynomial = [Fp::ZERO; 7];
    polynomial[0] = element.c0;
    polynomial[0].sub(&element.c1);
    polynomial[6] = element.c1;
    polynomial
}

/// An element of the pairing's field.
pub fn polynomial(element: &Fp12) -> [Fp; 12] {
    let mut polynomial = [Fp::ZERO; 12];
    for (k, part) in element.0.iter().enumerate() {
        let part = quadratic(part);
        (polynomial[k], polynomial[k + 6]) = (part[0], part[6]);
    }
    polynomial
}

/// The value at a point.
pub fn value(polynomial: &[Fp], point: &Fp) -> Fp {
    polynomial.iter().rev().fold(Fp::ZERO, |mut value, coefficient| {
        value.mul(point);
        value.add(coefficient);
        value
    })
}
