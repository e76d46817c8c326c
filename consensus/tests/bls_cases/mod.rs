//! What the tests of signature checks are made of.
#![allow(dead_code)] // Not every test file uses everything.

use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use bls12_381::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};
use blst::BLST_ERROR;
use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey, Signature};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use sextant_consensus::bls::fast::{HintRecorder, HintedVerifier};
use sextant_consensus::bls::{AggregateVerifier, BlsError, plain::CIPHERSUITE};
use sha2::Sha256;

/// The field's modulus, big-endian.
pub const MODULUS: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64,
    0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab,
    0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// The same numbers in every run.
pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// What one check is given.
#[derive(Clone, Debug)]
pub struct Case {
    pub aggregate: [u8; 48],
    pub absent: Vec<[u8; 48]>,
    pub message: [u8; 32],
    pub signature: [u8; 96],
}

impl Case {
    /// A committee of `size` of which the first `absent` did not sign.
    pub fn of_blst(rng: &mut StdRng, size: usize, absent: usize) -> Self {
        let secrets: Vec<SecretKey> = (0..size)
            .map(|_| {
                let mut seed = [0; 32];
                rng.fill_bytes(&mut seed);
                SecretKey::key_gen(&seed, &[]).unwrap()
            })
            .collect();
        let message: [u8; 32] = rng.r#gen();
        let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::sk_to_pk).collect();
        let aggregate = AggregatePublicKey::aggregate(&keys.iter().collect::<Vec<_>>(), false).unwrap();
        let signatures: Vec<Signature> =
            secrets[absent..].iter().map(|secret| secret.sign(&message, CIPHERSUITE, &[])).collect();
        let signature = AggregateSignature::aggregate(&signatures.iter().collect::<Vec<_>>(), false).unwrap();
        Self {
            aggregate: aggregate.to_public_key().compress(),
            absent: keys[..absent].iter().map(PublicKey::compress).collect(),
            message,
            signature: signature.to_signature().compress(),
        }
    }

    /// Keys of these secrets, signed by the difference's.
    pub fn of_scalars(aggregate: Scalar, absent: &[Scalar], message: [u8; 32]) -> Self {
        let key = |secret: Scalar| G1Affine::from(G1Projective::generator() * secret).to_compressed();
        let secret = absent.iter().fold(aggregate, |sum, absent| sum - absent);
        let point =
            <G2Projective as HashToCurve<ExpandMsgXmd<Sha256>>>::hash_to_curve([message], CIPHERSUITE);
        Self {
            aggregate: key(aggregate),
            absent: absent.iter().copied().map(key).collect(),
            message,
            signature: G2Affine::from(point * secret).to_compressed(),
        }
    }

    /// Runs any implementation.
    pub fn run(&self, verifier: &mut impl AggregateVerifier) -> Result<(), BlsError> {
        verifier.verify(&self.aggregate, &self.absent, &self.message, &self.signature)
    }

    /// The hints of a good case.
    pub fn hints(&self) -> Vec<u8> {
        let mut recorder = HintRecorder::new();
        self.run(&mut recorder).unwrap();
        recorder.into_hints()
    }

    /// Runs the fast check on a tape, to its end.
    pub fn run_hinted(&self, hints: &[u8]) -> Result<(), BlsError> {
        let mut verifier = HintedVerifier::new(hints);
        self.run(&mut verifier)?;
        verifier.finish()
    }

    /// `FastAggregateVerify` with `blst`'s arithmetic, keys checked as deposits check them.
    pub fn verify_with_blst(&self) -> BLST_ERROR {
        let attempt = || {
            let mut sum = AggregatePublicKey::from_public_key(&PublicKey::key_validate(&self.aggregate)?);
            for key in &self.absent {
                let mut negated = *key;
                negated[0] ^= 0x20;
                sum.add_public_key(&PublicKey::key_validate(&negated)?, false)?;
            }
            let signature = Signature::sig_validate(&self.signature, true)?;
            match signature.verify(true, &self.message, CIPHERSUITE, &[], &sum.to_public_key(), true) {
                BLST_ERROR::BLST_SUCCESS => Ok(()),
                error => Err(error),
            }
        };
        attempt().err().unwrap_or(BLST_ERROR::BLST_SUCCESS)
    }
}

/// A compressed point of the twist outside of the subgroup.
pub fn point_off_subgroup(rng: &mut StdRng) -> [u8; 96] {
    loop {
        let mut bytes = [0; 96];
        rng.fill_bytes(&mut bytes);
        bytes[0] = bytes[0] & 0x2f | 0x80;
        bytes[48] &= 0x0f;
        let point = Option::<G2Affine>::from(G2Affine::from_compressed_unchecked(&bytes));
        if point.is_some_and(|point| !bool::from(point.is_torsion_free())) {
            return bytes;
        }
    }
}
