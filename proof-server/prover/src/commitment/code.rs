//! Reed-Solomon codes of columns: their values on a larger group of roots of unity, rows in bit-reversed order.
//!
//! A Fourier transform (Cooley and Tukey's, in place, from natural to bit-reversed order) of all columns of a matrix at
//! once. In this order a layer's factor is the same for a whole block of rows, and blocks of zeros that the columns are
//! extended by leave nothing to do in the layers that meet them: each part of the code begins with a copy of the columns.

use rayon::prelude::*;
use slop_algebra::{Field, PackedValue, TwoAdicField};
use slop_tensor::Tensor;

/// Rows that are worked on together in the layers whose pairs lie far apart: columns are read a cache line at a time.
const RUN: usize = 16;
/// Layers after which rows that belong together lie together in a core's cache.
const NEAR: usize = 14;

/// Powers of roots of unity in bit-reversed order: the factor of block `b` is entry `b`, in every layer. Rows `2i` and
/// `2i + 1` of a code are the values at `x` and `-x` where `x` is entry `i`, whatever the code's length.
pub(super) struct Factors<F> {
    powers: Vec<F>,
    inverses: Vec<F>,
}

impl<F: TwoAdicField> Factors<F> {
    /// For codes of up to `2^log_length` rows.
    pub(super) fn new(log_length: usize) -> Self {
        // Entry b + 2^k is entry b times the root of order 2^(k + 2).
        let powers = |root: fn(usize) -> F| {
            let mut powers = vec![F::one()];
            for order in 2..=log_length {
                let root = root(order);
                powers.reserve(powers.len());
                powers.extend_from_within(..);
                let half = powers.len() / 2;
                powers[half..].iter_mut().for_each(|power| *power *= root);
            }
            powers
        };
        Self {
            powers: powers(F::two_adic_generator),
            inverses: powers(|order| F::two_adic_generator(order).inverse()),
        }
    }

    /// One over each entry.
    pub(super) fn inverses(&self) -> &[F] {
        &self.inverses
    }
}

/// The code of `columns`, each of `2^n` values, as a matrix of `2^(n + log_blowup)` rows.
pub(super) fn encode<F: TwoAdicField>(
    columns: &[&[F]],
    log_blowup: usize,
    factors: &Factors<F>,
) -> Tensor<F> {
    let (width, height) = (columns.len(), columns[0].len());
    assert!(height.is_power_of_two() && columns.iter().all(|column| column.len() == height));
    let far = (height.ilog2() as usize).saturating_sub(NEAR);
    let mut code = vec![F::zero(); (width * height) << log_blowup];

    for (part, code) in code.chunks_exact_mut(width * height).enumerate() {
        // Runs of rows that are `height >> far` apart, task by task.
        let apart = height >> far;
        let run = RUN.min(apart);
        let mut strands: Vec<_> =
            code.chunks_exact_mut(width * apart).map(|rows| rows.chunks_exact_mut(width * run)).collect();
        let tasks: Vec<Vec<&mut [F]>> =
            (0..apart / run).map(|_| strands.iter_mut().filter_map(Iterator::next).collect()).collect();
        tasks.into_par_iter().enumerate().for_each(|(task, mut runs)| {
            let mut rows = vec![F::zero(); runs.len() * run * width];
            for (strand, rows) in rows.chunks_exact_mut(run * width).enumerate() {
                let first = strand * apart + task * run;
                for (at, column) in columns.iter().enumerate() {
                    for (row, value) in column[first..first + run].iter().enumerate() {
                        rows[row * width + at] = *value;
                    }
                }
            }
            layers(&mut rows, run * width, far, part, &factors.powers);
            for (run, rows) in runs.iter_mut().zip(rows.chunks_exact(run * width)) {
                run.copy_from_slice(rows);
            }
        });
        code.par_chunks_exact_mut(width * apart).enumerate().for_each(|(block, rows)| {
            near(rows, width, (part << far) + block, &factors.powers);
        });
    }
    Tensor::from(code).reshape([height << log_blowup, width])
}

/// All layers of one block of rows: those that do not fit the nearest cache first, then the rest part by part.
fn near<F: Field>(rows: &mut [F], width: usize, block: usize, factors: &[F]) {
    let height = rows.len() / width;
    let outer = height.ilog2() as usize / 2;
    layers(rows, (height >> outer) * width, outer, block, factors);
    for (part, rows) in rows.chunks_exact_mut((height >> outer) * width).enumerate() {
        layers(rows, width, (height >> outer).ilog2() as usize, (block << outer) + part, factors);
    }
}

/// `count` layers over `2^count` runs; `block` is the number of the block that they are in the first of these layers.
fn layers<F: Field>(rows: &mut [F], run: usize, count: usize, block: usize, factors: &[F]) {
    for layer in 0..count {
        let half = run << (count - 1 - layer);
        for (at, pair) in rows.chunks_exact_mut(2 * half).enumerate() {
            let (upper, lower) = pair.split_at_mut(half);
            butterflies(upper, lower, factors[(block << layer) + at]);
        }
    }
}

/// `(a, b)` becomes `(a + factor b, a - factor b)`.
#[inline]
fn butterflies<F: Field>(upper: &mut [F], lower: &mut [F], factor: F) {
    let (upper, upper_rest) = F::Packing::pack_slice_with_suffix_mut(upper);
    let (lower, lower_rest) = F::Packing::pack_slice_with_suffix_mut(lower);
    let packed = F::Packing::from(factor);
    if factor == F::one() {
        for (a, b) in upper.iter_mut().zip(lower) {
            (*a, *b) = (*a + *b, *a - *b);
        }
    } else {
        for (a, b) in upper.iter_mut().zip(lower) {
            let product = *b * packed;
            (*a, *b) = (*a + product, *a - product);
        }
    }
    for (a, b) in upper_rest.iter_mut().zip(lower_rest) {
        let product = *b * factor;
        (*a, *b) = (*a + product, *a - product);
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_dft::{Dft, DftOrdering, p3::Radix2DitParallel};
    use slop_koala_bear::KoalaBear;

    use super::*;

    #[test]
    fn codes_are_the_released_ones() {
        let mut rng = StdRng::seed_from_u64(1);
        for (log_height, width, log_blowup) in
            [(0, 1, 1), (1, 3, 1), (5, 4, 2), (10, 32, 1), (14, 5, 1), (16, 4, 1), (17, 1, 3), (18, 7, 1)]
        {
            let height = 1usize << log_height;
            let columns: Vec<Vec<KoalaBear>> =
                (0..width).map(|_| (0..height).map(|_| rng.r#gen()).collect()).collect();
            let rows: Vec<KoalaBear> =
                (0..height).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
            let matrix = Tensor::from(rows).reshape([height, width]);
            let released = Radix2DitParallel.dft(&matrix, log_blowup, DftOrdering::BitReversed, 0).unwrap();

            let columns: Vec<&[KoalaBear]> = columns.iter().map(Vec::as_slice).collect();
            let ours = encode(&columns, log_blowup, &Factors::new(log_height + log_blowup));
            assert_eq!(ours.sizes(), released.sizes());
            assert!(ours.as_slice() == released.as_slice(), "2^{log_height} x {width}, {log_blowup}");
        }
    }
}
