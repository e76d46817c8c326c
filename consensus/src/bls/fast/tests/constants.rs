//! Constants from their definitions.

use super::*;
use crate::bls::fast::constants::*;
use bls12_381::{G1Affine, G1Projective, Scalar};

/// `value ^ exponent` in the reference library's field.
fn power(value: fp2::Fp2, exponent: &[u64; 6]) -> fp2::Fp2 {
    value.pow_vartime(exponent)
}

/// `(p - 1) / divisor`.
fn part_of_order(divisor: u64) -> [u64; 6] {
    let mut quotient = MODULUS;
    quotient[0] -= 1;
    let mut rest = 0u128;
    for limb in quotient.iter_mut().rev() {
        let value = rest << 64 | u128::from(*limb);
        *limb = (value / u128::from(divisor)) as u64;
        rest = value % u128::from(divisor);
    }
    assert_eq!(rest, 0);
    quotient
}

fn number(n: u64) -> fp::Fp {
    theirs(&Fp([n, 0, 0, 0, 0, 0]))
}

#[test]
fn field() {
    assert_eq!(part_of_order(2), HALF_MODULUS);
    assert_eq!(theirs(&TWO_THIRDS) * number(3), number(2));
    let mut power = number(2);
    (0..8).for_each(|_| power = power.square());
    assert_eq!(theirs(&TWO_POW_256), power);
}

#[test]
fn endomorphisms() {
    let xi = fp2::Fp2 { c0: fp::Fp::one(), c1: fp::Fp::one() };
    let third = power(xi, &part_of_order(3)).invert().unwrap();
    assert_eq!(theirs2(&Fp2 { c0: Fp::ZERO, c1: PSI_X }), third);
    assert_eq!(theirs2(&PSI_Y), power(xi, &part_of_order(2)).invert().unwrap());
    let sixth = power(xi, &part_of_order(6));
    let mut expected = sixth;
    for constant in &FROBENIUS {
        assert_eq!(theirs2(constant), expected);
        expected *= sixth;
    }
}

#[test]
fn hash_curve() {
    let small = |c0: u64, c1: u64| fp2::Fp2 { c0: number(c0), c1: number(c1) };
    assert_eq!(theirs2(&SSWU_A), small(0, 240));
    assert_eq!(theirs2(&SSWU_B), small(1012, 1012));
    assert_eq!(theirs2(&SSWU_Z), -small(2, 1));
    assert_eq!(theirs2(&SSWU_MINUS_B_OVER_A) * small(0, 240), -small(1012, 1012));
    // Z is no square: the map's soundness rests on it.
    assert!(bool::from(theirs2(&SSWU_Z).sqrt().is_none()));
    // The kernel is a root of the curve's 3-division polynomial, and t and u are Velu's.
    let (k, a, b) = (theirs2(&ISOGENY_KERNEL), small(0, 240), small(1012, 1012));
    let three = small(3, 0);
    let k2 = k.square();
    assert_eq!(three * k2.square() + three * (a + a) * k2 + small(12, 0) * b * k - a.square(), small(0, 0));
    assert_eq!(theirs2(&ISOGENY_T), (three * k2 + a) + (three * k2 + a));
    assert_eq!(theirs2(&ISOGENY_U), small(4, 0) * (k2 * k + a * k + b));
}

#[test]
fn fixed_point() {
    let z = -Scalar::from(Z_ABS);
    let factor = (z * z).double().double() - z.double() - Scalar::one();
    let point = -G1Projective::generator() * factor.invert().unwrap();
    let bytes = G1Affine::from(point).to_uncompressed();
    let part = |i: usize| fp::Fp::from_bytes(bytes[48 * i..48 * i + 48].try_into().unwrap()).unwrap();
    let (x, y) = (part(0), part(1));
    let alpha = -(x * y.invert().unwrap());
    assert_eq!(theirs(&GENERATOR_ALPHA2), alpha.square());
    assert_eq!(theirs(&GENERATOR_ALPHA3), alpha.square() * alpha);
    assert_eq!(theirs(&GENERATOR_SCALE) * y.square(), -(x.square() * x));
}
