//! Many Poseidon2 hashes at once: what a Merkle tree over BN254 digests is made with.
//!
//! One permutation is a chain of products, each waiting for the one before, so that wide vectors are of no use to it.
//! A Merkle tree has millions of permutations that do not wait for one another. [`Poseidon2Lanes`] takes sixteen of
//! them together: on a machine with AVX-512 IFMA (asked at run time) in two vectors of eight, elsewhere one by one.
//!
//! Results are those of Plonky3's types that SP1 commits with: `Poseidon2` with `Poseidon2ExternalMatrixGeneral` and
//! [`DiffusionMatrixBN254`](crate::DiffusionMatrixBN254), width 3 and S-box `x^5`; `MultiField32PaddingFreeSponge` with
//! a rate of 16 words; `TruncatedPermutation` of two digests.

use crate::limbs::{self, Limbs, MODULUS, R2};
use crate::{permutation, Bn254Fr};

#[cfg(target_arch = "x86_64")]
use crate::ifma_lanes::{self, Constants};

/// 31-bit words that the sponge packs into one field element.
const WORDS_PER_ELEMENT: usize = 8;
/// Words that the sponge takes before each permutation: two field elements.
pub(crate) const RATE: usize = 2 * WORDS_PER_ELEMENT;

/// What hashes are calculated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One state at a time, on 64-bit limbs.
    Scalar,
    /// Sixteen states at a time, with AVX-512 IFMA.
    Ifma,
}

impl Backend {
    /// The fastest one on this machine.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma") {
            return Backend::Ifma;
        }
        Backend::Scalar
    }
}

/// Poseidon2 of width 3 over BN254, for many independent inputs.
#[derive(Clone, Debug)]
pub struct Poseidon2Lanes {
    external: Vec<[Bn254Fr; 3]>,
    internal: Vec<Bn254Fr>,
    #[cfg(target_arch = "x86_64")]
    ifma: Option<Constants>,
}

impl Poseidon2Lanes {
    /// With these round constants, on the fastest backend. Half of the external rounds come before the internal ones.
    pub fn new(external: Vec<[Bn254Fr; 3]>, internal: Vec<Bn254Fr>) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            ifma: (Backend::best() == Backend::Ifma).then(|| Constants::new(&external, &internal)),
            external,
            internal,
        }
    }

    /// The same with the scalar backend, whatever the machine has.
    pub fn scalar(external: Vec<[Bn254Fr; 3]>, internal: Vec<Bn254Fr>) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            ifma: None,
            external,
            internal,
        }
    }

    /// What hashes are calculated with.
    pub fn backend(&self) -> Backend {
        #[cfg(target_arch = "x86_64")]
        if self.ifma.is_some() {
            return Backend::Ifma;
        }
        Backend::Scalar
    }

    /// Permutes every state.
    pub fn permute(&self, states: &mut [[Bn254Fr; 3]]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(constants) = &self.ifma {
            // SAFETY: constants for IFMA exist only where it was detected.
            return unsafe { ifma_lanes::permute(constants, states) };
        }
        for state in states {
            let mut limbs = state.map(|x| *x.limbs());
            self.permute_limbs(&mut limbs);
            *state = limbs.map(reduced);
        }
    }

    /// Hashes rows of canonical 31-bit field elements with the sponge: row `i` to `digests[i]`. All rows are equally
    /// long and lie one after another.
    ///
    /// # Panics
    /// If `words` does not divide into as many rows as there are digests.
    pub fn hash_rows(&self, words: &[u32], digests: &mut [Bn254Fr]) {
        let width = words.len().checked_div(digests.len()).unwrap_or(0);
        assert_eq!(width * digests.len(), words.len(), "rows of equal length, one to a digest");
        #[cfg(target_arch = "x86_64")]
        if let Some(constants) = &self.ifma {
            // SAFETY: constants for IFMA exist only where it was detected.
            return unsafe { ifma_lanes::hash_rows(constants, words, width, digests) };
        }
        for (i, digest) in digests.iter_mut().enumerate() {
            let mut state = [[0; 4]; 3];
            for block in words[i * width..(i + 1) * width].chunks(RATE) {
                for (element, words) in state.iter_mut().zip(block.chunks(WORDS_PER_ELEMENT)) {
                    *element = limbs::mul(&R2, &pack(words));
                }
                self.permute_limbs(&mut state);
            }
            *digest = reduced(state[0]);
        }
    }

    /// Hashes neighbours in one layer of a binary Merkle tree to the layer above it: `children[2 * i]` and
    /// `children[2 * i + 1]` to `parents[i]`.
    ///
    /// # Panics
    /// If there are not twice as many children as parents.
    pub fn compress_layer(&self, children: &[Bn254Fr], parents: &mut [Bn254Fr]) {
        assert_eq!(children.len(), 2 * parents.len(), "two children to a parent");
        #[cfg(target_arch = "x86_64")]
        if let Some(constants) = &self.ifma {
            // SAFETY: constants for IFMA exist only where it was detected.
            return unsafe { ifma_lanes::compress_layer(constants, children, parents) };
        }
        for (pair, parent) in children.chunks_exact(2).zip(parents) {
            let mut state = [*pair[0].limbs(), *pair[1].limbs(), [0; 4]];
            self.permute_limbs(&mut state);
            *parent = reduced(state[0]);
        }
    }

    fn permute_limbs(&self, state: &mut [Limbs; 3]) {
        permutation::permute(&self.external, &self.internal, state);
    }
}

/// A state's element, which is below `2p`, as a field element.
fn reduced(limbs: Limbs) -> Bn254Fr {
    Bn254Fr::from_limbs(limbs::reduce_once(&limbs, &MODULUS))
}

/// The integer whose digits in base `2^31` are the words, lowest first. At most eight words: 248 bits, below `p`.
#[inline(always)]
pub(crate) fn pack(words: &[u32]) -> Limbs {
    let mut limbs = [0; 4];
    for (i, &word) in words.iter().enumerate() {
        debug_assert!(word < 1 << 31, "words are canonical");
        let shifted = (word as u128) << (31 * i % 64);
        let limb = 31 * i / 64;
        limbs[limb] |= shifted as u64;
        if limb < 3 {
            limbs[limb + 1] |= (shifted >> 64) as u64;
        }
    }
    limbs
}
