//! Sums and multiples of points, with every exception of the addition precompile.

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use k256::{ProjectivePoint, Scalar};
use revm::precompile::{Crypto, DefaultCrypto};

use super::super::bn254;
use super::super::ecdsa::{SigningCurve, read_key};
use super::super::machine::{Bn254, Coordinates, Curve, Limbs, Secp256k1, Secp256r1};
use super::super::point::{Point, combine};
use super::super::residue::{negate, subtract, to_bytes};
use super::{Random, join};

/// The tests below show that the sums ask the precompile for nothing that it cannot give, because of this.
#[test]
#[should_panic(expected = "different x")]
fn the_stand_in_for_the_precompile_refuses_points_of_one_x() {
    let mut point = Secp256k1::GENERATOR[0];
    Secp256k1::add_distinct(&mut point, &Secp256k1::GENERATOR[0]);
}

/// A point as this crate has it.
fn ours(point: &ProjectivePoint) -> Point<Secp256k1> {
    let encoded = point.to_affine().to_encoded_point(false);
    match encoded.as_bytes().split_first() {
        Some((4, bytes)) => read_key(bytes.try_into().expect("two coordinates")).expect("on the curve"),
        _ => Point::INFINITY,
    }
}

fn scalar(limbs: &Limbs) -> Scalar {
    Scalar::from_repr(to_bytes(limbs).into()).expect("below the order")
}

fn check_combination(a: Limbs, b: Limbs, q: &ProjectivePoint) {
    let sum = combine(&a, &Secp256k1::GENERATOR, &b, &ours(q));
    let expected = ProjectivePoint::GENERATOR * scalar(&a) + *q * scalar(&b);
    assert_eq!(sum.coordinates(), ours(&expected).coordinates(), "{a:x?} G + {b:x?} Q");
}

#[test]
fn multiples_of_the_generators_are_what_they_are_called() {
    fn check<C: SigningCurve>() {
        let [once, twice, thrice] = C::GENERATOR;
        let (mut sum, generator) = (Point::<C>::new(once), Point::<C>::new(once));
        sum.add(&generator);
        assert_eq!(sum.coordinates(), Some(&twice));
        sum.add(&generator);
        assert_eq!(sum.coordinates(), Some(&thrice));
    }
    check::<Secp256k1>();
    check::<Secp256r1>();
    assert_eq!(ours(&ProjectivePoint::GENERATOR).coordinates(), Some(&Secp256k1::GENERATOR[0]));
}

#[test]
fn random_combinations_are_k256s() {
    let mut random = Random::new();
    for _ in 0..8 {
        let mut limbs = || [random.word(), random.word(), random.word(), random.word() >> 1];
        let q = ProjectivePoint::GENERATOR * scalar(&limbs());
        check_combination(limbs(), limbs(), &q);
    }
}

#[test]
fn sums_that_meet_equal_points_negations_and_infinity_are_right() {
    // Small multiples of the generator: table entries that coincide, cancel, and are met by the running sum.
    for k in [1u64, 2, 3, 4, 5, 6, 7, 9, 15] {
        let multiple = ProjectivePoint::GENERATOR * Scalar::from(k);
        for q in [multiple, -multiple] {
            for (a, b) in (0..14).flat_map(|a| (0..6).map(move |b| (a, b))) {
                check_combination([a, 0, 0, 0], [b, 0, 0, 0], &q);
            }
        }
    }
}

#[test]
fn long_sums_that_end_at_infinity_do() {
    let mut random = Random::new();
    for _ in 0..4 {
        let mut limbs = || [random.word(), random.word(), random.word(), random.word() >> 1];
        let (k, b) = (scalar(&limbs()), limbs());
        let q = ProjectivePoint::GENERATOR * k;
        let a: [u8; 32] = (-(k * scalar(&b))).to_repr().into();
        let a = super::super::residue::from_bytes(&a);
        check_combination(a, b, &q);
        assert_eq!(combine(&a, &Secp256k1::GENERATOR, &b, &ours(&q)).coordinates(), None);
    }
    let zero = combine(&[0; 4], &Secp256k1::GENERATOR, &[0; 4], &ours(&ProjectivePoint::GENERATOR));
    assert_eq!(zero.coordinates(), None);
}

#[test]
fn scalars_at_the_order_are_right() {
    let last = subtract(&Secp256k1::ORDER, &[1, 0, 0, 0]);
    let q = ProjectivePoint::GENERATOR * Scalar::from(77u64);
    for (a, b) in [(last, last), (last, [1, 0, 0, 0]), ([1, 0, 0, 0], last), (last, [0; 4]), ([0; 4], last)] {
        check_combination(a, b, &q);
        check_combination(a, b, &ProjectivePoint::GENERATOR);
    }
}

const GENERATOR: Coordinates = [1, 0, 0, 0, 2, 0, 0, 0];

fn encode(x: &Limbs, y: &Limbs) -> [u8; 64] {
    join(&to_bytes(x), &to_bytes(y))
}

#[test]
fn bn254_sums_are_revms() {
    let infinity = [0; 64];
    let generator = encode(&[1, 0, 0, 0], &[2, 0, 0, 0]);
    let negated = encode(&[1, 0, 0, 0], &negate(&[2, 0, 0, 0], &Bn254::MODULUS));
    let mut points = alloc::vec![infinity, generator, negated];
    for k in [2, 3, 0xffff_ffff_ffff] {
        points.push(DefaultCrypto.bn254_g1_mul(&generator, &to_bytes(&[k, 5, 9, 0])).expect("a point"));
        points.push(DefaultCrypto.bn254_g1_mul(&negated, &to_bytes(&[k, 0, 0, 0])).expect("a point"));
    }
    for p in &points {
        for q in &points {
            assert_eq!(bn254::add(p, q), DefaultCrypto.bn254_g1_add(p, q));
        }
    }
}

#[test]
fn bn254_multiples_are_revms() {
    const ORDER: Limbs =
        [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];
    let mut random = Random::new();
    let generator = encode(&[1, 0, 0, 0], &[2, 0, 0, 0]);
    let mut scalars = alloc::vec![ORDER, [0; 4], [u64::MAX; 4], negate(&[1, 0, 0, 0], &ORDER)];
    scalars.push([ORDER[0] + 1, ORDER[1], ORDER[2], ORDER[3]]);
    scalars.extend((1..36).map(|k| [k, 0, 0, 0]));
    scalars.extend((0..8).map(|_| core::array::from_fn(|_| random.word())));
    let mut point = generator;
    for scalar in scalars.iter().map(to_bytes) {
        let expected = DefaultCrypto.bn254_g1_mul(&point, &scalar).expect("a multiple");
        assert_eq!(bn254::multiply(&point, &scalar), Ok(expected));
        assert_eq!(bn254::multiply(&[0; 64], &scalar), Ok([0; 64]));
        if expected != [0; 64] {
            point = expected;
        }
    }
    let order = Point::<Bn254>::new(GENERATOR).multiply(&ORDER);
    assert_eq!(order.coordinates(), None);
}

#[test]
fn bn254_refuses_what_revm_refuses() {
    let good = encode(&[1, 0, 0, 0], &[2, 0, 0, 0]);
    let p = Bn254::MODULUS;
    for bad in [
        encode(&[1, 0, 0, 0], &[3, 0, 0, 0]),
        encode(&[0; 4], &[1, 0, 0, 0]),
        encode(&p, &[0; 4]),
        encode(&[0; 4], &p),
        encode(&[p[0] + 1, p[1], p[2], p[3]], &[2, 0, 0, 0]),
        [255; 64],
    ] {
        let expected = DefaultCrypto.bn254_g1_add(&bad, &good);
        assert!(expected.is_err());
        assert_eq!(bn254::add(&bad, &good), expected);
        assert_eq!(bn254::add(&good, &bad), DefaultCrypto.bn254_g1_add(&good, &bad));
        assert_eq!(bn254::multiply(&bad, &[1; 32]), DefaultCrypto.bn254_g1_mul(&bad, &[1; 32]));
        assert!(bn254::pairing_check(&[(&bad, &[0; 128])]).is_err());
    }
}
