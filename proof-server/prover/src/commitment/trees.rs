//! Merkle trees over rows of field elements, hashed with Poseidon2: `slop_merkle_tree`'s commitments, with as many rows
//! hashed at once as a register has lanes.

use std::{array::from_fn, convert::Infallible, sync::Arc};

use rayon::prelude::*;
use slop_algebra::{AbstractField, Field, PackedValue};
use slop_alloc::CpuBackend;
use slop_commit::Message;
use slop_futures::OwnedBorrow;
use slop_koala_bear::{KoalaBear, KoalaBearDegree4Duplex};
use slop_merkle_tree::{ComputeTcsOpenings, MerkleTreeTcs, MerkleTreeTcsProof, TensorCsProver};
use slop_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use slop_tensor::Tensor;

use super::poseidon2::{Poseidon2, STATE};

type Lanes = <KoalaBear as Field>::Packing;
type Digest = [KoalaBear; RATE];

/// States that are permuted at once.
const LANES: usize = Lanes::WIDTH;
/// Elements that the sponge takes between two permutations, and those of a digest.
const RATE: usize = STATE / 2;
/// Groups of rows that a task hashes at least.
const GROUPS_PER_TASK: usize = 1 << 6;

/// Makes trees.
#[derive(Clone, Default)]
pub struct KoalaBearTrees(Arc<Poseidon2>);

/// A tree, from its leaves' digests to its root.
#[derive(Clone, Debug)]
pub struct Tree {
    layers: Arc<Vec<Vec<Digest>>>,
    /// Elements of a row.
    width: usize,
}

impl KoalaBearTrees {
    /// The digests of all rows, row `i` of each matrix one after another.
    fn leaves(&self, matrices: &[Matrix<'_>], height: usize) -> Vec<Digest> {
        let mut digests = vec![Digest::default(); height];
        let groups = digests.par_chunks_mut(LANES).enumerate().with_min_len(GROUPS_PER_TASK);
        groups.for_each(|(group, digests)| {
            let first = group * LANES;
            let last = first + digests.len() - 1;
            let mut state = [Lanes::zero(); STATE];
            let mut taken = 0;
            for matrix in matrices {
                let row =
                    |lane: usize| &matrix.values[(first + lane).min(last) * matrix.width..][..matrix.width];
                let mut rows: [&[KoalaBear]; LANES] = from_fn(row);
                while !rows[0].is_empty() {
                    let wanted = (RATE - taken).min(rows[0].len());
                    absorb(&mut state[taken..taken + wanted], &rows);
                    rows.iter_mut().for_each(|row| *row = &row[wanted..]);
                    taken = (taken + wanted) % RATE;
                    if taken == 0 {
                        self.0.permute(&mut state);
                    }
                }
            }
            if taken > 0 {
                self.0.permute(&mut state);
            }
            unpack(&state, digests);
        });
        digests
    }

    /// The digests of pairs of digests.
    fn parents(&self, children: &[Digest]) -> Vec<Digest> {
        let mut parents = vec![Digest::default(); children.len() / 2];
        let groups = parents.par_chunks_mut(LANES).zip(children.par_chunks(2 * LANES));
        groups.with_min_len(GROUPS_PER_TASK).for_each(|(parents, children)| {
            let last = parents.len() - 1;
            let pairs: [&[Digest; 2]; LANES] =
                from_fn(|lane| children[2 * lane.min(last)..].first_chunk().expect("a pair for each parent"));
            let mut state: [Lanes; STATE] =
                from_fn(|at| Lanes::from_fn(|lane| pairs[lane][at / RATE][at % RATE]));
            self.0.permute(&mut state);
            unpack(&state, parents);
        });
        parents
    }
}

/// Puts the first elements of each row into its lane.
#[inline]
fn absorb(state: &mut [Lanes], rows: &[&[KoalaBear]; LANES]) {
    if state.len() == RATE {
        // The usual case, without a check for each element.
        let rows: [&[KoalaBear; RATE]; LANES] =
            from_fn(|lane| rows[lane].first_chunk().expect("a block of columns"));
        for (at, element) in state.iter_mut().enumerate() {
            *element = Lanes::from_fn(|lane| rows[lane][at]);
        }
    } else {
        for (at, element) in state.iter_mut().enumerate() {
            *element = Lanes::from_fn(|lane| rows[lane][at]);
        }
    }
}

/// The digests at the front of the states.
fn unpack(state: &[Lanes; STATE], digests: &mut [Digest]) {
    for (lane, digest) in digests.iter_mut().enumerate() {
        *digest = from_fn(|at| state[at].as_slice()[lane]);
    }
}

/// Rows, one after the other.
struct Matrix<'a> {
    values: &'a [KoalaBear],
    width: usize,
}

impl<'a> Matrix<'a> {
    fn of(tensor: &'a Tensor<KoalaBear, CpuBackend>) -> Self {
        Self { values: tensor.as_slice(), width: tensor.sizes()[1] }
    }
}

impl TensorCsProver<KoalaBearDegree4Duplex, CpuBackend> for KoalaBearTrees {
    type ProverData = Tree;
    type ProverError = Infallible;

    /// Commits to matrices of the same height, a power of two.
    fn commit_tensors<T>(&self, tensors: Message<T>) -> Result<(Digest, Tree), Infallible>
    where
        T: OwnedBorrow<Tensor<KoalaBear, CpuBackend>>,
    {
        let matrices: Vec<Matrix<'_>> =
            tensors.iter().map(|tensor| Matrix::of(T::borrow(tensor.as_ref()))).collect();
        let height = matrices[0].values.len() / matrices[0].width;
        assert!(height.is_power_of_two(), "{height} rows");
        assert!(matrices.iter().all(|matrix| matrix.values.len() == height * matrix.width));
        let width = matrices.iter().map(|matrix| matrix.width).sum();

        let mut layers = vec![self.leaves(&matrices, height)];
        while let Some(layer) = layers.last().filter(|layer| layer.len() > 1) {
            layers.push(self.parents(layer));
        }
        let tree = Tree { layers: Arc::new(layers), width };
        // The shape goes into the commitment.
        let MerkleTreeTcs { hasher, compressor } = MerkleTreeTcs::<KoalaBearDegree4Duplex>::default();
        let shape = [tree.height(), width].map(KoalaBear::from_canonical_usize);
        Ok((compressor.compress([tree.root(), hasher.hash_iter(shape)]), tree))
    }

    fn prove_openings_at_indices(
        &self,
        tree: Tree,
        indices: &[usize],
    ) -> Result<MerkleTreeTcsProof<Digest>, Infallible> {
        let paths: Vec<Digest> = indices.iter().flat_map(|index| tree.siblings(*index)).collect();
        Ok(MerkleTreeTcsProof {
            merkle_root: tree.root(),
            log_tensor_height: tree.height(),
            width: tree.width,
            paths: Tensor::from(paths).reshape([indices.len(), tree.height()]),
        })
    }
}

impl ComputeTcsOpenings<KoalaBearDegree4Duplex, CpuBackend> for KoalaBearTrees {
    fn compute_openings_at_indices<T>(&self, tensors: Message<T>, indices: &[usize]) -> Tensor<KoalaBear>
    where
        T: OwnedBorrow<Tensor<KoalaBear, CpuBackend>>,
    {
        let matrices: Vec<Matrix<'_>> =
            tensors.iter().map(|tensor| Matrix::of(T::borrow(tensor.as_ref()))).collect();
        let rows: Vec<KoalaBear> = indices
            .iter()
            .flat_map(|index| matrices.iter().map(move |matrix| (matrix, *index)))
            .flat_map(|(matrix, index)| &matrix.values[index * matrix.width..][..matrix.width])
            .copied()
            .collect();
        let width = matrices.iter().map(|matrix| matrix.width).sum();
        Tensor::from(rows).reshape([indices.len(), width])
    }
}

impl Tree {
    fn root(&self) -> Digest {
        self.layers[self.height()][0]
    }

    /// What a leaf is hashed with on the way to the root.
    fn siblings(&self, leaf: usize) -> impl Iterator<Item = Digest> {
        let levels = self.layers[..self.height()].iter().enumerate();
        levels.map(move |(level, digests)| digests[(leaf >> level) ^ 1])
    }

    /// Steps from a leaf to the root.
    fn height(&self) -> usize {
        self.layers.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_merkle_tree::Poseidon2KoalaBear16Prover as Released;

    use super::*;

    type GC = KoalaBearDegree4Duplex;

    #[test]
    fn trees_and_openings_are_the_released_ones() {
        let mut rng = StdRng::seed_from_u64(1);
        for (log_height, widths) in
            [(0, vec![3]), (2, vec![8]), (4, vec![1, 2]), (7, vec![32, 32, 5]), (10, vec![7, 8, 1])]
        {
            let height = 1usize << log_height;
            let message: Message<Tensor<KoalaBear>> =
                widths.iter().map(|width| Tensor::rand(&mut rng, [height, *width])).collect();
            let (ours, released) = (KoalaBearTrees::default(), Released::default());
            let (digest, tree) = ours.commit_tensors(message.clone()).unwrap();
            let (expected, data) =
                TensorCsProver::<GC, CpuBackend>::commit_tensors(&released, message.clone()).unwrap();
            assert_eq!(digest, expected, "{height} rows of {widths:?}");

            let indices: Vec<usize> = (0..5).map(|_| rng.gen_range(0..height)).collect();
            let rows = ours.compute_openings_at_indices(message.clone(), &indices);
            let expected = ComputeTcsOpenings::<GC, CpuBackend>::compute_openings_at_indices(
                &released, message, &indices,
            );
            assert_eq!((rows.sizes(), rows.as_slice()), (expected.sizes(), expected.as_slice()));
            let proof = ours.prove_openings_at_indices(tree, &indices).unwrap();
            let expected =
                TensorCsProver::<GC, CpuBackend>::prove_openings_at_indices(&released, data, &indices)
                    .unwrap();
            assert_eq!(proof.merkle_root, expected.merkle_root);
            assert_eq!((proof.width, proof.log_tensor_height), (expected.width, expected.log_tensor_height));
            assert_eq!(proof.paths.as_slice(), expected.paths.as_slice());
        }
    }
}
