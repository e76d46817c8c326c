//! The point by which the message's cofactor is taken off: any point of the twist may be given, and either the
//! result is the same, or it is outside of the subgroup.

use super::prover::{chord, tangent};
use super::witness::Statement;
use super::*;
use crate::bls::BlsError;
use crate::bls::fast::constants::Z_ABS;
use crate::bls::fast::g1;
use crate::bls::fast::g2::{G2, Walk};
use crate::bls::fast::hash::{hash_to_field, isogeny, map_to_curve, message_point};
use crate::bls::fast::record::{HintRecorder, export, import};
use crate::bls::fast::tape::Tape;
use crate::bls::plain::CIPHERSUITE;
use bls12_381::{G2Affine, G2Projective, Scalar};

/// The tape up to the message's point before its cofactor is cleared, that point, and the honest hint after it.
pub fn uncleared(message: &[u8; 32]) -> (Vec<Fp>, G2, G2) {
    let mut recorder = HintRecorder::new();
    recorder.message_point(message, CIPHERSUITE).unwrap();
    let mut tape = Tape::new(&recorder.elements);
    let [u0, u1] = hash_to_field(message, CIPHERSUITE);
    let first = map_to_curve(&u0, &mut tape).unwrap();
    let second = map_to_curve(&u1, &mut tape).unwrap();
    let mut point = first.add_hinted(&second, &mut tape).unwrap();
    isogeny(&mut point, &mut tape).unwrap();
    let used = recorder.elements.len() - tape.remaining();
    let preimage = G2::hinted(&mut tape).unwrap();
    recorder.elements.truncate(used);
    (recorder.elements, point, preimage)
}

/// The tape's part for the message's point from `preimage` on, and the result.
pub fn cleared(point: &G2, preimage: &G2) -> (Vec<Fp>, G2) {
    let mut slopes = Vec::from([preimage.x, preimage.y]);
    let add = |walk: &mut Walk, other: &G2, slopes: &mut Vec<Fp2>| {
        slopes.push(chord(walk, other));
        // Where there is no chord, the prover goes on as if there were.
        let _ = walk.add(other, slopes.last().unwrap());
    };
    let mut walk = Walk::new(preimage);
    for i in (0..Z_ABS.ilog2()).rev() {
        slopes.push(tangent(&walk));
        let _ = walk.double(slopes.last().unwrap());
        if Z_ABS >> i & 1 == 1 {
            add(&mut walk, preimage, &mut slopes);
        }
    }
    let mut multiple = walk.into_point();
    multiple.y.neg();
    let mut image = *preimage;
    image.psi();
    image.y.neg();
    let mut sum = Walk::new(point);
    add(&mut sum, &image, &mut slopes);
    sum = Walk::new(&sum.into_point());
    add(&mut sum, &multiple, &mut slopes);
    (slopes.iter().flat_map(|slope| [slope.c0, slope.c1]).collect(), sum.into_point())
}

/// A tape that goes on from this point of the message, and whether the pairing equation holds.
pub fn full(statement: &Statement, message_part: &[Fp], message_point: G2) -> (Vec<Fp>, bool) {
    let mut recorder = HintRecorder::new();
    recorder.elements = statement.hints().0[..3].to_vec();
    let start = recorder.elements.clone();
    let mut tape = Tape::new(&start);
    let key = g1::signers_key(&statement.key, &[], &mut tape).unwrap();
    let signature = G2::decompress(&statement.signature, &mut tape).unwrap();
    recorder.elements.extend(message_part);
    let holds = recorder.pairing(&key, message_point, signature).unwrap();
    (recorder.elements, holds)
}

/// The check's verdict on a prover who gives `preimage` and is consistent from there on, and the point that was
/// reached.
fn verdict(statement: &Statement, preimage: impl FnOnce(&G2, &G2) -> G2) -> (Result<(), BlsError>, G2) {
    let (start, point, honest) = uncleared(&statement.message);
    let (rest, reached) = cleared(&point, &preimage(&point, &honest));
    let (hints, _) = full(statement, &[start, rest].concat(), reached);
    (statement.check(&hints), reached)
}

fn plus(point: &G2, other: &G2Projective) -> G2 {
    import(&G2Affine::from(other + export(point).unwrap())).unwrap()
}

/// A point of the twist; outside of the subgroup but for a negligible chance.
fn random_point(rng: &mut StdRng) -> G2Affine {
    loop {
        let mut bytes = [0; 96];
        rng.fill_bytes(&mut bytes);
        bytes[0] = bytes[0] & 0x2f | 0x80;
        bytes[48] &= 0x0f;
        if let Some(point) = Option::<G2Affine>::from(G2Affine::from_compressed_unchecked(&bytes)) {
            return point;
        }
    }
}

/// `[number] point`, for points of any order.
fn times(point: &G2Projective, number: &[u64]) -> G2Projective {
    let bits = number.iter().rev().flat_map(|limb| (0..64).rev().map(move |i| limb >> i & 1));
    bits.fold(G2Projective::identity(), |sum, bit| if bit == 1 { sum.double() + point } else { sum.double() })
}

/// Points of the cofactor's part: one of its large prime order, and one of each of the small ones.
fn torsion(rng: &mut StdRng) -> Vec<G2Projective> {
    /// The cofactor's large prime.
    const LARGE: [u64; 7] = [
        0x826d_1772_00c0_d3b1,
        0x77d8_7384_d026_cd73,
        0xfab9_c0da_5cf2_22c3,
        0xa9d7_5bb9_8b95_878a,
        0xe049_0c5a_fca1_eeb2,
        0x4235_7278_8bea_4d6a,
        0x8d9f_503d_eeeb_5d5c,
    ];
    /// The others, of which 13 and 23 divide twice.
    const SMALL: [u64; 5] = [13, 23, 2713, 11953, 262_069];
    let off_subgroup = |rng: &mut StdRng| {
        let point = random_point(rng);
        // Times the subgroup's order: -1 + 1.
        G2Projective::from(point) * -Scalar::one() + point
    };
    let only = |prime: Option<u64>, rng: &mut StdRng| loop {
        let mut point = off_subgroup(rng);
        if prime.is_some() {
            point = times(&point, &LARGE);
        }
        for other in SMALL.iter().chain(&SMALL[..2]).filter(|small| Some(**small) != prime) {
            point = times(&point, &[*other]);
        }
        if bool::from(point.is_identity()) {
            continue;
        }
        let Some(prime) = prime else { return point };
        let multiple = times(&point, &[prime]);
        if !bool::from(multiple.is_identity()) {
            point = multiple;
        }
        assert!(bool::from(times(&point, &[prime]).is_identity()));
        return point;
    };
    let primes = core::iter::once(None).chain(SMALL.map(Some));
    primes.map(|prime| only(prime, rng)).collect()
}

#[test]
fn another_point_is_refused() {
    let rng = &mut rng(30);
    let statement = Statement::new(rng);
    let refused = Err(BlsError::Hint("cofactor point"));
    assert_eq!(verdict(&statement, |_, honest| *honest).0, Ok(()));
    let random = import(&random_point(rng)).unwrap();
    assert_eq!(verdict(&statement, |_, _| random).0, refused);
    for torsion in torsion(rng) {
        assert_eq!(verdict(&statement, |_, honest| plus(honest, &torsion)).0, refused);
    }
    // On another curve of the same form: the formulas know no difference.
    let mut other_curve = random;
    other_curve.y.add(&Fp2::ONE);
    assert_eq!(verdict(&statement, |_, _| other_curve).0, refused);
    let tape = [other_curve.x.c0, other_curve.x.c1, other_curve.y.c0, other_curve.y.c1];
    assert_eq!(G2::hinted(&mut Tape::new(&tape)), refused.map(|()| other_curve));
}

/// A component in the subgroup has no influence on the result, so the prover gains nothing by it.
#[test]
fn another_component_in_the_subgroup_changes_nothing() {
    let rng = &mut rng(31);
    let statement = Statement::new(rng);
    let (_, expected) = verdict(&statement, |_, honest| *honest);
    for _ in 0..5 {
        let member = G2Projective::generator() * Scalar::from(rng.next_u64());
        let (accepted, reached) = verdict(&statement, |_, honest| plus(honest, &member));
        assert_eq!((accepted, reached), (Ok(()), expected));
    }
}

/// The point whose image meets the message's: their chord could have any slope, so lead anywhere.
#[test]
fn a_chord_of_a_point_with_itself_is_refused() {
    let statement = Statement::new(&mut rng(32));
    let (start, point, _) = uncleared(&statement.message);
    // The endomorphism's twelfth power is the identity, and its sixth the negation.
    let mut preimage = point;
    (0..11).for_each(|_| preimage.psi());
    preimage.y.neg();
    let (rest, _) = cleared(&point, &preimage);
    let hints = [start, rest].concat();
    let refused = message_point(&statement.message, CIPHERSUITE, &mut Tape::new(&hints));
    assert_eq!(refused, Err(BlsError::Hint("chord")));
}

/// A signature with a component of any order that the cofactor has.
#[test]
fn signatures_with_components_of_small_order_are_refused() {
    let rng = &mut rng(33);
    let statement = Statement::new(rng);
    let signature = G2Affine::from_compressed(&statement.signature).unwrap();
    for torsion in torsion(rng) {
        let shifted = G2Affine::from(torsion + signature).to_compressed();
        let bad = Statement { signature: shifted, ..statement.clone() };
        let (hints, _) = bad.hints();
        assert_eq!(bad.check(&hints), Err(BlsError::Signature));
    }
}
