//! Circuits whose secret is known, and proofs by them of whatever is wanted: what a ceremony is there to prevent. With them all
//! of a verification is real but for what the circuits would have demanded.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, Field, PrimeField};
use sextant_consensus::hash::sha256;

/// Logarithms of the key's points: alpha, beta, gamma, delta, and those of the constant and the five public inputs.
const KEY: [u64; 4] = [2, 3, 5, 7];
const INPUTS: [u64; 6] = [11, 13, 17, 19, 23, 29];
/// Those of the first two points of every proof.
const PROOF: [u64; 2] = [31, 37];

/// The circuits' verifying key, in gnark's encoding.
pub(super) fn key() -> Vec<u8> {
    let [alpha, beta, gamma, delta] = KEY.map(Fr::from);
    let mut key = compressed_g1(alpha);
    // Two points in the other group are the prover's alone.
    key.extend(compressed_g1(beta));
    key.extend(compressed_g2(beta));
    key.extend(compressed_g2(gamma));
    key.extend(compressed_g1(delta));
    key.extend(compressed_g2(delta));
    key.extend((INPUTS.len() as u32).to_be_bytes());
    key.extend(INPUTS.into_iter().flat_map(|input| compressed_g1(input.into())));
    key
}

/// A proof that the program with this key has committed these public values; `root` is that of the recursion keys.
pub(super) fn proof(vk_hash: &[u8; 32], public_values: &[u8], root: &[u8; 32]) -> Vec<u8> {
    let mut hash = sha256(&[public_values]);
    hash[0] &= 0xff >> 3;
    let public = [vk_hash, &hash, &[0; 32], root, &[0; 32]].map(|number| Fr::from_be_bytes_mod_order(number));
    let [constant, inputs @ ..] = INPUTS.map(Fr::from);
    let sum = inputs.iter().zip(&public).fold(constant, |sum, (input, number)| sum + *input * number);
    // e(A, B) = e(alpha, beta) e(L, gamma) e(C, delta), solved for C.
    let [alpha, beta, gamma, delta] = KEY.map(Fr::from);
    let [a, b] = PROOF.map(Fr::from);
    let c = (a * b - alpha * beta - sum * gamma) * delta.inverse().unwrap();
    let circuits = sha256(&[&key()]);
    let mut proof = [&circuits[..4], &[0; 32], root, &[0; 32]].concat();
    proof.extend(g1(a));
    proof.extend(g2(b));
    proof.extend(g1(c));
    proof
}

fn g1(logarithm: Fr) -> Vec<u8> {
    let point = (G1Affine::generator() * logarithm).into_affine();
    [point.x, point.y].map(number).concat()
}

fn g2(logarithm: Fr) -> Vec<u8> {
    let point = (G2Affine::generator() * logarithm).into_affine();
    [point.x, point.y].map(pair).concat()
}

fn compressed_g1(logarithm: Fr) -> Vec<u8> {
    let point = (G1Affine::generator() * logarithm).into_affine();
    flagged(number(point.x), point.y > -point.y)
}

fn compressed_g2(logarithm: Fr) -> Vec<u8> {
    let point = (G2Affine::generator() * logarithm).into_affine();
    flagged(pair(point.x), point.y > -point.y)
}

/// The first coordinate, with two bits above it that tell which of two points it is.
fn flagged(mut coordinate: Vec<u8>, is_larger: bool) -> Vec<u8> {
    coordinate[0] |= if is_larger { 0b11 << 6 } else { 0b10 << 6 };
    coordinate
}

/// An element of the extension, its second coefficient first.
fn pair(element: Fq2) -> Vec<u8> {
    [element.c1, element.c0].map(number).concat()
}

fn number(element: Fq) -> Vec<u8> {
    element.into_bigint().to_bytes_be()
}
