//! The vectors against integers: values and bounds.

use num_bigint::BigUint;
use rand::{rngs::StdRng, Rng, SeedableRng};

use super::*;
use crate::lanes::Backend;

fn big(limbs: &[u64; 5]) -> BigUint {
    limbs.iter().rev().fold(BigUint::default(), |sum, &limb| (sum << 52) + limb)
}

fn lane(x: &Fe8, lane: usize) -> BigUint {
    // SAFETY: the caller has found AVX-512 on this machine.
    big(&x.0.map(|limb| unsafe { to_array(limb) }[lane]))
}

/// Tidy vectors: random ones, and every value `k * p` and next to it, up to `84p`, the most that may be multiplied.
#[target_feature(enable = "avx512f,avx512ifma")]
fn samples() -> Vec<Fe8> {
    let mut rng = StdRng::seed_from_u64(52);
    let p = big(&P);
    let mut values: Vec<BigUint> = (0..=84u32).flat_map(|k| [&p * k, &p * k + 1u32]).collect();
    values.extend((1..=84u32).map(|k| &p * k - 1u32));
    values.extend((0..259).map(|k| BigUint::from(1u32) << k));
    values.extend((1..84u64).map(|k| BigUint::from(k * TOP) << 208));
    values.extend((0..512).map(|_| {
        let limbs: [u64; 5] = core::array::from_fn(|_| rng.gen::<u64>() & MASK);
        big(&limbs) % (&p * 84u32)
    }));
    values.resize(values.len().next_multiple_of(WIDTH), BigUint::default());
    let limb = |x: &BigUint, i: usize| {
        let shifted = x >> (52 * i);
        (shifted % (1u64 << 52)).to_u64_digits().first().copied().unwrap_or(0)
    };
    values
        .chunks(WIDTH)
        .map(|v| Fe8(core::array::from_fn(|i| from_array(&core::array::from_fn(|k| limb(&v[k], i))))))
        .collect()
}

#[test]
fn vectors_calculate_as_integers_do() {
    if Backend::best() != Backend::Ifma {
        eprintln!("this machine has no AVX-512 IFMA: nothing to test");
        return;
    }
    // SAFETY: detected.
    unsafe { check() };

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn check() {
        let p = big(&P);
        let r = BigUint::from(1u32) << 260;
        let samples = samples();
        for (n, a) in samples.iter().enumerate() {
            // Each with another one in other lanes' company.
            let b = &samples[(n * 7 + 3) % samples.len()];
            let [product] = mul(&[*a], &[*b]);
            let [square] = square(&[*a]);
            let folded = a.fold();
            for i in 0..WIDTH {
                let (x, y) = (lane(a, i), lane(b, i));
                let bound = |x: &BigUint, y: &BigUint| (x * y / &r) + &p * 113u32 / 100u32;
                for (got, x, y) in [(lane(&product, i), &x, &y), (lane(&square, i), &x, &x)] {
                    assert_eq!(&got * &r % &p, x * y % &p, "{x} * {y}");
                    assert!(got <= bound(x, y), "{x} * {y} is too large");
                }
                assert_eq!(lane(&folded, i) % &p, &x % &p, "fold {x}");
                assert!(lane(&folded, i) < &p * 101u32 / 100u32, "fold {x} is too large");
            }
            for limb in product.0.iter().chain(&folded.0) {
                assert!(to_array(*limb).iter().all(|limb| limb >> 57 == 0));
            }
            assert!(square.0.iter().all(|limb| to_array(*limb).iter().all(|limb| limb >> 52 == 0)));
        }
    }
}

#[test]
fn constants_are_what_they_are_called() {
    let p = big(&P);
    assert_eq!(P, split(&MODULUS));
    assert_eq!(big(&SHIFTED) << 52, &p * NEG_INV + 1u32);
    let complement = (BigUint::from(1u32) << 260) - &p;
    assert_eq!(big(&[NEG_P[0], NEG_P[1], NEG_P[2], NEG_P[3], 0]), complement % (BigUint::from(1u32) << 208));
    for (constant, power) in [(FROM_R256, 264), (FROM_INTEGER, 520), (TO_R256, 256)] {
        assert_eq!(big(&constant), (BigUint::from(1u32) << power) % &p);
    }
}
