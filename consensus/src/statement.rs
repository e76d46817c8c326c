//! One way in for hosts: an encoded input of any program, decoded and checked.

use alloc::vec::Vec;

use crate::bls::AggregateVerifier;
#[cfg(not(target_os = "zkvm"))]
use crate::bls::fast::HintRecorder;
#[cfg(feature = "recursion")]
use crate::bundle::{self, BundleError};
use crate::codec::{self, DecodeError};
#[cfg(feature = "chain")]
use crate::committee_chain::{self, CommitteeChainError};
use crate::committee_change::{self, CommitteeChangeError};
use crate::inclusion::{self, InclusionError};
use crate::program::Program;
use crate::public_values::Statement;

/// Why a statement is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The bytes are not an input of the program.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A committee change breaks a rule.
    #[error("committee change: {0}")]
    CommitteeChange(#[from] CommitteeChangeError),
    /// An inclusion breaks a rule.
    #[error("inclusion: {0}")]
    Inclusion(#[from] InclusionError),
    /// Statements cannot be bundled.
    #[cfg(feature = "recursion")]
    #[error("bundle: {0}")]
    Bundle(#[from] BundleError),
    /// A chain is not extended.
    #[cfg(feature = "chain")]
    #[error("chain: {0}")]
    Chain(#[from] CommitteeChainError),
}

/// Decodes and checks an input of `program`: what the guest does, natively. That the statements are proven that
/// one is about is not seen here: their proofs are no part of its input.
///
/// # Errors
/// [`StatementError`] names the field that does not decode or the rule that is broken.
pub fn check_statement(
    program: Program,
    input: &[u8],
    bls: &mut impl AggregateVerifier,
) -> Result<Statement, StatementError> {
    Ok(match program {
        Program::CommitteeChange => {
            let input: committee_change::Input = codec::decode(input)?;
            Statement::CommitteeChange(committee_change::check(&input, bls)?)
        }
        Program::Inclusion => {
            let input: inclusion::Input = codec::decode(input)?;
            Statement::Inclusion(inclusion::check(&input, bls)?)
        }
        #[cfg(feature = "recursion")]
        Program::Bundle => {
            let input: bundle::Input = codec::decode(input)?;
            Statement::Bundle(bundle::check(&input)?)
        }
        #[cfg(feature = "chain")]
        Program::Chain => {
            let input: committee_chain::Input = codec::decode(input)?;
            Statement::Chain(committee_chain::check(&input)?)
        }
    })
}

/// Checks a statement natively as [`check_statement`] does, and makes the hints that its guest wants as second buffer.
///
/// # Errors
/// [`StatementError`], as the guest would refuse it.
#[cfg(not(target_os = "zkvm"))]
pub fn check_with_hints(program: Program, input: &[u8]) -> Result<(Statement, Vec<u8>), StatementError> {
    let mut recorder = HintRecorder::new();
    let statement = check_statement(program, input, &mut recorder)?;
    Ok((statement, recorder.into_hints()))
}
