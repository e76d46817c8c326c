//! One table's part in the sumcheck.

use std::ops::{Add, Mul, Sub};

use rayon::prelude::*;
use slop_air::{Air, BaseAir};
use slop_algebra::{
    AbstractExtensionField, AbstractField, ExtensionField, Field, UnivariatePolynomial,
    interpolate_univariate_polynomial,
};
use slop_challenger::IopCtx;
use slop_matrix::dense::RowMajorMatrixView;
use slop_multilinear::{PaddedMle, VirtualGeq};
use sp1_hypercube::{Chip, ChipEvaluation, ConstraintSumcheckFolder, ShardContext, air::MachineAir};

use crate::{
    rounds::root_of_eq,
    table::{Table, rows_per_task},
};

/// A table's constraints, joined into one expression of a row.
pub(crate) struct Constraints<'a, GC: IopCtx, SC: ShardContext<GC>> {
    chip: &'a Chip<GC::F, SC::Air>,
    /// Powers of the challenge, the highest first, as the verifier's Horner scheme has them.
    powers: Vec<GC::EF>,
    /// Weights of the row's values, main before preprocessed.
    claim_powers: Vec<GC::EF>,
    public_values: &'a [GC::F],
    /// What a row of zeros gives. It need not be zero; the rows that only pad a table are taken out again.
    of_zeros: GC::EF,
}

impl<'a, GC: IopCtx, SC: ShardContext<GC>> Constraints<'a, GC, SC> {
    pub(crate) fn new(
        chip: &'a Chip<GC::F, SC::Air>,
        join_constraints: GC::EF,
        join_claims: GC::EF,
        public_values: &'a [GC::F],
    ) -> Self {
        let mut powers: Vec<GC::EF> = join_constraints.powers().take(chip.num_constraints).collect();
        powers.reverse();
        let width = chip.width() + chip.preprocessed_width();
        let claim_powers = join_claims.powers().skip(1).take(width).collect();
        let mut constraints = Self { chip, powers, claim_powers, public_values, of_zeros: GC::EF::zero() };
        let zeros = |width| vec![GC::F::zero(); width];
        constraints.of_zeros = constraints.eval(&zeros(chip.preprocessed_width()), &zeros(chip.width()));
        constraints
    }

    /// The claim about the table's values, joined.
    pub(crate) fn claim(&self, claims: &ChipEvaluation<GC::EF>) -> GC::EF {
        let preprocessed = claims.preprocessed_trace_evaluations.iter().flat_map(|values| values.iter());
        let values = claims.main_trace_evaluations.iter().chain(preprocessed);
        values.zip(&self.claim_powers).map(|(value, power)| *value * *power).sum()
    }

    /// The constraints of a row.
    fn eval<K>(&self, preprocessed: &[K], main: &[K]) -> GC::EF
    where
        K: Field + From<GC::F> + Add<GC::F, Output = K> + Sub<GC::F, Output = K> + Mul<GC::F, Output = K>,
        SC::Air: for<'b> Air<ConstraintSumcheckFolder<'b, GC::F, K, GC::EF>>,
        GC::EF: ExtensionField<K>,
    {
        let mut folder = ConstraintSumcheckFolder {
            preprocessed: RowMajorMatrixView::new_row(preprocessed),
            main: RowMajorMatrixView::new_row(main),
            powers_of_alpha: &self.powers,
            accumulator: GC::EF::zero(),
            public_values: self.public_values,
            constraint_index: 0,
        };
        self.chip.air.eval(&mut folder);
        folder.accumulator
    }
}

/// A table on its way through the rounds. `K` is the base field in the first round.
pub(crate) struct ChipSums<'a, GC: IopCtx, SC: ShardContext<GC>, K: Field> {
    constraints: &'a Constraints<'a, GC, SC>,
    preprocessed: Option<Table<'a, K>>,
    /// None for a table without rows.
    main: Option<Table<'a, K>>,
    /// One where the table ends.
    end: VirtualGeq<GC::EF>,
    /// What the sum over the table has to be.
    pub(crate) claim: GC::EF,
}

impl<'a, GC: IopCtx, SC: ShardContext<GC>> ChipSums<'a, GC, SC, GC::F> {
    pub(crate) fn new(
        constraints: &'a Constraints<'a, GC, SC>,
        preprocessed: Option<&'a PaddedMle<GC::F>>,
        main: &'a PaddedMle<GC::F>,
        claim: GC::EF,
    ) -> Self {
        let height = u32::try_from(main.num_real_entries()).expect("tables have at most 2^22 rows");
        let end = VirtualGeq::new(height, GC::F::one(), GC::F::zero(), main.num_variables());
        let (preprocessed, main) = (preprocessed.and_then(table), table(main));
        Self { constraints, preprocessed, main, end: end.to_extension(), claim }
    }

    /// See [`message`](ChipSums::message). In the first round every row of the trace satisfies its constraints, so they
    /// need not be evaluated at 0.
    pub(crate) fn message_of_first(&self, weights: &[GC::EF], z: GC::EF) -> UnivariatePolynomial<GC::EF> {
        self.message_of::<true>(weights, z, GC::EF::one())
    }
}

impl<GC: IopCtx, SC: ShardContext<GC>> ChipSums<'_, GC, SC, GC::EF> {
    /// The sum over the table as a polynomial of the last variable, whose coordinate of LogUp's point is `z`; `factor` is
    /// `eq` of those that are fixed.
    pub(crate) fn message(
        &self,
        weights: &[GC::EF],
        z: GC::EF,
        factor: GC::EF,
    ) -> UnivariatePolynomial<GC::EF> {
        self.message_of::<false>(weights, z, factor)
    }

    /// The only row that is left, preprocessed and main.
    pub(crate) fn opened(&self) -> (Vec<GC::EF>, Vec<GC::EF>) {
        let row =
            |table: &Option<Table<'_, GC::EF>>, width: usize| match table.as_ref().and_then(|t| t.row(0)) {
                Some(row) => row.to_vec(),
                None => vec![GC::EF::zero(); width],
            };
        let chip = self.constraints.chip;
        (row(&self.preprocessed, chip.preprocessed_width()), row(&self.main, chip.width()))
    }
}

impl<'a, GC: IopCtx, SC: ShardContext<GC>, K> ChipSums<'a, GC, SC, K>
where
    K: Field
        + From<GC::F>
        + ExtensionField<GC::F>
        + Add<GC::F, Output = K>
        + Sub<GC::F, Output = K>
        + Mul<GC::F, Output = K>,
    GC::EF: ExtensionField<K> + AbstractExtensionField<K>,
    SC::Air: for<'b> Air<ConstraintSumcheckFolder<'b, GC::F, K, GC::EF>>,
{
    /// The table with its last variable at `alpha`, where `message` was sent.
    pub(crate) fn fold(
        self,
        alpha: GC::EF,
        message: &UnivariatePolynomial<GC::EF>,
    ) -> ChipSums<'a, GC, SC, GC::EF> {
        ChipSums {
            constraints: self.constraints,
            preprocessed: self.preprocessed.map(|table| table.fold(alpha)),
            main: self.main.map(|table| table.fold(alpha)),
            end: self.end.fix_last_variable(alpha),
            claim: message.eval_at_point(alpha),
        }
    }

    fn message_of<const FIRST: bool>(
        &self,
        weights: &[GC::EF],
        z: GC::EF,
        factor: GC::EF,
    ) -> UnivariatePolynomial<GC::EF> {
        let Some(main) = &self.main else { return UnivariatePolynomial::zero(4) };
        let pairs = main.height().div_ceil(2);
        let sums = (0..pairs)
            .into_par_iter()
            .with_min_len(rows_per_task(8 * main.width()))
            .fold(
                || (Scratch::new(self.constraints), [GC::EF::zero(); 3]),
                |(mut scratch, sums), pair| {
                    let values = self.at_pair::<FIRST>(main, pair, &mut scratch);
                    (scratch, std::array::from_fn(|at| sums[at] + values[at] * weights[pair]))
                },
            )
            .map(|(_, sums)| sums)
            .reduce(|| [GC::EF::zero(); 3], |a, b| std::array::from_fn(|at| a[at] + b[at]));

        // The rows after the table's end in its last pair were summed as rows of zeros: they are taken out.
        let points = [0, 2, 4].map(GC::EF::from_canonical_u8);
        let after_end = points.map(|point| {
            self.end.fix_last_variable(point).eval_at_usize(pairs - 1)
                * weights[pairs - 1]
                * self.constraints.of_zeros
        });
        let values: [GC::EF; 3] =
            std::array::from_fn(|at| (sums[at] - after_end[at]) * factor * crate::rounds::eq(z, points[at]));
        let [zero, two, four] = points;
        interpolate_univariate_polynomial(
            &[zero, GC::EF::one(), two, four, root_of_eq(z)],
            &[values[0], self.claim - values[0], values[1], values[2], GC::EF::zero()],
        )
    }

    /// Constraints and claims of a pair of rows, on the line through them at 0, 2 and 4.
    fn at_pair<const FIRST: bool>(
        &self,
        main: &Table<'_, K>,
        pair: usize,
        scratch: &mut Scratch<K>,
    ) -> [GC::EF; 3] {
        scratch.main.set(main, pair);
        if let Some(table) = &self.preprocessed {
            scratch.preprocessed.set(table, pair);
        }
        let Scratch { main, preprocessed } = scratch;
        let claims = |main: &[K], preprocessed: &[K]| -> GC::EF {
            let values = main.iter().chain(preprocessed);
            values.zip(&self.constraints.claim_powers).map(|(value, power)| *power * *value).sum()
        };
        let at_zero = claims(&main.at[0], &preprocessed.at[0]);
        let at_two = claims(&main.at[1], &preprocessed.at[1]);
        // They are linear.
        let claims = [at_zero, at_two, at_two + at_two - at_zero];
        std::array::from_fn(|at| {
            if FIRST && at == 0 {
                claims[at]
            } else {
                claims[at] + self.constraints.eval(&preprocessed.at[at], &main.at[at])
            }
        })
    }
}

fn table<F: Field>(trace: &PaddedMle<F>) -> Option<Table<'_, F>> {
    let values = trace.inner().as_ref()?.guts().as_slice();
    (!values.is_empty()).then(|| Table::new(values, trace.num_polynomials(), F::zero()))
}

/// Room for the rows on a line.
struct Scratch<K> {
    main: Line<K>,
    preprocessed: Line<K>,
}

impl<K: Field> Scratch<K> {
    fn new<GC: IopCtx, SC: ShardContext<GC>>(constraints: &Constraints<'_, GC, SC>) -> Self {
        let chip = constraints.chip;
        Self { main: Line::new(chip.width()), preprocessed: Line::new(chip.preprocessed_width()) }
    }
}

/// Rows at 0, 2 and 4 on the line through a pair.
struct Line<K> {
    at: [Vec<K>; 3],
}

impl<K: Field> Line<K> {
    fn new(width: usize) -> Self {
        Self { at: std::array::from_fn(|_| vec![K::zero(); width]) }
    }

    fn set(&mut self, table: &Table<'_, K>, pair: usize) {
        let zeros = table.row(2 * pair);
        let ones = table.row(2 * pair + 1);
        let value = |row: Option<&[K]>, column: usize| row.map_or(K::zero(), |row| row[column]);
        let [at_zero, at_two, at_four] = &mut self.at;
        for (column, zero) in at_zero.iter_mut().enumerate() {
            *zero = value(zeros, column);
            let two = (value(ones, column) - *zero).double();
            at_two[column] = *zero + two;
            at_four[column] = *zero + two.double();
        }
    }
}
