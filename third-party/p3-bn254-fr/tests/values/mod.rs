//! The values that the tests compare the two crates on, as elements of both.

#![allow(dead_code, missing_docs)]

use ff::PrimeField;
use num_bigint::BigUint;
use original::{Bn254Fr as Original, FFBn254Fr as OriginalFF};
use p3_bn254_fr::{Bn254Fr, FFBn254Fr};
use p3_field::Field;
use rand::{rngs::StdRng, Rng, SeedableRng};

/// The same element of both crates.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub ours: Bn254Fr,
    pub theirs: Original,
}

/// Little-endian bytes of an element.
pub fn our_bytes(x: &Bn254Fr) -> [u8; 32] {
    x.value.to_repr().as_ref().try_into().expect("32 bytes")
}

/// Little-endian bytes of an element of the original.
pub fn their_bytes(x: &Original) -> [u8; 32] {
    x.value.to_repr().as_ref().try_into().expect("32 bytes")
}

/// The element that the bytes stand for, if they are below the prime.
pub fn our_element(bytes: [u8; 32]) -> Option<Bn254Fr> {
    let mut repr = <FFBn254Fr as PrimeField>::Repr::default();
    repr.as_mut().copy_from_slice(&bytes);
    Option::from(FFBn254Fr::from_repr(repr)).map(|value| Bn254Fr { value })
}

/// The original's element that the bytes stand for, if they are below the prime.
pub fn their_element(bytes: [u8; 32]) -> Option<Original> {
    let mut repr = <OriginalFF as PrimeField>::Repr::default();
    repr.as_mut().copy_from_slice(&bytes);
    Option::from(OriginalFF::from_repr(repr)).map(|value| Original { value })
}

pub fn to_bytes(x: &BigUint) -> [u8; 32] {
    let mut bytes = x.to_bytes_le();
    bytes.resize(32, 0);
    bytes.try_into().expect("below 2^256")
}

pub fn pair(x: &BigUint) -> Pair {
    let bytes = to_bytes(&(x % Original::order()));
    Pair { ours: our_element(bytes).expect("reduced"), theirs: their_element(bytes).expect("reduced") }
}

/// Small and large values, all powers of two and their neighbours, the same in Montgomery form, full limbs, and
/// `random` random values.
pub fn pairs(random: usize) -> Vec<Pair> {
    let p = Original::order();
    let r: BigUint = BigUint::from(1u32) << 256;
    let inverse_of_r = (&r % &p).modpow(&(&p - 2u32), &p);
    let mut values: Vec<BigUint> =
        (0..8u32).flat_map(|n| [BigUint::from(n), &p - 1u32 - n, &p / 2u32 + n]).collect();
    for k in 0..256u32 {
        let power: BigUint = BigUint::from(1u32) << k;
        values.extend([&power - 1u32, power.clone(), power + 1u32]);
    }
    for mask in 0..16u32 {
        let limb = BigUint::from(u64::MAX);
        let full: BigUint = (0..4).filter(|i| mask >> i & 1 == 1).map(|i| &limb << (64 * i)).sum();
        values.push(full);
    }
    // What is an edge in memory is no edge as a value.
    let in_memory: Vec<BigUint> = values.iter().map(|x| x * &inverse_of_r).collect();
    values.extend(in_memory);
    let mut rng = StdRng::seed_from_u64(254);
    values.extend((0..random).map(|_| BigUint::from_bytes_le(&rng.gen::<[u8; 32]>())));
    values.iter().map(pair).collect()
}

/// Fails if the two are not the same element.
#[track_caller]
pub fn assert_same(ours: Bn254Fr, theirs: Original, what: &str) {
    assert_eq!(our_bytes(&ours), their_bytes(&theirs), "{what}");
    // Equality compares what is in memory: an element must have one form only.
    assert_eq!(ours, our_element(their_bytes(&theirs)).expect("reduced"), "{what}: not the reduced form");
}
