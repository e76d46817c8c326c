//! Weighted sums of the long vector's columns: over the rows, which are the columns' values at a point, and over the
//! columns, which is the one column that is opened for all.

use rayon::prelude::*;
use slop_algebra::{ExtensionField, Field, PackedValue};

use crate::{
    packed::{broadcast, lanes, sum},
    table::Columns,
};

/// Blocks of rows that a task sums: their weights stay in a core's cache while it goes over all columns.
const BLOCKS_PER_TASK: usize = 1 << 7;

/// Each column's values times `weights`, one for each row.
pub(super) fn over_rows<F: Field, EF: ExtensionField<F>>(
    columns: &[&[F]],
    weights: &Columns<F, EF>,
) -> Vec<EF> {
    let blocks = columns[0].len().div_ceil(lanes::<F>());
    let nothing = || vec![broadcast::<F, EF>(EF::zero()); columns.len()];
    let sums = (0..blocks.div_ceil(BLOCKS_PER_TASK))
        .into_par_iter()
        .fold(nothing, |mut sums, task| {
            let blocks = task * BLOCKS_PER_TASK..blocks.min((task + 1) * BLOCKS_PER_TASK);
            let weights: Vec<_> = blocks.clone().map(|block| weights.block(0, block)).collect();
            for (sum, column) in sums.iter_mut().zip(columns) {
                for (weight, block) in weights.iter().zip(blocks.clone()) {
                    *sum += *weight * values(column, block);
                }
            }
            sums
        })
        .reduce(nothing, |mut sums, others| {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            sums
        });
    sums.into_iter().map(sum::<F, EF>).collect()
}

/// The sum of the columns times `weights`, one for each column.
pub(super) fn over_columns<F: Field, EF: ExtensionField<F>>(
    columns: &[&[F]],
    weights: &[EF],
) -> Columns<F, EF> {
    let weights: Vec<_> = weights.iter().map(|weight| broadcast::<F, EF>(*weight)).collect();
    Columns::of_blocks(1, columns[0].len(), EF::zero(), |_, blocks| {
        let mut sums = vec![broadcast::<F, EF>(EF::zero()); blocks.len()];
        for (weight, column) in weights.iter().zip(columns) {
            for (sum, block) in sums.iter_mut().zip(blocks.clone()) {
                *sum += *weight * values(column, block);
            }
        }
        sums
    })
}

/// A block of a column; zeros after its end.
#[inline(always)]
fn values<F: Field>(column: &[F], block: usize) -> F::Packing {
    let width = lanes::<F>();
    match column.get(block * width..(block + 1) * width) {
        Some(values) => *F::Packing::from_slice(values),
        None => F::Packing::from_fn(|lane| column.get(block * width + lane).copied().unwrap_or_else(F::zero)),
    }
}
