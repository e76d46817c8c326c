//! A sumcheck over the long vector times the weights of its entries.
//!
//! The weight of an entry is that of its column times that of its row: weights are made where they are needed, and kept
//! only when the first round has halved them. What follows the last column has no weight, and is not walked over.

use rayon::prelude::*;
use slop_algebra::{
    AbstractExtensionField, AbstractField, ExtensionField, Field, PackedValue,
    interpolate_univariate_polynomial,
};
use slop_challenger::IopCtx;
use slop_sumcheck::PartialSumcheckProof;

use crate::{
    lagrange::EqTable,
    packed::{Packed, broadcast, lanes, sum},
    rounds::Rounds,
    table::{Columns, Table},
};

/// Weights of the entries of the long vector.
pub(crate) struct Weights<'a, F, EF> {
    /// Where columns begin and end.
    ends: &'a [usize],
    columns: &'a [EF],
    rows: Columns<F, EF>,
}

impl<'a, F: Field, EF: ExtensionField<F>> Weights<'a, F, EF> {
    /// `rows` is the point of the rows.
    pub(crate) fn new(ends: &'a [usize], columns: &'a [EF], rows: &[EF]) -> Self {
        let longest = ends.windows(2).map(|place| place[1] - place[0]).max().unwrap_or(0);
        let rows = EqTable::new(rows, longest);
        Self { ends, columns, rows: Columns::of_column(&rows.weights()[..longest], EF::zero()) }
    }

    /// The column of an entry.
    fn column(&self, index: usize) -> usize {
        self.ends.partition_point(|end| *end <= index) - 1
    }

    fn at(&self, index: usize) -> EF {
        let column = self.column(index);
        let weight = self.columns.get(column).filter(|_| index < self.height());
        weight.map_or(EF::zero(), |weight| *weight * self.rows.value(index - self.ends[column], 0))
    }
}

impl<F: Field, EF: ExtensionField<F>> Table<F> for Weights<'_, F, EF> {
    type Value = EF;

    fn height(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn width(&self) -> usize {
        1
    }

    fn pairs(&self, _: usize, block: usize) -> [Packed<F, EF>; 2] {
        let width = lanes::<F>();
        let first = 2 * block * width;
        let column = self.column(first);
        if column + 1 < self.ends.len() && first + 2 * width <= self.ends[column + 1] {
            let weight = broadcast::<F, EF>(self.columns[column]);
            return self.rows.pairs_from(0, first - self.ends[column]).map(|rows| weight * rows);
        }
        // A block of more than one column.
        [0, 1].map(|side| {
            let weights: Vec<EF> = (0..width).map(|lane| self.at(first + 2 * lane + side)).collect();
            Packed::<F, EF>::from_base_fn(|digit| {
                F::Packing::from_fn(|lane| weights[lane].as_base_slice()[digit])
            })
        })
    }
}

/// Shows that `vector` times `weights` sums up to `claim`. Returns the value of the vector where the sumcheck ends.
pub(crate) fn prove<F: Field, EF: ExtensionField<F>, GC: IopCtx<F = F, EF = EF>>(
    vector: &impl Table<F, Value = F>,
    weights: &Weights<'_, F, EF>,
    claim: EF,
    challenger: &mut GC::Challenger,
) -> (PartialSumcheckProof<EF>, EF) {
    let mut sumcheck = Sumcheck::<GC> { rounds: Rounds::new(challenger), claim };
    let alpha = sumcheck.round(sums::<F, EF, F>(vector, weights));
    let mut vector = Columns::<F, EF>::fold::<F>(vector, alpha, EF::zero());
    let mut weights = Columns::<F, EF>::fold::<EF>(weights, alpha, EF::zero());
    while vector.height() > 1 {
        let alpha = sumcheck.round(sums::<F, EF, EF>(&vector, &weights));
        vector = Columns::<F, EF>::fold::<EF>(&vector, alpha, EF::zero());
        weights = Columns::<F, EF>::fold::<EF>(&weights, alpha, EF::zero());
    }
    (sumcheck.rounds.finish(claim, sumcheck.claim), vector.value(0, 0))
}

/// The sum as a polynomial of the last variable: at 0, and four times at 1/2.
fn sums<F: Field, EF: ExtensionField<F>, N: ExtensionField<F>>(
    vector: &impl Table<F, Value = N>,
    weights: &impl Table<F, Value = EF>,
) -> [EF; 2]
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    let nothing = || [broadcast::<F, EF>(EF::zero()); 2];
    let sums = (0..vector.blocks())
        .into_par_iter()
        .fold(nothing, |[at_zero, at_half], block| {
            let ([v0, v1], [w0, w1]) = (vector.pairs(0, block), weights.pairs(0, block));
            [at_zero + w0 * v0, at_half + (w0 + w1) * (v0 + v1)]
        })
        .reduce(nothing, |a, b| [a[0] + b[0], a[1] + b[1]]);
    sums.map(|sums| sum::<F, EF>(sums))
}

/// The sumcheck on its way.
struct Sumcheck<'a, GC: IopCtx> {
    rounds: Rounds<'a, GC>,
    claim: GC::EF,
}

impl<GC: IopCtx> Sumcheck<'_, GC> {
    /// Sends the polynomial; returns where its variable is fixed.
    fn round(&mut self, [at_zero, four_at_half]: [GC::EF; 2]) -> GC::EF {
        let half = GC::EF::two().inverse();
        let message = interpolate_univariate_polynomial(
            &[GC::EF::zero(), GC::EF::one(), half],
            &[at_zero, self.claim - at_zero, four_at_half * half * half],
        );
        let alpha = self.rounds.send(message.clone());
        self.claim = message.eval_at_point(alpha);
        alpha
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_commit::Message;
    use slop_jagged::{HadamardProduct, JaggedLittlePolynomialProverParams, LongMle};
    use slop_koala_bear::KoalaBearDegree4Duplex as GC;
    use slop_multilinear::{Mle, Point};
    use slop_stacked::interleave_multilinears_with_fixed_rate;
    use slop_sumcheck::reduce_sumcheck_to_evaluation;

    use super::*;
    use crate::commitment::Vector;

    type F = <GC as IopCtx>::F;
    type EF = <GC as IopCtx>::EF;

    /// `heights` add up to `matrices` times `2^variables`.
    fn same_as_the_released_sumcheck(heights: &[usize], widths: &[usize], variables: u32) {
        let mut rng = StdRng::seed_from_u64(variables.into());
        let matrices: Vec<Mle<F>> =
            widths.iter().map(|width| Mle::rand(&mut rng, *width, variables)).collect();
        let row_variables = heights.iter().max().unwrap().next_power_of_two().ilog2() as usize;
        let rows: Point<EF> = (0..row_variables).map(|_| rng.r#gen::<EF>()).collect();
        let column_variables = heights.len().next_power_of_two().ilog2();
        let columns: Point<EF> = (0..column_variables).map(|_| rng.r#gen::<EF>()).collect();
        let params = JaggedLittlePolynomialProverParams::new(heights.to_vec(), row_variables);

        let released = params.partial_jagged_little_polynomial_evaluation(&rows, &columns);
        let all = released.num_variables();
        let message: Message<Mle<F>> = matrices.clone().into_iter().collect();
        let product = HadamardProduct {
            base: LongMle::from_message(interleave_multilinears_with_fixed_rate(1, message, all), all),
            ext: LongMle::from_components(vec![released], all),
        };
        let long = product.base.first_component_mle().guts().as_slice().to_vec();
        let weighed = product.ext.first_component_mle().guts().as_slice().to_vec();
        let claim: EF = long.iter().zip(&weighed).map(|(value, weight)| *weight * *value).sum();
        let mut challenger = GC::default_challenger();
        let (expected, values) =
            reduce_sumcheck_to_evaluation(vec![product], &mut challenger, vec![claim], 1, EF::one());

        let column_weights = EqTable::new(&columns.to_vec(), heights.len());
        let ends = &params.col_prefix_sums_usize;
        let weights = Weights::<F, EF>::new(ends, column_weights.weights(), &rows.to_vec());
        let columns = matrices.iter().map(|matrix| matrix.guts().transpose().into_buffer().into_vec());
        let columns = columns.collect::<Vec<_>>().concat();
        let vector = Vector::new(columns.chunks_exact(1 << variables).collect());
        assert_eq!(vector.height(), *ends.last().unwrap());
        for (index, (value, weight)) in long.iter().zip(&weighed).enumerate().take(vector.height()) {
            assert_eq!((vector.value(index), weights.at(index)), (*value, *weight), "{index}");
        }
        let (proof, value) = prove::<F, EF, GC>(&vector, &weights, claim, &mut GC::default_challenger());
        assert_eq!(proof.univariate_polys, expected.univariate_polys);
        assert_eq!(proof.point_and_eval, expected.point_and_eval);
        assert_eq!(value, values[0][0]);
    }

    #[test]
    fn proofs_are_those_of_the_released_sumcheck() {
        // Columns that end within blocks and with them, empty ones, and a long vector that fills no power of two.
        same_as_the_released_sumcheck(&[100, 0, 28, 256, 1, 0, 127], &[1], 9);
        same_as_the_released_sumcheck(&[1000, 24, 512, 0, 511, 1], &[3, 1], 9);
        same_as_the_released_sumcheck(&[64; 48], &[4, 2], 9);
    }
}
