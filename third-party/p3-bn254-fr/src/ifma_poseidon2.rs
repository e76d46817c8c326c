//! Poseidon2 of width 3 on vectors of eight states each, several vectors interleaved.
//!
//! Within one permutation nearly everything waits for the product before it. So `GROUPS` vectors go through each step
//! together: while one waits, another multiplies.
//!
//! # Bounds
//! In units of `p`, by the rule of [`crate::ifma`]: an S-box gives below 2.6 for inputs below 33, 1.7 below 25, 1.3
//! below 8. A permutation takes values below 8, which the first linear layer and a constant bring below 33. In a full
//! round the linear layer and a constant give below `4 * 2.6 + 1`, and from the next round on below 8.
//!
//! In partial rounds, let `y` be the S-box's output and `a, b` the two other elements, folded in every second round to
//! below 1.01:
//!
//! | | `s0` with constant | `y` | sum | next `s0` | next `a` | next `b` |
//! |---|---|---|---|---|---|---|
//! | folding round | 25 | 1.7 | 3.8 | 5.5 | 4.8 | 5.9 |
//! | other round | 6.5 | 1.3 | 12 | 13.3 | 16.8 | 23.8 |
//!
//! Everything stays below the 84 that may be multiplied or folded, and the last full rounds take what they are handed,
//! below 24. Limbs: an untidy product's are below `2^57`, and two rounds multiply them by less than 16 before the next
//! carry.

use crate::ifma::{mul, square, Fe8};
use crate::Bn254Fr;

/// Vectors that go through a permutation together.
pub(crate) const GROUPS: usize = 2;

/// The states of `GROUPS` times eight permutations.
pub(crate) type States = [[Fe8; 3]; GROUPS];

/// Round constants in the form of the vectors.
#[derive(Clone, Debug)]
pub(crate) struct Constants {
    first: Vec<[[u64; 5]; 3]>,
    partial: Vec<[u64; 5]>,
    last: Vec<[[u64; 5]; 3]>,
}

impl Constants {
    pub(crate) fn new(external: &[[Bn254Fr; 3]], internal: &[Bn254Fr]) -> Self {
        // `x * 2^260` is `x * 2^256`, doubled four times.
        let convert = |x: &Bn254Fr| crate::ifma::split(&crate::limbs::double_times(*x.limbs(), 4));
        let full = |rounds: &[[Bn254Fr; 3]]| rounds.iter().map(|row| row.each_ref().map(convert)).collect();
        let (first, last) = external.split_at(external.len() / 2);
        Self { first: full(first), partial: internal.iter().map(convert).collect(), last: full(last) }
    }
}

/// Permutes every state. Takes tidy vectors of values below `8p`, and leaves such.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn permute(constants: &Constants, states: &mut States) {
    for s in states.iter_mut() {
        external_linear(s);
    }
    full_rounds(&constants.first, states);
    for (r, constant) in constants.partial.iter().enumerate() {
        partial_round(constant, r % 2 == 0, states);
    }
    full_rounds(&constants.last, states);
    for s in states.iter_mut() {
        for x in s.iter_mut() {
            *x = x.carry();
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn full_rounds(constants: &[[[u64; 5]; 3]], states: &mut States) {
    for row in constants {
        for i in 0..3 {
            let y = sbox(&row[i], states, i);
            for g in 0..GROUPS {
                states[g][i] = y[g];
            }
        }
        for s in states.iter_mut() {
            external_linear(s);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn partial_round(constant: &[u64; 5], fold: bool, states: &mut States) {
    let y = sbox(constant, states, 0);
    for g in 0..GROUPS {
        let s = &mut states[g];
        if fold {
            s[1] = s[1].carry().fold();
            s[2] = s[2].carry().fold();
        }
        // The matrix of ones plus the diagonal (1, 1, 2), as additions.
        let sum = y[g].add(&s[1].add(&s[2]));
        *s = [y[g].add(&sum), s[1].add(&sum), s[2].add(&s[2]).add(&sum)];
    }
}

/// The matrix (2, 1, 1; 1, 2, 1; 1, 1, 2).
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn external_linear(s: &mut [Fe8; 3]) {
    let sum = s[0].add(&s[1]).add(&s[2]);
    for x in s.iter_mut() {
        *x = x.add(&sum);
    }
}

/// Element `i` of every state, plus a constant, to the fifth power. The result is not tidy, since additions come next.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn sbox(constant: &[u64; 5], states: &States, i: usize) -> [Fe8; GROUPS] {
    let constant = Fe8::splat(constant);
    let mut x = [constant; GROUPS];
    for g in 0..GROUPS {
        x[g] = states[g][i].add(&constant).carry();
    }
    mul(&square(&square(&x)), &x)
}
