//! What a record says, before anything is verified.

use sextant_consensus::{
    AbiError,
    public_values::{Statement, VERSION},
};
use sextant_protocol::ProofRecord;

/// Why what a record says cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// The program tag is none that is known.
    #[error("unknown program tag {0}")]
    Program(u32),
    /// Another version of the layout.
    #[error("public values of version {0}, this build reads version {VERSION}: made for another release")]
    Version(u64),
    /// Of the right version, and yet no statement of the program. The reason names the public values itself.
    #[error("{0}")]
    Malformed(AbiError),
}

/// What a record says, taken at its word: whether its proof holds is not looked at.
///
/// # Errors
/// [`ValuesError`].
pub fn claimed(record: &ProofRecord) -> Result<Statement, ValuesError> {
    let program = record.program().ok_or(ValuesError::Program(record.program))?;
    check_version(record)?;
    Statement::abi_decode(program, &record.public_values).map_err(ValuesError::Malformed)
}

/// Refuses another version than [`VERSION`], which every layout has in the same word: the second one, behind the offset of
/// the structure.
///
/// # Errors
/// [`ValuesError::Version`].
pub fn check_version(record: &ProofRecord) -> Result<(), ValuesError> {
    match record.public_values.get(32..64).and_then(|word| word.split_last_chunk::<8>()) {
        Some((front, version)) if front.iter().all(|byte| *byte == 0) => match u64::from_be_bytes(*version) {
            VERSION => Ok(()),
            other => Err(ValuesError::Version(other)),
        },
        // No version at all: for the decoder to say.
        _ => Ok(()),
    }
}
