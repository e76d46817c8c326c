//! Operations, in place and on every pair of samples.

use super::*;
use crate::bls::BlsError;
use crate::bls::fast::constants::MODULUS;
use crate::bls::fast::tape::{Elements, Tape};

#[test]
fn base_field() {
    let samples = samples(&mut rng(1), 60);
    for a in &samples {
        assert!(a.is_canonical());
        assert_eq!(a.is_zero(), bool::from(theirs(a).is_zero()));
        assert_eq!(a.is_lexicographically_largest(), bool::from(theirs(a).lexicographically_largest()));
        let bytes = theirs(a).to_bytes();
        assert_eq!(Fp::from_be_bytes_masked(&bytes), Some(*a));
        let (mut negated, mut doubled, mut squared) = (*a, *a, *a);
        negated.neg();
        doubled.double();
        squared.square();
        assert_eq!(theirs(&negated), -theirs(a));
        assert_eq!(theirs(&doubled), theirs(a) + theirs(a));
        assert_eq!(theirs(&squared), theirs(a).square());
        for b in &samples {
            let (mut sum, mut difference, mut product) = (*a, *a, *a);
            sum.add(b);
            difference.sub(b);
            product.mul(b);
            assert_eq!(theirs(&sum), theirs(a) + theirs(b));
            assert_eq!(theirs(&difference), theirs(a) - theirs(b));
            assert_eq!(theirs(&product), theirs(a) * theirs(b));
            assert!(sum.is_canonical() && difference.is_canonical() && product.is_canonical());
        }
    }
}

#[test]
fn numbers_at_and_above_the_modulus_are_refused() {
    let bytes = |limbs: [u64; 6]| {
        let mut bytes = [0; 48];
        for (limb, bytes) in limbs.iter().rev().zip(bytes.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    };
    let mut below = MODULUS;
    below[0] -= 1;
    assert!(Fp::from_be_bytes_masked(&bytes(below)).is_some());
    for i in 0..6 {
        let mut above = MODULUS;
        above[i] += u64::from(i > 0);
        assert!(!Fp(above).is_canonical());
        assert_eq!(Fp::from_be_bytes_masked(&bytes(above)), None);
        let tape = [Fp::ZERO, Fp(above)];
        assert_eq!(Tape::new(&tape[1..]).fp("x"), Err(BlsError::Hint("x")));
        assert_eq!(Tape::new(&tape).fp2("x"), Err(BlsError::Hint("x")));
        below = MODULUS;
        if i > 0 {
            below[i] -= 1;
            below[0] = u64::MAX;
            assert!(Fp(below).is_canonical());
        }
    }
    assert!(!Fp([u64::MAX; 6]).is_canonical());
}

#[test]
fn quadratic_extension() {
    let rng = &mut rng(2);
    let samples = samples(rng, 12);
    let mut pairs: Vec<Fp2> =
        samples.iter().flat_map(|&c0| samples.iter().map(move |&c1| Fp2 { c0, c1 })).collect();
    pairs.truncate(100);
    pairs.extend((0..30).map(|_| random2(rng)));
    for a in &pairs {
        assert_eq!(a.is_zero(), bool::from(theirs2(a).is_zero()));
        assert_eq!(a.is_lexicographically_largest(), bool::from(theirs2(a).lexicographically_largest()));
        let (mut squared, mut doubled, mut negated, mut conjugate, mut turned) = (*a, *a, *a, *a, *a);
        squared.square();
        doubled.double();
        negated.neg();
        conjugate.conjugate();
        turned.mul_nonresidue();
        assert_eq!(theirs2(&squared), theirs2(a).square());
        assert_eq!(theirs2(&doubled), theirs2(a) + theirs2(a));
        assert_eq!(theirs2(&negated), -theirs2(a));
        assert_eq!(theirs2(&conjugate), theirs2(a).conjugate());
        assert_eq!(theirs2(&turned), theirs2(a).mul_by_nonresidue());
        for b in &pairs {
            let (mut sum, mut difference, mut product) = (*a, *a, *a);
            sum.add(b);
            difference.sub(b);
            product.mul(b);
            assert_eq!(theirs2(&sum), theirs2(a) + theirs2(b));
            assert_eq!(theirs2(&difference), theirs2(a) - theirs2(b));
            assert_eq!(theirs2(&product), theirs2(a) * theirs2(b));
        }
    }
}

#[test]
fn pairing_field() {
    let rng = &mut rng(3);
    for _ in 0..100 {
        let (a, b) = (random12(rng), random12(rng));
        assert_eq!(theirs12(&a.mul(&b)), theirs12(&a) * theirs12(&b));
        assert_eq!(theirs12(&a.square()), theirs12(&a) * theirs12(&a));
        assert_eq!(theirs12(&a.frobenius()), theirs12(&a).frobenius_map());
        assert_eq!(a.mul(&Fp12::ONE), a);
        let (constant, quadratic) = (random2(rng), random2(rng));
        let line = Fp12([constant, Fp2::ZERO, quadratic, Fp2::ONE, Fp2::ZERO, Fp2::ZERO]);
        assert_eq!(a.mul_line(&constant, &quadratic), a.mul(&line));
    }
}

#[test]
fn tape_reads_unaligned_bytes_alike() {
    let elements = samples(&mut rng(4), 20);
    let bytes: Vec<u8> = elements.iter().flat_map(|e| e.0).flat_map(u64::to_le_bytes).collect();
    for shift in 0..8 {
        let mut shifted = alloc::vec![0; shift];
        shifted.extend(&bytes);
        assert_eq!(Elements::new(&shifted[shift..]).unwrap().as_slice(), elements);
    }
    assert_eq!(Elements::new(&bytes[1..]).unwrap_err(), BlsError::Hint("tape length"));
    let mut tape = Tape::new(&elements);
    assert_eq!(tape.fp("x"), Ok(&elements[0]));
    assert_eq!(tape.fp2("x"), Ok(&Fp2 { c0: elements[1], c1: elements[2] }));
    assert_eq!(tape.remaining(), 17);
}
