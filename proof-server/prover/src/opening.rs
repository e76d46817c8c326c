//! The values of the traces at a point, opened: the jagged commitment scheme.
//!
//! All columns of all tables are one long vector, which is what is committed to. A sumcheck leads from the values of the
//! columns to one value of the vector ([`product`]), whose weights are those of a jagged polynomial; that polynomial's
//! value is shown by [`jagged`], and the vector's by the commitment scheme below. Defined by `slop_jagged::prover`, after
//! "Jagged Polynomial Commitments" (Hemo et al., ePrint 2025/917).

use std::sync::Arc;

use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::{FieldChallenger, IopCtx};
use slop_commit::Rounds;
use slop_jagged::{JaggedPcsProof, JaggedProver, JaggedProverData};
use slop_multilinear::{Evaluations, Mle, MultilinearPcsProver, Point, ToMle};

use crate::{
    jagged::{self, Columns},
    lagrange::EqTable,
    product, step,
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
    let mut ends = vec![0];
    ends.extend(heights.scan(0, |end, height| {
        *end += height;
        Some(*end)
    }));
    let length = ends[ends.len() - 1];
    let (sumcheck_proof, expected_eval) = step("jagged product", || {
        let matrices: Vec<Arc<Mle<GC::F>>> =
            data.iter().flat_map(|data| data.pcs_prover_data.interleaved_mles()).collect();
        let vector = product::long_vector(matrices.iter().map(|matrix| &**matrix), length);
        let weights = product::Weights::new(&ends, weights.weights(), &rows.to_vec());
        product::prove::<GC::F, GC::EF, GC>(&vector, &weights, claim, challenger)
    });
    let point = sumcheck_proof.point_and_eval.0.clone();
    let jagged_eval_proof = step("jagged value", || {
        jagged::prove::<GC>(&Columns::new(&ends, weights.weights()), &rows, &point, challenger)
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
