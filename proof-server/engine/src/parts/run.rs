//! A run with its plan: what every machine that proves a part of it is given.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sp1_core_executor::Program;
use sp1_verifier::SP1Proof;

use crate::{EngineError, Plan, compress::Compressed, cutting};

/// A program, its inputs, and the plan of the proof.
#[derive(Clone)]
pub struct PlannedRun {
    pub(crate) program: Arc<Program>,
    pub(crate) inputs: Arc<[Vec<u8>]>,
    pub(crate) plan: Arc<Plan>,
    /// Compressed proofs that the guest verifies, in the order in which it does.
    pub(crate) proofs: Arc<[Compressed]>,
    origin: Origin,
}

impl PlannedRun {
    /// The run of `elf` on `inputs`, to be proven as `plan` says, wherever that was made.
    ///
    /// # Errors
    /// [`EngineError::Program`] if the ELF does not load, [`EngineError::Plan`] if the plan is none that this engine
    /// makes. Whether it is the plan of this run, proving finds.
    pub fn new(elf: &[u8], inputs: Vec<Vec<u8>>, plan: Plan) -> Result<Self, EngineError> {
        plan.check()?;
        let origin = Origin::of(elf, &inputs, &plan);
        let program = cutting::program(elf)?;
        Ok(Self { program, inputs: inputs.into(), plan: plan.into(), proofs: Arc::new([]), origin })
    }

    /// The same run of a guest that verifies `proofs`, in this order. They hold: nothing here looks. Its proof is made at
    /// once, and not in parts.
    ///
    /// # Errors
    /// [`EngineError::Deferred`] if one is no compressed proof.
    pub fn verifying(mut self, proofs: Vec<SP1Proof>) -> Result<Self, EngineError> {
        let compressed = |(index, proof)| match proof {
            SP1Proof::Compressed(proof) => Ok(*proof),
            _ => Err(EngineError::Deferred { index }),
        };
        self.proofs = proofs.into_iter().enumerate().map(compressed).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What each of its parts says that it belongs to.
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

impl fmt::Debug for PlannedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedRun").field("plan", &self.plan).field("origin", &self.origin).finish()
    }
}

/// What a part belongs to: SHA-256 digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Of the program's ELF.
    pub program: [u8; 32],
    /// Of the inputs: of each its length, 8 bytes little endian, and its bytes.
    pub input: [u8; 32],
    /// Of the plan: where the run is cut, the names of the shards, the cycles and the public values.
    pub plan: [u8; 32],
}

impl Origin {
    fn of(elf: &[u8], inputs: &[Vec<u8>], plan: &Plan) -> Self {
        let mut input = Sha256::new();
        for bytes in inputs {
            input.update((bytes.len() as u64).to_le_bytes());
            input.update(bytes);
        }
        let plan = bincode::serialize(plan).expect("a plan is numbers, names and bytes");
        Self {
            program: Sha256::digest(elf).into(),
            input: input.finalize().into(),
            plan: Sha256::digest(plan).into(),
        }
    }
}
