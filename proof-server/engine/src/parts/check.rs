//! Whether parts are proofs of what they say, by SP1's own verifier.

use std::{borrow::Borrow, sync::OnceLock};

use slop_algebra::PrimeField32;
use sp1_hypercube::{HashableKey, PROOF_MAX_NUM_PVS, SP1VerifyingKey, air::ShardRange};
use sp1_primitives::SP1Field;
use sp1_prover::{SP1CoreProofData, utils::is_recursion_public_values_valid, verify::SP1Verifier};
use sp1_verifier::VerifierRecursionVks;

use super::{
    FoldedPart, PartError, PartName, PlannedRun, ShardPart,
    expected::{Values, is_set, recursion_values, sum},
};
use crate::{compress::Compressed, contain, core::CoreShardProof};

/// Verifies parts. What it says holds for the part alone: a sound proof of another run of the same program passes, and
/// is found where the parts come together.
#[derive(Default)]
pub(crate) struct Checker(OnceLock<SP1Verifier>);

impl Checker {
    /// Made when it is first asked.
    fn verifier(&self) -> &SP1Verifier {
        self.0.get_or_init(|| SP1Verifier::new(VerifierRecursionVks::default()))
    }

    /// The proof in `part`, if it is one of such a shard of the program with the key.
    pub(crate) fn shard(&self, vk: &SP1VerifyingKey, part: &ShardPart) -> Result<CoreShardProof, PartError> {
        let proof: CoreShardProof = part.decode()?;
        contain::panics(|| {
            let verifier = &self.verifier().core;
            if proof.public_values.len() != PROOF_MAX_NUM_PVS {
                return Err("it has not as many public values as a shard's proof".into());
            }
            let values: &Values = proof.public_values.as_slice().borrow();
            let executes = is_set(values.is_execution_shard);
            let fits = match part.label {
                PartName::Core(number) => {
                    executes && is_set(values.is_first_execution_shard) == (number == 1)
                }
                PartName::Precompile(..) => !executes && values.range() == ShardRange::precompile(),
                PartName::Memory(_) => !executes && values.range() != ShardRange::precompile(),
            };
            if !fits {
                return Err("it is of another kind of shard".into());
            }
            let mut challenger = verifier.challenger();
            vk.vk.observe_into(&mut challenger);
            verifier.verify_shard(&vk.vk, &proof, &mut challenger).map_err(|error| error.to_string())
        })
        .map_err(|reason| PartError::Invalid { part: part.label.into(), reason })?;
        Ok(proof)
    }

    /// Whether the shards, in the order of the plan, are a proof of the run.
    pub(crate) fn core(
        &self,
        vk: &SP1VerifyingKey,
        run: &PlannedRun,
        proof: &SP1CoreProofData,
    ) -> Result<(), String> {
        contain::panics(|| {
            self.verifier().verify(proof, vk).map_err(|error| error.to_string())?;
            let last: &Values = proof.0.last().ok_or("no shard")?.public_values.as_slice().borrow();
            commits(run, &last.committed_value_digest)
        })
    }

    /// The proof in `part`, if it is a recursion proof over as many shards of the program with the key.
    pub(crate) fn folded(&self, vk: &SP1VerifyingKey, part: &FoldedPart) -> Result<Compressed, PartError> {
        let folded: Compressed = part.decode()?;
        contain::panics(|| {
            let (verifier, keys) = (&self.verifier().compress, &self.verifier().recursion_vks);
            let Compressed { vk: recursion_key, proof, vk_merkle_proof } = &folded;
            if proof.public_values.len() != PROOF_MAX_NUM_PVS {
                return Err("it has not as many public values as a recursion proof".into());
            }
            let values = recursion_values(&folded);
            if !is_recursion_public_values_valid(values) || values.vk_root != keys.root() {
                return Err("its public values are not those of a recursion proof".into());
            }
            if !keys.verify(vk_merkle_proof, recursion_key) {
                return Err("its key is none of SP1's".into());
            }
            if values.sp1_vk_digest != vk.hash_koalabear() {
                return Err("it is of another program".into());
            }
            if is_set(values.is_complete) {
                return Err("it is complete: nothing can be added".into());
            }
            if values.num_included_shard.as_canonical_u32() != part.label.len() {
                return Err(format!("it covers {} shards", values.num_included_shard));
            }
            let mut challenger = verifier.challenger();
            recursion_key.observe_into(&mut challenger);
            verifier.verify_shard(recursion_key, proof, &mut challenger).map_err(|error| error.to_string())
        })
        .map_err(|reason| PartError::Invalid { part: part.label.into(), reason })?;
        Ok(folded)
    }

    /// The proof in `part`, if it is a compressed proof of the run.
    pub(crate) fn whole(
        &self,
        vk: &SP1VerifyingKey,
        run: &PlannedRun,
        part: &FoldedPart,
    ) -> Result<Compressed, PartError> {
        let folded: Compressed = part.decode()?;
        contain::panics(|| {
            self.verifier().verify_compressed(&folded, vk).map_err(|error| error.to_string())?;
            commits(run, &recursion_values(&folded).committed_value_digest)
        })
        .map_err(|reason| PartError::Invalid { part: part.label.into(), reason })?;
        Ok(folded)
    }
}

/// Whether recursion proofs follow each other; and where they are of the whole run, whether they prove it.
pub(crate) fn links(run: &PlannedRun, proofs: &[Compressed], whole: bool) -> Result<(), String> {
    let values: Vec<_> = proofs.iter().map(recursion_values).collect();
    for pair in values.windows(2) {
        let [before, after] = [pair[0], pair[1]];
        let follows = before.range().end() == after.range().start()
            && before.next_pc == after.pc_start
            && before.committed_value_digest == after.prev_committed_value_digest
            && before.deferred_proofs_digest == after.prev_deferred_proofs_digest
            && before.commit_syscall == after.prev_commit_syscall
            && before.commit_deferred_syscall == after.prev_commit_deferred_syscall
            && before.exit_code == after.prev_exit_code;
        if !follows {
            return Err("one does not begin where the one before ends".into());
        }
    }
    let Some(last) = values.last().filter(|_| whole) else { return Ok(()) };
    commits(run, &last.committed_value_digest)?;
    let total = sum(values.iter().map(|values| values.global_cumulative_sum));
    if total.is_some_and(|total| total.is_zero()) { Ok(()) } else { Err("sends and receives differ".into()) }
}

/// Whether the digest is that of the public values that are planned.
fn commits(run: &PlannedRun, digest: &[[SP1Field; 4]]) -> Result<(), String> {
    use sha2::{Digest, Sha256};
    let planned = Sha256::digest(&run.plan().public_values);
    let stated = digest.iter().flatten().map(PrimeField32::as_canonical_u32);
    if stated.eq(planned.iter().map(|byte| u32::from(*byte))) {
        return Ok(());
    }
    Err("other public values are committed".into())
}
