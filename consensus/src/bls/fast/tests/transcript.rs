//! The sponge and its permutation.

use super::*;
use crate::bls::fast::poseidon2::permute;
use crate::bls::fast::transcript::Transcript;

/// SP1's precompile on 0 to 15, as executed by its own machine.
#[test]
fn permutation() {
    let mut state = core::array::from_fn(|i| i as u32);
    permute(&mut state);
    assert_eq!(state, PERMUTED);
}

const PERMUTED: [u32; 16] = [
    1028402160, 1336023551, 1247226230, 452505083, 576410521, 24192935, 496452173, 951188711, 1739107831,
    1383428939, 1192826830, 1741569479, 278097016, 868568656, 1450886773, 121831630,
];

/// Every bit of every element counts.
#[test]
fn absorbs_every_bit() {
    let rng = &mut rng(10);
    let block: [Fp; 4] = core::array::from_fn(|_| random(rng));
    let challenge = |block: &[Fp; 4]| {
        let mut transcript = Transcript::new();
        transcript.absorb(block);
        transcript.challenge()
    };
    let mut seen = Vec::from([challenge(&block).0]);
    for element in 0..4 {
        for bit in 0..384 {
            let mut other = block;
            other[element].0[bit / 64] ^= 1 << (bit % 64);
            let challenge = challenge(&other);
            assert!(challenge.is_canonical());
            seen.push(challenge.0);
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn fills_up_with_zeros_and_keeps_order() {
    let rng = &mut rng(11);
    let elements: [Fp; 6] = core::array::from_fn(|_| random(rng));
    let challenge = |elements: &[Fp]| {
        let mut transcript = Transcript::new();
        transcript.absorb_all(elements);
        transcript.challenge()
    };
    let mut filled = elements.to_vec();
    filled.resize(8, Fp::ZERO);
    assert_eq!(challenge(&elements), challenge(&filled));
    filled.swap(0, 1);
    assert_ne!(challenge(&elements), challenge(&filled));
}
