//! Modular exponentiation against revm's.

use alloc::vec;
use alloc::vec::Vec;

use alloy_primitives::U256;
use revm::precompile::{Crypto, DefaultCrypto};

use super::super::modexp::power;
use super::Random;

/// Both results, as numbers.
fn check(base: &[u8], exponent: &[u8], modulus: &[u8]) {
    let ours = power(base, exponent, modulus).expect("a modulus of up to 256 bits");
    let expected = DefaultCrypto.modexp(base, exponent, modulus).expect("no errors");
    assert_eq!(
        U256::from_be_slice(&ours),
        U256::from_be_slice(&expected),
        "{base:x?}^{exponent:x?} mod {modulus:x?}"
    );
}

#[test]
fn powers_are_revms_under_odd_and_even_moduli() {
    let mut random = Random::new();
    let last = U256::MAX.to_be_bytes::<32>();
    let half = (U256::from(1) << 255usize).to_be_bytes::<32>();
    let mut moduli: Vec<Vec<u8>> = vec![
        vec![1],
        vec![2],
        vec![3],
        vec![0, 0, 6],
        vec![1, 0, 0, 0, 0, 0, 0, 0, 0],
        last.to_vec(),
        half.to_vec(),
    ];
    moduli.push([&[0; 7][..], &random.bytes::<32>()].concat());
    moduli.extend([1, 7, 8, 9, 31, 32].map(|len| {
        let mut modulus = random.bytes::<32>()[..len].to_vec();
        modulus[0] |= 1;
        modulus
    }));
    let (short, long, longer): ([u8; 5], [u8; 32], [u8; 99]) =
        (random.bytes(), random.bytes(), random.bytes());
    let numbers: [&[u8]; 8] = [&[], &[0], &[1], &[0, 0, 2], &short, &long, &longer, &last];
    for modulus in &moduli {
        for base in numbers {
            for exponent in numbers {
                check(base, exponent, modulus);
            }
        }
    }
}

#[test]
fn moduli_for_others_are_left_to_them() {
    assert_eq!(power(&[2], &[2], &[]), None);
    assert_eq!(power(&[2], &[2], &[0; 40]), None);
    assert_eq!(power(&[2], &[2], &[1; 33]), None);
    assert!(power(&[2], &[2], &[&[0; 9][..], &[1; 32]].concat()).is_some());
}
