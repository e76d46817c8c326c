//! The values of the traces at a point, opened: the jagged commitment scheme.
//!
//! All columns of all tables are one long vector, which is what is committed to. A sumcheck leads from the values of the
//! columns to one value of the vector, whose weights are those of a jagged polynomial; that polynomial's value is shown
//! by [`jagged`](crate::jagged), and the vector's by the commitment scheme below. Defined by `slop_jagged::prover`, after
//! "Jagged Polynomial Commitments" (Hemo et al., ePrint 2025/917).

use std::sync::Arc;

use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::{FieldChallenger, IopCtx};
use slop_commit::{Message, Rounds};
use slop_jagged::{
    HadamardProduct, JaggedLittlePolynomialProverParams, JaggedPcsProof, JaggedProver, JaggedProverData,
    LongMle,
};
use slop_multilinear::{Evaluations, Mle, MultilinearPcsProver, Point, ToMle};
use slop_stacked::interleave_multilinears_with_fixed_rate;
use slop_sumcheck::reduce_sumcheck_to_evaluation;

use crate::{
    jagged::{self, Columns},
    lagrange::EqTable,
    step,
};

/// Opens what `data` has committed to: its columns have the values `claims` at `rows`.
pub(crate) fn prove<GC: IopCtx, Proof, C: MultilinearPcsProver<GC, Proof>>(
    prover: &JaggedProver<GC, Proof, C>,
    rows: Point<GC::EF>,
    claims: Rounds<Evaluations<GC::EF, CpuBackend>>,
    data: Rounds<JaggedProverData<GC, C::ProverData>>,
    challenger: &mut GC::Challenger,
) -> Result<JaggedPcsProof<GC, Proof>, C::ProverError> {
    let count: usize = data.iter().map(|data| data.column_counts.iter().sum::<usize>()).sum();
    let columns: Point<GC::EF> =
        (0..count.next_power_of_two().ilog2()).map(|_| challenger.sample_ext_element()).collect();
    let weights = EqTable::new(&columns.to_vec(), count);

    // After the columns of each commitment come those that fill up its vector: they are zero.
    let mut values: Vec<GC::EF> = Vec::new();
    for (claims, data) in claims.iter().zip(data.iter()) {
        values.extend(claims.iter().flat_map(|table| table.iter()));
        values.resize(values.len() + data.padding_column_count, GC::EF::zero());
    }
    let claim = values.iter().zip(weights.weights()).map(|(value, weight)| *value * *weight).sum();

    let heights = data.iter().flat_map(|data| {
        let tables = data.row_counts.iter().zip(data.column_counts.iter());
        tables.flat_map(|(rows, columns)| std::iter::repeat_n(*rows, *columns))
    });
    let params = JaggedLittlePolynomialProverParams::new(heights.collect(), prover.max_log_row_count);
    let product = step("jagged product", || product(prover, &params, &data, &rows, &columns));
    let (sumcheck_proof, mut at_point) = step("jagged sumcheck", || {
        reduce_sumcheck_to_evaluation(vec![product], challenger, vec![claim], 1, GC::EF::one())
    });
    let expected_eval = at_point.swap_remove(0)[0];
    let point = sumcheck_proof.point_and_eval.0.clone();

    let ends = &params.col_prefix_sums_usize;
    let jagged_eval_proof = step("jagged value", || {
        jagged::prove::<GC>(&Columns::new(ends, weights.weights()), &rows, &point, challenger)
    });

    let row_counts_and_column_counts = data
        .iter()
        .map(|data| data.row_counts.iter().copied().zip(data.column_counts.iter().copied()).collect())
        .collect();
    let merkle_tree_commitments = data.iter().map(|data| data.original_commitment).collect();
    let vectors = data.into_iter().map(|data| data.pcs_prover_data).collect();
    let log_m = point.dimension();
    let pcs_proof = step("vector", || {
        prover.pcs_prover.prove_untrusted_evaluation(point, expected_eval, vectors, challenger)
    })?;
    Ok(JaggedPcsProof {
        pcs_proof,
        sumcheck_proof,
        jagged_eval_proof,
        row_counts_and_column_counts,
        merkle_tree_commitments,
        expected_eval,
        max_log_row_count: prover.max_log_row_count,
        log_m,
    })
}

/// The long vector times the weights of its entries.
fn product<GC: IopCtx, Proof, C: MultilinearPcsProver<GC, Proof>>(
    prover: &JaggedProver<GC, Proof, C>,
    params: &JaggedLittlePolynomialProverParams,
    data: &Rounds<JaggedProverData<GC, C::ProverData>>,
    rows: &Point<GC::EF>,
    columns: &Point<GC::EF>,
) -> HadamardProduct<GC::F, GC::EF> {
    let vectors: Message<Mle<GC::F>> =
        data.iter().flat_map(|data| data.pcs_prover_data.interleaved_mles()).collect::<Vec<Arc<_>>>().into();
    let vector = LongMle::from_message(vectors, prover.pcs_prover.log_max_padding_amount());
    let weights = params.partial_jagged_little_polynomial_evaluation(rows, columns);
    let variables = weights.num_variables();
    let vector = interleave_multilinears_with_fixed_rate(1, vector.into_components(), variables);
    HadamardProduct {
        base: LongMle::from_message(vector, variables),
        ext: LongMle::from_components(vec![weights], variables),
    }
}
