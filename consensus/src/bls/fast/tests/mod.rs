//! The arithmetic against the reference library, constants from their definitions, RFC 9380's vectors,
//! and provers that cheat as well as they can.

mod adversary;
mod claims;
mod cofactor;
mod constants;
mod fields;
mod hashing;
mod orders;
mod points;
mod polynomials;
mod prover;
mod roots;
mod transcript;
mod witness;

use alloc::vec::Vec;

use super::field::Fp;
use super::fp2::Fp2;
use super::fp12::Fp12;
use bls12_381::{fp, fp2, fp6, fp12};
use rand::{RngCore, SeedableRng, rngs::StdRng};

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Elements that carries and borrows trip over, then random ones.
fn samples(rng: &mut StdRng, count: usize) -> Vec<Fp> {
    let minus = |n: u64| {
        let mut value = Fp::ZERO;
        value.sub(&Fp([n, 0, 0, 0, 0, 0]));
        value
    };
    let mut samples = Vec::from([
        Fp::ZERO,
        Fp::ONE,
        minus(1),
        minus(2),
        Fp([u64::MAX, 0, 0, 0, 0, 0]),
        Fp([u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0]),
        Fp(super::constants::HALF_MODULUS),
    ]);
    while samples.len() < count {
        samples.push(random(rng));
    }
    samples
}

fn random(rng: &mut StdRng) -> Fp {
    loop {
        let mut limbs = [0; 6];
        limbs.iter_mut().for_each(|limb| *limb = rng.next_u64());
        limbs[5] &= (1 << 61) - 1;
        if Fp(limbs).is_canonical() {
            return Fp(limbs);
        }
    }
}

fn random2(rng: &mut StdRng) -> Fp2 {
    Fp2 { c0: random(rng), c1: random(rng) }
}

fn random12(rng: &mut StdRng) -> Fp12 {
    Fp12(core::array::from_fn(|_| random2(rng)))
}

fn theirs(value: &Fp) -> fp::Fp {
    let mut bytes = [0; 48];
    for (limb, bytes) in value.0.iter().rev().zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    fp::Fp::from_bytes(&bytes).unwrap()
}

fn theirs2(value: &Fp2) -> fp2::Fp2 {
    fp2::Fp2 { c0: theirs(&value.c0), c1: theirs(&value.c1) }
}

/// `w^2 = v`, so even powers of `w` are their first half.
fn theirs12(value: &Fp12) -> fp12::Fp12 {
    let [a, b, c, d, e, f] = value.0.each_ref().map(theirs2);
    fp12::Fp12 { c0: fp6::Fp6 { c0: a, c1: c, c2: e }, c1: fp6::Fp6 { c0: b, c1: d, c2: f } }
}
