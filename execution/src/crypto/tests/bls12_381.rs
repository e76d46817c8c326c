//! The precompiles of EIP-2537 against revm's.

use alloc::vec;
use alloc::vec::Vec;

use ::bls12_381::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};
use revm::precompile::bls12_381::{G1Point, G1PointScalar, G2Point, G2PointScalar};
use revm::precompile::{Crypto, DefaultCrypto, PrecompileHalt};

use super::super::bls12_381;
use super::Random;

const ZERO: [u8; 48] = [0; 48];

fn first(point: &G1Affine) -> G1Point {
    if point.is_identity().into() {
        return (ZERO, ZERO);
    }
    let bytes = point.to_uncompressed();
    let (parts, _) = bytes.as_chunks::<48>();
    (parts[0], parts[1])
}

fn second(point: &G2Affine) -> G2Point {
    if point.is_identity().into() {
        return (ZERO, ZERO, ZERO, ZERO);
    }
    let bytes = point.to_uncompressed();
    let (parts, _) = bytes.as_chunks::<48>();
    (parts[1], parts[0], parts[3], parts[2])
}

fn multiple_of_first(k: u64) -> G1Affine {
    (G1Projective::generator() * Scalar::from(k)).into()
}

fn multiple_of_second(k: u64) -> G2Affine {
    (G2Projective::generator() * Scalar::from(k)).into()
}

/// A point of the curve, in all likelihood not of the group.
fn outside_first() -> G1Affine {
    let candidate = |x: u8| {
        let mut bytes = ZERO;
        (bytes[0], bytes[47]) = (0x80, x);
        Option::<G1Affine>::from(G1Affine::from_compressed_unchecked(&bytes))
    };
    (1..).find_map(candidate).expect("half of all x have a point")
}

fn outside_second() -> G2Affine {
    let candidate = |x: u8| {
        let mut bytes = [0; 96];
        (bytes[0], bytes[95]) = (0x80, x);
        Option::<G2Affine>::from(G2Affine::from_compressed_unchecked(&bytes))
    };
    (1..).find_map(candidate).expect("half of all x have a point")
}

fn firsts() -> Vec<G1Point> {
    let mut points: Vec<G1Point> = [0, 1, 2, 3, 77].map(|k| first(&multiple_of_first(k))).to_vec();
    points.push(first(&-multiple_of_first(2)));
    points.push(first(&outside_first()));
    points.push(first(&-outside_first()));
    // Not below the modulus, not on the curve, with bits that the crate takes for flags.
    points.push(([255; 48], ZERO));
    points.push((ZERO, [255; 48]));
    points.push(([1; 48], [2; 48]));
    for flag in [0x80, 0x40, 0x20] {
        let (mut x, y) = points[1];
        x[0] |= flag;
        points.push((x, y));
        let mut x = ZERO;
        x[0] = flag;
        points.push((x, ZERO));
    }
    points
}

fn seconds() -> Vec<G2Point> {
    let mut points: Vec<G2Point> = [0, 1, 2, 3].map(|k| second(&multiple_of_second(k))).to_vec();
    points.push(second(&-multiple_of_second(2)));
    points.push(second(&outside_second()));
    points.push(([255; 48], ZERO, ZERO, ZERO));
    points.push((ZERO, ZERO, ZERO, [255; 48]));
    points.push(([1; 48], [2; 48], [3; 48], [4; 48]));
    for flag in [0x80, 0x40, 0x20] {
        let (x0, mut x1, y0, y1) = points[1];
        x1[0] |= flag;
        points.push((x0, x1, y0, y1));
        let mut x1 = ZERO;
        x1[0] = flag;
        points.push((ZERO, x1, ZERO, ZERO));
    }
    points
}

#[test]
fn sums_are_revms() {
    let points = firsts();
    for p in &points {
        for q in &points {
            assert_eq!(bls12_381::add_first(p, q).ok(), DefaultCrypto.bls12_381_g1_add(*p, *q).ok());
        }
    }
    let points = seconds();
    for p in &points {
        for q in &points {
            assert_eq!(bls12_381::add_second(p, q).ok(), DefaultCrypto.bls12_381_g2_add(*p, *q).ok());
        }
    }
}

fn scalars() -> Vec<[u8; 32]> {
    let order = hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001").expect("hex");
    let mut one = [0; 32];
    one[31] = 1;
    vec![[0; 32], one, order.try_into().expect("32 bytes"), [255; 32], Random::new().bytes()]
}

#[test]
fn multiples_are_revms() {
    for point in firsts() {
        for scalar in scalars() {
            let pairs: [Result<G1PointScalar, PrecompileHalt>; 1] = [Ok((point, scalar))];
            let ours = bls12_381::combine_first(&mut pairs.clone().into_iter()).ok();
            assert_eq!(ours, DefaultCrypto.bls12_381_g1_msm(&mut pairs.into_iter()).ok());
        }
    }
    for point in seconds() {
        for scalar in scalars() {
            let pairs: [Result<G2PointScalar, PrecompileHalt>; 1] = [Ok((point, scalar))];
            let ours = bls12_381::combine_second(&mut pairs.clone().into_iter()).ok();
            assert_eq!(ours, DefaultCrypto.bls12_381_g2_msm(&mut pairs.into_iter()).ok());
        }
    }
}

#[test]
fn sums_of_multiples_are_revms() {
    let points: Vec<_> = [0, 5, 5, 9].map(|k| first(&multiple_of_first(k))).to_vec();
    let pairs: Vec<_> = points.into_iter().zip(scalars()).map(Ok::<G1PointScalar, PrecompileHalt>).collect();
    let ours = bls12_381::combine_first(&mut pairs.clone().into_iter());
    assert_eq!(ours, DefaultCrypto.bls12_381_g1_msm(&mut pairs.into_iter()));
    assert!(ours.is_ok());
    let points: Vec<_> = [0, 5, 5, 9].map(|k| second(&multiple_of_second(k))).to_vec();
    let pairs: Vec<_> = points.into_iter().zip(scalars()).map(Ok::<G2PointScalar, PrecompileHalt>).collect();
    let ours = bls12_381::combine_second(&mut pairs.clone().into_iter());
    assert_eq!(ours, DefaultCrypto.bls12_381_g2_msm(&mut pairs.into_iter()));
    assert!(ours.is_ok());
    assert!(bls12_381::combine_first(&mut [Err(PrecompileHalt::NonCanonicalFp)].into_iter()).is_err());
}

#[test]
fn pairing_checks_are_revms() {
    let check = |pairs: &[(G1Point, G2Point)]| {
        let verdict = bls12_381::pairing_check(pairs).ok();
        assert_eq!(verdict, DefaultCrypto.bls12_381_pairing_check(pairs).ok());
        verdict
    };
    let p = |k: u64| first(&multiple_of_first(k));
    let q = |k: u64| second(&multiple_of_second(k));
    assert_eq!(check(&[(p(6), q(5)), (first(&-multiple_of_first(15)), q(2))]), Some(true));
    assert_eq!(check(&[(p(6), q(5)), (first(&-multiple_of_first(15)), q(3))]), Some(false));
    assert_eq!(check(&[(p(0), q(5)), (p(1), q(0))]), Some(true));
    assert_eq!(check(&[(p(1), q(1))]), Some(false));
    for bad in firsts().into_iter().skip(6) {
        assert_eq!(check(&[(bad, q(1))]), None);
        assert_eq!(check(&[(bad, q(0))]), None);
    }
    for bad in seconds().into_iter().skip(5) {
        assert_eq!(check(&[(p(1), bad)]), None);
        assert_eq!(check(&[(p(0), bad)]), None);
    }
}
