//! Provers that follow the protocol on a false statement, or leave it at one place in a consistent way.

use super::*;
use crate::bls::BlsError;
use crate::bls::fast::check;
use crate::bls::fast::record::HintRecorder;
use crate::bls::fast::tape::Tape;
use crate::bls::plain::CIPHERSUITE;
use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use bls12_381::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};
use sha2::Sha256;

/// A key without absentees, a message and a signature.
#[derive(Clone)]
pub struct Statement {
    pub key: [u8; 48],
    pub message: [u8; 32],
    pub signature: [u8; 96],
}

impl Statement {
    pub fn new(rng: &mut StdRng) -> Self {
        let mut message = [0; 32];
        rng.fill_bytes(&mut message);
        let secret = Scalar::from(rng.next_u64() | 1);
        let point =
            <G2Projective as HashToCurve<ExpandMsgXmd<Sha256>>>::hash_to_curve([message], CIPHERSUITE);
        Self {
            key: G1Affine::from(G1Projective::generator() * secret).to_compressed(),
            message,
            signature: G2Affine::from(point * secret).to_compressed(),
        }
    }

    /// The hints that a prover makes who does not mind whether it is true, and whether it is.
    pub fn hints(&self) -> (Vec<Fp>, bool) {
        let mut recorder = HintRecorder::new();
        let holds = recorder.record(&self.key, &[], &self.message, &self.signature).unwrap();
        (recorder.elements, holds)
    }

    pub fn check(&self, hints: &[Fp]) -> Result<(), BlsError> {
        let mut tape = Tape::new(hints);
        check(&self.key, &[], &self.message, &self.signature, &mut tape)
    }
}

#[test]
fn a_false_statement_has_no_witness() {
    let rng = &mut rng(7);
    for _ in 0..10 {
        let (good, other) = (Statement::new(rng), Statement::new(rng));
        let (hints, holds) = good.hints();
        assert!(holds);
        assert_eq!(good.check(&hints), Ok(()));
        let bad = Statement { signature: other.signature, ..good };
        let (hints, holds) = bad.hints();
        assert!(!holds);
        assert_eq!(bad.check(&hints), Err(BlsError::Mismatch));
    }
}

#[test]
fn a_signature_off_the_subgroup_has_none() {
    let rng = &mut rng(8);
    let mut tried = 0;
    while tried < 10 {
        let mut statement = Statement::new(rng);
        rng.fill_bytes(&mut statement.signature);
        statement.signature[0] = statement.signature[0] & 0x2f | 0x80;
        statement.signature[48] &= 0x0f;
        if bool::from(G2Affine::from_compressed_unchecked(&statement.signature).is_none()) {
            continue;
        }
        let (hints, _) = statement.hints();
        assert_eq!(statement.check(&hints), Err(BlsError::Signature));
        tried += 1;
    }
}

/// A valid signature and a point of small order have a sum that passes the pairing equation, if anything
/// does.
#[test]
fn a_signature_with_a_component_of_the_cofactor_is_refused() {
    let rng = &mut rng(9);
    for _ in 0..10 {
        let mut statement = Statement::new(rng);
        let point = loop {
            let mut bytes = [0; 96];
            rng.fill_bytes(&mut bytes);
            bytes[0] = bytes[0] & 0x2f | 0x80;
            bytes[48] &= 0x0f;
            if let Some(point) = Option::<G2Affine>::from(G2Affine::from_compressed_unchecked(&bytes)) {
                break point;
            }
        };
        // Times the subgroup's order: -1 + 1.
        let torsion = G2Projective::from(point) * -Scalar::one() + point;
        assert!(!bool::from(torsion.is_identity()));
        let signature = G2Affine::from_compressed(&statement.signature).unwrap() + torsion;
        statement.signature = G2Affine::from(signature).to_compressed();
        let (hints, _) = statement.hints();
        assert_eq!(statement.check(&hints), Err(BlsError::Signature));
    }
}
