//! The checks of a proof record, cheap ones first.

use sextant_artifacts::{Artifact, BUNDLE, CHAIN, CIRCUIT_VERSION, COMMITTEE_CHANGE, INCLUSION};
use sextant_consensus::{Program, public_values::Statement};
use sextant_protocol::{
    ProofKind, ProofRecord,
    proof::{Circuits, MAX_RECORD},
};
use sextant_snark_verifier::{release_key, verify_groth16};

use crate::VerifyError;

/// Largest engine proof that is decoded, bytes. Whatever a record may hold: a STARK has some 1.6 MB a shard, and over many
/// handovers many shards.
pub const MAX_PROOF: usize = MAX_RECORD;

/// A record whose words are all as they must be; whether its proof holds is still to be seen.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// The program that it claims, which is one of ours.
    pub program: Program,
    /// The record.
    pub record: &'a ProofRecord,
    /// Verifying key of the circuits that a SNARK has to be by.
    circuit_key: &'a [u8],
}

impl Checked<'_> {
    /// Verifies the proof of a SNARK's record.
    ///
    /// # Errors
    /// [`VerifyError::Snark`].
    pub fn verify_snark<E: std::error::Error + 'static>(&self) -> Result<(), VerifyError<E>> {
        let Self { program, record, circuit_key } = self;
        let vk_hash = pinned_vk_hash(*program);
        Ok(verify_groth16(&record.proof, &record.public_values, &vk_hash, circuit_key)?)
    }
}

/// Checks everything about `record` but the proof in it, which `verify` does, and returns the statement that it proves.
/// SNARKs by development circuits pass only with the verifying key of those.
///
/// # Errors
/// [`VerifyError`] names the first thing that is wrong.
pub fn check<E: std::error::Error + 'static>(
    record: &ProofRecord,
    development_key: Option<&[u8]>,
    verify: impl FnOnce(Checked<'_>) -> Result<(), VerifyError<E>>,
) -> Result<Statement, VerifyError<E>> {
    let program = record.program().ok_or(VerifyError::UnknownProgram(record.program))?;
    let pinned = pinned_vk_hash(program);
    if record.vk_hash != pinned {
        return Err(VerifyError::WrongKey { program, pinned, got: record.vk_hash });
    }
    if record.circuit_version != CIRCUIT_VERSION {
        return Err(VerifyError::CircuitVersion {
            expected: CIRCUIT_VERSION,
            got: record.circuit_version.chars().take(32).collect(),
        });
    }
    let circuit_key = match (record.kind, record.circuits, development_key) {
        (ProofKind::Plonk, ..) => return Err(VerifyError::Unsupported(record.kind)),
        (_, Circuits::Release, _) => release_key(),
        (ProofKind::Groth16, Circuits::Development, Some(key)) => key,
        (_, Circuits::Development, _) => return Err(VerifyError::DevelopmentCircuits),
    };
    // Before the proof: it costs nothing, and an honest proof always has well-formed values.
    let statement =
        Statement::abi_decode(program, &record.public_values).map_err(VerifyError::PublicValues)?;
    // A program cannot pin its own key: it says by which one all that came before was proven.
    if let Statement::Chain(chain) = &statement
        && chain.program_key != pinned
    {
        return Err(VerifyError::OtherPredecessor { pinned, got: chain.program_key });
    }
    verify(Checked { program, record, circuit_key })?;
    Ok(statement)
}

/// Hash of the one verifying key of `program` that this build accepts.
pub fn pinned_vk_hash(program: Program) -> [u8; 32] {
    artifact(program).vk_hash
}

/// The program as it is pinned.
pub fn artifact(program: Program) -> Artifact {
    match program {
        Program::CommitteeChange => COMMITTEE_CHANGE,
        Program::Inclusion => INCLUSION,
        Program::Bundle => BUNDLE,
        Program::Chain => CHAIN,
    }
}
