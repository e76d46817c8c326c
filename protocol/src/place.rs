//! A statement's place in a bundle: what lies in a record of kind [`Bundled`](crate::ProofKind::Bundled) as its proof.
//!
//! One SNARK of a bundle is the proof of many statements. Each of them gets a file of its own, with the statement's public
//! values, the bundle's, in which it is named by its hash, and the SNARK of those. Of the others there are hashes only.

use serde::{Deserialize, Serialize};
use sextant_consensus::Program;

use crate::{
    ProofKind, ProofRecord,
    encoding::{self, EncodingError},
};

/// Largest encoded [`Place`], bytes: twice what a bundle of 64 statements takes with its SNARK.
pub const MAX_PLACE: usize = 8 << 10;

/// Version of the encoding.
const VERSION: u32 = 1;

/// Where a statement stands, and the proof of the whole. Nothing in it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place<'a> {
    version: u32,
    /// The part of the bundle that is this statement, from 0.
    pub index: u32,
    /// ABI-encoded public values of the bundle.
    #[serde(with = "serde_bytes")]
    pub public_values: &'a [u8],
    /// The bundle's SNARK: the bytes that its verifier contract takes.
    #[serde(with = "serde_bytes")]
    pub proof: &'a [u8],
}

impl<'a> Place<'a> {
    /// The place `index` in the bundle that `bundle` is the SNARK of.
    pub fn new(index: u32, bundle: &'a ProofRecord) -> Self {
        let ProofRecord { public_values, proof, .. } = bundle;
        Self { version: VERSION, index, public_values, proof }
    }

    /// Reads what is the proof in a record.
    ///
    /// # Errors
    /// [`EncodingError::TooLarge`] over [`MAX_PLACE`], [`EncodingError::Unknown`] for another version of the encoding,
    /// [`EncodingError::Malformed`] for anything else.
    pub fn of(bytes: &'a [u8]) -> Result<Self, EncodingError> {
        let what = "place in a bundle";
        if bytes.len() > MAX_PLACE {
            return Err(EncodingError::TooLarge { what, got: bytes.len(), limit: MAX_PLACE });
        }
        // Before the rest, which another version may have otherwise.
        let number = bytes.first_chunk().map(|version| u32::from_le_bytes(*version));
        match number {
            None | Some(VERSION) => encoding::decode(what, bytes, MAX_PLACE),
            Some(number) => Err(EncodingError::Unknown { what: "version of a place in a bundle", number }),
        }
    }
}

impl ProofRecord {
    /// The record of the statement with these public values, the one at `index` in `bundle`, which is the record of that
    /// bundle's SNARK. Circuits and verifying key are the bundle's.
    #[must_use]
    pub fn in_bundle(program: Program, public_values: Vec<u8>, index: u32, bundle: &Self) -> Self {
        Self {
            program: program.tag(),
            kind: ProofKind::Bundled,
            circuits: bundle.circuits,
            circuit_version: bundle.circuit_version.clone(),
            vk_hash: bundle.vk_hash,
            public_values,
            proof: encoding::encode(&Place::new(index, bundle)),
        }
    }
}
