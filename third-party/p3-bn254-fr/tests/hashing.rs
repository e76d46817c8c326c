//! Poseidon2, the sponge and the tree against SP1's, which stand on the original field here.

use p3_bn254_fr::lanes::{Backend, Poseidon2Lanes};
use p3_bn254_fr::{Bn254Fr, DiffusionMatrixBN254};
use p3_field::extension::BinomialExtensionField;
use p3_field::{AbstractField, PrimeField32};
use p3_koala_bear::KoalaBear;
use p3_poseidon2::{Poseidon2, Poseidon2ExternalMatrixGeneral};
use p3_symmetric::{CryptographicHasher, Permutation, PseudoCompressionFunction};
use rand::{rngs::StdRng, Rng, SeedableRng};
use slop_bn254::{outer_perm, BNGC};
use slop_challenger::IopCtx;

mod values;
use values::{assert_same, our_element, pairs, their_bytes, Pair};

type Theirs = BNGC<KoalaBear, BinomialExtensionField<KoalaBear, 4>>;
type Digest = [original::Bn254Fr; 1];

/// SP1's round constants, in this crate's field: for the external rounds, and for the internal ones.
fn constants() -> (Vec<[Bn254Fr; 3]>, Vec<Bn254Fr>) {
    let ours = |x: original::Bn254Fr| our_element(their_bytes(&x)).expect("reduced");
    let mut all: Vec<[Bn254Fr; 3]> =
        slop_bn254::bn254_poseidon2_rc3().into_iter().map(|row| row.map(ours)).collect();
    let internal = all.drain(4..60).map(|row| row[0]).collect();
    (all, internal)
}

/// Every backend that this machine has.
fn backends() -> Vec<Poseidon2Lanes> {
    let (external, internal) = constants();
    let mut all = vec![Poseidon2Lanes::scalar(external.clone(), internal.clone())];
    match Backend::best() {
        Backend::Ifma => all.push(Poseidon2Lanes::new(external, internal)),
        Backend::Scalar => eprintln!("this machine has no AVX-512 IFMA: only the scalar backend is tested"),
    }
    all
}

/// States of edge values in all positions, and of random ones.
fn states() -> Vec<[Pair; 3]> {
    let all = pairs(3000);
    (0..all.len()).map(|i| [all[i], all[(7 * i + 1) % all.len()], all[(31 * i + 2) % all.len()]]).collect()
}

#[test]
fn plonky3s_permutation_gives_the_same_on_this_field() {
    let (external, internal) = constants();
    let ours: Poseidon2<Bn254Fr, _, _, 3, 5> =
        Poseidon2::new(8, external, Poseidon2ExternalMatrixGeneral, 56, internal, DiffusionMatrixBN254);
    for state in states() {
        let theirs = outer_perm().permute(state.map(|x| x.theirs));
        let ours = ours.permute(state.map(|x| x.ours));
        ours.into_iter().zip(theirs).for_each(|(a, b)| assert_same(a, b, "state"));
    }
}

#[test]
fn many_permutations_give_the_same_as_one_by_one() {
    let states = states();
    let perm = outer_perm();
    for lanes in backends() {
        let mut ours: Vec<[Bn254Fr; 3]> = states.iter().map(|state| state.map(|x| x.ours)).collect();
        // Groups of every size, full ones and others.
        let mut rest = ours.as_mut_slice();
        for size in 0.. {
            let (group, after) = rest.split_at_mut((size % 40).min(rest.len()));
            lanes.permute(group);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        for (state, ours) in states.iter().zip(ours) {
            let theirs = perm.permute(state.map(|x| x.theirs));
            ours.into_iter().zip(theirs).for_each(|(a, b)| assert_same(a, b, "state"));
        }
    }
}

#[test]
fn a_chain_of_permutations_stays_the_same() {
    for lanes in backends() {
        let start = states()[5];
        let (mut ours, mut theirs) = ([start.map(|x| x.ours)], start.map(|x| x.theirs));
        for _ in 0..2000 {
            lanes.permute(&mut ours);
            outer_perm().permute_mut(&mut theirs);
        }
        ours[0].into_iter().zip(theirs).for_each(|(a, b)| assert_same(a, b, "state"));
    }
}

#[test]
fn rows_of_every_width_hash_to_the_same() {
    let mut rng = StdRng::seed_from_u64(31);
    let (hasher, _) = Theirs::default_hasher_and_compressor();
    for lanes in backends() {
        for width in 0..=70 {
            let height = 1 + width % 37;
            let largest = KoalaBear::ORDER_U32 - 1;
            let rows: Vec<u32> = (0..width * height)
                .map(|i| match (i + width) % 5 {
                    0 => largest,
                    1 => 0,
                    _ => rng.gen_range(0..=largest),
                })
                .collect();
            let mut digests = vec![Bn254Fr::one(); height];
            lanes.hash_rows(&rows, &mut digests);
            for (i, digest) in digests.iter().enumerate() {
                let row = rows[i * width..(i + 1) * width].iter().map(|&x| KoalaBear::from_canonical_u32(x));
                let theirs: Digest = hasher.hash_iter(row);
                assert_same(*digest, theirs[0], "digest of a row");
            }
        }
    }
}

#[test]
fn layers_of_every_size_compress_to_the_same() {
    let all = pairs(1000);
    let (_, compressor) = Theirs::default_hasher_and_compressor();
    for lanes in backends() {
        for parents in (0..70).chain([all.len() / 2]) {
            let children = &all[all.len() - 2 * parents..];
            let mut digests = vec![Bn254Fr::one(); parents];
            lanes.compress_layer(&children.iter().map(|x| x.ours).collect::<Vec<_>>(), &mut digests);
            for (pair, digest) in children.chunks(2).zip(&digests) {
                let theirs: Digest = compressor.compress([[pair[0].theirs], [pair[1].theirs]]);
                assert_same(*digest, theirs[0], "parent");
            }
        }
    }
}

#[test]
#[should_panic(expected = "rows of equal length")]
fn rows_must_be_of_equal_length() {
    backends()[0].hash_rows(&[1, 2, 3], &mut [Bn254Fr::zero(); 2]);
}

#[test]
#[should_panic(expected = "two children to a parent")]
fn a_parent_has_two_children() {
    backends()[0].compress_layer(&[Bn254Fr::zero(); 3], &mut [Bn254Fr::zero(); 2]);
}
