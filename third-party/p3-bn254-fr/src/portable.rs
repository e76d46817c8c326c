//! The Montgomery product in portable Rust.
//!
//! Four times, a multiple of `p` clears the lowest limb `t`, and the rest moves one limb down. With `p` itself the
//! multiplier is `t * NEG_INV mod 2^64`: a product that the next one waits for. With the multiple `NEG_INV * p`, which is
//! `SHIFTED * 2^64 - 1`, the multiplier is `t`, and no carry comes out of the lowest limb. That multiple is larger, and
//! adds `SHIFTED`, less than `0.77p`, to the result as long as the last limb is cleared with `p`.

use crate::limbs::{Limbs, MODULUS, NEG_INV, SHIFTED};

/// `a * b / 2^256 mod p`, below `a * b / 2^256 + 1.77p`. Factors are below `4p`, so that five limbs hold all sums.
#[inline(always)]
pub(crate) fn mul_lazy(a: &Limbs, b: &Limbs) -> Limbs {
    let t = add_row([0; 5], a, b[0]);
    let t = add_row(clear_lowest(t), a, b[1]);
    let t = add_row(clear_lowest(t), a, b[2]);
    let t = add_row(clear_lowest(t), a, b[3]);
    let m = t[0].wrapping_mul(NEG_INV);
    let (_, c) = m.carrying_mul_add(MODULUS[0], t[0], 0);
    let (t0, c) = m.carrying_mul_add(MODULUS[1], t[1], c);
    let (t1, c) = m.carrying_mul_add(MODULUS[2], t[2], c);
    let (t2, c) = m.carrying_mul_add(MODULUS[3], t[3], c);
    [t0, t1, t2, c.wrapping_add(t[4])]
}

/// `a * a / 2^256 mod p`, with bounds as in [`mul_lazy`].
#[inline(always)]
pub(crate) fn square_lazy(a: &Limbs) -> Limbs {
    mul_lazy(a, a)
}

/// `t + a * b`.
#[inline(always)]
fn add_row(t: [u64; 5], a: &Limbs, b: u64) -> [u64; 5] {
    let (t0, c) = a[0].carrying_mul_add(b, t[0], 0);
    let (t1, c) = a[1].carrying_mul_add(b, t[1], c);
    let (t2, c) = a[2].carrying_mul_add(b, t[2], c);
    let (t3, c) = a[3].carrying_mul_add(b, t[3], c);
    [t0, t1, t2, t3, t[4].wrapping_add(c)]
}

/// `(t + t[0] * NEG_INV * p) / 2^64`.
#[inline(always)]
fn clear_lowest([q, t1, t2, t3, t4]: [u64; 5]) -> [u64; 5] {
    add_row([t1, t2, t3, t4, 0], &SHIFTED, q)
}
