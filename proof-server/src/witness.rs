//! What the guest gets besides the statement input: hints that spare it work it can check more cheaply than do.

use sextant_consensus::{
    Program, StatementError, bls::fast::HintRecorder, codec, committee_change, inclusion,
    public_values::Statement,
};
use sextant_protocol::{ErrorCode, ServerError};

use crate::networks::Networks;

/// A statement that was checked natively, and the hints that came out of checking it.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What a proof will say: its public values.
    pub(crate) public_values: Vec<u8>,
    /// The guest's second input. Untrusted there: every hint is checked.
    pub(crate) hints: Vec<u8>,
}

/// Checks an encoded input of `program` about one of `networks` and records the hints for proving it; blocking,
/// milliseconds. The network comes first: it costs next to nothing.
///
/// # Errors
/// The network that is not proven here, or the rule that is broken.
pub(crate) fn check(program: Program, input: &[u8], networks: &Networks) -> Result<Checked, ServerError> {
    let mut bls = HintRecorder::new();
    let statement = match program {
        Program::CommitteeChange => {
            let input: committee_change::Input = codec::decode(input).map_err(untrue)?;
            networks.check(&input.chain)?;
            Statement::CommitteeChange(committee_change::check(&input, &mut bls).map_err(untrue)?)
        }
        Program::Inclusion => {
            let input: inclusion::Input = codec::decode(input).map_err(untrue)?;
            networks.check(&input.chain)?;
            Statement::Inclusion(inclusion::check(&input, &mut bls).map_err(untrue)?)
        }
        // Without the proofs nothing can be said.
        Program::Bundle | Program::Chain => {
            let message = format!("a {program} is checked with the proofs of its statements");
            return Err(ServerError::new(ErrorCode::Unsupported, message));
        }
    };
    Ok(Checked { public_values: statement.abi_encode(), hints: bls.into_hints() })
}

fn untrue(error: impl Into<StatementError>) -> ServerError {
    ServerError::new(ErrorCode::InvalidStatement, error.into().to_string())
}
