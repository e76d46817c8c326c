//! From compressed proofs that somebody has to one proof that all of them hold.

use std::time::Duration;

use sextant_consensus::{
    Program,
    bundle::{self, BundleError, Input},
    codec::Blob,
    public_values::Statement,
};
use sextant_protocol::{BundleRequest, ProofKind, ProofRecord, Request, message::BUNDLE};
use sextant_verifier::pinned_vk_hash;

use crate::{
    Client, ClientError, NotOffered, Proving, Submitted,
    checked::{CheckedProof, WrapError},
    proving::{Asked, milliseconds},
    verify::LocalVerifier,
};

/// Compressed proofs that verify, with the statement that their bundle must be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBundle {
    proofs: Vec<ProofRecord>,
    statement: Statement,
}

/// Why proofs are not bundled.
#[derive(Debug, thiserror::Error)]
pub enum BundlingError {
    /// One of them is none that can be.
    #[error("proof {index}: {error}")]
    Proof {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: WrapError,
    },
    /// Their statements do not go together.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl CheckedBundle {
    /// Verifies compressed proofs against the programs pinned in this build, one after the other.
    ///
    /// # Errors
    /// [`BundlingError`] names the proof and what is wrong with it.
    pub async fn check(proofs: Vec<ProofRecord>, verifier: &LocalVerifier) -> Result<Self, BundlingError> {
        let blob = |proof: &ProofRecord| Blob(proof.public_values.clone());
        let statement = bundle::check(&Input { statements: proofs.iter().map(blob).collect() })?;
        let mut checked = Vec::with_capacity(proofs.len());
        for (index, proof) in proofs.into_iter().enumerate() {
            let verified = CheckedProof::check(proof, verifier).await;
            checked.push(verified.map_err(|error| BundlingError::Proof { index, error })?.record);
        }
        Ok(Self { proofs: checked, statement: Statement::Bundle(statement) })
    }

    /// What a proof of this bundle says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

impl From<CheckedBundle> for Statement {
    fn from(checked: CheckedBundle) -> Self {
        checked.statement
    }
}

impl Client {
    /// Asks for one proof of a bundle's proofs; what comes back must be of just their statements, in their order.
    ///
    /// `deadline` as in [`Self::prove`].
    ///
    /// # Errors
    /// [`ClientError::NotOffered`] if the server does not know how, or the connection is already gone. Everything else
    /// comes out of [`Proving::finish`].
    pub fn bundle(
        &self,
        checked: CheckedBundle,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Proving, ClientError> {
        let (request, asked) = self.bundle_request(checked, kind, deadline)?;
        Ok(Proving::start(&self.link, self.dialer.clone(), Request::Bundle(request), asked, deadline)?)
    }

    /// [`Self::bundle`] for somebody who will come back for it.
    ///
    /// # Errors
    /// [`ClientError::Server`] if it is not taken on, [`ClientError::NotOffered`] if the server does not know how.
    pub async fn submit_bundle(
        &self,
        checked: CheckedBundle,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<Submitted, ClientError> {
        let (request, _) = self.bundle_request(checked, kind, deadline)?;
        self.submitted(Request::SubmitBundle(request)).await
    }

    /// What is sent to a server that knows the request, and what must come back.
    fn bundle_request(
        &self,
        checked: CheckedBundle,
        kind: ProofKind,
        deadline: Option<Duration>,
    ) -> Result<(BundleRequest, Asked), NotOffered> {
        if !self.link.capabilities().iter().any(|capability| capability == BUNDLE) {
            return Err(NotOffered::Bundling);
        }
        let CheckedBundle { proofs, statement: expected } = checked;
        let program = Program::Bundle;
        let request = BundleRequest {
            deadline_ms: milliseconds(deadline),
            // A server with another build of the program says so at once.
            vk_hash: Some(pinned_vk_hash(program)),
            ..BundleRequest::new(&proofs, kind)
        };
        Ok((request, Asked { program, kind, expected }))
    }
}
