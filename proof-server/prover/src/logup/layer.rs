//! A layer of the circuit, and the sumcheck that leads from a claim about its sums to one about its fractions.

use rayon::prelude::*;
use slop_algebra::{
    AbstractExtensionField, AbstractField, ExtensionField, Field, UnivariatePolynomial,
    interpolate_univariate_polynomial,
};
use slop_challenger::{FieldChallenger, IopCtx};
use slop_multilinear::Point;
use sp1_hypercube::LogupGkrRoundProof;

use super::fractions::{Fractions, Weights, interactions_as_rows};
use crate::{
    lagrange::EqTable,
    packed::Packed,
    rounds::{Rounds, eq, root_of_eq},
};

/// All tables' fractions at one depth of the circuit.
pub(crate) struct Layer<F: Field, N, EF> {
    pub(crate) tables: Vec<Fractions<F, N, EF>>,
    /// Logarithm of the rows of every table, padding included.
    pub(crate) row_variables: usize,
}

/// A layer of either kind: only the first has numerators of the base field.
pub(crate) enum AnyLayer<F: Field, EF> {
    First(Layer<F, F, EF>),
    Further(Layer<F, EF, EF>),
}

impl<F: Field, EF: ExtensionField<F>> AnyLayer<F, EF> {
    /// Shows that the layer's sums have these values at `point`, whose first coordinates are of interactions.
    pub(crate) fn prove<GC: IopCtx<F = F, EF = EF>>(
        self,
        point: &Point<EF>,
        interaction_variables: usize,
        numerator: EF,
        denominator: EF,
        challenger: &mut GC::Challenger,
    ) -> LogupGkrRoundProof<EF> {
        match self {
            Self::First(layer) => {
                prove::<GC, F>(layer, point, interaction_variables, numerator, denominator, challenger)
            }
            Self::Further(layer) => {
                prove::<GC, EF>(layer, point, interaction_variables, numerator, denominator, challenger)
            }
        }
    }
}

impl<F: Field, N: ExtensionField<F>, EF: ExtensionField<F>> Layer<F, N, EF>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    /// The layer of the sums.
    pub(crate) fn next(&self) -> Layer<F, EF, EF> {
        Layer {
            tables: self.tables.par_iter().map(Fractions::next).collect(),
            row_variables: self.row_variables - 1,
        }
    }
}

fn prove<GC: IopCtx, N: ExtensionField<GC::F>>(
    layer: Layer<GC::F, N, GC::EF>,
    point: &Point<GC::EF>,
    interaction_variables: usize,
    numerator: GC::EF,
    denominator: GC::EF,
    challenger: &mut GC::Challenger,
) -> LogupGkrRoundProof<GC::EF>
where
    Packed<GC::F, GC::EF>: AbstractExtensionField<Packed<GC::F, N>>,
{
    let lambda: GC::EF = challenger.sample_ext_element();
    let claim = numerator * lambda + denominator;
    let point = point.to_vec();
    let (interactions, rows) = point.split_at(interaction_variables);
    let weights = EqTable::new(interactions, 1 << interaction_variables);
    let mut offset = 0;
    let columns = layer.tables.iter().map(|table| {
        offset += table.width();
        Weights::new(&weights.weights()[offset - table.width()..offset], lambda)
    });
    let columns = columns.collect();

    let (rounds, one) = (Rounds::new(challenger), GC::EF::one());
    let mut sumcheck = LayerSumcheck::<GC> { rounds, value: claim, factor: one };
    let tables = sumcheck.run::<N>(layer.tables, columns, rows);
    // One row is left of every table: interactions become the rows of a single one.
    let table = interactions_as_rows(&tables, interaction_variables);
    let tables = sumcheck.run::<GC::EF>(vec![table], vec![Weights::new(&[one], lambda)], interactions);
    let [(numerator_0, denominator_0), (numerator_1, denominator_1)] =
        tables[0].sides.each_ref().map(|side| (side.numerators.value(0, 0), side.denominators.value(0, 0)));
    LogupGkrRoundProof {
        numerator_0,
        numerator_1,
        denominator_0,
        denominator_1,
        sumcheck_proof: sumcheck.rounds.finish(claim, sumcheck.value),
    }
}

/// The sumcheck of a layer on its way.
struct LayerSumcheck<'a, GC: IopCtx> {
    rounds: Rounds<'a, GC>,
    /// What is to be shown after the rounds so far.
    value: GC::EF,
    /// `eq` of the variables that are fixed.
    factor: GC::EF,
}

impl<GC: IopCtx> LayerSumcheck<'_, GC> {
    /// A round for each coordinate of `point`, the last first.
    fn run<N: ExtensionField<GC::F>>(
        &mut self,
        tables: Vec<Fractions<GC::F, N, GC::EF>>,
        columns: Vec<Weights<GC::F, GC::EF>>,
        point: &[GC::EF],
    ) -> Vec<Fractions<GC::F, GC::EF, GC::EF>>
    where
        Packed<GC::F, GC::EF>: AbstractExtensionField<Packed<GC::F, N>>,
    {
        let Some((last, rest)) = point.split_last() else {
            return tables.iter().map(|table| table.fold(GC::EF::zero())).collect();
        };
        let longest = tables.iter().map(Fractions::height).max().unwrap_or(0);
        let mut rows = EqTable::new(rest, longest.div_ceil(2));
        let mut tables = self.round(&tables, &columns, &rows, *last);
        for coordinate in rest.iter().rev() {
            rows.drop_last();
            tables = self.round::<GC::EF>(&tables, &columns, &rows, *coordinate);
        }
        tables
    }

    fn round<N: ExtensionField<GC::F>>(
        &mut self,
        tables: &[Fractions<GC::F, N, GC::EF>],
        columns: &[Weights<GC::F, GC::EF>],
        rows: &EqTable<GC::EF>,
        z: GC::EF,
    ) -> Vec<Fractions<GC::F, GC::EF, GC::EF>>
    where
        Packed<GC::F, GC::EF>: AbstractExtensionField<Packed<GC::F, N>>,
    {
        let message = self.message(tables, columns, rows.weights(), z);
        let alpha = self.rounds.send(message.clone());
        self.value = message.eval_at_point(alpha);
        self.factor *= eq(z, alpha);
        tables.par_iter().map(|table| table.fold(alpha)).collect()
    }

    /// The sum over all rows and interactions as a polynomial of the last variable.
    fn message<N: ExtensionField<GC::F>>(
        &self,
        tables: &[Fractions<GC::F, N, GC::EF>],
        columns: &[Weights<GC::F, GC::EF>],
        rows: &[GC::EF],
        z: GC::EF,
    ) -> UnivariatePolynomial<GC::EF>
    where
        Packed<GC::F, GC::EF>: AbstractExtensionField<Packed<GC::F, N>>,
    {
        let (zero, one) = (GC::EF::zero(), GC::EF::one());
        let (at_zero, at_half, weighed) = tables
            .par_iter()
            .zip(columns)
            .map(|(table, columns)| {
                let (at_zero, at_half) = table.sums(rows, columns);
                let pairs = table.height_in_pairs();
                let rows: GC::EF = rows[..pairs].iter().copied().sum();
                (at_zero, at_half, rows * columns.sum())
            })
            .reduce(|| (zero, zero, zero), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        // What is not in a table is `0 / 1` twice: one at each end of the line, and four with both doubled.
        let padding = one - weighed;
        let half = GC::EF::two().inverse();
        let at_zero = self.factor * (one - z) * (at_zero + padding);
        let at_half = self.factor * (at_half + padding * GC::EF::from_canonical_u8(4)) * half * half * half;
        interpolate_univariate_polynomial(
            &[zero, one, half, root_of_eq(z)],
            &[at_zero, self.value - at_zero, at_half, zero],
        )
    }
}
