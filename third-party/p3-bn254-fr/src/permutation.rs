//! Poseidon2 of width 3, one state at a time, with as few reductions as four limbs allow.
//!
//! State elements are below `2p` throughout. The S-box may give 2.91p, one subtraction of `2p` away: with
//! `p / 2^256 < 0.1891`, the square of a value below `2p` is below `(4 * 0.1891 + 1.77)p < 2.53p`, its square below 2.99,
//! and that times a value below 2 below 2.91.

use crate::limbs::{add_wide, mul_lazy, reduce_once, square_lazy, Limbs, TWO_P};
use crate::Bn254Fr;

/// Permutes one state: elements below `2p` to elements below `2p`.
pub(crate) fn permute(external: &[[Bn254Fr; 3]], internal: &[Bn254Fr], state: &mut [Limbs; 3]) {
    let (first, last) = external.split_at(external.len() / 2);
    external_linear(state);
    first.iter().for_each(|row| full_round(row, state));
    if let Some(first) = internal.first() {
        state[0] = add(&state[0], first.limbs());
        for i in 0..internal.len() {
            partial_round(internal.get(i + 1).map_or(&[0; 4], |c| c.limbs()), state);
        }
    }
    last.iter().for_each(|row| full_round(row, state));
}

#[inline(always)]
fn full_round(constants: &[Bn254Fr; 3], state: &mut [Limbs; 3]) {
    for (x, constant) in state.iter_mut().zip(constants) {
        *x = fifth_power(&add(x, constant.limbs()));
    }
    external_linear(state);
}

/// A round whose constant was added before, and which adds the `next` one's: off the chain of products.
#[inline(always)]
fn partial_round(next: &Limbs, state: &mut [Limbs; 3]) {
    let y = fifth_power(&state[0]);
    let rest = add(&state[1], &state[2]);
    let sum = add(&y, &rest);
    // The matrix of ones plus the diagonal (1, 1, 2), as additions.
    state[0] = add(&add(&y, &y), &add(&rest, next));
    state[1] = add(&state[1], &sum);
    state[2] = add(&add(&state[2], &state[2]), &sum);
}

/// The matrix (2, 1, 1; 1, 2, 1; 1, 1, 2).
#[inline(always)]
fn external_linear(state: &mut [Limbs; 3]) {
    let sum = add(&add(&state[0], &state[1]), &state[2]);
    *state = state.each_ref().map(|x| add(x, &sum));
}

#[inline(always)]
fn fifth_power(x: &Limbs) -> Limbs {
    let x4 = square_lazy(&square_lazy(x));
    reduce_once(&mul_lazy(&x4, x), &TWO_P)
}

/// The sum of two values below `2p`, below `2p`.
#[inline(always)]
fn add(a: &Limbs, b: &Limbs) -> Limbs {
    reduce_once(&add_wide(a, b), &TWO_P)
}
