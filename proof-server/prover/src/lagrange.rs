//! Lagrange tables: the weights `eq(z, i)` by which rows are summed in a sumcheck.

use rayon::prelude::*;
use slop_algebra::Field;

/// Entries below which a table is not worth a second core.
const ALONE: usize = 1 << 12;

/// The first entries of the table of `eq(z, ·)` over the hypercube, index bits in the order of `z`'s coordinates.
///
/// Rows beyond the longest table weigh nothing in a sum, so their weights are not made: of the 2^21 entries that a
/// machine of 22 variables has, a small program needs a fraction.
pub(crate) struct EqTable<F> {
    point: Vec<F>,
    weights: Vec<F>,
}

impl<F: Field> EqTable<F> {
    /// At least the first `wanted` entries, as far as there are so many.
    pub(crate) fn new(point: &[F], wanted: usize) -> Self {
        Self { weights: first(point, wanted), point: point.to_vec() }
    }

    /// The weights.
    pub(crate) fn weights(&self) -> &[F] {
        &self.weights
    }

    /// The table over all variables but the last: its entries are sums of two neighbours, since `eq(x, 0) + eq(x, 1) = 1`.
    pub(crate) fn drop_last(&mut self) {
        self.point.pop();
        self.weights = match self.weights.len() {
            1 => first(&self.point, 1),
            _ => self.weights.par_chunks_exact(2).with_min_len(ALONE).map(|pair| pair[0] + pair[1]).collect(),
        };
    }
}

fn first<F: Field>(point: &[F], wanted: usize) -> Vec<F> {
    let variables = wanted.max(1).next_power_of_two().ilog2() as usize;
    let (leading, free) = point.split_at(point.len().saturating_sub(variables));
    // The leading bits of the first indices are zeros.
    let mut weights = vec![leading.iter().map(|coordinate| F::one() - *coordinate).product::<F>()];
    for coordinate in free {
        weights = weights
            .par_iter()
            .with_min_len(ALONE)
            .flat_map_iter(|weight| {
                let one = *weight * *coordinate;
                [*weight - one, one]
            })
            .collect();
    }
    weights
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_algebra::extension::BinomialExtensionField;
    use slop_koala_bear::KoalaBear;
    use slop_multilinear::{Mle, Point};

    use super::*;

    type EF = BinomialExtensionField<KoalaBear, 4>;

    fn point(variables: usize) -> Vec<EF> {
        let mut rng = StdRng::seed_from_u64(variables as u64);
        (0..variables).map(|_| rng.r#gen()).collect()
    }

    fn whole(point: &[EF]) -> Vec<EF> {
        Mle::partial_lagrange(&Point::from(point.to_vec())).guts().as_slice().to_vec()
    }

    #[test]
    fn entries_are_those_of_the_whole_table() {
        let point = point(14);
        for wanted in [0, 1, 2, 3, 1000, 1 << 13, (1 << 13) + 1, 1 << 14, 1 << 20] {
            let table = EqTable::new(&point, wanted);
            assert!(table.weights().len() >= wanted.min(1 << 14), "{wanted}");
            assert_eq!(table.weights(), &whole(&point)[..table.weights().len()], "{wanted}");
        }
    }

    #[test]
    fn a_variable_less_is_the_table_of_the_shorter_point() {
        for wanted in [1, 5, 1 << 10] {
            let point = point(10);
            let mut table = EqTable::new(&point, wanted);
            for left in (0..point.len()).rev() {
                table.drop_last();
                assert_eq!(table.weights(), &whole(&point[..left])[..table.weights().len()]);
            }
        }
    }
}
