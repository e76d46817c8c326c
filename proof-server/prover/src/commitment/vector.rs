//! The long vector: all columns of all tables, one after the other, and zeros.

use rayon::prelude::*;
use slop_algebra::{Field, PackedValue};
use slop_multilinear::PaddedMle;

use crate::{packed::lanes, table::Table};

/// Rows that a task turns from rows of a trace into columns.
const ROWS_PER_TASK: usize = 1 << 12;
/// Rows of a trace that stay in a core's nearest cache meanwhile.
const ROWS_AT_ONCE: usize = 1 << 6;

/// The vector, and how many zeros fill it up to a multiple of `2^log_height`.
pub(super) fn of_traces<F: Field>(traces: &[&PaddedMle<F>], log_height: usize) -> (Vec<F>, usize) {
    let kept = traces.iter().filter_map(|trace| trace.inner().as_ref());
    let kept: Vec<_> = kept.map(|trace| (trace.guts().as_slice(), trace.num_polynomials())).collect();
    let length: usize = kept.iter().map(|(values, _)| values.len()).sum();
    let whole = length.next_multiple_of(1 << log_height).max(1 << log_height);
    let mut vector = vec![F::zero(); whole];
    let mut rest = &mut vector[..];
    let mut tasks = Vec::new();
    for (values, width) in kept.into_iter().filter(|(values, _)| !values.is_empty()) {
        let (columns, behind) = rest.split_at_mut(values.len());
        rest = behind;
        let mut columns: Vec<_> =
            columns.chunks_mut(values.len() / width).map(|column| column.chunks_mut(ROWS_PER_TASK)).collect();
        for rows in values.chunks(ROWS_PER_TASK * width) {
            let columns: Vec<&mut [F]> = columns.iter_mut().filter_map(Iterator::next).collect();
            tasks.push((rows, columns));
        }
    }
    tasks.into_par_iter().for_each(|(rows, mut columns)| {
        let width = columns.len();
        for (part, rows) in rows.chunks(ROWS_AT_ONCE * width).enumerate() {
            for (at, column) in columns.iter_mut().enumerate() {
                let entries = column[part * ROWS_AT_ONCE..].iter_mut();
                entries.zip(rows[at..].iter().step_by(width)).for_each(|(entry, value)| *entry = *value);
            }
        }
    });
    (vector, whole - length)
}

/// Long vectors of several commitments, one after the other, as a table of one column.
pub(crate) struct Vector<'a, F> {
    pieces: Vec<&'a [F]>,
}

impl<'a, F: Field> Vector<'a, F> {
    /// The pieces are of the same length, a power of two.
    pub(crate) fn new(pieces: Vec<&'a [F]>) -> Self {
        assert!(
            pieces[0].len().is_power_of_two() && pieces.iter().all(|piece| piece.len() == pieces[0].len())
        );
        Self { pieces }
    }

    #[cfg(test)]
    pub(crate) fn value(&self, index: usize) -> F {
        self.pieces[index / self.pieces[0].len()][index % self.pieces[0].len()]
    }
}

impl<F: Field> Table<F> for Vector<'_, F> {
    type Value = F;

    fn height(&self) -> usize {
        self.pieces.len() * self.pieces[0].len()
    }

    fn width(&self) -> usize {
        1
    }

    fn pairs(&self, _: usize, block: usize) -> [F::Packing; 2] {
        let (first, length) = (2 * block * lanes::<F>(), self.pieces[0].len());
        let values = &self.pieces[first / length][first % length..];
        [0, 1].map(|side| match values.get(..2 * lanes::<F>()) {
            Some(values) => F::Packing::from_fn(|lane| values[2 * lane + side]),
            // Pieces that are shorter than a block.
            None => F::Packing::from_fn(|lane| {
                let index = first + 2 * lane + side;
                self.pieces.get(index / length).map_or(F::zero(), |piece| piece[index % length])
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::{SeedableRng, rngs::StdRng};
    use slop_commit::Message;
    use slop_koala_bear::KoalaBear;
    use slop_multilinear::Mle;
    use slop_stacked::interleave_multilinears_with_fixed_rate;

    use super::*;

    #[test]
    fn it_is_what_the_released_prover_cuts_into_columns() {
        let mut rng = StdRng::seed_from_u64(1);
        let shapes = [(5u32, 3), (13, 5), (0, 7), (7, 200), (3, 1)];
        let traces: Vec<Arc<Mle<KoalaBear>>> = (shapes.iter())
            .map(|(variables, width)| Arc::new(Mle::rand(&mut rng, *width, *variables)))
            .collect();
        let padded: Vec<PaddedMle<KoalaBear>> =
            traces.iter().map(|trace| PaddedMle::padded_with_zeros(trace.clone(), 14)).collect();
        let (vector, filling) = of_traces(&padded.iter().collect::<Vec<_>>(), 10);
        let length: usize = shapes.iter().map(|(variables, width)| width << variables).sum();
        assert_eq!((vector.len() - filling, vector.len() % (1 << 10)), (length, 0));

        let message: Message<Mle<KoalaBear>> = traces.into_iter().collect();
        let released = interleave_multilinears_with_fixed_rate(4, message, 10);
        let columns = released.iter().flat_map(|matrix| matrix.guts().transpose().into_buffer().into_vec());
        assert_eq!(vector, columns.collect::<Vec<_>>());
    }
}
