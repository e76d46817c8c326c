//! Merkle trees over BN254, the original crate's against this one's, in one run and on one thread.
//!
//! `cargo bench --bench hashing` (with `RUSTFLAGS="-C target-cpu=native"` for the instructions of this machine). Every
//! tree is made of the same KoalaBear matrix by SP1's hasher and compressor, and all roots are compared.

use std::hint::black_box;
use std::time::Instant;

use ff::PrimeField as _;
use p3_bn254_fr::lanes::Poseidon2Lanes;
use p3_bn254_fr::{Bn254Fr, DiffusionMatrixBN254};
use p3_field::extension::BinomialExtensionField;
use p3_field::{AbstractField, PrimeField32};
use p3_koala_bear::KoalaBear;
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::FieldMerkleTree;
use p3_poseidon2::{Poseidon2, Poseidon2ExternalMatrixGeneral};
use p3_symmetric::{MultiField32PaddingFreeSponge, Permutation, TruncatedPermutation};
use slop_bn254::{outer_perm, BNGC};
use slop_challenger::IopCtx;

type Original = BNGC<KoalaBear, BinomialExtensionField<KoalaBear, 4>>;
type Perm = Poseidon2<Bn254Fr, Poseidon2ExternalMatrixGeneral, DiffusionMatrixBN254, 3, 5>;

/// Rows of the matrix of a tree.
const HEIGHT: usize = 1 << 11;
/// Each figure is the fastest of so many runs; the crates take turns.
const RUNS: usize = 5;

fn main() {
    let (external, internal) = constants();
    let perm: Perm = Poseidon2::new(
        8,
        external.clone(),
        Poseidon2ExternalMatrixGeneral,
        56,
        internal.clone(),
        DiffusionMatrixBN254,
    );
    one_at_a_time(&perm);
    let scalar = Poseidon2Lanes::scalar(external.clone(), internal.clone());
    let best = Poseidon2Lanes::new(external, internal);
    // A FRI layer's rows, and a trace's.
    for width in [8, 128] {
        trees(width, &perm, [&scalar, &best]);
    }
}

/// One permutation waiting for the other, as a challenger's do.
fn one_at_a_time(perm: &Perm) {
    const COUNT: usize = 2000;
    let original = outer_perm();
    let mut theirs = [original::Bn254Fr::two(); 3];
    let mut ours = [Bn254Fr::two(); 3];
    let [original, ours] =
        fastest([&mut || (0..COUNT).for_each(|_| original.permute_mut(black_box(&mut theirs))), &mut || {
            (0..COUNT).for_each(|_| perm.permute_mut(black_box(&mut ours)))
        }]);
    println!("Poseidon2, one at a time");
    report("original", original, original, COUNT);
    report("this crate, Plonky3's permutation", ours, original, COUNT);
}

fn trees(width: usize, perm: &Perm, lanes: [&Poseidon2Lanes; 2]) {
    let values: Vec<KoalaBear> =
        (0..width * HEIGHT).map(|i| KoalaBear::from_wrapped_u64(0x9e37_79b9 * i as u64)).collect();
    let matrix = RowMajorMatrix::new(values, width);
    let (hasher, compressor) = Original::default_hasher_and_compressor();
    let our_hasher =
        MultiField32PaddingFreeSponge::<KoalaBear, Bn254Fr, Perm, 3, 16, 1>::new(perm.clone()).unwrap();
    let our_compressor = TruncatedPermutation::<Perm, 2, 1, 3>::new(perm.clone());
    let (mut root, mut ours, mut in_lanes) = (None, None, [None; 2]);
    let [first, second] = &mut in_lanes;
    let times = fastest([
        &mut || {
            let tree = FieldMerkleTree::new::<KoalaBear, original::Bn254Fr, _, _>(
                &hasher,
                &compressor,
                vec![matrix.clone()],
            );
            root = tree.digest_layers.last().map(|layer| layer[0][0]);
        },
        &mut || {
            let tree = FieldMerkleTree::new::<KoalaBear, Bn254Fr, _, _>(
                &our_hasher,
                &our_compressor,
                vec![matrix.clone()],
            );
            ours = tree.digest_layers.last().map(|layer| layer[0][0]);
        },
        &mut || *first = Some(root_in_lanes(&matrix, lanes[0])),
        &mut || *second = Some(root_in_lanes(&matrix, lanes[1])),
    ]);
    let root = root.map(|x| x.value.to_repr().0);
    for ours in [ours, in_lanes[0], in_lanes[1]] {
        assert_eq!(ours.map(|x| x.value.to_repr().0), root, "the roots differ");
    }
    let permutations = HEIGHT * width.div_ceil(16) + HEIGHT - 1;
    println!("Merkle tree of {HEIGHT} rows of {width}");
    report("original", times[0], times[0], permutations);
    report("this crate, Plonky3's tree", times[1], times[0], permutations);
    report("this crate, scalar lanes", times[2], times[0], permutations);
    report(&format!("this crate, {:?} lanes", lanes[1].backend()), times[3], times[0], permutations);
}

/// The tree as a prover makes it: all layers kept.
fn root_in_lanes(matrix: &RowMajorMatrix<KoalaBear>, lanes: &Poseidon2Lanes) -> Bn254Fr {
    let words: Vec<u32> = matrix.values.iter().map(|x| x.as_canonical_u32()).collect();
    let mut layers = vec![vec![Bn254Fr::zero(); HEIGHT]];
    lanes.hash_rows(&words, &mut layers[0]);
    while layers[layers.len() - 1].len() > 1 {
        let children = &layers[layers.len() - 1];
        let mut parents = vec![Bn254Fr::zero(); children.len() / 2];
        lanes.compress_layer(children, &mut parents);
        layers.push(parents);
    }
    layers[layers.len() - 1][0]
}

fn fastest<const N: usize>(mut contenders: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [f64::MAX; N];
    for _ in 0..RUNS {
        for (run, best) in contenders.iter_mut().zip(&mut best) {
            let start = Instant::now();
            run();
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    best
}

fn report(name: &str, seconds: f64, original: f64, permutations: usize) {
    let each = seconds * 1e9 / permutations as f64;
    println!("  {name:36} {each:9.0} ns a permutation {:8.2}x", original / seconds);
}

/// SP1's round constants, in this crate's field: for the external rounds, and for the internal ones.
fn constants() -> (Vec<[Bn254Fr; 3]>, Vec<Bn254Fr>) {
    let ours = |x: original::Bn254Fr| {
        let value = p3_bn254_fr::FFBn254Fr::from_repr(p3_bn254_fr::FFBn254FrRepr(x.value.to_repr().0));
        Bn254Fr { value: value.unwrap() }
    };
    let mut all: Vec<[Bn254Fr; 3]> =
        slop_bn254::bn254_poseidon2_rc3().into_iter().map(|row| row.map(ours)).collect();
    let internal = all.drain(4..60).map(|row| row[0]).collect();
    (all, internal)
}
