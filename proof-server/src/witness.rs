//! What the guest gets besides the statement input: hints that spare it work it can check more cheaply than do.

use sextant_consensus::{Program, StatementError, check_with_hints, public_values::Statement};

/// A statement that was checked natively, and the hints that came out of checking it.
pub(crate) struct Checked {
    /// What a proof will say.
    pub(crate) statement: Statement,
    /// The guest's second input. Untrusted there: every hint is checked.
    pub(crate) hints: Vec<u8>,
}

/// Checks an encoded input of `program` and records the hints for proving it; blocking, milliseconds.
///
/// # Errors
/// The rule that is broken.
pub(crate) fn check(program: Program, input: &[u8]) -> Result<Checked, StatementError> {
    let (statement, hints) = check_with_hints(program, input)?;
    Ok(Checked { statement, hints })
}
