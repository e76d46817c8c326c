//! The fast signature check against the plain one and against `blst`, on good and on bad inputs.
//!
//! About 2,800 differential cases: 100 committees of `blst`'s, 70 edge cases in the sum of keys, 320
//! mismatches, 2,000 mutations, 360 encodings.

mod bls_cases;

use bls_cases::{Case, MODULUS, point_off_subgroup, rng};
use bls12_381::{G1Affine, G2Affine, Scalar};
use blst::BLST_ERROR;
use rand::{Rng, RngCore};
use sextant_consensus::bls::fast::{HintRecorder, HintedVerifier};
use sextant_consensus::bls::{BlsError, Plain};

/// All three agree, and on what is refused no hints of a good case help.
fn refused_alike(case: &Case, hints: &[u8]) -> BlsError {
    let refusal = case.run(&mut Plain).unwrap_err();
    let mut recorder = HintRecorder::new();
    assert_eq!(case.run(&mut recorder), Err(refusal));
    assert!(recorder.into_hints().is_empty());
    assert!(case.run_hinted(hints).is_err());
    refusal
}

fn accepted_alike(case: &Case) {
    assert_eq!(case.run(&mut Plain), Ok(()));
    assert_eq!(case.run_hinted(&case.hints()), Ok(()));
}

#[test]
fn committees_of_blst() {
    let mut rng = rng(1);
    for i in 0..100 {
        let case = Case::of_blst(&mut rng, 14, i % 12);
        assert_eq!(case.verify_with_blst(), BLST_ERROR::BLST_SUCCESS);
        assert_eq!(case.run_hinted(&case.hints()), Ok(()));
        if i % 10 == 0 {
            accepted_alike(&case);
        }
    }
}

#[test]
fn most_absentees_allowed() {
    accepted_alike(&Case::of_blst(&mut rng(2), 512, 170));
}

#[test]
fn several_checks_on_one_tape() {
    let mut rng = rng(3);
    let cases: Vec<Case> = (0..4).map(|i| Case::of_blst(&mut rng, 8, i)).collect();
    let mut recorder = HintRecorder::new();
    for case in &cases {
        case.run(&mut recorder).unwrap();
    }
    let hints = recorder.into_hints();
    let mut verifier = HintedVerifier::new(&hints);
    for case in &cases {
        case.run(&mut verifier).unwrap();
    }
    assert_eq!(verifier.finish(), Ok(()));

    // One check fewer, one more, another order.
    let mut verifier = HintedVerifier::new(&hints);
    for case in &cases[..3] {
        case.run(&mut verifier).unwrap();
    }
    assert!(matches!(cases[0].run(&mut verifier), Err(BlsError::Hint(_))));
    assert_eq!(verifier.finish(), Err(BlsError::Hint("left over")));
    assert!(matches!(cases[1].run(&mut HintedVerifier::new(&hints)), Err(BlsError::Hint(_))));
    assert_eq!(cases[0].run_hinted(&[]), Err(BlsError::Hint("key root")));
    assert_eq!(cases[0].run_hinted(&hints[..7]), Err(BlsError::Hint("tape length")));
    assert_eq!(HintedVerifier::new(&hints[1..]).finish(), Err(BlsError::Hint("tape length")));
    assert_eq!(HintedVerifier::new(&[]).finish(), Ok(()));
}

/// Every way for two summands to meet: equal, opposite, and on from the identity.
#[test]
fn sums_of_keys() {
    let mut rng = rng(4);
    for _ in 0..4 {
        let [k, l, m] = [0; 3].map(|_| Scalar::from(rng.r#gen::<u64>() | 1));
        let two = Scalar::from(2);
        for (aggregate, absent) in [
            (k + l + l + l, vec![l, l]),
            (k + l, vec![l, l, l]),
            // The sum meets the absentee half-way and goes on from the identity.
            (k, vec![k, l]),
            (k + l, vec![k, l, m]),
            (k, vec![k, l, -l, m]),
            // The negated absentee equals the running sum: a doubling.
            (k, vec![-k]),
            (k + l, vec![l, -k, l]),
            (k, vec![-k, -k * two, m]),
            (k, vec![l, -l]),
            (k, vec![]),
        ] {
            accepted_alike(&Case::of_scalars(aggregate, &absent, rng.r#gen()));
        }
        let hints = Case::of_scalars(k, &[l], rng.r#gen()).hints();
        for (aggregate, absent) in
            [(k, vec![k]), (k + l, vec![l, k]), (k, vec![-k, k * two]), (k, vec![k, l, -l])]
        {
            let mut case = Case::of_scalars(aggregate, &absent, rng.r#gen());
            // What an identity would sign, then anything else.
            assert_eq!(refused_alike(&case, &hints), BlsError::IdentityKey);
            case.signature = Case::of_scalars(m, &[], case.message).signature;
            assert_eq!(refused_alike(&case, &hints), BlsError::IdentityKey);
        }
    }
}

/// Well-formed inputs, but not those that were signed.
#[test]
fn mismatches() {
    let mut rng = rng(5);
    for i in 0..40 {
        let good = Case::of_blst(&mut rng, 12, 1 + i % 5);
        let other = Case::of_blst(&mut rng, 12, 1 + i % 5);
        let hints = good.hints();
        for change in 0..8 {
            let mut bad = good.clone();
            match change {
                0 => bad.message = other.message,
                1 => bad.signature = other.signature,
                2 => bad.aggregate = other.aggregate,
                3 => bad.absent[0] = other.absent[0],
                4 => bad.absent.clear(),
                5 => bad.absent.push(other.absent[0]),
                6 => bad.absent.push(good.absent[0]),
                // The negated signature.
                _ => bad.signature[0] ^= 0x20,
            }
            assert_eq!(refused_alike(&bad, &hints), BlsError::Mismatch);
            assert_ne!(bad.verify_with_blst(), BLST_ERROR::BLST_SUCCESS);
        }
    }
}

/// Bits flipped anywhere.
#[test]
fn mutations() {
    let mut rng = rng(6);
    let good = Case::of_blst(&mut rng, 9, 3);
    let hints = good.hints();
    for i in 0..2000 {
        let mut bad = good.clone();
        let target: &mut [u8] = match i % 4 {
            0 => &mut bad.aggregate,
            1 => &mut bad.absent[i / 4 % 3],
            2 => &mut bad.signature,
            _ => &mut bad.message,
        };
        let at = rng.gen_range(0..target.len());
        target[at] ^= 1 << rng.gen_range(0..8);
        refused_alike(&bad, &hints);
        assert_ne!(bad.verify_with_blst(), BLST_ERROR::BLST_SUCCESS);
    }
}

/// The encodings of points: flags, numbers at and above the modulus, infinity, no point, no point of the
/// subgroup.
#[test]
fn encodings() {
    let mut rng = rng(7);
    let good = Case::of_blst(&mut rng, 9, 3);
    let hints = good.hints();
    let mut refused = 0;
    for flags in 0..8u8 {
        for (place, length) in [(0, 48), (1, 48), (2, 96), (3, 96)] {
            for body in 0..5 {
                let mut bad = good.clone();
                let target: &mut [u8] = match place {
                    0 => &mut bad.aggregate,
                    1 => &mut bad.absent[1],
                    2 => &mut bad.signature,
                    // The signature's second number has no flags.
                    _ => &mut bad.signature[48..],
                };
                let original = target.to_vec();
                let number = &mut target[..48];
                match body {
                    0 => {}
                    1 => number.copy_from_slice(&MODULUS),
                    2 => {
                        number.copy_from_slice(&MODULUS);
                        number[47] += 1 + rng.r#gen::<u8>() % 64;
                    }
                    3 => target[..length.min(48)].fill(0),
                    _ => {
                        rng.fill_bytes(number);
                        number[0] &= 0x0f;
                    }
                }
                target[0] = target[0] & 0x1f | flags << 5;
                if *target == *original {
                    continue;
                }
                refused_alike(&bad, &hints);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 8 * 4 * 5 - 4);

    let mut infinity = good.clone();
    infinity.signature = G2Affine::identity().to_compressed();
    assert_eq!(refused_alike(&infinity, &hints), BlsError::Signature);
    infinity = good.clone();
    infinity.aggregate = G1Affine::identity().to_compressed();
    assert_eq!(refused_alike(&infinity, &hints), BlsError::AggregateKey);
    infinity = good.clone();
    infinity.absent[2] = G1Affine::identity().to_compressed();
    assert_eq!(refused_alike(&infinity, &hints), BlsError::AbsentKey(2));

    for _ in 0..200 {
        let mut bad = good.clone();
        bad.signature = point_off_subgroup(&mut rng);
        assert_eq!(refused_alike(&bad, &hints), BlsError::Signature);
    }
}

/// The subgroup of keys is the deposits' to check, see the module `fast`; who makes hints still refuses.
#[test]
fn keys_off_the_subgroup() {
    let mut rng = rng(8);
    for _ in 0..20 {
        let mut bad = Case::of_blst(&mut rng, 9, 3);
        let torsion = loop {
            let mut bytes = [0; 48];
            rng.fill_bytes(&mut bytes);
            bytes[0] = bytes[0] & 0x2f | 0x80;
            let point = Option::<G1Affine>::from(G1Affine::from_compressed_unchecked(&bytes));
            if let Some(point) = point {
                // Times the subgroup's order: -1 + 1.
                break point * -Scalar::one() + point;
            }
        };
        let shifted = |key: &[u8; 48]| G1Affine::from(torsion + G1Affine::from_compressed(key).unwrap());
        bad.aggregate = shifted(&bad.aggregate).to_compressed();
        assert_eq!(bad.run(&mut HintRecorder::new()), Err(BlsError::AggregateKey));
        bad.absent[1] = shifted(&bad.absent[1]).to_compressed();
        assert_eq!(bad.run(&mut HintRecorder::new()), Err(BlsError::AggregateKey));
    }
}
