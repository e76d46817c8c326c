//! Proofs that another program is to verify: looked at, then verified, one after the other and each by its number.

use std::sync::Arc;

use bytes::Bytes;
use sextant_consensus::{
    Program, StatementError, bundle,
    codec::{self, Blob},
    committee_chain,
};
use sextant_protocol::{BundleRequest, ErrorCode, ProofKind, ServerError, StatementInput, proof::ProofView};
use sha2::{Digest, Sha256};

use super::{Checked, key, unsupported};
use crate::{
    access::Caller,
    blocking::blocking,
    checked::{Expected, Source},
    checks::Checks,
    made::ProofKey,
    memory::Held,
    programs,
    verification::{self, Verification},
};

/// Proofs that are not verified yet.
pub(crate) struct Parts {
    program: Program,
    /// The encoded record of each: slices of `proofs`.
    records: Vec<Bytes>,
    /// All of them, as they came.
    proofs: Bytes,
    /// What the guest is given: their statements.
    input: Vec<u8>,
    public_values: Vec<u8>,
    kind: ProofKind,
    held: Held,
}

impl Parts {
    /// Looks at proofs, as far as they say themselves what they are.
    ///
    /// # Errors
    /// Which of them cannot be bundled, and why.
    pub(super) async fn look(
        program: Program,
        request: BundleRequest,
        held: Held,
    ) -> Result<Self, ServerError> {
        // Of many proofs that takes a while.
        blocking(move || Self::read(program, request, held)).await?
    }

    fn read(program: Program, request: BundleRequest, held: Held) -> Result<Self, ServerError> {
        let BundleRequest { records: proofs, kind, .. } = request;
        if kind == ProofKind::Stark {
            // The zkVM leaves what a guest says of other proofs to the recursion.
            return Err(unsupported(format!("a {program} is a compressed or a groth16 proof, not a stark")));
        }
        let proofs = Bytes::from(proofs);
        let records = BundleRequest::split_records(&proofs)
            .map_err(|error| ServerError::new(ErrorCode::Malformed, error.to_string()))?;
        let mut statements = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            statements.push(look_at_part(record).map_err(|error| of_part(index, error))?);
        }
        let (input, public_values) = joined(program, statements)?;
        Ok(Self { program, records, proofs, input, public_values, kind, held })
    }

    /// Proofs that were verified one by one before they are bundled, encoded records in the order of the bundle.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub(crate) async fn verified(records: &[Bytes], held: Held) -> Result<Checked, ServerError> {
        let records = records.to_vec();
        let parts = blocking(move || {
            let request = BundleRequest {
                records: BundleRequest::joined(&records),
                ..BundleRequest::new(Program::Bundle, &[], ProofKind::Groth16)
            };
            Self::read(Program::Bundle, request, held)
        });
        Ok(parts.await??.checked())
    }

    pub(super) fn key(&self) -> ProofKey {
        key(self.program, Sha256::digest(&self.public_values).into(), self.kind)
    }

    /// Verifies each in the turn of `caller`; `before` has a say ahead of each.
    ///
    /// # Errors
    /// That of `before`, the chain that is not proven here, or which proof does not hold.
    pub(super) async fn check(
        self,
        checks: &Checks,
        verification: &Arc<Verification>,
        caller: &Caller,
        before: impl Fn() -> Result<(), ServerError>,
    ) -> Result<Checked, ServerError> {
        checks.network(self.program, &self.public_values)?;
        for (index, record) in self.records.iter().enumerate() {
            before()?;
            let verified = verification.verify(record.clone(), &caller.identity).await;
            verified.map_err(|error| of_part(index, error))?;
        }
        Ok(self.checked())
    }

    fn checked(self) -> Checked {
        let expected = Expected {
            program: self.program,
            key: self.key(),
            public_values: self.public_values,
            input_digest: [0; 32],
        };
        let input = StatementInput::new(self.program, self.input);
        Checked { source: Source::Proofs { input, proofs: self.proofs }, expected, held: self.held }
    }
}

/// What the guest of `program` is given of the statements, and what it says then.
fn joined(program: Program, statements: Vec<(Program, Vec<u8>)>) -> Result<(Vec<u8>, Vec<u8>), ServerError> {
    match program {
        Program::Chain => {
            let input = committee_chain::Input::of(programs::artifact(program).vk_hash, statements);
            let input = input.map_err(untrue)?;
            let chain = committee_chain::check(&input).map_err(untrue)?;
            Ok((codec::encode(&input), chain.abi_encode()))
        }
        _ => {
            let statements = statements.into_iter().map(|(_, public_values)| Blob(public_values)).collect();
            let input = bundle::Input { statements };
            let bundle = bundle::check(&input).map_err(untrue)?;
            Ok((codec::encode(&input), bundle.abi_encode()))
        }
    }
}

/// The program and the public values of a proof that another may verify, as far as it says itself.
fn look_at_part(record: &[u8]) -> Result<(Program, Vec<u8>), ServerError> {
    let proof: ProofView<'_> = verification::view(record)?;
    if proof.kind != ProofKind::Compressed {
        return Err(unsupported(format!(
            "a {} proof has no place in another: ask for the compressed one of its statement",
            proof.kind
        )));
    }
    verification::check_cheaply(&proof)?;
    let program = proof.program().ok_or_else(|| unsupported(format!("unknown program {}", proof.program)))?;
    Ok((program, proof.public_values.to_vec()))
}

/// The same error, of the proof with this number, from 0.
fn of_part(index: usize, error: ServerError) -> ServerError {
    ServerError { message: format!("proof {index}: {}", error.message), ..error }
}

fn untrue(error: impl Into<StatementError>) -> ServerError {
    ServerError::new(ErrorCode::InvalidStatement, error.into().to_string())
}
