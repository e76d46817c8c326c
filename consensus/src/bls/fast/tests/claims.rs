//! The pairing equation's claims: a prover who is free in every choice and breaks one thing only.

use super::prover::{Even, PairingProver, random_even, ratio, shifted};
use super::witness::Statement;
use super::*;
use crate::bls::BlsError;
use crate::bls::fast::constants::MODULUS;
use crate::bls::fast::g1::{self, G1};
use crate::bls::fast::g2::G2;
use crate::bls::fast::hash::message_point;
use crate::bls::fast::identity::{Identities, QUOTIENT};
use crate::bls::fast::pairing::{INNER_CLAIMS, transcript};
use crate::bls::fast::tape::Tape;
use crate::bls::plain::CIPHERSUITE;

/// No change after the random point is known.
fn timely(_: &Fp, _: &Fp, _: &mut [Fp; 6], _: &mut [Fp; QUOTIENT]) {}

/// The statement's points, and the tape up to the pairing equation.
fn points(statement: &Statement) -> (G1, G2, G2, Vec<Fp>) {
    let (mut hints, _) = statement.hints();
    let mut tape = Tape::new(&hints);
    let key = g1::signers_key(&statement.key, &[], &mut tape).unwrap();
    let signature = G2::decompress(&statement.signature, &mut tape).unwrap();
    let message_point = message_point(&statement.message, CIPHERSUITE, &mut tape).unwrap();
    let used = hints.len() - tape.remaining();
    hints.truncate(used);
    (key, message_point, signature, hints)
}

/// A signature of something else.
fn false_statement(rng: &mut StdRng) -> Statement {
    Statement { signature: Statement::new(rng).signature, ..Statement::new(rng) }
}

/// What the tests below rest on: the second prover's tape is the recorder's where it makes the same choices.
#[test]
fn the_second_prover_agrees() {
    let statement = Statement::new(&mut rng(20));
    let (key, message_point, signature, start) = points(&statement);
    let (hints, _) = statement.hints();
    let mut tape = Tape::new(&hints[start.len()..]);
    let witness: Even = core::array::from_fn(|_| *tape.fp2("witness").unwrap());
    let prover = PairingProver::new(&key, &message_point, &signature);
    let accumulators = prover.accumulators(witness);
    assert!(prover.broken_claims(witness, &accumulators).is_empty());
    assert_eq!([start, prover.hints(witness, &accumulators, timely)].concat(), hints);
}

/// Accumulators that follow from a witness, which is none: only the last claim is broken.
#[test]
fn other_witnesses_are_refused() {
    let rng = &mut rng(21);
    let zero = [Fp2::ZERO; 3];
    for statement in [Statement::new(rng), false_statement(rng)] {
        let (key, message_point, signature, start) = points(&statement);
        let prover = PairingProver::new(&key, &message_point, &signature);
        for witness in [zero, [Fp2::ONE; 3], random_even(rng)] {
            let accumulators = prover.accumulators(witness);
            assert_eq!(prover.broken_claims(witness, &accumulators), [INNER_CLAIMS]);
            let hints = [&start[..], &prover.hints(witness, &accumulators, timely)].concat();
            assert_eq!(statement.check(&hints), Err(BlsError::Mismatch));
        }
        // Nothing but zeros where the prover may choose.
        let free = 6 + 6 * INNER_CLAIMS + 6 + QUOTIENT;
        let accumulators = prover.accumulators(zero);
        let mut hints = [&start[..], &prover.hints(zero, &accumulators, timely)].concat();
        hints[start.len()..start.len() + free].fill(Fp::ZERO);
        assert_eq!(statement.check(&hints), Err(BlsError::Mismatch));
    }
}

/// On a false statement, any one claim can be the only one that is broken: the accumulators after it are chosen
/// from the end backwards.
#[test]
fn one_broken_claim_is_refused() {
    let rng = &mut rng(22);
    let statement = false_statement(rng);
    let (key, message_point, signature, start) = points(&statement);
    let prover = PairingProver::new(&key, &message_point, &signature);
    for broken in [0, 17, INNER_CLAIMS - 1] {
        let (witness, chosen) = loop {
            let witness = random_even(rng);
            let (tail, squarings) = prover.tail(broken + 1, &shifted(witness));
            // Up to factors from Fp6, the conjugate is the inverse.
            let mut wanted = tail;
            wanted.0.iter_mut().skip(1).step_by(2).for_each(Fp2::neg);
            if let Some(root) = (0..squarings).try_fold(wanted, |root, _| square_root(&root)) {
                break (witness, ratio(&root));
            }
        };
        let mut accumulators = prover.accumulators(witness);
        accumulators[broken] = chosen;
        for later in broken + 1..INNER_CLAIMS {
            // What is left of the tail says what comes after, too.
            let f = prover.end(later, &shifted(accumulators[later - 1]), &shifted(witness));
            accumulators[later] = ratio(&f);
        }
        assert_eq!(prover.broken_claims(witness, &accumulators), [broken]);
        let hints = [&start[..], &prover.hints(witness, &accumulators, timely)].concat();
        assert_eq!(statement.check(&hints), Err(BlsError::Mismatch));
    }
}

/// A square root up to a factor from `Fp6`. Up to those, the group's order is `p^6 + 1`, which is 2 modulo 4: the
/// root of a square is its power by `(p^6 + 3) / 4`.
fn square_root(square: &Fp12) -> Option<Fp12> {
    let mut exponent = Vec::from([1]);
    (0..6).for_each(|_| exponent = multiply(&exponent, &MODULUS));
    exponent[0] += 3;
    let mut root = Fp12::ONE;
    for i in (2..64 * exponent.len()).rev() {
        root = root.square();
        if exponent[i / 64] >> (i % 64) & 1 == 1 {
            root = root.mul(square);
        }
    }
    (ratio(&root.square()) == ratio(square)).then_some(root)
}

/// The product of numbers, least limb first.
fn multiply(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut product = alloc::vec![0u64; a.len() + b.len()];
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in b.iter().enumerate() {
            let wide = u128::from(*a) * u128::from(*b) + u128::from(product[i + j]) + carry;
            (product[i + j], carry) = (wide as u64, wide >> 64);
        }
        product[i + b.len()] = carry as u64;
    }
    product
}

/// The identity is bent to hold at the point that was drawn: it only draws another one.
#[test]
fn changes_after_the_point_is_known_are_refused() {
    let rng = &mut rng(23);
    let statement = false_statement(rng);
    let (key, message_point, signature, start) = points(&statement);
    let prover = PairingProver::new(&key, &message_point, &signature);
    let witness = random_even(rng);
    let accumulators = prover.accumulators(witness);
    let refused = |late: fn(&Fp, &Fp, &mut [Fp; 6], &mut [Fp; QUOTIENT])| {
        let hints = [&start[..], &prover.hints(witness, &accumulators, late)].concat();
        assert_eq!(statement.check(&hints), Err(BlsError::Mismatch));
    };
    refused(|_, missing, element, _| element[0].add(missing));
    refused(|point, missing, _, quotient| {
        // The quotient counts by the modulus, (X^6 - 1)^2 + 1.
        let mut modulus = theirs(point);
        modulus = modulus.square() * modulus;
        modulus = modulus.square() - fp::Fp::one();
        modulus = modulus.square() + fp::Fp::one();
        quotient[0].add(&prover::ours(&(theirs(missing) * modulus.invert().unwrap())));
    });
}

/// Both challenges depend on all that comes before them, down to the last coordinate.
#[test]
fn challenges_depend_on_every_choice() {
    const BEFORE: usize = 2 + 4 + 4 + 6 + 6 * INNER_CLAIMS;
    let rng = &mut rng(24);
    let mut choices: Vec<Fp> = (0..BEFORE + 6 + QUOTIENT).map(|_| random(rng)).collect();
    let draw = |choices: &[Fp]| {
        let pair = |at: usize| Fp2 { c0: choices[at], c1: choices[at + 1] };
        let drawn = transcript(
            &G1 { x: choices[0], y: choices[1] },
            &G2 { x: pair(2), y: pair(4) },
            &G2 { x: pair(6), y: pair(8) },
            [&pair(10), &pair(12), &pair(14)],
            choices[16..BEFORE].try_into().unwrap(),
        );
        let rho = drawn.challenge();
        (rho, *Identities::draw(drawn, &mut Tape::new(&choices[BEFORE..])).unwrap().w())
    };
    let (rho, point) = draw(&choices);
    assert_ne!(rho, point);
    for i in 0..choices.len() {
        let before = choices[i];
        choices[i].add(&Fp::ONE);
        let changed = draw(&choices);
        assert_eq!(changed.0 != rho, i < BEFORE, "choice {i}");
        assert_ne!(changed.1, point, "choice {i}");
        choices[i] = before;
    }
}

/// Another ratio than the key's, all else as it follows: that would be the pairing with another point.
#[test]
fn another_key_ratio_is_refused() {
    let rng = &mut rng(25);
    let statement = Statement::new(rng);
    let (key, message_point, signature, start) = points(&statement);
    let prover = PairingProver::with_ratio(random(rng), &key, &message_point, &signature);
    let witness = random_even(rng);
    let hints = prover.hints(witness, &prover.accumulators(witness), timely);
    assert_eq!(statement.check(&[start, hints].concat()), Err(BlsError::Hint("key ratio")));
}
