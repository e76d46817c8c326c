//! The value of the jagged polynomial: a sumcheck over the bits of where columns begin and end.
//!
//! Whether entry `i` of the long vector is row `r` of the column from `begin` to `end` is what a program of four states
//! tells that reads the bits of `r`, `i`, `begin` and `end` from the lowest: `begin + r = i`, by the carry, and `i < end`,
//! by a comparison. As a polynomial of those bits it is a product of 4 by 4 matrices, one a bit. The sumcheck fixes the
//! bits of `end` and then those of `begin`, the lowest first. So the product is kept in two halves: of the matrices
//! whose bits are fixed, and for each column of those that are not, and a round costs a column two small products
//! instead of the whole program. Defined by `slop_jagged::jagged_eval`.

use rayon::prelude::*;
use slop_algebra::{AbstractField, Field, interpolate_univariate_polynomial};
use slop_challenger::{FieldChallenger, IopCtx};
use slop_jagged::JaggedSumcheckEvalProof;
use slop_multilinear::Point;

use crate::rounds::{Rounds, eq};

/// A state is the carry and, twice, whether `i < end` by the bits so far.
const STATES: usize = 4;
const BEGIN: usize = 0;
/// No carry is left, and `i < end`.
const SUCCESS: usize = 2;

/// Columns of the long vector that are not empty, with their weights.
pub(crate) struct Columns<EF> {
    columns: Vec<Column<EF>>,
    /// Bits of a place in the long vector, one of them for its end.
    bits: usize,
}

struct Column<EF> {
    begin: usize,
    end: usize,
    weight: EF,
}

impl<EF: Field> Columns<EF> {
    /// `ends` are the places between columns, from 0 to the vector's length.
    pub(crate) fn new(ends: &[usize], weights: &[EF]) -> Self {
        let mut columns: Vec<Column<EF>> = Vec::new();
        for (place, weight) in ends.windows(2).zip(weights) {
            let (begin, end, weight) = (place[0], place[1], *weight);
            match columns.last_mut() {
                Some(last) if (last.begin, last.end) == (begin, end) => last.weight += weight,
                _ => columns.push(Column { begin, end, weight }),
            }
        }
        let length = ends.last().copied().unwrap_or(0);
        Self { columns, bits: length.next_power_of_two().ilog2() as usize + 1 }
    }
}

type Vector<EF> = [EF; STATES];
type Matrix<EF> = [Vector<EF>; STATES];

/// The matrices of one bit, for each pair of bits of `begin` and `end`.
struct Layer<EF>([[Matrix<EF>; 2]; 2]);

impl<EF: Field> Layer<EF> {
    /// With these coordinates in the place of the bits of `r` and `i`.
    fn new(row: EF, index: EF) -> Self {
        let one_of = |begin: usize, end: usize| {
            let mut matrix = [[EF::zero(); STATES]; STATES];
            for (row_bit, index_bit) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let bit = |coordinate, bit| eq(coordinate, EF::from_canonical_usize(bit));
                let weight = bit(row, row_bit) * bit(index, index_bit);
                for (from, row) in matrix.iter_mut().enumerate() {
                    let sum = row_bit + begin + (from & 1);
                    if sum & 1 == index_bit {
                        let less = if index_bit == end { from >> 1 } else { end };
                        row[(sum >> 1) + 2 * less] += weight;
                    }
                }
            }
            matrix
        };
        Self([0, 1].map(|begin| [0, 1].map(|end| one_of(begin, end))))
    }

    /// The matrix where the bits have become `begin` and `end`.
    fn at(&self, begin: EF, end: EF) -> Matrix<EF> {
        let mut matrix = [[EF::zero(); STATES]; STATES];
        for (begin_bit, of_begin) in self.0.iter().enumerate() {
            for (end_bit, values) in of_begin.iter().enumerate() {
                let bit = |coordinate, bit| eq(coordinate, EF::from_canonical_usize(bit));
                let weight = bit(begin, begin_bit) * bit(end, end_bit);
                for (row, values) in matrix.iter_mut().zip(values) {
                    for (entry, value) in row.iter_mut().zip(values) {
                        *entry += weight * *value;
                    }
                }
            }
        }
        matrix
    }
}

fn row_times<EF: Field>(row: &Vector<EF>, matrix: &Matrix<EF>) -> Vector<EF> {
    std::array::from_fn(|to| row.iter().zip(matrix).map(|(value, row)| *value * row[to]).sum())
}

fn times_column<EF: Field>(matrix: &Matrix<EF>, column: &Vector<EF>) -> Vector<EF> {
    matrix.each_ref().map(|row| dot(row, column))
}

fn dot<EF: Field>(row: &Vector<EF>, column: &Vector<EF>) -> EF {
    row.iter().zip(column).map(|(a, b)| *a * *b).sum()
}

fn unit<EF: Field>(state: usize) -> Vector<EF> {
    std::array::from_fn(|at| if at == state { EF::one() } else { EF::zero() })
}

fn bit(place: usize, index: usize) -> usize {
    (place >> index) & 1
}

/// A column on its way through the rounds.
struct Walk<'a, EF> {
    column: &'a Column<EF>,
    /// Its weight times `eq` of its bits that are fixed with what they are fixed at.
    weight: EF,
    /// Product of the matrices whose bits are fixed.
    fixed: Vector<EF>,
    /// Products of the matrices from each bit on.
    free: Vec<Vector<EF>>,
}

/// For each bit, the product of the matrices from it on with success.
fn free<L, EF: Field>(layers: &[L], matrix: impl Fn(&L, usize) -> &Matrix<EF>) -> Vec<Vector<EF>> {
    let mut products = vec![unit(SUCCESS); layers.len() + 1];
    for (at, layer) in layers.iter().enumerate().rev() {
        products[at] = times_column(matrix(layer, at), &products[at + 1]);
    }
    products
}

/// Shows the value of the jagged polynomial of `columns` at the rows' and the long vector's points.
pub(crate) fn prove<GC: IopCtx>(
    columns: &Columns<GC::EF>,
    rows: &Point<GC::EF>,
    index: &Point<GC::EF>,
    challenger: &mut GC::Challenger,
) -> JaggedSumcheckEvalProof<GC::EF> {
    let (zero, one) = (GC::EF::zero(), GC::EF::one());
    let lowest = |point: &Point<GC::EF>, bit: usize| point.iter().rev().nth(bit).copied().unwrap_or(zero);
    let depth = rows.dimension().max(index.dimension()) + 1;
    let layers: Vec<_> = (0..depth).map(|bit| Layer::new(lowest(rows, bit), lowest(index, bit))).collect();
    let mut walks: Vec<Walk<'_, GC::EF>> = (columns.columns.par_iter())
        .map(|column| Walk {
            column,
            weight: column.weight,
            fixed: unit(BEGIN),
            free: free(&layers, |layer, at| &layer.0[bit(column.begin, at)][bit(column.end, at)]),
        })
        .collect();
    let claimed: GC::EF = walks.par_iter().map(|walk| walk.weight * walk.free[0][BEGIN]).sum();
    challenger.observe_ext_element(claimed);
    let mut sumcheck = Sumcheck::<GC> { rounds: Rounds::new(challenger), claim: claimed };

    let half = GC::EF::two().inverse();
    let mut end = Vec::with_capacity(columns.bits);
    for at in 0..columns.bits {
        let layer = &layers[at];
        let matrices = |end: GC::EF| [zero, one].map(|begin| layer.at(begin, end));
        let [at_zero, at_half] = [zero, half].map(matrices);
        let alpha = sumcheck.round(walks.par_iter().map(|walk| {
            let value = |matrices: &[Matrix<GC::EF>; 2]| {
                let matrix = &matrices[bit(walk.column.begin, at)];
                walk.weight * dot(&row_times(&walk.fixed, matrix), &walk.free[at + 1])
            };
            let at_zero = if bit(walk.column.end, at) == 0 { value(&at_zero) } else { zero };
            (at_zero, value(&at_half) * half)
        }));
        let fixed = matrices(alpha);
        walks.par_iter_mut().for_each(|walk| {
            walk.weight *= eq(GC::EF::from_canonical_usize(bit(walk.column.end, at)), alpha);
            walk.fixed = row_times(&walk.fixed, &fixed[bit(walk.column.begin, at)]);
        });
        end.push(alpha);
    }

    // All bits of `end` are fixed; in the places above them, there are none.
    end.resize(depth, zero);
    let with_end: Vec<_> = (layers.iter().zip(&end))
        .map(|(layer, end)| [zero, one].map(|begin| layer.at(begin, *end)))
        .collect();
    walks.par_iter_mut().for_each(|walk| {
        walk.free = free(&with_end, |matrices, at| &matrices[bit(walk.column.begin, at)]);
    });
    let mut fixed = unit(BEGIN);
    for at in 0..columns.bits {
        let (layer, end) = (&layers[at], end[at]);
        let [at_zero, at_half] = [zero, half].map(|begin| row_times(&fixed, &layer.at(begin, end)));
        let alpha = sumcheck.round(walks.par_iter().map(|walk| {
            let value = |row| walk.weight * dot(row, &walk.free[at + 1]);
            let at_zero = if bit(walk.column.begin, at) == 0 { value(&at_zero) } else { zero };
            (at_zero, value(&at_half) * half)
        }));
        walks.par_iter_mut().for_each(|walk| {
            walk.weight *= eq(GC::EF::from_canonical_usize(bit(walk.column.begin, at)), alpha);
        });
        fixed = row_times(&fixed, &layer.at(alpha, end));
    }
    let partial_sumcheck_proof = sumcheck.rounds.finish(claimed, sumcheck.claim);
    JaggedSumcheckEvalProof { partial_sumcheck_proof }
}

/// The sumcheck on its way.
struct Sumcheck<'a, GC: IopCtx> {
    rounds: Rounds<'a, GC>,
    claim: GC::EF,
}

impl<GC: IopCtx> Sumcheck<'_, GC> {
    /// A round of degree two, from each column's values at 0 and at 1/2. Returns where the variable is fixed.
    fn round(&mut self, columns: impl ParallelIterator<Item = (GC::EF, GC::EF)>) -> GC::EF {
        let (zero, one) = (GC::EF::zero(), GC::EF::one());
        let (at_zero, at_half) = columns.reduce(|| (zero, zero), |a, b| (a.0 + b.0, a.1 + b.1));
        let points = [zero, GC::EF::two().inverse(), one];
        let message = interpolate_univariate_polynomial(&points, &[at_zero, at_half, self.claim - at_zero]);
        let alpha = self.rounds.send(message.clone());
        self.claim = message.eval_at_point(alpha);
        alpha
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_alloc::CpuBackend;
    use slop_challenger::IopCtx;
    use slop_jagged::{JaggedAssistProver, JaggedEvalProver, JaggedLittlePolynomialProverParams};
    use slop_koala_bear::KoalaBearDegree4Duplex as GC;

    use super::*;
    use crate::lagrange::EqTable;

    type EF = <GC as IopCtx>::EF;

    fn point(rng: &mut StdRng, dimension: usize) -> Point<EF> {
        (0..dimension).map(|_| rng.r#gen::<EF>()).collect()
    }

    /// Heights of columns, and the logarithm of the highest.
    fn same_as_the_released_prover(heights: &[usize], row_variables: usize) {
        let mut rng = StdRng::seed_from_u64(heights.len() as u64);
        let rows = point(&mut rng, row_variables);
        let columns = point(&mut rng, heights.len().next_power_of_two().ilog2() as usize);
        let length: usize = heights.iter().sum();
        let index = point(&mut rng, length.next_power_of_two().ilog2() as usize);
        let params = JaggedLittlePolynomialProverParams::new(heights.to_vec(), row_variables);

        let (mut ours, mut theirs) = (GC::default_challenger(), GC::default_challenger());
        let weights = EqTable::new(&columns.to_vec(), heights.len());
        let places = Columns::new(&params.col_prefix_sums_usize, weights.weights());
        let proof = prove::<GC>(&places, &rows, &index, &mut ours).partial_sumcheck_proof;
        let released = JaggedAssistProver::<GC>::default();
        let expected = released
            .prove_jagged_evaluation(&params, &rows, &columns, &index, &mut theirs, CpuBackend)
            .partial_sumcheck_proof;
        assert_eq!(proof.claimed_sum, expected.claimed_sum, "{heights:?}");
        assert_eq!(proof.univariate_polys, expected.univariate_polys, "{heights:?}");
        assert_eq!(proof.point_and_eval, expected.point_and_eval, "{heights:?}");
        assert_eq!(ours.sample_ext_element::<EF>(), theirs.sample_ext_element::<EF>());
    }

    #[test]
    fn proofs_are_those_of_the_released_prover() {
        same_as_the_released_prover(&[4], 2);
        same_as_the_released_prover(&[3, 1, 4, 1, 5, 2], 3);
        // Empty columns, in the middle and at the end, and a vector that fills a power of two.
        same_as_the_released_prover(&[8, 0, 0, 5, 0, 3, 0], 3);
        // More row variables than the whole vector has.
        same_as_the_released_prover(&[1, 2, 1], 9);
        same_as_the_released_prover(&(0..100).map(|column| column * 37 % 256).collect::<Vec<_>>(), 8);
    }
}
