//! A layer of the circuit, and the sumcheck that leads from a claim about its sums to one about its fractions.

use rayon::prelude::*;
use slop_algebra::{
    AbstractExtensionField, AbstractField, ExtensionField, Field, UnivariatePolynomial,
    interpolate_univariate_polynomial,
};
use slop_challenger::{FieldChallenger, IopCtx};
use slop_multilinear::Point;
use sp1_hypercube::LogupGkrRoundProof;

use crate::{
    lagrange::EqTable,
    packed::{self, Packed, broadcast, lanes},
    rounds::{Rounds, eq, root_of_eq},
    table::{Columns, Table},
};

/// Pairs of fractions, a row of interactions each: what the next layer holds is the sum of each pair. Beyond the last
/// row every fraction is `0 / 1`.
pub(crate) struct Fractions<F: Field, N, EF> {
    pub(crate) sides: [Side<F, N, EF>; 2],
}

/// One fraction of each pair.
pub(crate) struct Side<F: Field, N, EF> {
    pub(crate) numerators: Columns<F, N>,
    pub(crate) denominators: Columns<F, EF>,
}

impl<F: Field, N: ExtensionField<F>, EF: ExtensionField<F>> Side<F, N, EF> {
    pub(crate) fn padding(width: usize, height: usize) -> Self {
        Self {
            numerators: Columns::padded(width, height, N::zero()),
            denominators: Columns::padded(width, height, EF::one()),
        }
    }

    fn at(&self, row: usize, column: usize) -> (N, EF) {
        (self.numerators.value(row, column), self.denominators.value(row, column))
    }
}

impl<F: Field, N: ExtensionField<F>, EF: ExtensionField<F>> Fractions<F, N, EF>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    /// Interactions of a row.
    pub(crate) fn width(&self) -> usize {
        self.sides[0].numerators.width()
    }

    fn height(&self) -> usize {
        self.sides[0].numerators.height()
    }

    /// Pairs of rows.
    fn height_in_pairs(&self) -> usize {
        self.sides[0].numerators.height_in_pairs()
    }

    /// The sum of a pair: numerator and denominator.
    pub(crate) fn sum_at(&self, row: usize, column: usize) -> (EF, EF)
    where
        EF: ExtensionField<N>,
    {
        let [(n0, d0), (n1, d1)] = self.sides.each_ref().map(|side| side.at(row, column));
        (d1 * n0 + d0 * n1, d0 * d1)
    }

    /// A block of pairs of rows in one column: both fractions of the first rows, and both of the second.
    fn block(&self, column: usize, block: usize) -> [[(Packed<F, N>, Packed<F, EF>); 2]; 2] {
        let [[n0, m0], [n1, m1]] = self.sides.each_ref().map(|side| side.numerators.pairs(column, block));
        let [[d0, e0], [d1, e1]] = self.sides.each_ref().map(|side| side.denominators.pairs(column, block));
        [[(n0, d0), (n1, d1)], [(m0, e0), (m1, e1)]]
    }

    /// The sums, in pairs again.
    fn next(&self) -> Fractions<F, EF, EF> {
        let height = self.height_in_pairs();
        let mut sides = [0, 1].map(|_| Side::<F, EF, EF>::padding(self.width(), height));
        let blocks = self.sides[0].numerators.blocks();
        let [Side { numerators: n0, denominators: d0 }, Side { numerators: n1, denominators: d1 }] =
            &mut sides;
        let first = n0.columns_mut().zip(d0.columns_mut());
        let second = n1.columns_mut().zip(d1.columns_mut());
        first.zip(second).enumerate().for_each(|(column, (mut first, mut second))| {
            for block in 0..blocks {
                let [even, odd] = self.block(column, block).map(|pair| sum::<F, N, EF>(pair));
                first.0.set::<EF>(block, even.0);
                first.1.set::<EF>(block, even.1);
                second.0.set::<EF>(block, odd.0);
                second.1.set::<EF>(block, odd.1);
            }
        });
        Fractions { sides }
    }

    fn fold(&self, alpha: EF) -> Fractions<F, EF, EF> {
        Fractions {
            sides: self.sides.each_ref().map(|side| Side {
                numerators: Columns::fold(&side.numerators, alpha, EF::zero()),
                denominators: Columns::fold(&side.denominators, alpha, EF::one()),
            }),
        }
    }

    /// The sumcheck's polynomial over all rows and interactions: at 0, and eight times at 1/2.
    fn sums(&self, rows: &[EF], columns: &Weights<F, EF>) -> (EF, EF) {
        let pairs = self.height_in_pairs();
        let zero = broadcast::<F, EF>(EF::zero());
        let (at_zero, at_half) = (0..self.sides[0].numerators.blocks())
            .into_par_iter()
            .map(|block| {
                let (mut at_zero, mut at_half) = (zero, zero);
                for (column, (weight, weight_of_numerator)) in columns.0.iter().enumerate() {
                    let weigh =
                        |(numerator, denominator)| *weight_of_numerator * numerator + *weight * denominator;
                    let [even, odd] = self.block(column, block);
                    at_zero += weigh(sum::<F, N, EF>(even));
                    let twice = [0, 1].map(|side| (even[side].0 + odd[side].0, even[side].1 + odd[side].1));
                    at_half += weigh(sum::<F, N, EF>(twice));
                }
                let weights = packed::weights::<F, EF>(rows, block * lanes::<F>(), pairs);
                (weights * at_zero, weights * at_half)
            })
            .reduce(|| (zero, zero), |a, b| (a.0 + b.0, a.1 + b.1));
        (packed::sum::<F, EF>(at_zero), packed::sum::<F, EF>(at_half))
    }
}

/// The sum of two fractions.
fn sum<F: Field, N: ExtensionField<F>, EF: ExtensionField<F>>(
    [(n0, d0), (n1, d1)]: [(Packed<F, N>, Packed<F, EF>); 2],
) -> (Packed<F, EF>, Packed<F, EF>)
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    (d1 * n0 + d0 * n1, d0 * d1)
}

/// Weights of a table's interactions, plain and times the challenge that joins numerators to denominators.
struct Weights<F: Field, EF: ExtensionField<F>>(Vec<(Packed<F, EF>, Packed<F, EF>)>);

impl<F: Field, EF: ExtensionField<F>> Weights<F, EF> {
    fn new(weights: &[EF], lambda: EF) -> Self {
        Self(weights.iter().map(|w| (broadcast::<F, EF>(*w), broadcast::<F, EF>(*w * lambda))).collect())
    }

    fn sum(&self) -> EF {
        self.0.iter().map(|(weight, _)| packed::first::<F, EF>(*weight)).sum()
    }
}

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

fn interactions_as_rows<F: Field, EF: ExtensionField<F>>(
    tables: &[Fractions<F, EF, EF>],
    variables: usize,
) -> Fractions<F, EF, EF> {
    let column = |table: &dyn Fn(&Fractions<F, EF, EF>) -> &Columns<F, EF>, padding: EF| {
        let rows = tables.iter().map(table);
        let mut values: Vec<EF> =
            rows.flat_map(|table| (0..table.width()).map(|column| table.value(0, column))).collect();
        values.resize(1 << variables, padding);
        Columns::of_column(&values, padding)
    };
    let side = |side: usize| Side {
        numerators: column(&|table| &table.sides[side].numerators, EF::zero()),
        denominators: column(&|table| &table.sides[side].denominators, EF::one()),
    };
    Fractions { sides: [side(0), side(1)] }
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
