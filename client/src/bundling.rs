//! From compressed proofs that somebody has to one proof that all of them hold: a bundle of any, or a chain of committee
//! changes.

use std::time::Duration;

use sextant_consensus::{
    Program,
    bundle::{self, BundleError, Input},
    codec::Blob,
    committee_chain::{self, CommitteeChainError},
    public_values::Statement,
};
use sextant_protocol::{
    BundleRequest, ProofKind, ProofRecord, Request,
    message::{BUNDLE, CHAIN},
};
use sextant_verifier::{pinned_vk_hash, rules::ValuesError};

use crate::{
    Client, ClientError, NotOffered, Proving, Submitted,
    checked::{CheckedProof, WrapError},
    proving::{Asked, milliseconds},
    verify::LocalVerifier,
};

/// Compressed proofs that verify, with the statement that the one proof of them must be of.
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
    /// Their statements do not lead from one to the next.
    #[error("{error}")]
    Chain {
        /// Which of the proofs is at fault, from 0, if it is one of them.
        index: Option<usize>,
        /// Why.
        error: CommitteeChainError,
    },
}

impl BundlingError {
    /// Which of the proofs is at fault, from 0, if it is one of them.
    pub fn index(&self) -> Option<usize> {
        match self {
            Self::Proof { index, .. } | Self::Bundle(BundleError::Statement { index, .. }) => Some(*index),
            Self::Chain { index, .. } => *index,
            Self::Bundle(_) => None,
        }
    }
}

impl CheckedBundle {
    /// Verifies compressed proofs that become a bundle, one after the other, against the programs pinned in this build.
    ///
    /// # Errors
    /// [`BundlingError`] names the proof and what is wrong with it.
    pub async fn check(proofs: Vec<ProofRecord>, verifier: &LocalVerifier) -> Result<Self, BundlingError> {
        let blob = |proof: &ProofRecord| Blob(proof.public_values.clone());
        let statement = bundle::check(&Input { statements: proofs.iter().map(blob).collect() })?;
        Self::verified(proofs, Statement::Bundle(statement), verifier).await
    }

    /// Verifies compressed proofs that become a chain of committees: that of the chain so far, where there is one, and those
    /// of the committee changes that follow, in order.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn chain(proofs: Vec<ProofRecord>, verifier: &LocalVerifier) -> Result<Self, BundlingError> {
        let mut statements = Vec::with_capacity(proofs.len());
        for (index, proof) in proofs.iter().enumerate() {
            let unknown = || WrapError::Verify(ValuesError::Program(proof.program).into());
            let program = proof.program().ok_or_else(|| BundlingError::Proof { index, error: unknown() })?;
            statements.push((program, proof.public_values.clone()));
        }
        // Changes are counted behind the chain that they extend.
        let before = usize::from(statements.first().is_some_and(|(program, _)| *program == Program::Chain));
        let at_fault = |error: CommitteeChainError| {
            let index = match &error {
                CommitteeChainError::Program { index, .. } => Some(*index),
                CommitteeChainError::Change { index, .. } => Some(before + index),
                CommitteeChainError::Predecessor(_) | CommitteeChainError::OtherProgram => Some(0),
                _ => None,
            };
            BundlingError::Chain { index, error }
        };
        let input =
            committee_chain::Input::of(pinned_vk_hash(Program::Chain), statements).map_err(at_fault)?;
        let statement = Statement::Chain(committee_chain::check(&input).map_err(at_fault)?);
        Self::verified(proofs, statement, verifier).await
    }

    async fn verified(
        proofs: Vec<ProofRecord>,
        statement: Statement,
        verifier: &LocalVerifier,
    ) -> Result<Self, BundlingError> {
        let mut checked = Vec::with_capacity(proofs.len());
        for (index, proof) in proofs.into_iter().enumerate() {
            let verified = CheckedProof::check(proof, verifier).await;
            checked.push(verified.map_err(|error| BundlingError::Proof { index, error })?.record);
        }
        Ok(Self { proofs: checked, statement })
    }

    /// What the one proof says.
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
    /// Asks for one proof of several; what comes back must be of just their statements, in their order.
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
        let CheckedBundle { proofs, statement: expected } = checked;
        let program = expected.program();
        let (capability, lacking) = match program {
            Program::Chain => (CHAIN, NotOffered::Chains),
            _ => (BUNDLE, NotOffered::Bundling),
        };
        if !self.link.capabilities().iter().any(|known| known == capability) {
            return Err(lacking);
        }
        let request = BundleRequest {
            deadline_ms: milliseconds(deadline),
            // A server with another build of the program says so at once.
            vk_hash: Some(pinned_vk_hash(program)),
            ..BundleRequest::new(program, &proofs, kind)
        };
        Ok((request, Asked { program, kind, expected }))
    }
}
