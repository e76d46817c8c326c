//! Statement 3: other statements are proven, each by its own program.
//!
//! The guest takes what the statements say and has the zkVM verify a proof of each: by the program's pinned key, of these
//! very public values. What it commits names them by their hashes, in order. Whoever has a statement finds it there.

use alloc::vec::Vec;

use crate::abi::{AbiError, Reader};
use crate::codec::{Blob, record};
use crate::hash::Root;
use crate::program::Program;
use crate::public_values::{Bundle, Bundled, VERSION};

/// Most statements in a bundle: a bound for whoever has to hold all of their proofs.
pub const MAX_STATEMENTS: usize = 64;

record! {
    /// The statements. Their proofs are not among this: the zkVM has them.
    pub struct Input {
        /// Public values of each, in the order in which they are bundled.
        pub statements: Vec<Blob>,
    }
}

/// Why statements are not bundled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Nothing is asked.
    #[error("no statement: a bundle has at least one")]
    Empty,
    /// Too much is asked.
    #[error("{got} statements, a bundle has {MAX_STATEMENTS} at most")]
    TooMany {
        /// How many.
        got: usize,
    },
    /// One cannot be bundled.
    #[error("statement {index}: {error}")]
    Statement {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: BundledError,
    },
}

/// Why one statement cannot be in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundledError {
    /// It does not begin as a statement of this version does.
    #[error(transparent)]
    PublicValues(#[from] AbiError),
    /// It is of a program that is not bundled.
    #[error("it is of program {0}, which is not bundled")]
    Program(u32),
    /// It is about another chain than the first.
    #[error("it is about another chain than the first")]
    OtherChain,
}

/// What a bundle of these statements commits. It is true if each of its parts is proven, which is for the caller to see
/// to: a guest by the zkVM, a server by verifying the proofs that it was given.
///
/// # Errors
/// [`BundleError`] names the statement and the rule.
pub fn check(input: &Input) -> Result<Bundle, BundleError> {
    let count = input.statements.len();
    if count > MAX_STATEMENTS {
        return Err(BundleError::TooMany { got: count });
    }
    let (mut chain, mut parts) = (None, Vec::with_capacity(count));
    for (index, statement) in input.statements.iter().enumerate() {
        let within = |error| BundleError::Statement { index, error };
        let (program, its_chain) = beginning(statement).map_err(within)?;
        if *chain.get_or_insert(its_chain) != its_chain {
            return Err(within(BundledError::OtherChain));
        }
        parts.push(Bundled::of(program, statement));
    }
    Ok(Bundle { chain_digest: chain.ok_or(BundleError::Empty)?, parts })
}

/// Whose statement it is and about which chain, by its first words. That the rest is as it should be, its proof says.
fn beginning(public_values: &[u8]) -> Result<(Program, Root), BundledError> {
    let mut reader = Reader::new(public_values)?;
    reader.expect("offset", 32)?;
    reader.expect("version", VERSION)?;
    let tag = reader.u32("program")?;
    let program = Program::from_tag(tag).filter(|program| Program::OF_CHAINS.contains(program));
    Ok((program.ok_or(BundledError::Program(tag))?, reader.word()?))
}
