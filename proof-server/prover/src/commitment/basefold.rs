//! The long vector's value at a point, opened: Basefold (ePrint 2023/1705), as `slop_basefold_prover` defines it.
//!
//! The vector's columns are summed with random weights into one. Each round halves that column and its code, whose values
//! at `x` and `-x` become one, and commits to the code as it was; the last code is one value, repeated. Random places of
//! all codes are opened in the end.

use rayon::prelude::*;
use slop_algebra::{AbstractExtensionField, AbstractField, ExtensionField, Field};
use slop_basefold::{BATCH_GRINDING_BITS, BasefoldProof};
use slop_challenger::{CanObserve, CanSampleBits, FieldChallenger, GrindingChallenger, IopCtx};
use slop_commit::Message;
use slop_merkle_tree::MerkleTreeOpeningAndProof;
use slop_multilinear::{MleEval, MultilinearPcsChallenger, Point};
use slop_stacked::StackedBasefoldProof;
use slop_tensor::Tensor;

use super::{Commitments, Committed, Trees, TwoAdicCtx, sums};
use crate::{
    lagrange::EqTable,
    packed::{broadcast, sum},
    step,
    table::{Columns, Table},
};

/// Pairs of a code that a task folds at least.
const PAIRS_PER_TASK: usize = 1 << 10;

/// The code of one column of the extension, row by row.
type Code<GC> = Tensor<<GC as IopCtx>::F>;
/// One column of the extension.
type Column<GC> = Columns<<GC as IopCtx>::F, <GC as IopCtx>::EF>;

impl<GC: TwoAdicCtx, T: Trees<GC>> Commitments<GC, T> {
    /// Shows that the long vectors of `committed`, one after the other, have the value `claim` at `point`.
    ///
    /// # Errors
    /// Those of the trees.
    pub(crate) fn open(
        &self,
        mut point: Point<GC::EF>,
        claim: GC::EF,
        committed: &[&Committed<GC, T>],
        challenger: &mut GC::Challenger,
    ) -> Result<StackedBasefoldProof<GC>, T::ProverError> {
        challenger.observe_ext_element(claim);
        let (_, point_of_rows) = point.split_at(point.dimension() - self.log_height);
        point = point_of_rows;

        let columns: Vec<&[GC::F]> =
            committed.iter().flat_map(|committed| committed.columns(self.log_height)).collect();
        let weights = EqTable::new(&point.to_vec(), 1 << self.log_height);
        let weights: Column<GC> = Columns::of_column(weights.weights(), GC::EF::zero());
        let values = step("columns", || sums::over_rows(&columns, &weights));
        for value in &values {
            challenger.observe_ext_element(*value);
        }
        let basefold_proof = self.open_columns(&columns, &values, &weights, &point, committed, challenger)?;
        let mut values = values.into_iter();
        let batch_evaluations = (committed.iter())
            .map(|committed| {
                values.by_ref().take(committed.columns(self.log_height).count()).collect::<Vec<_>>()
            })
            .map(MleEval::from)
            .collect();
        Ok(StackedBasefoldProof { basefold_proof, batch_evaluations })
    }

    /// Shows that the columns have these values at `point`, whose rows' weights are `weights`.
    fn open_columns(
        &self,
        columns: &[&[GC::F]],
        values: &[GC::EF],
        weights: &Column<GC>,
        point: &Point<GC::EF>,
        committed: &[&Committed<GC, T>],
        challenger: &mut GC::Challenger,
    ) -> Result<BasefoldProof<GC>, T::ProverError> {
        let batch_grinding_witness = challenger.grind(BATCH_GRINDING_BITS);
        let variables = columns.len().next_power_of_two().ilog2();
        let coefficients = challenger.sample_point::<GC::EF>(variables);
        let coefficients = EqTable::new(&coefficients.to_vec(), columns.len());
        let coefficients = &coefficients.weights()[..columns.len()];
        let mut claim =
            values.iter().zip(coefficients).map(|(value, weight)| *value * *weight).sum::<GC::EF>();
        let mut column = step("batch", || sums::over_columns(columns, coefficients));
        let mut code: Code<GC> = step("code", || self.encode(&column.digits(0)));

        challenger.observe(GC::F::from_canonical_usize(point.dimension()));
        let (mut univariate_messages, mut fri_commitments, mut rounds) = (Vec::new(), Vec::new(), Vec::new());
        let mut weights = weights.clone();
        for coordinate in point.iter().rev() {
            // The table over all variables but the last, since eq(x, 0) + eq(x, 1) = 1.
            weights = Columns::of_pairs(&weights, GC::EF::zero(), |[zero, one]| zero + one);
            let at_zero = value_at_zero::<GC>(&column, &weights);
            let at_one = (claim - at_zero) / *coordinate + at_zero;
            univariate_messages.push([at_zero, at_one]);
            challenger.observe_ext_element(at_zero);
            challenger.observe_ext_element(at_one);

            let length = code.total_len();
            let pairs: Message<Code<GC>> =
                vec![code.reshape([length / (2 * GC::EF::D), 2 * GC::EF::D])].into();
            let (commitment, tree) = self.trees.commit_tensors(pairs.clone())?;
            challenger.observe(commitment);
            fri_commitments.push(commitment);
            let beta: GC::EF = challenger.sample_ext_element();
            code = fold(&pairs[0], self.factors().inverses(), beta);
            rounds.push((pairs, tree));
            let packed = broadcast::<GC::F, GC::EF>(beta);
            column = Columns::of_pairs(&column, GC::EF::zero(), |[zero, one]| packed * one + zero);
            claim = at_zero + beta * at_one;
        }
        let final_poly = GC::EF::from_base_slice(&code.as_slice()[..GC::EF::D]);
        challenger.observe_ext_element(final_poly);
        let pow_witness = challenger.grind(self.fri.proof_of_work_bits);

        let bits = point.dimension() + self.fri.log_blowup();
        let mut places: Vec<usize> =
            (0..self.fri.num_queries).map(|_| challenger.sample_bits(bits)).collect();
        let opening = |rows: &Message<Tensor<GC::F>>, tree: &T::ProverData, places: &[usize]| {
            let values = self.trees.compute_openings_at_indices(rows.clone(), places);
            let proof = self.trees.prove_openings_at_indices(tree.clone(), places)?;
            Ok(MerkleTreeOpeningAndProof { values, proof })
        };
        let component_polynomials_query_openings_and_proofs = (committed.iter())
            .map(|committed| opening(&committed.codes, &committed.tree, &places))
            .collect::<Result<_, T::ProverError>>()?;
        let query_phase_openings_and_proofs = (rounds.iter())
            .map(|(pairs, tree)| {
                places.iter_mut().for_each(|place| *place >>= 1);
                opening(pairs, tree, &places)
            })
            .collect::<Result<_, T::ProverError>>()?;
        Ok(BasefoldProof {
            univariate_messages,
            fri_commitments,
            component_polynomials_query_openings_and_proofs,
            query_phase_openings_and_proofs,
            final_poly,
            pow_witness,
            batch_grinding_witness,
        })
    }
}

/// A code of half the length: with values `a` at `x` and `b` at `-x`, the even part `(a + b) / 2` and `beta` times the odd
/// part `(a - b) / 2x`. `inverses` has one over each pair's `x`.
fn fold<F: Field, EF: ExtensionField<F>>(pairs: &Tensor<F>, inverses: &[F], beta: EF) -> Tensor<F> {
    let half = F::two().inverse();
    let beta = beta * half;
    let count = pairs.sizes()[0];
    let mut folded = vec![F::zero(); count * EF::D];
    let pairs = pairs.as_slice().par_chunks_exact(2 * EF::D);
    let tasks = folded.par_chunks_exact_mut(EF::D).zip(pairs).zip(&inverses[..count]);
    tasks.with_min_len(PAIRS_PER_TASK).for_each(|((folded, pair), inverse)| {
        let (a, b) = pair.split_at(EF::D);
        let (a, b) = (EF::from_base_slice(a), EF::from_base_slice(b));
        let value = (a + b) * half + beta * ((a - b) * *inverse);
        folded.copy_from_slice(value.as_base_slice());
    });
    Tensor::from(folded).reshape([count, EF::D])
}

/// The column's value where its last variable is zero, all others weighed.
fn value_at_zero<GC: IopCtx>(column: &Column<GC>, weights: &Column<GC>) -> GC::EF {
    let nothing = || broadcast::<GC::F, GC::EF>(GC::EF::zero());
    let sums = (0..column.blocks())
        .into_par_iter()
        .with_min_len(PAIRS_PER_TASK)
        .fold(nothing, |sum, block| sum + column.pairs(0, block)[0] * weights.block(0, block))
        .reduce(nothing, |a, b| a + b);
    sum::<GC::F, GC::EF>(sums)
}
