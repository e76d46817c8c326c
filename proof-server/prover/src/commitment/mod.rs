//! Commitments to traces. All columns of all tables, one after the other, are one long vector ([`vector`]); it is cut into
//! columns of the same height, whose Reed-Solomon codes ([`code`]) are side by side in the rows that are the leaves of a
//! Merkle tree ([`trees`]). [`basefold`] opens the vector at a point.
//!
//! Defined by `slop_jagged::prover` (what is hashed beside the root), `slop_stacked` (the cut) and `slop_basefold_prover`.

mod basefold;
mod code;
mod poseidon2;
mod sums;
mod trees;
mod vector;

use std::{iter::once, sync::OnceLock};

use slop_algebra::{AbstractField, TwoAdicField};
use slop_alloc::CpuBackend;
use slop_basefold::FriConfig;
use slop_challenger::IopCtx;
use slop_commit::Message;
use slop_jagged::JaggedPcsVerifier;
use slop_merkle_tree::ComputeTcsOpenings;
use slop_multilinear::PaddedMle;
use slop_stacked::StackedPcsVerifier;
use slop_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use slop_tensor::Tensor;

use self::code::Factors;
pub use self::trees::{KoalaBearTrees, Tree};
pub(crate) use self::vector::Vector;
use crate::step;

/// Fields with the roots of unity that codes need, and what goes with them.
pub trait TwoAdicCtx: IopCtx<F: TwoAdicField, EF: TwoAdicField> {}
impl<GC: IopCtx<F: TwoAdicField, EF: TwoAdicField>> TwoAdicCtx for GC {}

/// Makes Merkle trees.
pub trait Trees<GC: IopCtx>: ComputeTcsOpenings<GC, CpuBackend> + Default {}
impl<GC: IopCtx, T: ComputeTcsOpenings<GC, CpuBackend> + Default> Trees<GC> for T {}

/// Columns whose codes are one matrix: their rows are two cache lines.
const WIDTH: usize = 32;

/// Commits to traces, and opens them.
pub(crate) struct Commitments<GC: IopCtx, T> {
    trees: T,
    fri: FriConfig<GC::F>,
    /// Variables of the columns that the long vector is cut into.
    log_height: usize,
    /// Variables of a table's rows.
    pub(crate) max_log_row_count: usize,
    factors: OnceLock<Factors<GC::F>>,
}

/// What was committed to.
pub struct Committed<GC: IopCtx, T: Trees<GC>> {
    vector: Vec<GC::F>,
    codes: Message<Tensor<GC::F>>,
    tree: T::ProverData,
    /// Rows and columns of each table, and then of what fills the vector up: columns as high as can be, and one more.
    pub(crate) tables: Vec<(usize, usize)>,
    /// Columns of both of the latter.
    pub(crate) filling_columns: usize,
    /// The commitment, before the tables' sizes were hashed into it.
    pub(crate) vector_commitment: GC::Digest,
}

impl<GC: TwoAdicCtx, T: Trees<GC>> Commitments<GC, T> {
    pub(crate) fn new(verifier: &JaggedPcsVerifier<GC, StackedPcsVerifier<GC>>) -> Self {
        let JaggedPcsVerifier { pcs_verifier, max_log_row_count, .. } = verifier;
        Self {
            trees: T::default(),
            fri: pcs_verifier.basefold_verifier.fri_config,
            log_height: pcs_verifier.log_stacking_height as usize,
            max_log_row_count: *max_log_row_count,
            factors: OnceLock::new(),
        }
    }

    /// Commits to the traces of all tables, in their order.
    pub(crate) fn commit<'a>(
        &self,
        traces: impl Iterator<Item = &'a PaddedMle<GC::F>>,
    ) -> (GC::Digest, Committed<GC, T>)
    where
        GC::F: 'a,
    {
        let traces: Vec<_> = traces.collect();
        let (vector, filling) = step("vector", || vector::of_traces(&traces, self.log_height));
        let codes: Message<Tensor<GC::F>> = step("codes", || {
            let columns: Vec<&[GC::F]> = vector.chunks_exact(1 << self.log_height).collect();
            columns.chunks(WIDTH).map(|columns| self.encode(columns)).collect()
        });
        let (vector_commitment, tree) =
            step("tree", || self.trees.commit_tensors(codes.clone())).expect("codes have the same height");

        let highest = 1 << self.max_log_row_count;
        let filling_columns = filling.div_ceil(highest).max(1);
        let tables: Vec<_> = (traces.iter().map(|trace| (trace.num_real_entries(), trace.num_polynomials())))
            .chain([(highest, filling_columns - 1), (filling - (filling_columns - 1) * highest, 1)])
            .collect();
        let (hasher, compressor) = GC::default_hasher_and_compressor();
        let sizes = once(tables.len())
            .chain(tables.iter().map(|(rows, _)| *rows))
            .chain(tables.iter().map(|(_, columns)| *columns));
        let sizes = hasher.hash_iter(sizes.map(GC::F::from_canonical_usize));
        let commitment = compressor.compress([vector_commitment, sizes]);
        (commitment, Committed { vector, codes, tree, tables, filling_columns, vector_commitment })
    }

    /// The long vectors of several commitments, one after the other.
    pub(crate) fn vector<'a>(&self, committed: &[&'a Committed<GC, T>]) -> Vector<'a, GC::F> {
        Vector::new(committed.iter().flat_map(|committed| committed.columns(self.log_height)).collect())
    }

    fn encode(&self, columns: &[&[GC::F]]) -> Tensor<GC::F> {
        code::encode(columns, self.fri.log_blowup(), self.factors())
    }

    fn factors(&self) -> &Factors<GC::F> {
        self.factors.get_or_init(|| Factors::new(self.log_height + self.fri.log_blowup()))
    }
}

impl<GC: IopCtx, T: Trees<GC>> Committed<GC, T> {
    /// The long vector, cut into columns of `2^log_height` values.
    fn columns(&self, log_height: usize) -> impl Iterator<Item = &[GC::F]> {
        self.vector.chunks_exact(1 << log_height)
    }
}
