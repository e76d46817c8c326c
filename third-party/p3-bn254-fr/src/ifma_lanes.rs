//! Hashing in groups of sixteen with [`crate::ifma_poseidon2`]: field elements into vectors, and out again.
//!
//! A last group that is not full is filled up with zeros, whose hashes are dropped.

use core::array;

use crate::ifma::{Fe8, WIDTH};
pub(crate) use crate::ifma_poseidon2::Constants;
use crate::ifma_poseidon2::{self, States, GROUPS};
use crate::lanes::{pack, RATE};
use crate::limbs::Limbs;
use crate::Bn254Fr;

/// States to a group.
const LANES: usize = GROUPS * WIDTH;

/// Permutes every state.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn permute(constants: &Constants, states: &mut [[Bn254Fr; 3]]) {
    for group in states.chunks_mut(LANES) {
        let mut vectors = zeros();
        for i in 0..3 {
            load(&mut vectors, i, |lane| group.get(lane).map_or([0; 4], |state| *state[i].limbs()));
        }
        ifma_poseidon2::permute(constants, &mut vectors);
        for i in 0..3 {
            store(&vectors, i, group.iter_mut().map(|state| &mut state[i]));
        }
    }
}

/// See [`crate::lanes::Poseidon2Lanes::hash_rows`].
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn hash_rows(constants: &Constants, words: &[u32], width: usize, digests: &mut [Bn254Fr]) {
    for (g, group) in digests.chunks_mut(LANES).enumerate() {
        let row = |lane| {
            let start = (g * LANES + lane) * width;
            if lane < group.len() {
                &words[start..start + width]
            } else {
                &[]
            }
        };
        let rows: [&[u32]; LANES] = array::from_fn(row);
        let mut vectors = zeros();
        for block in (0..width).step_by(RATE) {
            for i in 0..2 {
                let start = block + i * RATE / 2;
                let end = width.min(start + RATE / 2);
                if start >= end {
                    break;
                }
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let lanes =
                        array::from_fn(|lane| rows[v * WIDTH + lane].get(start..end).map_or([0; 4], pack));
                    vector[i] = Fe8::from_integers(&columns(&lanes));
                }
            }
            ifma_poseidon2::permute(constants, &mut vectors);
        }
        store(&vectors, 0, group.iter_mut());
    }
}

/// See [`crate::lanes::Poseidon2Lanes::compress_layer`].
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn compress_layer(constants: &Constants, children: &[Bn254Fr], parents: &mut [Bn254Fr]) {
    for (children, parents) in children.chunks(2 * LANES).zip(parents.chunks_mut(LANES)) {
        let mut vectors = zeros();
        for i in 0..2 {
            load(&mut vectors, i, |lane| children.get(2 * lane + i).map_or([0; 4], |x| *x.limbs()));
        }
        ifma_poseidon2::permute(constants, &mut vectors);
        store(&vectors, 0, parents.iter_mut());
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn zeros() -> States {
    [[Fe8::zero(); 3]; GROUPS]
}

/// Element `i` of every state, given lane by lane in the form of [`crate::limbs`].
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load(vectors: &mut States, i: usize, element: impl Fn(usize) -> Limbs) {
    for (v, vector) in vectors.iter_mut().enumerate() {
        vector[i] = Fe8::load(&columns(&array::from_fn(|lane| element(v * WIDTH + lane))));
    }
}

/// Element `i` of as many states as there are places for it.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn store<'a>(vectors: &States, i: usize, mut places: impl Iterator<Item = &'a mut Bn254Fr>) {
    for vector in vectors {
        for (limbs, place) in vector[i].store().into_iter().zip(places.by_ref()) {
            *place = Bn254Fr::from_limbs(limbs);
        }
    }
}

/// Limbs by lane to lanes by limb.
#[inline]
fn columns(lanes: &[Limbs; WIDTH]) -> [[u64; WIDTH]; 4] {
    array::from_fn(|limb| array::from_fn(|lane| lanes[lane][limb]))
}
