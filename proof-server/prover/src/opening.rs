//! The values of the traces at a point, opened: the jagged commitment scheme.
//!
//! All columns of all tables are one long vector, which is what is committed to. A sumcheck leads from the values of the
//! columns to one value of the vector ([`product`]), whose weights are those of a jagged polynomial; that polynomial's
//! value is shown by [`jagged`], and the vector's by the commitment ([`crate::commitment`]). Defined by
//! `slop_jagged::prover`, after "Jagged Polynomial Commitments" (Hemo et al., ePrint 2025/917).

use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::FieldChallenger;
use slop_commit::Rounds;
use slop_jagged::JaggedPcsProof;
use slop_multilinear::{Evaluations, Point};
use slop_stacked::StackedBasefoldProof;

use crate::{
    commitment::{Commitments, Committed, Trees, TwoAdicCtx},
    jagged::{self, Columns},
    lagrange::EqTable,
    product, step,
};

/// Opens what was committed to: its columns have the values `claims` at `rows`.
pub(crate) fn prove<GC, T>(
    commitments: &Commitments<GC, T>,
    rows: Point<GC::EF>,
    claims: Rounds<Evaluations<GC::EF, CpuBackend>>,
    committed: &[&Committed<GC, T>],
    challenger: &mut GC::Challenger,
) -> Result<JaggedPcsProof<GC, StackedBasefoldProof<GC>>, T::ProverError>
where
    GC: TwoAdicCtx,
    T: Trees<GC>,
{
    let tables = || committed.iter().flat_map(|committed| committed.tables.iter());
    let count: usize = tables().map(|(_, columns)| *columns).sum();
    let columns: Point<GC::EF> =
        (0..count.next_power_of_two().ilog2()).map(|_| challenger.sample_ext_element()).collect();
    let weights = EqTable::new(&columns.to_vec(), count);

    // After the columns of each commitment come those that fill up its vector: they are zero.
    let mut values: Vec<GC::EF> = Vec::new();
    for (claims, committed) in claims.iter().zip(committed) {
        values.extend(claims.iter().flat_map(|table| table.iter()));
        values.resize(values.len() + committed.filling_columns, GC::EF::zero());
    }
    let claim = values.iter().zip(weights.weights()).map(|(value, weight)| *value * *weight).sum();

    let heights = tables().flat_map(|(rows, columns)| std::iter::repeat_n(*rows, *columns));
    let mut ends = vec![0];
    ends.extend(heights.scan(0, |end, height| {
        *end += height;
        Some(*end)
    }));
    let (sumcheck_proof, expected_eval) = step("jagged product", || {
        let weights = product::Weights::new(&ends, weights.weights(), &rows.to_vec());
        product::prove::<GC::F, GC::EF, GC>(&commitments.vector(committed), &weights, claim, challenger)
    });
    let point = sumcheck_proof.point_and_eval.0.clone();
    let jagged_eval_proof = step("jagged value", || {
        jagged::prove::<GC>(&Columns::new(&ends, weights.weights()), &rows, &point, challenger)
    });

    let log_m = point.dimension();
    let pcs_proof = step("basefold", || commitments.open(point, expected_eval, committed, challenger))?;
    Ok(JaggedPcsProof {
        pcs_proof,
        sumcheck_proof,
        jagged_eval_proof,
        row_counts_and_column_counts: committed.iter().map(|committed| committed.tables.clone()).collect(),
        merkle_tree_commitments: committed.iter().map(|committed| committed.vector_commitment).collect(),
        expected_eval,
        max_log_row_count: commitments.max_log_row_count,
        log_m,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_challenger::IopCtx;
    use slop_jagged::{DefaultJaggedProver, JaggedPcsVerifier};
    use slop_koala_bear::{KoalaBear as F, KoalaBearDegree4Duplex};
    use slop_merkle_tree::{BnProver, Poseidon2KoalaBear16Prover};
    use slop_multilinear::{Mle, MleEval, PaddedMle};
    use slop_stacked::{StackedPcsProver, StackedPcsVerifier};
    use sp1_primitives::SP1OuterGlobalContext;

    use super::*;
    use crate::KoalaBearTrees;

    type EF = <KoalaBearDegree4Duplex as IopCtx>::EF;

    const LOG_ROWS: usize = 12;
    const LOG_HEIGHT: u32 = 11;

    fn traces(rng: &mut StdRng, shapes: &[(usize, usize)]) -> Vec<PaddedMle<F>> {
        let of_shape = |(height, width): &(usize, usize)| match height {
            0 => PaddedMle::zeros(*width, LOG_ROWS as u32),
            _ => {
                let values: Vec<F> = (0..height * width).map(|_| rng.r#gen()).collect();
                let trace = Mle::new(slop_tensor::Tensor::from(values).reshape([*height, *width]));
                PaddedMle::padded_with_zeros(Arc::new(trace), LOG_ROWS as u32)
            }
        };
        shapes.iter().map(of_shape).collect()
    }

    #[test]
    fn commitments_and_openings_are_those_of_the_released_prover() {
        same::<KoalaBearDegree4Duplex, KoalaBearTrees, Poseidon2KoalaBear16Prover>();
    }

    #[test]
    fn so_they_are_with_the_trees_of_the_last_stage() {
        same::<SP1OuterGlobalContext, BnProver<F, EF>, BnProver<F, EF>>();
    }

    fn same<GC: IopCtx<F = F, EF = EF>, T: Trees<GC>, Released: Trees<GC>>() {
        let mut rng = StdRng::seed_from_u64(1);
        let rounds = [
            traces(&mut rng, &[(4, 3), (1000, 5)]),
            traces(&mut rng, &[(4096, 40), (0, 9), (17, 201), (2, 1)]),
        ];
        let rows: Point<EF> = (0..LOG_ROWS).map(|_| rng.r#gen::<EF>()).collect();
        let claims: Rounds<Evaluations<EF>> = (rounds.iter())
            .map(|traces| {
                let values = |trace: &PaddedMle<F>| MleEval::from(trace.eval_at(&rows).to_vec());
                Evaluations::new(traces.iter().map(values).collect())
            })
            .collect();

        let fri = slop_basefold::FriConfig::default_fri_config();
        let verifier: JaggedPcsVerifier<GC, StackedPcsVerifier<GC>> =
            JaggedPcsVerifier::new_from_basefold_params(fri, LOG_HEIGHT, LOG_ROWS, 2);
        let released =
            <StackedPcsProver<Released, GC> as DefaultJaggedProver<_, _>>::prover_from_verifier(&verifier);
        let ours = Commitments::<GC, T>::new(&verifier);
        // On one thread: which proof of work is found does not depend on who is first.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        alone.install(|| {
            let (mut commitments, mut committed, mut data) = (Vec::new(), Vec::new(), Rounds::new());
            for traces in &rounds {
                let (commitment, ours) = ours.commit(traces.iter());
                let (expected, released) = released.commit_multilinears(traces.clone()).unwrap();
                assert_eq!(commitment, expected);
                commitments.push(commitment);
                committed.push(ours);
                data.push(released);
            }
            let committed: Vec<_> = committed.iter().collect();
            let proof = prove(&ours, rows.clone(), claims.clone(), &committed, &mut GC::default_challenger())
                .unwrap();
            let expected = released
                .prove_trusted_evaluations(rows.clone(), claims.clone(), data, &mut GC::default_challenger())
                .unwrap();
            assert!(bincode::serialize(&proof).unwrap() == bincode::serialize(&expected).unwrap());
            let claims: Vec<MleEval<EF>> = claims
                .into_iter()
                .map(|round| round.into_iter().flat_map(|table| table.to_vec()).collect::<Vec<_>>().into())
                .collect();
            let transcript = &mut GC::default_challenger();
            verifier.verify_trusted_evaluations(&commitments, rows, &claims, &proof, transcript).unwrap();
        });
    }
}
