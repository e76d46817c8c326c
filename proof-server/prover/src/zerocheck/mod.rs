//! Every row of every table satisfies its constraints: one sumcheck over all tables.
//!
//! For each table, the constraints of a row are joined by powers of a challenge, and to them the claims about the traces
//! that [`logup`](crate::logup) ended with; rows are weighed by `eq` with LogUp's point, and tables joined by another
//! challenge. Defined by `sp1_hypercube::prover::zerocheck`. All tables are summed with the same weights, which are made
//! once and not for each table and round.

mod chip;
mod folder;

use std::collections::BTreeSet;

use chip::{ChipSums, Constraints, Folded};
pub use folder::{LaneFolder, PackedAir};
use rayon::prelude::*;
use slop_air::Air;
use slop_algebra::{AbstractExtensionField, AbstractField, UnivariatePolynomial, rlc_univariate_polynomials};
use slop_alloc::CpuBackend;
use slop_challenger::{CanObserve, FieldChallenger, IopCtx, VariableLengthChallenger};
use slop_multilinear::Point;
use slop_sumcheck::PartialSumcheckProof;
use sp1_hypercube::{
    AirOpenedValues, Chip, ChipOpenedValues, LogUpEvaluations, ShardContext, ShardOpenedValues,
    air::MachineAir, prover::Traces,
};

use crate::{
    lagrange::EqTable,
    packed::Packed,
    rounds::{Rounds, eq},
    table::Table,
};

/// Values of the traces where the sumcheck ended, and the sumcheck.
pub(crate) type Proof<GC> =
    (ShardOpenedValues<<GC as IopCtx>::F, <GC as IopCtx>::EF>, PartialSumcheckProof<<GC as IopCtx>::EF>);

/// Proves that the constraints of `chips` hold and that the traces have the values of `claims`.
pub(crate) fn prove<GC: IopCtx, SC: ShardContext<GC>>(
    chips: &BTreeSet<Chip<GC::F, SC::Air>>,
    preprocessed: &Traces<GC::F, CpuBackend>,
    main: Traces<GC::F, CpuBackend>,
    claims: &LogUpEvaluations<GC::EF>,
    public_values: &[GC::F],
    challenger: &mut GC::Challenger,
) -> Proof<GC>
where
    SC::Air: PackedAir<GC::F, GC::EF>,
{
    let join_constraints: GC::EF = challenger.sample_ext_element();
    let join_claims: GC::EF = challenger.sample_ext_element();
    let constraints: Vec<_> = chips
        .iter()
        .map(|chip| Constraints::<GC, SC>::new(chip, join_constraints, join_claims, public_values))
        .collect();
    let join_tables: GC::EF = challenger.sample_ext_element();

    let point = claims.point.to_vec();
    let variables = point.len();
    let heights: Vec<usize> = chips.iter().map(|chip| main[chip.name()].num_real_entries()).collect();
    let claimed: Vec<GC::EF> = (constraints.iter().zip(chips))
        .map(|(constraints, chip)| constraints.claim(&claims.chip_openings[chip.name()]))
        .collect();

    let tables: Vec<_> = (constraints.iter().zip(chips).zip(&claimed))
        .map(|((constraints, chip), claim)| {
            ChipSums::new(constraints, preprocessed.get(chip.name()), &main[chip.name()], *claim)
        })
        .collect();
    let (last, rest) = point.split_last().expect("tables have variables");
    let mut weights = EqTable::new(rest, heights.iter().max().map_or(0, |height| height.div_ceil(2)));
    let (mut rounds, mut factor) = (Rounds::<GC>::new(challenger), GC::EF::one());

    let messages: Vec<_> =
        tables.par_iter().map(|table| table.message::<true>(weights.weights(), *last, factor)).collect();
    let alpha = rounds.send(rlc_univariate_polynomials(&messages, join_tables));
    factor *= eq(*last, alpha);
    let mut tables: Vec<_> = fold_all(tables, alpha, &messages);
    for z in rest.iter().rev() {
        weights.drop_last();
        let messages: Vec<_> =
            tables.par_iter().map(|table| table.message::<false>(weights.weights(), *z, factor)).collect();
        let alpha = rounds.send(rlc_univariate_polynomials(&messages, join_tables));
        factor *= eq(*z, alpha);
        tables = fold_all(tables, alpha, &messages);
    }

    let joined = |values: &mut dyn Iterator<Item = GC::EF>| {
        values.fold(GC::EF::zero(), |sum, value| sum * join_tables + value)
    };
    let sumcheck = rounds
        .finish(joined(&mut claimed.iter().copied()), joined(&mut tables.iter().map(|table| table.claim)));

    challenger.observe(GC::F::from_canonical_usize(chips.len()));
    let opened = chips.iter().zip(&tables).zip(heights).map(|((chip, table), height)| {
        let (preprocessed, main) = table.opened();
        challenger.observe_variable_length_extension_slice(&preprocessed);
        challenger.observe_variable_length_extension_slice(&main);
        let values = ChipOpenedValues {
            preprocessed: AirOpenedValues { local: preprocessed },
            main: AirOpenedValues { local: main },
            degree: Point::from_usize(height, variables + 1),
        };
        (chip.name().to_owned(), values)
    });
    (ShardOpenedValues { chips: opened.collect() }, sumcheck)
}

fn fold_all<'a, GC: IopCtx, SC: ShardContext<GC>, T: Table<GC::F> + Send>(
    tables: Vec<ChipSums<'a, GC, SC, T>>,
    alpha: GC::EF,
    messages: &[UnivariatePolynomial<GC::EF>],
) -> Vec<ChipSums<'a, GC, SC, Folded<GC>>>
where
    SC::Air: for<'b> Air<LaneFolder<'b, GC::F, GC::EF, T::Value>>,
    Packed<GC::F, GC::EF>: AbstractExtensionField<Packed<GC::F, T::Value>>,
{
    tables.into_par_iter().zip(messages).map(|(table, message)| table.fold(alpha, message)).collect()
}
