//! What the engine cannot do.

use sextant_protocol::ProofKind;

use crate::PartError;

/// Why the engine could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ELF does not load.
    #[error("program: {0}")]
    Program(String),
    /// The guest could not be run to its end.
    #[error("execution: {0}")]
    Execution(String),
    /// The guest ended by itself, but not well.
    #[error("the guest ended with exit code {code}: {reason}")]
    ExitCode {
        /// Its exit code.
        code: u32,
        /// What it wrote to stderr.
        reason: String,
    },
    /// The plan is none of this engine's, or not that of the run.
    #[error("plan: {0}")]
    Plan(String),
    /// A part of the proof was refused.
    #[error(transparent)]
    Part(#[from] PartError),
    /// A guest verifies compressed proofs only.
    #[error("proof {index} of those that the guest verifies is not a compressed one")]
    Deferred {
        /// Which one, from 0.
        index: usize,
    },
    /// This engine does not make that kind of proof.
    #[error("this worker does not make {0} proofs")]
    Kind(ProofKind),
    /// SP1 gave up.
    #[error("prover: {0:#}")]
    Prover(anyhow::Error),
}
