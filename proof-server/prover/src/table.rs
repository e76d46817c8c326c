//! Tables of field elements whose rows are the points of a hypercube.

use std::borrow::Cow;

use rayon::prelude::*;
use slop_algebra::{ExtensionField, Field};

/// Elements that one task works on.
pub(crate) const ELEMENTS_PER_TASK: usize = 1 << 13;

/// Rows of one width, one after the other. The rows that follow, up to the end of the hypercube, are `padding` in every
/// column and are not kept.
#[derive(Clone)]
pub(crate) struct Table<'a, K: Field> {
    values: Cow<'a, [K]>,
    width: usize,
    padding: K,
}

impl<'a, K: Field> Table<'a, K> {
    /// A table of `values.len() / width` rows.
    pub(crate) fn new(values: impl Into<Cow<'a, [K]>>, width: usize, padding: K) -> Self {
        let values = values.into();
        debug_assert!(width > 0 && values.len().is_multiple_of(width));
        Self { values, width, padding }
    }

    /// Rows that are kept.
    pub(crate) fn height(&self) -> usize {
        self.values.len() / self.width
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// A row, if it is kept.
    pub(crate) fn row(&self, index: usize) -> Option<&[K]> {
        self.values.get(index * self.width..(index + 1) * self.width)
    }

    /// The value in a column of a row.
    pub(crate) fn value(&self, row: usize, column: usize) -> K {
        self.row(row).map_or(self.padding, |row| row[column])
    }

    /// The table with its last variable at `alpha`: neighbours become one row on the line through them.
    pub(crate) fn fold<EF: ExtensionField<K>>(&self, alpha: EF) -> Table<'static, EF> {
        let width = self.width;
        let line = |zero: K, one: K| alpha * (one - zero) + zero;
        let mut folded = vec![EF::zero(); self.height().div_ceil(2) * width];
        let rows = rows_per_task(width);
        folded.par_chunks_mut(rows * width).zip(self.values.par_chunks(2 * rows * width)).for_each(
            |(folded, values)| {
                for (folded, pair) in folded.chunks_exact_mut(width).zip(values.chunks(2 * width)) {
                    let (zeros, ones) = pair.split_at(width);
                    for (column, (folded, zero)) in folded.iter_mut().zip(zeros).enumerate() {
                        *folded = line(*zero, ones.get(column).copied().unwrap_or(self.padding));
                    }
                }
            },
        );
        Table { values: folded.into(), width, padding: self.padding.into() }
    }
}

/// Rows of `width` that make a task.
pub(crate) fn rows_per_task(width: usize) -> usize {
    (ELEMENTS_PER_TASK / width.max(1)).max(1)
}
