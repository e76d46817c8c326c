//! The prover of trees with BN254 digests. Not in the released crate, where `BnProver` is the generic prover.
//!
//! The generic prover hashes one row at a time here: SP1's Poseidon2 over BN254 has no packed form. [`BnProver`] gives
//! rows and pairs of digests to [`Poseidon2Lanes`] in batches instead. Commitments, digests and openings are the same.

use std::convert::Infallible;
use std::sync::Arc;

use slop_algebra::{ExtensionField, PrimeField31};
use slop_alloc::CpuBackend;
use slop_bn254::{bn254_poseidon2_rc3, lanes::Poseidon2Lanes, Bn254Fr, BNGC, OUTER_DIGEST_SIZE};
use slop_challenger::IopCtx;
use slop_commit::Message;
use slop_futures::OwnedBorrow;
use slop_maybe_rayon::prelude::*;
use slop_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use slop_tensor::Tensor;

use crate::{
    ComputeTcsOpenings, FieldMerkleTreeDigests, FieldMerkleTreeProver, MerkleTreeTcs,
    MerkleTreeTcsProof, TensorCsProver,
};

/// Rows or parents that one task hashes: several times what the lanes take together.
const BATCH: usize = 64;
/// External rounds of SP1's Poseidon2 before the internal ones, and as many after them.
const HALF_ROUNDS_F: usize = 4;
/// Internal rounds of SP1's Poseidon2.
const ROUNDS_P: usize = 56;

type Digest = [Bn254Fr; OUTER_DIGEST_SIZE];
type Generic<F, EF> = FieldMerkleTreeProver<F, Bn254Fr, BNGC<F, EF>, OUTER_DIGEST_SIZE>;

/// Commits to tensors with trees of BN254 digests.
pub struct BnProver<F: PrimeField31, EF: ExtensionField<F>> {
    /// Opens what this one commits to.
    generic: Generic<F, EF>,
    lanes: Arc<Poseidon2Lanes>,
}

impl<F: PrimeField31, EF: ExtensionField<F>> BnProver<F, EF> {
    /// With the hasher and the compressor of `tcs`, which must be the default ones: trees are made without asking them.
    pub fn new(tcs: MerkleTreeTcs<BNGC<F, EF>>) -> Self {
        let mut constants = bn254_poseidon2_rc3();
        let internal =
            constants.drain(HALF_ROUNDS_F..HALF_ROUNDS_F + ROUNDS_P).map(|row| row[0]).collect();
        Self {
            generic: FieldMerkleTreeProver::new(tcs),
            lanes: Arc::new(Poseidon2Lanes::new(constants, internal)),
        }
    }

    /// The digests of all rows, row `i` of each tensor one after another; default digests up to a power of two.
    fn first_layer(&self, tensors: &[&Tensor<F, CpuBackend>], height: usize) -> Vec<Digest> {
        let mut digests = vec![Digest::default(); height.next_power_of_two()];
        digests[..height].par_chunks_mut(BATCH).enumerate().for_each(|(batch, digests)| {
            let rows = batch * BATCH..batch * BATCH + digests.len();
            let mut words = Vec::new();
            for row in rows {
                for tensor in tensors {
                    let width = tensor.sizes()[1];
                    let values = &tensor.as_slice()[row * width..(row + 1) * width];
                    words.extend(values.iter().map(|value| value.as_canonical_u32()));
                }
            }
            self.lanes.hash_rows(&words, digests.as_flattened_mut());
        });
        digests
    }

    fn next_layer(&self, children: &[Digest]) -> Vec<Digest> {
        let mut parents = vec![Digest::default(); children.len() / 2];
        parents.par_chunks_mut(BATCH).zip(children.par_chunks(2 * BATCH)).for_each(
            |(parents, children)| {
                self.lanes.compress_layer(children.as_flattened(), parents.as_flattened_mut());
            },
        );
        parents
    }
}

impl<F: PrimeField31, EF: ExtensionField<F>> TensorCsProver<BNGC<F, EF>, CpuBackend>
    for BnProver<F, EF>
{
    type ProverData = <Generic<F, EF> as TensorCsProver<BNGC<F, EF>, CpuBackend>>::ProverData;
    type ProverError = Infallible;

    fn commit_tensors<T>(
        &self,
        tensors: Message<T>,
    ) -> Result<(<BNGC<F, EF> as IopCtx>::Digest, Self::ProverData), Self::ProverError>
    where
        T: OwnedBorrow<Tensor<F, CpuBackend>>,
    {
        let tensors: Vec<&Tensor<F, CpuBackend>> =
            tensors.iter().map(|t| T::borrow(t.as_ref())).collect();
        assert!(!tensors.is_empty(), "No matrices given?");
        let height = tensors[0].sizes()[0];
        assert!(tensors.iter().all(|t| t.sizes()[0] == height));
        let total_width = tensors.iter().map(|t| t.sizes()[1]).sum::<usize>();

        let mut digest_layers = vec![self.first_layer(&tensors, height)];
        while let Some(layer) = digest_layers.last().filter(|layer| layer.len() > 1) {
            digest_layers.push(self.next_layer(layer));
        }
        let root = digest_layers[digest_layers.len() - 1][0];

        // The shape goes into the commitment, as in the generic prover.
        let tcs = &self.generic.tcs;
        let log_height = height.next_power_of_two().ilog2() as usize;
        let shape: Digest =
            tcs.hasher.hash_iter([log_height, total_width].map(F::from_canonical_usize));
        let commitment: Digest = tcs.compressor.compress([root, shape]);
        let digests = FieldMerkleTreeDigests { digest_layers: Arc::new(digest_layers) };
        Ok((commitment.into(), (digests, root.into(), log_height, total_width)))
    }

    fn prove_openings_at_indices(
        &self,
        data: Self::ProverData,
        indices: &[usize],
    ) -> Result<MerkleTreeTcsProof<<BNGC<F, EF> as IopCtx>::Digest>, Self::ProverError> {
        self.generic.prove_openings_at_indices(data, indices)
    }
}

impl<F: PrimeField31, EF: ExtensionField<F>> ComputeTcsOpenings<BNGC<F, EF>, CpuBackend>
    for BnProver<F, EF>
{
    fn compute_openings_at_indices<T>(
        &self,
        tensors: Message<T>,
        indices: &[usize],
    ) -> Tensor<F, CpuBackend>
    where
        T: OwnedBorrow<Tensor<F, CpuBackend>>,
    {
        self.generic.compute_openings_at_indices(tensors, indices)
    }
}

impl<F: PrimeField31, EF: ExtensionField<F>> Default for BnProver<F, EF> {
    fn default() -> Self {
        Self::new(MerkleTreeTcs::default())
    }
}

impl<F: PrimeField31, EF: ExtensionField<F>> Clone for BnProver<F, EF> {
    fn clone(&self) -> Self {
        Self { generic: FieldMerkleTreeProver::clone(&self.generic), lanes: self.lanes.clone() }
    }
}

impl<F: PrimeField31, EF: ExtensionField<F>> std::fmt::Debug for BnProver<F, EF> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BnProver")
    }
}
