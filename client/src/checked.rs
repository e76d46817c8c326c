//! What a request starts from: a statement input that was found true, or a compressed proof that verifies.

use sextant_consensus::{StatementError, bls::Plain, check_statement, public_values::Statement};
use sextant_protocol::{ProofKind, ProofRecord, StatementInput};
use tokio::task::spawn_blocking;

use crate::verify::{LocalVerifier, VerifyError};

/// A statement input with the public values that every proof of it must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedInput {
    input: StatementInput,
    statement: Statement,
}

/// Why an input is not asked a proof for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// No program of this build has the input's tag.
    #[error("no program has tag {0}")]
    UnknownProgram(u32),
    /// The statement does not hold.
    #[error("the statement does not hold: {0}")]
    Statement(#[from] StatementError),
}

impl CheckedInput {
    /// Checks a statement natively, away from the async threads.
    ///
    /// # Errors
    /// [`CheckError`] names the rule that does not hold.
    pub async fn check(input: StatementInput) -> Result<Self, CheckError> {
        let program = input.program().ok_or(CheckError::UnknownProgram(input.program))?;
        let checked = spawn_blocking(move || {
            let statement = check_statement(program, &input.bytes, &mut Plain)?;
            Ok(Self { input, statement })
        });
        // A panic in there is a fault of ours, with nothing to be salvaged: let it surface.
        checked.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// What a proof of this input says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What is sent, and what must come back.
    pub(crate) fn into_parts(self) -> (StatementInput, Statement) {
        (self.input, self.statement)
    }
}

impl From<CheckedInput> for Statement {
    fn from(checked: CheckedInput) -> Self {
        checked.statement
    }
}

/// A compressed proof that verifies, with the statement that every proof made of it must be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedProof {
    pub(crate) record: ProofRecord,
    pub(crate) statement: Statement,
}

/// Why a proof is not wrapped.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// Only compressed proofs become SNARKs.
    #[error("only a compressed proof can be wrapped, this is a {0} proof")]
    Kind(ProofKind),
    /// It does not verify here.
    #[error("the proof to wrap does not verify: {0}")]
    Verify(#[from] VerifyError),
}

impl CheckedProof {
    /// Verifies a compressed proof against the programs pinned in this build, away from the async threads.
    ///
    /// # Errors
    /// [`WrapError`] says what is wrong with it.
    pub async fn check(record: ProofRecord, verifier: &LocalVerifier) -> Result<Self, WrapError> {
        if record.kind != ProofKind::Compressed {
            return Err(WrapError::Kind(record.kind));
        }
        let (record, statement) = verifier.verify_apart(record).await?;
        Ok(Self { record, statement })
    }

    /// What it proves.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What is sent, and what must come back.
    pub(crate) fn into_parts(self) -> (ProofRecord, Statement) {
        (self.record, self.statement)
    }
}

impl From<CheckedProof> for Statement {
    fn from(checked: CheckedProof) -> Self {
        checked.statement
    }
}
