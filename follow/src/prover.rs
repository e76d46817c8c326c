//! Who makes proofs.

use std::{future::Future, time::Duration};

use sextant_consensus::public_values::Statement;
use sextant_protocol::{ProofKind, ProofRecord, StatementInput, request::ProvingCost};

/// A proof that has been verified, and what it says.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The proof.
    pub record: ProofRecord,
    /// What it proves.
    pub statement: Statement,
    /// What making it took, as the maker says.
    pub cost: ProvingCost,
}

/// Why there is no proof.
#[derive(Clone, Debug, Default, thiserror::Error)]
#[error("{message}")]
pub struct ProverError {
    /// One line.
    pub message: String,
    /// The earliest time to ask again, where the prover says one.
    pub retry_after: Option<Duration>,
    /// Whether it is about what the prover is and what it is asked for, not about now: until somebody changes one of the
    /// two, it says the same each time.
    pub stands: bool,
}

/// Makes proofs, or has them made, and verifies them.
pub trait Prover: Send + Sync {
    /// A proof of `input`. The implementation verifies it before it gives it out: nothing unverified is ever recorded.
    fn prove(
        &self,
        input: StatementInput,
        kind: ProofKind,
    ) -> impl Future<Output = Result<Proven, ProverError>> + Send;

    /// One proof in this form that these compressed ones hold, in this order; verified like any other.
    fn bundle_of(
        &self,
        proofs: Vec<ProofRecord>,
        kind: ProofKind,
    ) -> impl Future<Output = Result<Proven, ProverError>> + Send;

    /// The compressed proof of a chain of committees that these compressed ones come to: that of the chain so far, if there is
    /// one, and those of the committee changes that follow; verified like any other.
    fn chain_of(&self, proofs: Vec<ProofRecord>) -> impl Future<Output = Result<Proven, ProverError>> + Send;

    /// The Groth16 proof of a compressed one; verified like any other.
    fn snark_of(&self, proof: ProofRecord) -> impl Future<Output = Result<Proven, ProverError>> + Send;

    /// Verifies a proof that was found on disk, and says what it proves.
    fn verify(&self, record: ProofRecord) -> impl Future<Output = Result<Statement, ProverError>> + Send;
}
