//! A statement input that was found true: what a prove request starts from.

use sextant_consensus::{StatementError, bls::Plain, check_statement, public_values::Statement};
use sextant_protocol::StatementInput;
use tokio::task::spawn_blocking;

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
