//! SP1's own verifier has another curve implementation below it. Whatever it says of a proof, this one says too.

use ark_bn254::{Fq, Fq2, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use sextant_protocol::ProofRecord;
use sextant_snark_verifier::{PROOF_LENGTH, SnarkError, release_key, verify_groth16};
use sp1_verifier::Groth16Verifier;

const KEY: &[u8] = include_bytes!("../../../tests/data/recorded-snarks/groth16_vk.bin");
const RECORDED: [&[u8]; 4] = [
    include_bytes!("../../../tests/data/recorded-snarks/committee-change.proof"),
    include_bytes!("../../../tests/data/recorded-snarks/one-handover.proof"),
    include_bytes!("../../../tests/data/recorded-snarks/inclusion.proof"),
    include_bytes!("../../../tests/data/recorded-snarks/catch-up-slot-and-log.proof"),
];
// Where the points of a proof are, and the nonce before them.
const NONCE: usize = 4 + 2 * 32;
const A: usize = NONCE + 32;
const B: usize = A + 64;
const C: usize = B + 128;

fn recorded(number: usize) -> ProofRecord {
    ProofRecord::from_file_bytes(RECORDED[number]).expect("a proof file")
}

/// The verdict, after both have been asked.
fn verdict(proof: &[u8], values: &[u8], vk_hash: &[u8; 32], key: &[u8]) -> Result<(), SnarkError> {
    let ours = verify_groth16(proof, values, vk_hash, key);
    let theirs = Groth16Verifier::verify(proof, values, &format!("0x{}", hex::encode(vk_hash)), key);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?}, {theirs:?}");
    ours
}

fn of_proof(record: &ProofRecord, proof: &[u8]) -> Result<(), SnarkError> {
    verdict(proof, &record.public_values, &record.vk_hash, KEY)
}

#[test]
fn what_is_recorded_holds_for_both() {
    for number in 0..RECORDED.len() {
        let record = recorded(number);
        of_proof(&record, &record.proof).expect("it holds");
    }
}

/// In every byte of the proof, and in what it is about.
#[test]
fn no_bit_can_be_changed() {
    let record = recorded(0);
    for at in 0..PROOF_LENGTH {
        let mut proof = record.proof.clone();
        proof[at] ^= 1 << (at % 8);
        // The other verifier takes its time.
        let refused = match at % 16 {
            3 => of_proof(&record, &proof),
            _ => verify_groth16(&proof, &record.public_values, &record.vk_hash, KEY),
        };
        let refused = refused.expect_err("another proof");
        match at {
            0..4 => assert_eq!(refused, SnarkError::OtherCircuits),
            4..36 => assert_eq!(refused, SnarkError::ExitCode),
            36..NONCE => assert_eq!(refused, SnarkError::OtherRecursion),
            NONCE..A => assert!(matches!(refused, SnarkError::Equation | SnarkError::NoNumber("nonce"))),
            _ => assert!(matches!(refused, SnarkError::NoPoint(_)), "{refused}"),
        }
    }
    let mut values = record.public_values.clone();
    values[7] ^= 1;
    assert_eq!(verdict(&record.proof, &values, &record.vk_hash, KEY), Err(SnarkError::Equation));
    let mut vk_hash = record.vk_hash;
    vk_hash[31] ^= 1;
    assert_eq!(verdict(&record.proof, &record.public_values, &vk_hash, KEY), Err(SnarkError::Equation));
    assert_eq!(
        verdict(&record.proof, &record.public_values, &[0xff; 32], KEY),
        Err(SnarkError::NoNumber("program's key hash"))
    );
}

/// Points that are on the curve, but not these.
#[test]
fn other_points_do_not_prove_it() {
    let (record, other) = (recorded(0), recorded(2));
    let with = |at: usize, bytes: &[u8]| {
        let mut proof = record.proof.clone();
        proof[at..at + bytes.len()].copy_from_slice(bytes);
        of_proof(&record, &proof)
    };
    for (at, end) in [(A, B), (B, C), (C, PROOF_LENGTH)] {
        assert_eq!(with(at, &other.proof[at..end]), Err(SnarkError::Equation));
    }
    assert_eq!(with(A, &record.proof[C..]), Err(SnarkError::Equation));
    assert_eq!(with(C, &record.proof[A..B]), Err(SnarkError::Equation));
    let negated = -number(&record.proof[A + 32..B]);
    assert_eq!(with(A + 32, &negated.into_bigint().to_bytes_be()), Err(SnarkError::Equation));
    // Where others encode the point at infinity, the equation would only ask about the rest.
    assert_eq!(with(A, &[0; 64]), Err(SnarkError::NoPoint("A")));
    assert_eq!(with(B, &[0; 128]), Err(SnarkError::NoPoint("B")));
    assert_eq!(with(C, &[0; 64]), Err(SnarkError::NoPoint("C")));
}

/// The curve of B has more points than the group, and pairings of those say nothing.
#[test]
fn a_point_outside_of_the_group_is_none() {
    let record = recorded(0);
    let outside = (1_u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .expect("nearly all are outside");
    let coordinates = [outside.x.c1, outside.x.c0, outside.y.c1, outside.y.c0];
    let bytes: Vec<u8> = coordinates.iter().flat_map(|number| number.into_bigint().to_bytes_be()).collect();
    let mut proof = record.proof.clone();
    proof[B..C].copy_from_slice(&bytes);
    assert_eq!(of_proof(&record, &proof), Err(SnarkError::NoPoint("B")));
}

/// Adding the order to a number gives the same element: were that accepted, a proof would have several forms.
#[test]
fn every_number_has_one_encoding() {
    let record = recorded(0);
    for at in (A..PROOF_LENGTH).step_by(32) {
        let mut larger = Fq::MODULUS;
        if larger.add_with_carry(&number(&record.proof[at..at + 32]).into_bigint()) {
            continue;
        }
        let mut proof = record.proof.clone();
        proof[at..at + 32].copy_from_slice(&larger.to_bytes_be());
        assert!(matches!(of_proof(&record, &proof), Err(SnarkError::NoPoint(_))));
    }
    let mut proof = record.proof.clone();
    proof[NONCE..A].fill(0xff);
    assert_eq!(of_proof(&record, &proof), Err(SnarkError::NoNumber("nonce")));
}

#[test]
fn a_key_of_other_circuits_is_not_taken() {
    let record = recorded(0);
    let with = |key: &[u8]| verdict(&record.proof, &record.public_values, &record.vk_hash, key);
    assert_eq!(with(release_key()), Err(SnarkError::OtherCircuits));
    let named = |key: &[u8]| {
        let mut proof = record.proof.clone();
        proof[..4].copy_from_slice(&sp1_verifier::sha256_hash(key)[..4]);
        verify_groth16(&proof, &record.public_values, &record.vk_hash, key)
    };
    assert_eq!(named(release_key()), Err(SnarkError::Equation));
    // A file that is cut off, or another one.
    for length in [0, 100, 291, 400] {
        assert_eq!(named(&KEY[..length]), Err(SnarkError::CircuitKey));
    }
    assert_eq!(named(b"gnark"), Err(SnarkError::CircuitKey));
    let mut fewer = KEY.to_vec();
    fewer[291] = 5;
    assert_eq!(named(&fewer), Err(SnarkError::CircuitKey));
}

fn number(bytes: &[u8]) -> Fq {
    Fq::from_be_bytes_mod_order(bytes)
}
