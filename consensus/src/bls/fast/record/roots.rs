//! Inverses, roots and powers for the hint makers. Nothing here is trusted by the check.

use super::exponents;
use crate::bls::fast::field::Fp;
use crate::bls::fast::fp2::Fp2;
use crate::bls::fast::fp12::Fp12;

/// `base ^ exponent`, little-endian limbs.
fn power(base: &Fp, exponent: &[u64]) -> Fp {
    let mut result = Fp::ONE;
    for limb in exponent.iter().rev() {
        for i in (0..64).rev() {
            result.square();
            if limb >> i & 1 == 1 {
                result.mul(base);
            }
        }
    }
    result
}

/// The inverse; zero for zero.
pub fn invert(value: &Fp) -> Fp {
    power(value, &exponents::INVERT)
}

/// A square root, where there is one.
pub fn sqrt(value: &Fp) -> Option<Fp> {
    let root = power(value, &exponents::SQRT);
    let mut square = root;
    square.square();
    (square == *value).then_some(root)
}

/// The norm `c0^2 + c1^2`.
fn norm(value: &Fp2) -> Fp {
    let (mut norm, mut high) = (value.c0, value.c1);
    norm.square();
    high.square();
    norm.add(&high);
    norm
}

/// The inverse; zero for zero.
pub fn invert2(value: &Fp2) -> Fp2 {
    let mut inverse = *value;
    inverse.conjugate();
    inverse.mul_base(&invert(&norm(value)));
    inverse
}

/// A square root, where there is one.
pub fn sqrt2(value: &Fp2) -> Option<Fp2> {
    if value.c1.is_zero() {
        // A base field element or its negation is a square there.
        if let Some(root) = sqrt(&value.c0) {
            return Some(Fp2 { c0: root, c1: Fp::ZERO });
        }
        let mut negated = value.c0;
        negated.neg();
        return sqrt(&negated).map(|root| Fp2 { c0: Fp::ZERO, c1: root });
    }
    // (a + b i)^2 = value: a^2 = (c0 +- sqrt(norm)) / 2 for one of the signs, b = c1 / 2a.
    let root = sqrt(&norm(value))?;
    let half = invert(&Fp([2, 0, 0, 0, 0, 0]));
    let mut sum = value.c0;
    sum.add(&root);
    sum.mul(&half);
    let mut difference = value.c0;
    difference.sub(&root);
    difference.mul(&half);
    let a = sqrt(&sum).or_else(|| sqrt(&difference))?;
    let mut b = invert(&a);
    b.mul(&half);
    b.mul(&value.c1);
    Some(Fp2 { c0: a, c1: b })
}

/// The residue witness of a product `g` of Miller values, as `a0 + a1 w^2 + a2 w^4` with `a + w` the
/// witness; `None` where there is none of that form.
pub fn residue_witness(g: &Fp12) -> Option<[Fp2; 3]> {
    ratio(&power_base_p(g, &exponents::ROOT))
}

/// `a0 + a1 w^2 + a2 w^4` for which `a + w` is a multiple of the element by a factor from `Fp6`.
pub fn ratio(element: &Fp12) -> Option<[Fp2; 3]> {
    let even = [element.0[0], element.0[2], element.0[4]];
    let odd = [element.0[1], element.0[3], element.0[5]];
    Some(mul6(&even, &invert6(&odd)?))
}

/// `base ^ (sum of digit_i p^i)`.
fn power_base_p(base: &Fp12, digits: &[[u64; 6]; 12]) -> Fp12 {
    // Three tables of the products of four Frobenius images each.
    let mut image = *base;
    let mut tables = [[Fp12::ONE; 16]; 3];
    for table in &mut tables {
        for i in 0..4 {
            let bit = 1 << i;
            for low in 0..bit {
                table[bit + low] = table[low].mul(&image);
            }
            image = image.frobenius();
        }
    }
    let mut result = Fp12::ONE;
    for i in (0..381).rev() {
        result = result.square();
        for (table, digits) in tables.iter().zip(digits.chunks_exact(4)) {
            let index =
                digits.iter().rev().fold(0, |index, digit| index << 1 | digit[i / 64] >> (i % 64) & 1);
            if index != 0 {
                result = result.mul(&table[index as usize]);
            }
        }
    }
    result
}

/// The product in the cubic extension `v^3 = 1 + i`.
fn mul6(a: &[Fp2; 3], b: &[Fp2; 3]) -> [Fp2; 3] {
    let mut low = [Fp2::ZERO; 3];
    let mut high = [Fp2::ZERO; 3];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            let mut product = *a;
            product.mul(b);
            if i + j < 3 { low[i + j].add(&product) } else { high[i + j - 3].add(&product) }
        }
    }
    for (low, high) in low.iter_mut().zip(&mut high) {
        high.mul_nonresidue();
        low.add(high);
    }
    low
}

/// The inverse in the cubic extension, of anything but zero.
fn invert6(a: &[Fp2; 3]) -> Option<[Fp2; 3]> {
    // The adjoint: the product of the other two conjugates, found from a * adjoint in the quadratic field.
    let product = |i: usize, j: usize| {
        let mut product = a[i];
        product.mul(&a[j]);
        product
    };
    let mut adjoint = [product(0, 0), product(2, 2), product(1, 1)];
    let mut cross = product(1, 2);
    cross.mul_nonresidue();
    adjoint[0].sub(&cross);
    adjoint[1].mul_nonresidue();
    adjoint[1].sub(&product(0, 1));
    adjoint[2].sub(&product(0, 2));
    let norm = mul6(a, &adjoint)[0];
    if norm.is_zero() {
        return None;
    }
    let inverse = invert2(&norm);
    for coefficient in &mut adjoint {
        coefficient.mul(&inverse);
    }
    Some(adjoint)
}
