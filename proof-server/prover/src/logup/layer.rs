//! A layer of the circuit, and the sumcheck that leads from a claim about its sums to one about its fractions.

use rayon::prelude::*;
use slop_algebra::{
    AbstractField, ExtensionField, Field, UnivariatePolynomial, interpolate_univariate_polynomial,
};
use slop_challenger::{FieldChallenger, IopCtx};
use slop_multilinear::Point;
use sp1_hypercube::LogupGkrRoundProof;

use crate::{
    lagrange::EqTable,
    rounds::{Rounds, eq, root_of_eq},
    table::{Table, rows_per_task},
};

/// Pairs of fractions, a row of interactions each: what the next layer holds is the sum of each pair. Beyond the last
/// row every fraction is `0 / 1`.
pub(crate) struct Fractions<N: Field, EF: Field> {
    sides: [Side<N, EF>; 2],
}

struct Side<N: Field, EF: Field> {
    numerators: Table<'static, N>,
    denominators: Table<'static, EF>,
}

impl<N: Field, EF: ExtensionField<N>> Fractions<N, EF> {
    /// Of `height` rows, each filled by `fill`; neighbours make a pair.
    pub(crate) fn new(width: usize, height: usize, fill: impl Fn(usize, &mut [N], &mut [EF]) + Sync) -> Self {
        let pairs = height.div_ceil(2);
        let side = |side: usize| {
            let mut numerators = vec![N::zero(); pairs * width];
            let mut denominators = vec![EF::one(); pairs * width];
            let rows = rows_per_task(8 * width);
            (numerators.par_chunks_mut(rows * width))
                .zip(denominators.par_chunks_mut(rows * width))
                .enumerate()
                .for_each(|(task, (numerators, denominators))| {
                    let rows = numerators.chunks_exact_mut(width).zip(denominators.chunks_exact_mut(width));
                    for (index, (numerators, denominators)) in rows.enumerate() {
                        let row = 2 * (task * rows_per_task(8 * width) + index) + side;
                        if row < height {
                            fill(row, numerators, denominators);
                        }
                    }
                });
            Side {
                numerators: Table::new(numerators, width, N::zero()),
                denominators: Table::new(denominators, width, EF::one()),
            }
        };
        Self { sides: [side(0), side(1)] }
    }

    /// Interactions of a row.
    pub(crate) fn width(&self) -> usize {
        self.sides[0].numerators.width()
    }

    fn height(&self) -> usize {
        self.sides[0].numerators.height()
    }

    /// The sum of a pair: numerator and denominator.
    pub(crate) fn sum_at(&self, row: usize, column: usize) -> (EF, EF) {
        let [(n0, d0), (n1, d1)] = self
            .sides
            .each_ref()
            .map(|side| (side.numerators.value(row, column), side.denominators.value(row, column)));
        (d1 * n0 + d0 * n1, d0 * d1)
    }

    fn fold(&self, alpha: EF) -> Fractions<EF, EF> {
        Fractions {
            sides: self.sides.each_ref().map(|side| Side {
                numerators: side.numerators.fold(alpha),
                denominators: side.denominators.fold(alpha),
            }),
        }
    }

    /// Of the sumcheck's polynomial, without the weight of the row: at 0, and eight times at 1/2.
    fn at_pair(&self, pair: usize, columns: &Columns<EF>) -> (EF, EF) {
        let row = |side: usize, row: usize| {
            let Side { numerators, denominators } = &self.sides[side];
            numerators.row(row).zip(denominators.row(row))
        };
        let (zero, one) = (2 * pair, 2 * pair + 1);
        let ((n0, d0), (n1, d1)) = row(0, zero).zip(row(1, zero)).expect("a pair has its first row");
        let next = row(0, one).zip(row(1, one));
        let (mut at_zero, mut at_half) = (EF::zero(), EF::zero());
        for column in 0..self.width() {
            let (n0, d0, n1, d1) = (n0[column], d0[column], n1[column], d1[column]);
            let (weight, weight_of_numerator) = columns.weights[column];
            at_zero += weight_of_numerator * (d0 * n1 + d1 * n0) + weight * (d0 * d1);
            let (n0, d0, n1, d1) = match next {
                Some(((m0, e0), (m1, e1))) => {
                    (n0 + m0[column], d0 + e0[column], n1 + m1[column], d1 + e1[column])
                }
                None => (n0, d0 + EF::one(), n1, d1 + EF::one()),
            };
            at_half += weight_of_numerator * (d0 * n1 + d1 * n0) + weight * (d0 * d1);
        }
        (at_zero, at_half)
    }

    /// The same, summed over all pairs with their weights.
    fn sums(&self, rows: &[EF], columns: &Columns<EF>) -> (EF, EF) {
        let pairs = self.height().div_ceil(2);
        rows[..pairs]
            .par_iter()
            .enumerate()
            .with_min_len(rows_per_task(16 * self.width()))
            .map(|(pair, weight)| {
                let (at_zero, at_half) = self.at_pair(pair, columns);
                (*weight * at_zero, *weight * at_half)
            })
            .reduce(|| (EF::zero(), EF::zero()), |a, b| (a.0 + b.0, a.1 + b.1))
    }
}

/// Weights of a table's interactions, plain and times the challenge that joins numerators to denominators.
struct Columns<EF> {
    weights: Vec<(EF, EF)>,
}

/// All tables' fractions at one depth of the circuit.
pub(crate) struct Layer<N: Field, EF: Field> {
    pub(crate) tables: Vec<Fractions<N, EF>>,
    /// Logarithm of the rows of every table, padding included.
    pub(crate) row_variables: usize,
}

/// A layer of either kind: only the first has numerators of the base field.
pub(crate) enum AnyLayer<F: Field, EF: Field> {
    First(Layer<F, EF>),
    Further(Layer<EF, EF>),
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

impl<N: Field, EF: ExtensionField<N>> Layer<N, EF> {
    /// The layer of the sums.
    pub(crate) fn next(&self) -> Layer<EF, EF> {
        let tables = self.tables.iter().map(|table| {
            Fractions::new(table.width(), table.height(), |row, numerators, denominators| {
                for (column, (numerator, denominator)) in numerators.iter_mut().zip(denominators).enumerate()
                {
                    (*numerator, *denominator) = table.sum_at(row, column);
                }
            })
        });
        Layer { tables: tables.collect(), row_variables: self.row_variables - 1 }
    }
}

fn prove<GC: IopCtx, N: Field>(
    layer: Layer<N, GC::EF>,
    point: &Point<GC::EF>,
    interaction_variables: usize,
    numerator: GC::EF,
    denominator: GC::EF,
    challenger: &mut GC::Challenger,
) -> LogupGkrRoundProof<GC::EF>
where
    GC::EF: ExtensionField<N>,
{
    let lambda: GC::EF = challenger.sample_ext_element();
    let claim = numerator * lambda + denominator;
    let point = point.to_vec();
    let (interactions, rows) = point.split_at(interaction_variables);
    let weights = EqTable::new(interactions, 1 << interaction_variables);
    let mut offset = 0;
    let columns = layer.tables.iter().map(|table| {
        offset += table.width();
        let weights = &weights.weights()[offset - table.width()..offset];
        Columns { weights: weights.iter().map(|weight| (*weight, *weight * lambda)).collect() }
    });
    let columns = columns.collect();

    let (rounds, one) = (Rounds::new(challenger), GC::EF::one());
    let mut sumcheck = LayerSumcheck::<GC> { rounds, value: claim, factor: one };
    let tables = sumcheck.run::<N>(layer.tables, columns, rows);
    // One row is left of every table: interactions become the rows of a single one.
    let table = interactions_as_rows(&tables, interaction_variables);
    let tables =
        sumcheck.run::<GC::EF>(vec![table], vec![Columns { weights: vec![(one, lambda)] }], interactions);
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

fn interactions_as_rows<EF: Field>(tables: &[Fractions<EF, EF>], variables: usize) -> Fractions<EF, EF> {
    let column = |table: &dyn Fn(&Fractions<EF, EF>) -> &Table<'static, EF>, padding: EF| {
        let rows = tables.iter().map(table);
        let mut values: Vec<EF> =
            rows.flat_map(|table| (0..table.width()).map(|column| table.value(0, column))).collect();
        values.resize(1 << variables, padding);
        Table::new(values, 1, padding)
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
    fn run<N: Field>(
        &mut self,
        tables: Vec<Fractions<N, GC::EF>>,
        columns: Vec<Columns<GC::EF>>,
        point: &[GC::EF],
    ) -> Vec<Fractions<GC::EF, GC::EF>>
    where
        GC::EF: ExtensionField<N>,
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

    fn round<N: Field>(
        &mut self,
        tables: &[Fractions<N, GC::EF>],
        columns: &[Columns<GC::EF>],
        rows: &EqTable<GC::EF>,
        z: GC::EF,
    ) -> Vec<Fractions<GC::EF, GC::EF>>
    where
        GC::EF: ExtensionField<N>,
    {
        let message = self.message(tables, columns, rows.weights(), z);
        let alpha = self.rounds.send(message.clone());
        self.value = message.eval_at_point(alpha);
        self.factor *= eq(z, alpha);
        tables.par_iter().map(|table| table.fold(alpha)).collect()
    }

    /// The sum over all rows and interactions as a polynomial of the last variable.
    fn message<N: Field>(
        &self,
        tables: &[Fractions<N, GC::EF>],
        columns: &[Columns<GC::EF>],
        rows: &[GC::EF],
        z: GC::EF,
    ) -> UnivariatePolynomial<GC::EF>
    where
        GC::EF: ExtensionField<N>,
    {
        let (zero, one) = (GC::EF::zero(), GC::EF::one());
        let (at_zero, at_half, weighed) = tables
            .par_iter()
            .zip(columns)
            .map(|(table, columns)| {
                let (at_zero, at_half) = table.sums(rows, columns);
                let pairs = table.height().div_ceil(2);
                let rows: GC::EF = rows[..pairs].iter().copied().sum();
                (at_zero, at_half, rows * columns.weights.iter().map(|(weight, _)| *weight).sum::<GC::EF>())
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
