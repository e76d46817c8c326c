//! Tables of field elements whose rows are the points of a hypercube.

use std::ops::Range;

use rayon::prelude::*;
use slop_algebra::{AbstractExtensionField, ExtensionField, Field, PackedValue};
use slop_multilinear::PaddedMle;

use crate::packed::{Packed, broadcast, lanes};

/// Blocks of a column that a task works on.
const BLOCKS_PER_TASK: usize = 1 << 8;

/// Rows that differ in the last variable alone are a pair. A block is as many pairs as a register has lanes.
pub(crate) trait Table<F: Field>: Sync {
    /// What is in the table.
    type Value: ExtensionField<F>;

    /// Rows that are kept; those that follow, up to the end of the hypercube, are padding.
    fn height(&self) -> usize;

    fn width(&self) -> usize;

    /// Both rows of a block's pairs, in one column.
    fn pairs(&self, column: usize, block: usize) -> [Packed<F, Self::Value>; 2];

    /// Pairs of which one row is kept at least.
    fn height_in_pairs(&self) -> usize {
        self.height().div_ceil(2)
    }

    fn blocks(&self) -> usize {
        self.height_in_pairs().div_ceil(lanes::<F>())
    }
}

/// A trace as SP1 makes it, one row after the other; padded with zeros.
#[derive(Clone, Copy)]
pub(crate) struct Trace<'a, F> {
    values: &'a [F],
    width: usize,
}

impl<'a, F: Field> Trace<'a, F> {
    /// None of a trace without rows.
    pub(crate) fn of(trace: &'a PaddedMle<F>) -> Option<Self> {
        let values = trace.inner().as_ref()?.guts().as_slice();
        (!values.is_empty()).then(|| Self { values, width: trace.num_polynomials() })
    }
}

impl<F: Field> Table<F> for Trace<'_, F> {
    type Value = F;

    fn height(&self) -> usize {
        self.values.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    fn pairs(&self, column: usize, block: usize) -> [F::Packing; 2] {
        let rows = &self.values[2 * block * lanes::<F>() * self.width + column..];
        [0, 1].map(|side| {
            F::Packing::from_fn(|lane| {
                rows.get((2 * lane + side) * self.width).copied().unwrap_or_else(F::zero)
            })
        })
    }
}

/// A table by columns, and each column by the digits of its values over the base field, so that neighbours in memory are
/// in neighbouring lanes. Whole blocks are kept, with padding after the last row.
#[derive(Clone)]
pub(crate) struct Columns<F, N> {
    values: Vec<F>,
    width: usize,
    height: usize,
    padding: N,
}

/// A column's digits, to be written block by block; a block of this side of a pair is as many rows as there are lanes.
pub(crate) struct ColumnMut<'a, F> {
    digits: Vec<&'a mut [F]>,
}

impl<F: Field> ColumnMut<'_, F> {
    pub(crate) fn set<N: ExtensionField<F>>(&mut self, block: usize, value: Packed<F, N>) {
        let width = lanes::<F>();
        for (digits, value) in self.digits.iter_mut().zip(value.as_base_slice()) {
            digits[block * width..(block + 1) * width].copy_from_slice(value.as_slice());
        }
    }
}

impl<F: Field, N: ExtensionField<F>> Columns<F, N> {
    /// Nothing but padding.
    pub(crate) fn padded(width: usize, height: usize, padding: N) -> Self {
        let rows = rows_kept::<F>(height);
        let column = padding.as_base_slice().iter().flat_map(|digit| std::iter::repeat_n(*digit, rows));
        let column: Vec<F> = column.collect();
        Self { values: column.repeat(width), width, height, padding }
    }

    /// One column of these values.
    pub(crate) fn of_column(column: &[N], padding: N) -> Self {
        let mut table = Self::padded(1, column.len(), padding);
        let rows = rows_kept::<F>(column.len());
        for (digit, digits) in table.values.chunks_exact_mut(rows).enumerate() {
            digits.iter_mut().zip(column).for_each(|(kept, value)| *kept = value.as_base_slice()[digit]);
        }
        table
    }

    /// The columns, to be written.
    pub(crate) fn columns_mut(&mut self) -> impl IndexedParallelIterator<Item = ColumnMut<'_, F>> {
        let rows = rows_kept::<F>(self.height);
        let columns = self.values.par_chunks_exact_mut(N::D * rows);
        columns.map(move |column| ColumnMut { digits: column.chunks_exact_mut(rows).collect() })
    }

    /// The pairs of rows that begin at `row`, which need not be an even one.
    pub(crate) fn pairs_from(&self, column: usize, row: usize) -> [Packed<F, N>; 2] {
        let (rows, width) = (rows_kept::<F>(self.height), lanes::<F>());
        let digits = |digit: usize| &self.values[(column * N::D + digit) * rows + row..][..2 * width];
        [0, 1].map(|side| {
            Packed::<F, N>::from_base_fn(|digit| {
                let digits = digits(digit);
                F::Packing::from_fn(|lane| digits[2 * lane + side])
            })
        })
    }

    /// A value; padding after the last row.
    pub(crate) fn value(&self, row: usize, column: usize) -> N {
        let rows = rows_kept::<F>(self.height);
        if row >= self.height {
            return self.padding;
        }
        N::from_base_fn(|digit| self.values[(column * N::D + digit) * rows + row])
    }

    /// A table whose blocks of rows are made by `make`, many of a column at a time.
    pub(crate) fn of_blocks(
        width: usize,
        height: usize,
        padding: N,
        make: impl Fn(usize, Range<usize>) -> Vec<Packed<F, N>> + Sync,
    ) -> Self {
        let mut table = Self::padded(width, height, padding);
        let rows = rows_kept::<F>(height);
        let run = BLOCKS_PER_TASK * lanes::<F>();
        let blocks = height.div_ceil(lanes::<F>());
        let columns = table.values.chunks_exact_mut(N::D * rows).enumerate();
        let runs: Vec<_> = columns
            .flat_map(|(column, values)| {
                let mut digits: Vec<_> =
                    values.chunks_exact_mut(rows).map(|digit| digit.chunks_mut(run)).collect();
                (0..blocks).step_by(BLOCKS_PER_TASK).map(move |first| {
                    let digits = digits.iter_mut().filter_map(Iterator::next).collect();
                    (column, first, ColumnMut { digits })
                })
            })
            .collect();
        runs.into_par_iter().for_each(|(column, first, mut run)| {
            let made = make(column, first..blocks.min(first + BLOCKS_PER_TASK));
            made.into_iter().enumerate().for_each(|(at, block)| run.set::<N>(at, block));
        });
        table
    }

    /// A table with one row for each pair of this one.
    pub(crate) fn of_pairs<T: Table<F>>(
        table: &T,
        padding: N,
        row: impl Fn([Packed<F, T::Value>; 2]) -> Packed<F, N> + Sync,
    ) -> Self {
        Self::of_blocks(table.width(), table.height_in_pairs(), padding, |column, blocks| {
            blocks.map(|block| row(table.pairs(column, block))).collect()
        })
    }

    /// The table with its last variable at `alpha`: pairs become one row on the line through them.
    pub(crate) fn fold<V: ExtensionField<F>>(table: &impl Table<F, Value = V>, alpha: N, padding: N) -> Self
    where
        Packed<F, N>: AbstractExtensionField<Packed<F, V>>,
    {
        let alpha = broadcast::<F, N>(alpha);
        Self::of_pairs(table, padding, |[zero, one]| alpha * (one - zero) + zero)
    }

    /// A block of rows.
    pub(crate) fn block(&self, column: usize, block: usize) -> Packed<F, N> {
        let (rows, width) = (rows_kept::<F>(self.height), lanes::<F>());
        Packed::<F, N>::from_base_fn(|digit| {
            let digits = &self.values[(column * N::D + digit) * rows + block * width..];
            *F::Packing::from_slice(&digits[..width])
        })
    }

    /// The digits of a column's rows, each digit by itself.
    pub(crate) fn digits(&self, column: usize) -> Vec<&[F]> {
        let rows = rows_kept::<F>(self.height);
        let digits = self.values.chunks_exact(rows).skip(column * N::D).take(N::D);
        digits.map(|digit| &digit[..self.height]).collect()
    }
}

impl<F: Field, N: ExtensionField<F>> Table<F> for Columns<F, N> {
    type Value = N;

    fn height(&self) -> usize {
        self.height
    }

    fn width(&self) -> usize {
        self.width
    }

    fn pairs(&self, column: usize, block: usize) -> [Packed<F, N>; 2] {
        self.pairs_from(column, 2 * block * lanes::<F>())
    }
}

/// Rows of whole blocks of pairs, one block at least.
fn rows_kept<F: Field>(height: usize) -> usize {
    height.max(1).next_multiple_of(2 * lanes::<F>())
}
