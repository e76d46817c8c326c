//! Proofs that a guest says it verifies.
//!
//! The zkVM does not verify them while it runs: it hashes, in the order of the guest's calls, the program's key and the
//! public values of each, and the last shard states that digest. The recursion then verifies each proof in a program of
//! SP1's, which goes on with the digest where the proof before ended, and the proof is complete only where both come to
//! the same. Those recursion proofs have their place between the precompiles' and the execution's.

use slop_algebra::{AbstractField, PrimeField32};
use sp1_primitives::SP1Field;
use sp1_prover::worker::{SP1DeferredData, hash_deferred_proofs};
use sp1_recursion_circuit::machine::SP1ShapedWitnessValues;

use crate::compress::Compressed;

/// The proofs of one run, each with what the recursion is to be told about it.
pub(crate) struct Deferred {
    pub(crate) proofs: Vec<SP1DeferredData>,
    digest: [SP1Field; 8],
}

impl Deferred {
    pub(crate) fn of(proofs: &[Compressed]) -> Self {
        let mut digest = [SP1Field::zero(); 8];
        let data = proofs.iter().enumerate().map(|(index, proof)| {
            let before = digest;
            digest = hash_deferred_proofs(before, std::slice::from_ref(proof));
            SP1DeferredData {
                input: SP1ShapedWitnessValues {
                    vks_and_proofs: vec![(proof.vk.clone(), proof.proof.clone())],
                    is_complete: true,
                },
                vk_merkle_proofs: vec![proof.vk_merkle_proof.clone()],
                start_reconstruct_deferred_digest: before,
                deferred_proof_index: SP1Field::from_canonical_usize(index),
            }
        });
        Self { proofs: data.collect(), digest }
    }

    /// What the execution's last shard states, if the guest asks for just these proofs in this order.
    pub(crate) fn digest(&self) -> [u32; 8] {
        self.digest.map(|element| element.as_canonical_u32())
    }
}
