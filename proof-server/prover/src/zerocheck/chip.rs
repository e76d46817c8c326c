//! One table's part in the sumcheck.

use rayon::prelude::*;
use slop_air::{Air, BaseAir};
use slop_algebra::{
    AbstractExtensionField, AbstractField, ExtensionField, Field, UnivariatePolynomial,
    interpolate_univariate_polynomial,
};
use slop_challenger::IopCtx;
use slop_multilinear::{PaddedMle, VirtualGeq};
use sp1_hypercube::{Chip, ChipEvaluation, ShardContext, air::MachineAir};

use super::folder::LaneFolder;
use crate::{
    packed::{self, Lanes, Packed, broadcast, lanes},
    rounds::{eq, root_of_eq},
    table::{Columns, Table, Trace},
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

impl<'a, GC: IopCtx, SC: ShardContext<GC>> Constraints<'a, GC, SC>
where
    SC::Air: for<'b> Air<LaneFolder<'b, GC::F, GC::EF, GC::F>>,
{
    pub(crate) fn new(
        chip: &'a Chip<GC::F, SC::Air>,
        join_constraints: GC::EF,
        join_claims: GC::EF,
        public_values: &'a [GC::F],
    ) -> Self {
        let mut powers: Vec<GC::EF> = join_constraints.powers().take(chip.num_constraints).collect();
        powers.reverse();
        let zeros = |width| vec![Lanes::<GC::F, GC::F>::zero(); width];
        let (preprocessed, main) = (zeros(chip.preprocessed_width()), zeros(chip.width()));
        let of_zeros = LaneFolder::sum(&*chip.air, &preprocessed, &main, public_values, &powers);
        Self {
            chip,
            claim_powers: join_claims.powers().skip(1).take(main.len() + preprocessed.len()).collect(),
            public_values,
            of_zeros: packed::first::<GC::F, GC::EF>(of_zeros),
            powers,
        }
    }
}

impl<GC: IopCtx, SC: ShardContext<GC>> Constraints<'_, GC, SC> {
    /// The claim about the table's values, joined.
    pub(crate) fn claim(&self, claims: &ChipEvaluation<GC::EF>) -> GC::EF {
        let preprocessed = claims.preprocessed_trace_evaluations.iter().flat_map(|values| values.iter());
        let values = claims.main_trace_evaluations.iter().chain(preprocessed);
        values.zip(&self.claim_powers).map(|(value, power)| *value * *power).sum()
    }
}

/// A table on its way through the rounds: a trace in the first, and folded after it.
pub(crate) struct ChipSums<'a, GC: IopCtx, SC: ShardContext<GC>, T> {
    constraints: &'a Constraints<'a, GC, SC>,
    preprocessed: Option<T>,
    /// None for a table without rows.
    main: Option<T>,
    /// One where the table ends.
    end: VirtualGeq<GC::EF>,
    /// What the sum over the table has to be.
    pub(crate) claim: GC::EF,
}

/// A table after its first round.
pub(crate) type Folded<GC> = Columns<<GC as IopCtx>::F, <GC as IopCtx>::EF>;

impl<'a, GC: IopCtx, SC: ShardContext<GC>> ChipSums<'a, GC, SC, Trace<'a, GC::F>> {
    pub(crate) fn new(
        constraints: &'a Constraints<'a, GC, SC>,
        preprocessed: Option<&'a PaddedMle<GC::F>>,
        main: &'a PaddedMle<GC::F>,
        claim: GC::EF,
    ) -> Self {
        let height = u32::try_from(main.num_real_entries()).expect("tables have at most 2^22 rows");
        let end = VirtualGeq::new(height, GC::F::one(), GC::F::zero(), main.num_variables());
        let (preprocessed, main) = (preprocessed.and_then(Trace::of), Trace::of(main));
        Self { constraints, preprocessed, main, end: end.to_extension(), claim }
    }
}

impl<GC: IopCtx, SC: ShardContext<GC>> ChipSums<'_, GC, SC, Folded<GC>> {
    /// The only row that is left, preprocessed and main.
    pub(crate) fn opened(&self) -> (Vec<GC::EF>, Vec<GC::EF>) {
        let row = |table: &Option<Folded<GC>>, width: usize| {
            let value = |column| table.as_ref().map_or(GC::EF::zero(), |table| table.value(0, column));
            (0..width).map(value).collect()
        };
        let chip = self.constraints.chip;
        (row(&self.preprocessed, chip.preprocessed_width()), row(&self.main, chip.width()))
    }
}

impl<'a, GC: IopCtx, SC: ShardContext<GC>, T: Table<GC::F>> ChipSums<'a, GC, SC, T>
where
    SC::Air: for<'b> Air<LaneFolder<'b, GC::F, GC::EF, T::Value>>,
    Packed<GC::F, GC::EF>: AbstractExtensionField<Packed<GC::F, T::Value>>,
{
    /// The table with its last variable at `alpha`, where `message` was sent.
    pub(crate) fn fold(
        self,
        alpha: GC::EF,
        message: &UnivariatePolynomial<GC::EF>,
    ) -> ChipSums<'a, GC, SC, Folded<GC>> {
        let fold = |table: T| Folded::<GC>::fold(&table, alpha, GC::EF::zero());
        ChipSums {
            constraints: self.constraints,
            preprocessed: self.preprocessed.map(fold),
            main: self.main.map(fold),
            end: self.end.fix_last_variable(alpha),
            claim: message.eval_at_point(alpha),
        }
    }

    /// The sum over the table as a polynomial of the last variable, whose coordinate of LogUp's point is `z`; `factor` is
    /// `eq` of those that are fixed. In the first round every row of the trace satisfies its constraints, so they need
    /// not be evaluated at 0.
    pub(crate) fn message<const FIRST: bool>(
        &self,
        weights: &[GC::EF],
        z: GC::EF,
        factor: GC::EF,
    ) -> UnivariatePolynomial<GC::EF> {
        let Some(main) = &self.main else { return UnivariatePolynomial::zero(4) };
        let pairs = main.height_in_pairs();
        let nothing = || [broadcast::<GC::F, GC::EF>(GC::EF::zero()); 3];
        let sums = (0..main.blocks())
            .into_par_iter()
            .fold(
                || (Scratch::new(self.constraints), nothing()),
                |(mut scratch, sums), block| {
                    let values = self.at_block::<FIRST>(main, block, &mut scratch);
                    let weights = packed::weights::<GC::F, GC::EF>(weights, block * lanes::<GC::F>(), pairs);
                    (scratch, std::array::from_fn(|at| sums[at] + values[at] * weights))
                },
            )
            .map(|(_, sums)| sums)
            .reduce(nothing, |a, b| std::array::from_fn(|at| a[at] + b[at]));

        // The rows after the table's end in its last pair were summed as rows of zeros: they are taken out.
        let points = [0, 2, 4].map(GC::EF::from_canonical_u8);
        let values: [GC::EF; 3] = std::array::from_fn(|at| {
            let after_end = self.end.fix_last_variable(points[at]).eval_at_usize(pairs - 1);
            let after_end = after_end * weights[pairs - 1] * self.constraints.of_zeros;
            (packed::sum::<GC::F, GC::EF>(sums[at]) - after_end) * factor * eq(z, points[at])
        });
        let [zero, two, four] = points;
        interpolate_univariate_polynomial(
            &[zero, GC::EF::one(), two, four, root_of_eq(z)],
            &[values[0], self.claim - values[0], values[1], values[2], GC::EF::zero()],
        )
    }

    /// Constraints and claims of a block of pairs, on the lines through them at 0, 2 and 4.
    fn at_block<const FIRST: bool>(
        &self,
        main: &T,
        block: usize,
        scratch: &mut Scratch<GC::F, T::Value>,
    ) -> [Packed<GC::F, GC::EF>; 3] {
        scratch.main.start(main, block);
        if let Some(table) = &self.preprocessed {
            scratch.preprocessed.start(table, block);
        }
        let Constraints { chip, powers, claim_powers, public_values, .. } = self.constraints;
        let mut claims = [broadcast::<GC::F, GC::EF>(GC::EF::zero()); 3];
        let mut values = claims;
        for at in 0..3 {
            if at > 0 {
                scratch.main.go_on();
                scratch.preprocessed.go_on();
            }
            let (main, preprocessed) = (&scratch.main.at, &scratch.preprocessed.at);
            // They are linear.
            claims[at] = match at {
                2 => claims[1] + claims[1] - claims[0],
                _ => (main.iter().chain(preprocessed).zip(claim_powers))
                    .fold(claims[at], |sum, (value, power)| {
                        sum + broadcast::<GC::F, GC::EF>(*power) * value.0
                    }),
            };
            values[at] = claims[at];
            if !FIRST || at > 0 {
                values[at] += LaneFolder::sum(&*chip.air, preprocessed, main, public_values, powers);
            }
        }
        values
    }
}

/// Room for the rows on a line.
struct Scratch<F: Field, N: ExtensionField<F>> {
    main: Line<F, N>,
    preprocessed: Line<F, N>,
}

impl<F: Field, N: ExtensionField<F>> Scratch<F, N> {
    fn new<GC: IopCtx<F = F>, SC: ShardContext<GC>>(constraints: &Constraints<'_, GC, SC>) -> Self {
        let chip = constraints.chip;
        Self { main: Line::new(chip.width()), preprocessed: Line::new(chip.preprocessed_width()) }
    }
}

/// A walk along the lines through a block's pairs, two at a step.
struct Line<F: Field, N: ExtensionField<F>> {
    at: Vec<Lanes<F, N>>,
    step: Vec<Lanes<F, N>>,
}

impl<F: Field, N: ExtensionField<F>> Line<F, N> {
    fn new(width: usize) -> Self {
        Self { at: vec![Lanes::zero(); width], step: vec![Lanes::zero(); width] }
    }

    fn start(&mut self, table: &impl Table<F, Value = N>, block: usize) {
        for (column, (at, step)) in self.at.iter_mut().zip(&mut self.step).enumerate() {
            let [zero, one] = table.pairs(column, block);
            let slope = one - zero;
            (*at, *step) = (Lanes(zero), Lanes(slope + slope));
        }
    }

    fn go_on(&mut self) {
        self.at.iter_mut().zip(&self.step).for_each(|(at, step)| *at += *step);
    }
}
