//! Roots of the other sign, with all else as it follows from them: each would make a valid signature of its negation.

use super::cofactor::{cleared, full, uncleared};
use super::prover::ours2;
use super::witness::Statement;
use super::*;
use crate::bls::BlsError;
use crate::bls::fast::constants::{ISOGENY_KERNEL, MODULUS, SSWU_MINUS_B_OVER_A, SSWU_Z};
use crate::bls::fast::g1::{G1, signers_key};
use crate::bls::fast::g2::G2;
use crate::bls::fast::hash::{isogeny, map_equation, map_to_curve, message_point};
use crate::bls::fast::record::HintRecorder;
use crate::bls::fast::tape::Tape;
use crate::bls::plain::CIPHERSUITE;
use crate::bls::{AggregateVerifier, Plain};

/// The flag of the larger root.
const LARGER: u8 = 0x20;

/// The same number, not canonical: other parity, and above half of the modulus.
fn plus_modulus(value: &Fp) -> Fp {
    let mut carry = false;
    Fp(core::array::from_fn(|i| {
        let (sum, c1) = value.0[i].overflowing_add(MODULUS[i]);
        let (sum, c2) = sum.overflowing_add(u64::from(carry));
        carry = c1 | c2;
        sum
    }))
}

/// A statement whose key and signature both have the smaller root.
fn with_smaller_roots(rng: &mut StdRng) -> Statement {
    loop {
        let statement = Statement::new(rng);
        if (statement.key[0] | statement.signature[0]) & LARGER == 0 {
            return statement;
        }
    }
}

fn refused_by_the_reference(statement: &Statement) {
    let Statement { key, message, signature } = statement;
    assert_eq!(Plain.verify(key, &[], message, signature), Err(BlsError::Mismatch));
}

/// Both roots of the map negated: the message's point is its negation, which the negated signature signs.
#[test]
fn of_the_map() {
    let rng = &mut rng(40);
    for canonical in [true, false] {
        let mut statement = Statement::new(rng);
        statement.signature[0] ^= LARGER;
        refused_by_the_reference(&statement);
        let (mut start, mut point, mut preimage) = uncleared(&statement.message);
        // Inverse, root, inverse, root, chord, inverse.
        for at in [2, 3, 6, 7, 8, 9] {
            start[at].neg();
        }
        point.y.neg();
        preimage.y.neg();
        let (rest, reached) = cleared(&point, &preimage);
        if !canonical {
            start[2] = plus_modulus(&start[2]);
            start[6] = plus_modulus(&start[6]);
        }
        let (hints, holds) = full(&statement, &[start, rest].concat(), reached);
        assert!(holds);
        let what = if canonical { "map root sign" } else { "map root" };
        assert_eq!(statement.check(&hints), Err(BlsError::Hint(what)));
    }
}

/// The root of the negated signature, or not canonical, so that it seems to be the larger.
#[test]
fn of_the_signature() {
    let mut statement = with_smaller_roots(&mut rng(41));
    let (hints, _) = statement.hints();
    let mut recorder = HintRecorder::new();
    recorder.elements = hints[..3].to_vec();
    let mut tape = Tape::new(&hints);
    let key = signers_key(&statement.key, &[], &mut tape).unwrap();
    let mut signature = G2::decompress(&statement.signature, &mut tape).unwrap();
    let before = tape.remaining();
    let reached = message_point(&statement.message, CIPHERSUITE, &mut tape).unwrap();
    let message_part = &hints[3..3 + before - tape.remaining()];

    signature.y.c1 = plus_modulus(&signature.y.c1);
    recorder.elements[2] = signature.y.c1;
    recorder.elements.extend(message_part);
    assert_eq!(recorder.pairing(&key, reached, signature), Some(true));

    statement.signature[0] ^= LARGER;
    refused_by_the_reference(&statement);
    assert_eq!(statement.check(&hints), Err(BlsError::Hint("signature root")));
    assert_eq!(statement.check(&recorder.elements), Err(BlsError::Hint("signature root")));
}

/// The root of the negated key, or not canonical.
#[test]
fn of_the_key() {
    let mut statement = with_smaller_roots(&mut rng(42));
    let (hints, _) = statement.hints();
    let mut tape = Tape::new(&hints);
    let key = signers_key(&statement.key, &[], &mut tape).unwrap();
    let signature = G2::decompress(&statement.signature, &mut tape).unwrap();
    let before = tape.remaining();
    let reached = message_point(&statement.message, CIPHERSUITE, &mut tape).unwrap();
    let mut recorder = HintRecorder::new();
    recorder.elements = hints[..3 + before - tape.remaining()].to_vec();

    let key = G1 { x: key.x, y: plus_modulus(&key.y) };
    recorder.elements[0] = key.y;
    assert_eq!(recorder.pairing(&key, reached, signature), Some(true));

    statement.key[0] ^= LARGER;
    refused_by_the_reference(&statement);
    assert_eq!(statement.check(&hints), Err(BlsError::Hint("key root")));
    assert_eq!(statement.check(&recorder.elements), Err(BlsError::Hint("key root")));
}

/// Elements that are read many at a time are canonical, each.
#[test]
fn of_many_elements() {
    let elements = samples(&mut rng(43), 8);
    let mut elements: [Fp; 8] = elements.try_into().unwrap();
    assert_eq!(Tape::new(&elements).array("x"), Ok(&elements));
    assert_eq!(Tape::new(&elements).array::<9>("x"), Err(BlsError::Hint("x")));
    for i in 0..elements.len() {
        let before = elements[i];
        elements[i] = plus_modulus(&before);
        assert_eq!(Tape::new(&elements).array::<8>("x"), Err(BlsError::Hint("x")));
        elements[i] = before;
    }
}

/// No root at all, of the right sign.
#[test]
fn of_neither_abscissa() {
    let rng = &mut rng(46);
    let u = random2(rng);
    let z_u2 = theirs2(&SSWU_Z) * theirs2(&u).square();
    let inverse = ours2(&(z_u2.square() + z_u2).invert().unwrap());
    for _ in 0..10 {
        let mut y = random2(rng);
        if y.is_odd() != u.is_odd() {
            y.neg();
        }
        let tape = [inverse.c0, inverse.c1, y.c0, y.c1];
        assert_eq!(map_to_curve(&u, &mut Tape::new(&tape)), Err(BlsError::Hint("map root")));
    }
}

/// With another number for the map's inverse, abscissas are the prover's choice.
#[test]
fn of_the_map_after_another_inverse() {
    let rng = &mut rng(44);
    let u = random2(rng);
    let (inverse, y) = loop {
        let inverse = random2(rng);
        let one = fp2::Fp2::one();
        let x = theirs2(&SSWU_MINUS_B_OVER_A) * (theirs2(&inverse) + one);
        if let Some(y) = Option::from(theirs2(&map_equation(&ours2(&x))).sqrt()) {
            break (inverse, ours2(&y));
        }
    };
    let mut y = y;
    if y.is_odd() != u.is_odd() {
        y.neg();
    }
    let tape = [inverse.c0, inverse.c1, y.c0, y.c1];
    assert_eq!(map_to_curve(&u, &mut Tape::new(&tape)), Err(BlsError::Hint("map inverse")));
    // Zero has no inverse, so nothing is one.
    for u in [Fp2::ZERO, u] {
        for hint in [Fp2::ZERO, Fp2::ONE] {
            let tape = [hint.c0, hint.c1, y.c0, y.c1];
            assert_eq!(map_to_curve(&u, &mut Tape::new(&tape)), Err(BlsError::Hint("map inverse")));
        }
    }
}

/// The isogeny's inverse is one, and the kernel has none.
#[test]
fn of_the_isogeny() {
    let rng = &mut rng(45);
    for x in [ISOGENY_KERNEL, random2(rng)] {
        for hint in [Fp2::ZERO, Fp2::ONE, random2(rng)] {
            let mut point = G2 { x, y: random2(rng) };
            let refused = isogeny(&mut point, &mut Tape::new(&[hint.c0, hint.c1]));
            assert_eq!(refused, Err(BlsError::Hint("isogeny inverse")));
        }
    }
}
