//! Fractions of a table's interactions, in pairs.

use rayon::prelude::*;
use slop_algebra::{AbstractExtensionField, ExtensionField, Field};

use crate::{
    packed::{self, Packed, broadcast, lanes},
    table::{Columns, Table},
};

/// Pairs of fractions, a row of interactions each: what the next layer holds is the sum of each pair. Beyond the last
/// row every fraction is `0 / 1`.
pub(super) struct Fractions<F: Field, N, EF> {
    pub(super) sides: [Side<F, N, EF>; 2],
}

/// A fraction in each lane: numerators and denominators.
type Block<F, N, EF> = (Packed<F, N>, Packed<F, EF>);

/// One fraction of each pair.
pub(super) struct Side<F: Field, N, EF> {
    pub(super) numerators: Columns<F, N>,
    pub(super) denominators: Columns<F, EF>,
}

impl<F: Field, N: ExtensionField<F>, EF: ExtensionField<F>> Side<F, N, EF> {
    pub(super) fn padding(width: usize, height: usize) -> Self {
        Self {
            numerators: Columns::padded(width, height, N::zero()),
            denominators: Columns::padded(width, height, EF::one()),
        }
    }

    pub(super) fn at(&self, row: usize, column: usize) -> (N, EF) {
        (self.numerators.value(row, column), self.denominators.value(row, column))
    }
}

impl<F: Field, N: ExtensionField<F>, EF: ExtensionField<F>> Fractions<F, N, EF>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    /// Interactions of a row.
    pub(super) fn width(&self) -> usize {
        self.sides[0].numerators.width()
    }

    pub(super) fn height(&self) -> usize {
        self.sides[0].numerators.height()
    }

    /// Pairs of rows.
    pub(super) fn height_in_pairs(&self) -> usize {
        self.sides[0].numerators.height_in_pairs()
    }

    /// The sum of a pair: numerator and denominator.
    pub(super) fn sum_at(&self, row: usize, column: usize) -> (EF, EF)
    where
        EF: ExtensionField<N>,
    {
        let [(n0, d0), (n1, d1)] = self.sides.each_ref().map(|side| side.at(row, column));
        (d1 * n0 + d0 * n1, d0 * d1)
    }

    /// A block of pairs of rows in one column: both fractions of the first rows, and both of the second.
    fn block(&self, column: usize, block: usize) -> [[Block<F, N, EF>; 2]; 2] {
        let [[n0, m0], [n1, m1]] = self.sides.each_ref().map(|side| side.numerators.pairs(column, block));
        let [[d0, e0], [d1, e1]] = self.sides.each_ref().map(|side| side.denominators.pairs(column, block));
        [[(n0, d0), (n1, d1)], [(m0, e0), (m1, e1)]]
    }

    /// The sums, in pairs again.
    pub(super) fn next(&self) -> Fractions<F, EF, EF> {
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

    pub(super) fn fold(&self, alpha: EF) -> Fractions<F, EF, EF> {
        Fractions {
            sides: self.sides.each_ref().map(|side| Side {
                numerators: Columns::fold(&side.numerators, alpha, EF::zero()),
                denominators: Columns::fold(&side.denominators, alpha, EF::one()),
            }),
        }
    }

    /// The sumcheck's polynomial over all rows and interactions: at 0, and eight times at 1/2.
    pub(super) fn sums(&self, rows: &[EF], columns: &Weights<F, EF>) -> (EF, EF) {
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
    [(n0, d0), (n1, d1)]: [Block<F, N, EF>; 2],
) -> Block<F, EF, EF>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    (d1 * n0 + d0 * n1, d0 * d1)
}

/// Weights of a table's interactions, plain and times the challenge that joins numerators to denominators.
pub(super) struct Weights<F: Field, EF: ExtensionField<F>>(Vec<(Packed<F, EF>, Packed<F, EF>)>);

impl<F: Field, EF: ExtensionField<F>> Weights<F, EF> {
    pub(super) fn new(weights: &[EF], lambda: EF) -> Self {
        Self(weights.iter().map(|w| (broadcast::<F, EF>(*w), broadcast::<F, EF>(*w * lambda))).collect())
    }

    pub(super) fn sum(&self) -> EF {
        self.0.iter().map(|(weight, _)| packed::first::<F, EF>(*weight)).sum()
    }
}

/// The interactions of tables of one row as the rows of a single table, `2^variables` of them.
pub(super) fn interactions_as_rows<F: Field, EF: ExtensionField<F>>(
    tables: &[Fractions<F, EF, EF>],
    variables: usize,
) -> Fractions<F, EF, EF> {
    let side = |side: usize| {
        let sides = tables.iter().map(|table| &table.sides[side]);
        Side {
            numerators: as_rows(sides.clone().map(|side| &side.numerators), variables, EF::zero()),
            denominators: as_rows(sides.map(|side| &side.denominators), variables, EF::one()),
        }
    };
    Fractions { sides: [side(0), side(1)] }
}

fn as_rows<'a, F: Field, EF: ExtensionField<F>>(
    tables: impl Iterator<Item = &'a Columns<F, EF>>,
    variables: usize,
    padding: EF,
) -> Columns<F, EF> {
    let row = tables.flat_map(|table| (0..table.width()).map(|column| table.value(0, column)));
    let mut values: Vec<EF> = row.collect();
    values.resize(1 << variables, padding);
    Columns::of_column(&values, padding)
}
