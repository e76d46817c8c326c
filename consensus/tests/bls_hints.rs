//! Hints changed one at a time: none of it is accepted.

mod bls_cases;

use bls_cases::{Case, MODULUS, rng};
use rand::{Rng, RngCore};
use sextant_consensus::bls::BlsError;

/// Bytes of a field element.
const ELEMENT: usize = 48;

/// A good case with a chord and a tangent among its keys, and its tape.
fn good() -> (Case, Vec<u8>) {
    let case = Case::of_scalars(2.into(), &[3.into(), 1.into(), 5.into()], [7; 32]);
    let hints = case.hints();
    assert_eq!(case.run_hinted(&hints), Ok(()));
    (case, hints)
}

fn refused(case: &Case, hints: &[u8], at: usize) {
    match case.run_hinted(hints) {
        Err(BlsError::Hint(_) | BlsError::Mismatch | BlsError::Signature | BlsError::IdentityKey) => {}
        other => panic!("element {}: {other:?}", at / ELEMENT),
    }
}

/// `a + b` modulo the field's modulus, little-endian.
fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let modulus: Vec<u8> = MODULUS.iter().rev().copied().collect();
    let mut carry = 0;
    let sum: Vec<u8> = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            carry += u16::from(*a) + u16::from(*b);
            let byte = carry as u8;
            carry >>= 8;
            byte
        })
        .collect();
    if sum.iter().rev().lt(modulus.iter().rev()) { sum } else { subtract(&sum, &modulus) }
}

/// `a - b`, little-endian, for `a >= b`.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            let difference = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(difference < 0);
            difference as u8
        })
        .collect()
}

#[test]
fn every_word_flipped() {
    let (case, hints) = good();
    let mut rng = rng(1);
    let mut tampered = hints.clone();
    for at in (0..hints.len()).step_by(8) {
        let byte = at + rng.gen_range(0..8);
        tampered[byte] ^= 1 << rng.gen_range(0..8);
        refused(&case, &tampered, at);
        tampered[byte] = hints[byte];
    }
}

#[test]
fn every_element_replaced() {
    let (case, hints) = good();
    let mut rng = rng(2);
    let modulus: Vec<u8> = MODULUS.iter().rev().copied().collect();
    let mut one = vec![0; ELEMENT];
    one[0] = 1;
    let mut tampered = hints.clone();
    for at in (0..hints.len()).step_by(ELEMENT) {
        let element = hints[at..at + ELEMENT].to_vec();
        let mut random = vec![0; ELEMENT];
        rng.fill_bytes(&mut random);
        random[ELEMENT - 1] &= 0x0f;
        let replacements = [
            vec![0; ELEMENT],
            one.clone(),
            subtract(&modulus, &one),
            random,
            add(&element, &one),
            subtract(&modulus, &element),
            // The same number, not canonical.
            add_plain(&element, &modulus),
        ];
        for replacement in replacements {
            if replacement == element {
                continue;
            }
            tampered[at..at + ELEMENT].copy_from_slice(&replacement);
            refused(&case, &tampered, at);
        }
        tampered[at..at + ELEMENT].copy_from_slice(&element);
    }
    assert_eq!(case.run_hinted(&tampered), Ok(()));
}

/// `a + b` without reduction.
fn add_plain(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            carry += u16::from(*a) + u16::from(*b);
            let byte = carry as u8;
            carry >>= 8;
            byte
        })
        .collect()
}

#[test]
fn neighbours_swapped_left_out_or_doubled() {
    let (case, hints) = good();
    let elements: Vec<&[u8]> = hints.chunks_exact(ELEMENT).collect();
    for i in 0..elements.len() {
        let mut fewer = elements.clone();
        fewer.remove(i);
        refused(&case, &fewer.concat(), i * ELEMENT);
        let mut more = elements.clone();
        more.insert(i, elements[i]);
        refused(&case, &more.concat(), i * ELEMENT);
        if i > 0 && elements[i] != elements[i - 1] {
            let mut swapped = elements.clone();
            swapped.swap(i, i - 1);
            refused(&case, &swapped.concat(), i * ELEMENT);
        }
    }
}

/// Hints of one statement for another.
#[test]
fn another_statement_s_hints() {
    let mut rng = rng(3);
    let cases: Vec<Case> = (0..6).map(|_| Case::of_blst(&mut rng, 5, 2)).collect();
    let tapes: Vec<Vec<u8>> = cases.iter().map(Case::hints).collect();
    for (i, case) in cases.iter().enumerate() {
        for (j, tape) in tapes.iter().enumerate() {
            assert_eq!(case.run_hinted(tape).is_ok(), i == j);
        }
    }
}
