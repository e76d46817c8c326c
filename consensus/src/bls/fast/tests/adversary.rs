//! What an all-powerful prover may try with keys, signatures and message points of the wrong groups.

use super::cofactor::{cleared, full, uncleared};
use super::witness::Statement;
use super::*;
use crate::bls::fast::{
    constants::{SSWU_A, SSWU_B, SSWU_MINUS_B_OVER_A, SSWU_Z},
    hash::message_point,
    record::import,
    tape::Tape,
};
use crate::bls::plain::CIPHERSUITE;
use crate::bls::{AggregateVerifier, BlsError, Plain};
use bls12_381::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};

/// A point of the curve that the subgroup's order does not kill.
fn torsion(rng: &mut StdRng) -> G1Projective {
    loop {
        let mut bytes = [0; 48];
        rng.fill_bytes(&mut bytes);
        bytes[0] = bytes[0] & 0x2f | 0x80;
        if let Some(point) = Option::<G1Affine>::from(G1Affine::from_compressed_unchecked(&bytes)) {
            // [r] P = [r - 1] P + P, and -1 is r - 1.
            let torsion = point * -Scalar::one() + point;
            if !bool::from(torsion.is_identity()) {
                return torsion;
            }
        }
    }
}

/// The one difference to the plain check, as `fast` documents: keys are not checked for their subgroup, because every key
/// comes from a committee that a state root proves, and was checked at its deposit. The pairing does not see the torsion.
#[test]
fn keys_are_not_checked_for_their_subgroup() {
    let rng = &mut rng(900);
    let mut statement = Statement::new(rng);
    let key = G1Affine::from_compressed(&statement.key).unwrap();
    statement.key = G1Affine::from(torsion(rng) + key).to_compressed();
    let (hints, _) = statement.hints();
    assert_eq!(statement.check(&hints), Ok(()));
    assert!(Plain.verify(&statement.key, &[], &statement.message, &statement.signature).is_err());
}

/// A key of torsion alone pairs to one with everything; only the identity would be its signature, and that is refused.
#[test]
fn a_key_of_torsion_alone_signs_nothing() {
    let rng = &mut rng(901);
    let mut statement =
        Statement { key: G1Affine::from(torsion(rng)).to_compressed(), ..Statement::new(rng) };
    let (hints, holds) = statement.hints();
    assert!(!holds);
    assert_eq!(statement.check(&hints), Err(BlsError::Mismatch));
    statement.signature = [0; 96];
    statement.signature[0] = 0xc0;
    assert_eq!(statement.check(&hints), Err(BlsError::Signature));
}

/// A cofactor point in the subgroup itself leaves the message point outside of it.
#[test]
fn a_cofactor_point_of_the_subgroup_clears_nothing() {
    let rng = &mut rng(903);
    let statement = Statement::new(rng);
    let (start, point, _) = uncleared(&statement.message);
    let member = G2Projective::generator() * Scalar::from(rng.next_u64());
    let (rest, reached) = cleared(&point, &import(&G2Affine::from(member)).unwrap());
    assert_eq!(reached, point);
    let tape: Vec<Fp> = [start, rest].concat();
    assert_eq!(message_point(&statement.message, CIPHERSUITE, &mut Tape::new(&tape)), Ok(reached));
    let (hints, _) = full(&statement, &tape, reached);
    assert_eq!(statement.check(&hints), Err(BlsError::Hint("cofactor point")));
}

/// The map's two candidates differ by a factor that is no square: exactly one has a root, so a hinted root cannot choose.
#[test]
fn exactly_one_abscissa_has_a_root() {
    let rng = &mut rng(905);
    let mut chosen = [0, 0];
    for _ in 0..200 {
        let zu2 = theirs2(&SSWU_Z) * theirs2(&random2(rng)).square();
        let inverse = (zu2.square() + zu2).invert().unwrap();
        let x1 = theirs2(&SSWU_MINUS_B_OVER_A) * (inverse + fp2::Fp2::one());
        let has_root = |x: fp2::Fp2| {
            let value = (x.square() + theirs2(&SSWU_A)) * x + theirs2(&SSWU_B);
            bool::from(value.sqrt().is_some())
        };
        let (first, second) = (has_root(x1), has_root(x1 * zu2));
        assert!(first ^ second);
        chosen[usize::from(second)] += 1;
    }
    assert!(chosen.iter().all(|count| *count > 50), "both happen: {chosen:?}");
}

/// The hints of one message for another.
#[test]
fn hints_belong_to_their_message() {
    let rng = &mut rng(904);
    let statement = Statement::new(rng);
    let (hints, _) = statement.hints();
    let lie = Statement { message: Statement::new(rng).message, ..statement };
    assert!(matches!(lie.check(&hints), Err(BlsError::Hint(_))));
}
