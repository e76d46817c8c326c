//! The checks of a proof record, cheap ones first.

use sextant_artifacts::{Artifact, BUNDLE, CHAIN, CIRCUIT_VERSION, COMMITTEE_CHANGE, INCLUSION};
use sextant_consensus::{Program, public_values::Statement};
use sextant_protocol::{
    ProofKind, ProofRecord,
    proof::{Circuits, MAX_RECORD},
};
use sextant_snark_verifier::{release_key, verify_groth16};

use crate::{VerifyError, place};

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
    /// What its SNARK is a proof of, if it is one: these public values, by the program with this key.
    pub(crate) snark: Snark<'a>,
    /// Verifying key of the circuits that a SNARK has to be by.
    circuit_key: &'a [u8],
}

/// A SNARK, and what it says: the record's own statement, or a bundle in which that has a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snark<'a> {
    pub(crate) program: Program,
    pub(crate) public_values: &'a [u8],
    pub(crate) proof: &'a [u8],
}

impl Checked<'_> {
    /// Verifies the proof of a SNARK's record, or of a bundle's in which the record's statement has its place.
    ///
    /// # Errors
    /// [`VerifyError::Snark`].
    pub fn verify_snark<E: std::error::Error + 'static>(&self) -> Result<(), VerifyError<E>> {
        let Snark { program, public_values, proof } = self.snark;
        Ok(verify_groth16(proof, public_values, &pinned_vk_hash(program), self.circuit_key)?)
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
    let prover = proven_by(record.kind, program);
    let pinned = pinned_vk_hash(prover);
    if record.vk_hash != pinned {
        return Err(VerifyError::WrongKey { program: prover, pinned, got: record.vk_hash });
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
        (ProofKind::Groth16 | ProofKind::Bundled, Circuits::Development, Some(key)) => key,
        (_, Circuits::Development, _) => return Err(VerifyError::DevelopmentCircuits),
    };
    // Before the proof: it costs nothing, and an honest proof always has well-formed values.
    let statement =
        Statement::abi_decode(program, &record.public_values).map_err(VerifyError::PublicValues)?;
    // A program cannot pin its own key: it says by which one all that came before was proven.
    if let Statement::Chain(chain) = &statement
        && chain.program_key != pinned_vk_hash(program)
    {
        return Err(VerifyError::OtherPredecessor {
            pinned: pinned_vk_hash(program),
            got: chain.program_key,
        });
    }
    let (public_values, proof) = match record.kind {
        ProofKind::Bundled => {
            let place = place::check(record, program, &statement)?;
            (place.public_values, place.proof)
        }
        _ => (&*record.public_values, &*record.proof),
    };
    let snark = Snark { program: prover, public_values, proof };
    verify(Checked { program, record, snark, circuit_key })?;
    Ok(statement)
}

/// The program by whose key a proof of this kind is verified that says a statement of `program`: its own, or of a place in a
/// bundle the bundle program.
pub fn proven_by(kind: ProofKind, program: Program) -> Program {
    match kind {
        ProofKind::Bundled => Program::Bundle,
        _ => program,
    }
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
