//! Arithmetic modulo the BN254 scalar prime on four 64-bit limbs.
//!
//! An element `x` is stored as `x * 2^256 mod p`, least significant limb first. Functions without a word about it
//! take and give values below `p`.
//!
//! The prime leaves room: `2^256 > 5.28p`. The `_lazy` products use it. They take factors below `4p`, skip
//! the last subtraction, and give a value below `a * b / 2^256 + 1.77p`.

#[cfg(all(target_arch = "x86_64", target_feature = "bmi2", target_feature = "adx"))]
pub(crate) use crate::adx::{mul_lazy, square_lazy};
#[cfg(not(all(target_arch = "x86_64", target_feature = "bmi2", target_feature = "adx")))]
pub(crate) use crate::portable::{mul_lazy, square_lazy};

/// Four 64-bit limbs, least significant first.
pub(crate) type Limbs = [u64; 4];

/// The prime.
pub(crate) const MODULUS: Limbs =
    [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
/// Twice the prime.
pub(crate) const TWO_P: Limbs =
    [0x87c3eb27e0000002, 0x5067d090f372e122, 0x70a08b6d0302b0ba, 0x60c89ce5c2634053];
/// `-1/p mod 2^64`.
pub(crate) const NEG_INV: u64 = 0xc2e1f593efffffff;
/// `(NEG_INV * p + 1) / 2^64`.
pub(crate) const SHIFTED: Limbs =
    [0x2d3e8053e396ee4d, 0xca478dbeab3c92cd, 0xb2d8f06f77f52a93, 0x24d6ba07f7aa8f04];
/// `2^256 mod p`: one, in Montgomery form.
pub(crate) const R: Limbs = [0xac96341c4ffffffb, 0x36fc76959f60cd29, 0x666ea36f7879462e, 0x0e0a77c19a07df2f];
/// `2 * 2^256 mod p`: two.
pub(crate) const TWO_R: Limbs =
    [0x592c68389ffffff6, 0x6df8ed2b3ec19a53, 0xccdd46def0f28c5c, 0x1c14ef83340fbe5e];
/// `-2^256 mod p`: minus one.
pub(crate) const NEG_R: Limbs =
    [0x974bc177a0000006, 0xf13771b2da58a367, 0x51e1a2470908122e, 0x2259d6b14729c0fa];
/// `2^512 mod p`: a product with it brings an integer into Montgomery form.
pub(crate) const R2: Limbs = [0x1bb8e645ae216da7, 0x53fe3ab1e35c59e3, 0x8c49833d53bb8085, 0x0216d0b17f4e44a5];

/// The sum without reduction. It must fit 256 bits.
#[inline(always)]
pub(crate) fn add_wide(a: &Limbs, b: &Limbs) -> Limbs {
    let (r0, c) = a[0].overflowing_add(b[0]);
    let (r1, c) = a[1].carrying_add(b[1], c);
    let (r2, c) = a[2].carrying_add(b[2], c);
    let (r3, _) = a[3].carrying_add(b[3], c);
    [r0, r1, r2, r3]
}

/// `a - b` modulo `2^256`, and whether `b` was larger.
#[inline(always)]
fn sub_wide(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (r0, c) = a[0].overflowing_sub(b[0]);
    let (r1, c) = a[1].borrowing_sub(b[1], c);
    let (r2, c) = a[2].borrowing_sub(b[2], c);
    let (r3, c) = a[3].borrowing_sub(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// `a - m` if that is not negative, else `a`. No branch: which one it is cannot be predicted.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn reduce_once(a: &Limbs, m: &Limbs) -> Limbs {
    let [mut d0, mut d1, mut d2, mut d3] = *a;
    // In assembly since the compiler makes vector code of the choice: moving limbs to vectors and back takes longer than
    // all the rest.
    // SAFETY: reads its inputs and writes registers only. Every x86-64 has these instructions.
    unsafe {
        core::arch::asm!(
            "sub {d0}, {m0}",
            "sbb {d1}, {m1}",
            "sbb {d2}, {m2}",
            "sbb {d3}, {m3}",
            "cmovc {d0}, {a0}",
            "cmovc {d1}, {a1}",
            "cmovc {d2}, {a2}",
            "cmovc {d3}, {a3}",
            d0 = inout(reg) d0,
            d1 = inout(reg) d1,
            d2 = inout(reg) d2,
            d3 = inout(reg) d3,
            m0 = in(reg) m[0],
            m1 = in(reg) m[1],
            m2 = in(reg) m[2],
            m3 = in(reg) m[3],
            a0 = in(reg) a[0],
            a1 = in(reg) a[1],
            a2 = in(reg) a[2],
            a3 = in(reg) a[3],
            options(pure, nomem, nostack),
        );
    }
    [d0, d1, d2, d3]
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use self::reduce_once_portable as reduce_once;

/// `a - m` if that is not negative, else `a`.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(crate) fn reduce_once_portable(a: &Limbs, m: &Limbs) -> Limbs {
    let (d, borrow) = sub_wide(a, m);
    let keep = (borrow as u64).wrapping_neg();
    core::array::from_fn(|i| d[i] ^ ((d[i] ^ a[i]) & keep))
}

/// `a + b`.
#[inline(always)]
pub(crate) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    reduce_once(&add_wide(a, b), &MODULUS)
}

/// `a - b`.
#[inline(always)]
pub(crate) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    let (d, borrow) = sub_wide(a, b);
    let mask = (borrow as u64).wrapping_neg();
    add_wide(&d, &[MODULUS[0] & mask, MODULUS[1] & mask, MODULUS[2] & mask, MODULUS[3] & mask])
}

/// `-a`.
#[inline(always)]
pub(crate) fn neg(a: &Limbs) -> Limbs {
    sub(&[0; 4], a)
}

/// `a * 2^times`.
pub(crate) fn double_times(mut a: Limbs, times: usize) -> Limbs {
    let mut i = 0;
    while i < times {
        a = add(&a, &a);
        i += 1;
    }
    a
}

/// `a * b`.
#[inline(always)]
pub(crate) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    reduce_once(&mul_lazy(a, b), &MODULUS)
}
/// `a * a`.
#[inline(always)]
pub(crate) fn square(a: &Limbs) -> Limbs {
    reduce_once(&square_lazy(a), &MODULUS)
}

/// `n * 2^256 mod p`.
#[inline]
pub(crate) fn from_u64(n: u64) -> Limbs {
    mul(&R2, &[n, 0, 0, 0])
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use rand::{rngs::StdRng, Rng, SeedableRng};

    use super::*;
    use crate::portable;

    fn big(limbs: &[u64]) -> BigUint {
        BigUint::from_slice(&limbs.iter().flat_map(|&x| [x as u32, (x >> 32) as u32]).collect::<Vec<_>>())
    }

    /// Random values below `bound * p / 10`, and the ends: zero, all ones in a limb, the bound less one.
    fn samples(bound: u32) -> Vec<Limbs> {
        let mut rng = StdRng::seed_from_u64(bound as u64);
        let limit = big(&MODULUS) * bound / 10u32;
        let mut all: Vec<Limbs> = (0..400).map(|_| rng.gen()).collect();
        for i in 0..256 {
            let mut one = [0; 4];
            one[i / 64] = 1 << (i % 64);
            let below: Limbs = core::array::from_fn(|j| match (64 * j).cmp(&(i / 64 * 64)) {
                core::cmp::Ordering::Less => u64::MAX,
                core::cmp::Ordering::Equal => one[j] - 1,
                core::cmp::Ordering::Greater => 0,
            });
            all.extend([one, below]);
        }
        all.extend([[0; 4], R, TWO_R, NEG_R, R2, MODULUS, TWO_P, SHIFTED]);
        let mut top = (&limit - 1u32).to_u64_digits();
        top.resize(4, 0);
        all.push(top.try_into().unwrap());
        all.retain(|x| big(x) < limit);
        all
    }

    #[test]
    fn constants_are_what_they_are_called() {
        let p = big(&MODULUS);
        let r = BigUint::from(1u32) << 256;
        assert_eq!(big(&TWO_P), &p * 2u32);
        assert_eq!(big(&R), &r % &p);
        assert_eq!(big(&TWO_R), &r * 2u32 % &p);
        assert_eq!(big(&NEG_R), &p - &r % &p);
        assert_eq!(big(&R2), &r * &r % &p);
        assert_eq!(big(&SHIFTED) << 64, big(&[NEG_INV]) * &p + 1u32);
        assert!(big(&[u64::MAX; 4]) > &p * 528u32 / 100u32);
    }

    #[test]
    fn lazy_products_are_right_and_within_their_bound() {
        let p = big(&MODULUS);
        let products = [mul_lazy as fn(&Limbs, &Limbs) -> Limbs, portable::mul_lazy];
        let squares = [square_lazy as fn(&Limbs) -> Limbs, portable::square_lazy];
        let check = |a: &Limbs, b: &Limbs, product: Limbs| {
            let exact = big(a) * big(b);
            assert_eq!((big(&product) << 256) % &p, &exact % &p, "{a:x?} * {b:x?}");
            assert!(big(&product) <= (exact >> 256) + &p * 177u32 / 100u32, "{a:x?} * {b:x?} is too large");
        };
        let second: Vec<Limbs> = samples(40).into_iter().step_by(7).collect();
        for a in samples(40) {
            for b in &second {
                products.iter().for_each(|product| check(&a, b, product(&a, b)));
            }
            squares.iter().for_each(|square| check(&a, &a, square(&a)));
        }
    }

    #[test]
    fn one_subtraction_reduces_values_below_twice_the_modulus() {
        for m in [MODULUS, TWO_P] {
            for a in samples(52) {
                let expected = if big(&a) >= big(&m) { big(&a) - big(&m) } else { big(&a) };
                assert_eq!(big(&reduce_once(&a, &m)), expected);
                assert_eq!(big(&reduce_once_portable(&a, &m)), expected);
            }
        }
    }
}
