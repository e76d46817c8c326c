//! Trees with BN254 digests: what the batched prover commits to and opens, against the generic prover.

use rand::{rngs::StdRng, Rng, SeedableRng};
use slop_algebra::extension::BinomialExtensionField;
use slop_bn254::{Bn254Fr, BNGC};
use slop_commit::Message;
use slop_koala_bear::KoalaBear;
use slop_merkle_tree::{
    BnProver, ComputeTcsOpenings, FieldMerkleTreeProver, MerkleTreeTcs, TensorCsProver,
};
use slop_tensor::Tensor;

type EF = BinomialExtensionField<KoalaBear, 4>;
type GC = BNGC<KoalaBear, EF>;
type Generic = FieldMerkleTreeProver<KoalaBear, Bn254Fr, GC, 1>;

#[test]
fn commitments_digests_and_openings_are_those_of_the_generic_prover() {
    let mut rng = StdRng::seed_from_u64(254);
    let (batched, generic) = (BnProver::<KoalaBear, EF>::default(), Generic::default());
    let shapes: [(usize, &[usize]); 12] = [
        (1, &[1]),
        (1, &[40]),
        (2, &[8]),
        (3, &[16, 1]),
        (15, &[17]),
        (16, &[3, 5, 8]),
        (64, &[8]),
        (65, &[31]),
        (100, &[24, 8]),
        (128, &[128]),
        (1000, &[9]),
        (1 << 11, &[20, 13]),
    ];
    for (height, widths) in shapes {
        let tensors: Message<Tensor<KoalaBear>> =
            widths.iter().map(|&width| Tensor::rand(&mut rng, [height, width])).collect();
        let (commitment, data) = batched.commit_tensors(tensors.clone()).unwrap();
        let (expected, expected_data) = generic.commit_tensors(tensors.clone()).unwrap();
        assert_eq!(commitment, expected, "{height} rows of {widths:?}");
        assert_eq!(*data.0.digest_layers, *expected_data.0.digest_layers);
        assert_eq!((data.1, data.2, data.3), (expected_data.1, expected_data.2, expected_data.3));

        let indices: Vec<usize> = (0..5).map(|_| rng.gen_range(0..height)).collect();
        let log_height = data.2;
        let proof = batched.prove_openings_at_indices(data, &indices).unwrap();
        let openings = batched.compute_openings_at_indices(tensors.clone(), &indices);
        let verify = |openings: &Tensor<KoalaBear>| {
            let width = widths.iter().sum();
            MerkleTreeTcs::<GC>::default().verify_tensor_openings(
                &commitment,
                &indices,
                openings,
                width,
                log_height,
                &proof,
            )
        };
        verify(&openings).unwrap();
        // An opening of something else is refused.
        let other =
            tensors.iter().map(|t| Tensor::rand(&mut rng, [height, t.sizes()[1]])).collect();
        verify(&batched.compute_openings_at_indices::<Tensor<KoalaBear>>(other, &indices))
            .unwrap_err();
    }
}
