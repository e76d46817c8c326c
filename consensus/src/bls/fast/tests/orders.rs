//! The facts about group orders that the arguments rest on, from the curve's parameter `z = -N` alone.

use super::*;
use crate::bls::fast::constants::MODULUS;
use num_bigint::BigUint;

struct Orders {
    n: BigUint,
    /// Of the field, and of the two groups of the pairing.
    p: BigUint,
    r: BigUint,
    /// Of all points of the curve, and of its twist.
    curve: BigUint,
    twist: BigUint,
}

/// As in draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1, with `z = -N`.
fn orders() -> Orders {
    let n = BigUint::from(0xd201_0000_0001_0000_u64);
    let power = |exponent| n.pow(exponent);
    let r = power(4) - power(2) + 1u32;
    let h1 = (&n + 1u32).pow(2) / 3u32;
    let p = &h1 * &r - &n;
    let h2: BigUint = power(8) + 4u32 * power(7) + 5u32 * power(6) + 4u32 * &n + 13u32
        - 4u32 * power(4)
        - 6u32 * power(3)
        - 4u32 * power(2);
    assert_eq!(&h2 % 9u32, BigUint::ZERO);
    Orders { curve: &h1 * &r, twist: h2 / 9u32 * &r, n, p, r }
}

fn gcd(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b != BigUint::ZERO {
        (a, b) = (b.clone(), a % b);
    }
    a
}

#[test]
fn the_field_is_this_one() {
    let limbs: Vec<u32> = MODULUS.iter().flat_map(|limb| [*limb as u32, (limb >> 32) as u32]).collect();
    assert_eq!(orders().p, BigUint::new(limbs));
}

/// `psi(Q) = [z] Q` on the twist means `[p - z] Q = 0`, and so `[r] Q = 0`: nothing else divides both orders.
#[test]
fn the_endomorphism_tells_the_subgroup() {
    let Orders { n, p, r, twist, .. } = orders();
    assert_eq!(gcd(p + n, twist), r);
}

/// No point of either curve has order two, so doubling is never exceptional; and each has one subgroup of order `r`.
#[test]
fn orders_are_odd_and_hold_r_once() {
    let Orders { r, curve, twist, .. } = orders();
    for order in [curve, twist] {
        assert!(order.bit(0));
        assert_ne!(&order / &r % &r, BigUint::ZERO);
    }
}

/// The residue witness's exponent `p + N` is a multiple of `r`, and `r` divides `p^6 + 1`: what lies in `Fp6` is killed by
/// the final exponentiation.
#[test]
fn the_exponents_of_the_pairing_check() {
    let Orders { n, p, r, .. } = orders();
    assert_eq!(&p + &n, &r * ((&n + 1u32).pow(2) / 3u32));
    assert_eq!((p.pow(6) + 1u32) % r, BigUint::ZERO);
}
