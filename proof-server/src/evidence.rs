//! What a request brings for its proof to be made from: a statement's input, a compressed proof that becomes a SNARK, or
//! several that become one.
//!
//! Either is looked at first, which costs next to nothing, and then checked: an input natively, a proof by the verification
//! worker. Only a [`Source`] gets to a prover.

pub(crate) mod parts;

use std::sync::Arc;

use bytes::Bytes;
use sextant_consensus::Program;
use sextant_protocol::{
    BundleRequest, ErrorCode, ProofKind, ProveRequest, ServerError, WrapRequest, proof::ProofView,
};
use sextant_verifier::rules::proven_by;
use sha2::{Digest, Sha256};

use crate::{
    access::Caller,
    blocking::blocking,
    checked::{Expected, Source},
    checks::{Asked, Checks},
    made::ProofKey,
    memory::Held,
    programs,
    verification::{self, Verification},
};

/// A request for a proof, as it came.
pub(crate) enum Brought {
    /// A statement's input.
    Statement(ProveRequest),
    /// A compressed proof.
    Compressed(WrapRequest),
    /// Compressed proofs for another program to verify.
    Parts(BundleRequest),
}

/// What was brought, once it makes sense.
pub(crate) enum Evidence {
    Statement(Asked),
    Compressed(Compressed),
    Parts(parts::Parts),
}

/// A compressed proof that is not verified yet.
pub(crate) struct Compressed {
    program: Program,
    record: Bytes,
    kind: ProofKind,
    public_values: Vec<u8>,
    held: Held,
}

/// A request that a prover may have.
pub(crate) struct Checked {
    pub(crate) source: Source,
    pub(crate) expected: Expected,
    /// The memory that it takes.
    pub(crate) held: Held,
}

impl Brought {
    /// The program whose proof is wanted.
    ///
    /// # Errors
    /// There is no such program, or no record that says one.
    pub(crate) fn program(&self) -> Result<Program, ServerError> {
        let (tag, program) = match self {
            Self::Parts(request) => {
                let program = Program::from_tag(request.program);
                (request.program, program.filter(|program| Program::OF_PROOFS.contains(program)))
            }
            Self::Statement(request) => (request.input.program, request.input.program()),
            Self::Compressed(request) => {
                let proof = verification::view(&request.record)?;
                (proof.program, proof.program())
            }
        };
        program.ok_or_else(|| unsupported(format!("no program that takes this has the tag {tag}")))
    }

    /// The form of proof wanted.
    pub(crate) const fn kind(&self) -> ProofKind {
        match self {
            Self::Statement(request) => request.kind,
            Self::Compressed(request) => request.kind,
            Self::Parts(request) => request.kind,
        }
    }

    /// The client's deadline, milliseconds; 0 for none.
    pub(crate) const fn deadline_ms(&self) -> u64 {
        match self {
            Self::Statement(request) => request.deadline_ms,
            Self::Compressed(request) => request.deadline_ms,
            Self::Parts(request) => request.deadline_ms,
        }
    }
}

impl Evidence {
    /// Looks at what was brought for `program`; an input may have `max_input` bytes.
    ///
    /// # Errors
    /// What can be told without work.
    pub(crate) async fn look(
        program: Program,
        brought: Brought,
        max_input: usize,
        held: Held,
    ) -> Result<Self, ServerError> {
        match brought {
            Brought::Statement(request) => {
                look_at_input(program, &request, max_input)?;
                // Of a large input that takes a while.
                blocking(move || {
                    let digest = request.input.digest();
                    Self::Statement(Asked { program, request, digest, held })
                })
                .await
            }
            Brought::Compressed(request) => {
                let public_values = look_at_proof(&request)?;
                let (record, kind) = (request.record.into(), request.kind);
                Ok(Self::Compressed(Compressed { program, record, kind, public_values, held }))
            }
            Brought::Parts(request) => {
                is_pinned(program, request.vk_hash)?;
                parts::Parts::look(program, request, held).await.map(Self::Parts)
            }
        }
    }

    /// The digest of the input, if there is one.
    pub(crate) const fn input_digest(&self) -> Option<[u8; 32]> {
        match self {
            Self::Statement(asked) => Some(asked.digest),
            Self::Compressed(_) | Self::Parts(_) => None,
        }
    }

    /// The proof that it is evidence for, if that is known before it is checked.
    pub(crate) fn recall(&self, checks: &Checks) -> Option<ProofKey> {
        match self {
            Self::Statement(asked) => {
                Some(key(asked.program, checks.recall(&asked.digest)?, asked.request.kind))
            }
            // Whoever names the public values may have a proof of them that is there, whatever this one is.
            Self::Compressed(proof) => Some(proof.key()),
            Self::Parts(parts) => Some(parts.key()),
        }
    }

    /// Checks it in the turn of `caller`; `before` has a say where that is work. Safe to drop half-way.
    ///
    /// # Errors
    /// That of `before`, or what is wrong.
    pub(crate) async fn check(
        self,
        checks: &Checks,
        verification: &Arc<Verification>,
        caller: &Caller,
        before: impl Fn() -> Result<(), ServerError>,
    ) -> Result<Checked, ServerError> {
        match self {
            Self::Statement(asked) => {
                let (asked, known) = checks.check(asked, caller, before).await?;
                let Asked { program, request, digest, held } = asked;
                let expected = Expected {
                    program,
                    key: key(program, known.statement, request.kind),
                    public_values: known.checked.public_values.clone(),
                    input_digest: digest,
                };
                let source = Source::Statement { input: request.input, checked: known.checked };
                Ok(Checked { source, expected, held })
            }
            Self::Compressed(proof) => {
                checks.network(proof.program, &proof.public_values)?;
                before()?;
                verification.verify(proof.record.clone(), &caller.identity).await?;
                let expected = Expected {
                    program: proof.program,
                    key: proof.key(),
                    public_values: proof.public_values,
                    input_digest: [0; 32],
                };
                Ok(Checked { source: Source::Compressed(proof.record), expected, held: proof.held })
            }
            Self::Parts(parts) => parts.check(checks, verification, caller, before).await,
        }
    }
}

impl Compressed {
    fn key(&self) -> ProofKey {
        key(self.program, Sha256::digest(&self.public_values).into(), self.kind)
    }
}

/// What names the proof of a kind of what `program` states.
pub(crate) fn key(program: Program, statement: [u8; 32], kind: ProofKind) -> ProofKey {
    ProofKey { vk_hash: programs::artifact(proven_by(kind, program)).vk_hash, statement, kind }
}

fn look_at_input(program: Program, request: &ProveRequest, limit: usize) -> Result<(), ServerError> {
    if Program::OF_PROOFS.contains(&program) {
        return Err(unsupported(format!(
            "a {program} is asked for with the proofs of its statements, not with an input"
        )));
    }
    is_pinned(program, request.vk_hash)?;
    let got = request.input.bytes.len();
    if got > limit {
        let message = format!("statement input of {got} bytes exceeds the limit of {limit}");
        return Err(ServerError::new(ErrorCode::TooLarge, message));
    }
    Ok(())
}

/// Refuses what has to be of another build of `program`.
fn is_pinned(program: Program, wanted: Option<[u8; 32]>) -> Result<(), ServerError> {
    let pinned = programs::artifact(program).vk_hash;
    match wanted.filter(|wanted| *wanted != pinned) {
        None => Ok(()),
        Some(wanted) => {
            let (got, wanted) = (hex::encode(pinned), hex::encode(wanted));
            Err(unsupported(format!("{} is 0x{got} here, not 0x{wanted}", programs::name(program))))
        }
    }
}

/// The public values of a proof that may become a SNARK, as far as it says itself.
fn look_at_proof(request: &WrapRequest) -> Result<Vec<u8>, ServerError> {
    let proof: ProofView<'_> = verification::view(&request.record)?;
    if proof.kind != ProofKind::Compressed {
        return Err(unsupported(format!(
            "a compressed proof can be wrapped, this is a {} proof",
            proof.kind
        )));
    }
    if !matches!(request.kind, ProofKind::Groth16 | ProofKind::Plonk) {
        return Err(unsupported(format!("wrapping makes proofs for contracts, not {} proofs", request.kind)));
    }
    verification::check_cheaply(&proof)?;
    Ok(proof.public_values.to_vec())
}

fn unsupported(message: String) -> ServerError {
    ServerError::new(ErrorCode::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use sextant_protocol::{ProofRecord, encoding, proof::Circuits};

    use super::*;

    /// What a record says itself names the job that it is kept under, be it by another program than the statement's.
    #[test]
    fn a_place_in_a_bundle_is_named_by_the_program_that_proves_it() {
        let (change, bundle) = (Program::CommitteeChange, Program::Bundle);
        let snark = ProofRecord {
            program: bundle.tag(),
            kind: ProofKind::Groth16,
            circuits: Circuits::Release,
            circuit_version: String::new(),
            vk_hash: programs::artifact(bundle).vk_hash,
            public_values: vec![1],
            proof: vec![2],
        };
        let record = encoding::encode(&ProofRecord::in_bundle(change, vec![3], 0, &snark));
        let statement = Sha256::digest([3]).into();
        let named = key(change, statement, ProofKind::Bundled);
        assert_eq!(ProofKey::of(&ProofView::of(&record).unwrap()), named);
        assert_eq!(key(change, statement, ProofKind::Groth16).vk_hash, programs::artifact(change).vk_hash);
    }
}
