//! Bundles: one proof of many statements in one transaction, which the contract takes one after the other.

use alloy_sol_types::SolCall;
use sextant_consensus::Program;
use sextant_protocol::ProofRecord;

use crate::{
    OnSent, Outcome, Sent, SubmitError, Submitter, contract::LightClient::submitBundleCall,
    submitter::for_contracts,
};

/// The transaction's data that submits a bundle with its statements, in the bundle's order: `submitBundle`, ABI-encoded. Of the
/// statements only the public values go along.
///
/// # Errors
/// [`SubmitError::Kind`] for a proof that no contract verifies, [`SubmitError::Program`] for one of no bundle.
pub fn bundle_calldata(bundle: &ProofRecord, statements: &[ProofRecord]) -> Result<Vec<u8>, SubmitError> {
    for_contracts(bundle)?;
    if bundle.program() != Some(Program::Bundle) {
        return Err(SubmitError::Program(bundle.program));
    }
    let call = submitBundleCall {
        statements: statements.iter().map(|statement| statement.public_values.clone().into()).collect(),
        publicValues: bundle.public_values.clone().into(),
        proof: bundle.proof.clone().into(),
    };
    Ok(call.abi_encode())
}

impl Submitter {
    /// Whether the contract takes this bundle with these statements, as far as can be said without its proof: by the
    /// contract's own rules, each statement with what those before it teach. What the contract has of them is passed over.
    ///
    /// # Errors
    /// As [`crate::InTurn::bundle`], and [`crate::InTurn::end`].
    pub async fn preflight_bundle(
        &self,
        bundle: &ProofRecord,
        statements: &[ProofRecord],
    ) -> Result<(), SubmitError> {
        let mut turn = self.in_turn().await?;
        turn.bundle(bundle, statements).await?;
        turn.end().await
    }

    /// Whether the contract would accept the bundle with these statements now: the gas that it would take.
    ///
    /// # Errors
    /// [`SubmitError::Bundled`] names the statement that it refuses, where that can be told; [`SubmitError::Refused`] the
    /// reason otherwise.
    pub async fn dry_run_bundle(
        &self,
        bundle: &ProofRecord,
        statements: &[ProofRecord],
    ) -> Result<u64, SubmitError> {
        let data = bundle_calldata(bundle, statements)?;
        let end = self.sender().dry_run(Some(self.contract()), &data).await;
        self.named(end, bundle, statements).await
    }

    /// Submits a bundle with its statements in one transaction, unless the contract knows all of them, and waits until it is in
    /// a block. `earlier` and `on_sent` are as for [`Self::submit`].
    ///
    /// # Errors
    /// As [`Self::submit`] and [`Self::dry_run_bundle`].
    pub async fn submit_bundle(
        &self,
        bundle: &ProofRecord,
        statements: &[ProofRecord],
        earlier: &[Sent],
        on_sent: OnSent<'_>,
    ) -> Result<Outcome, SubmitError> {
        let data = bundle_calldata(bundle, statements)?;
        let end = self.deliver(&data, statements, earlier, on_sent).await;
        self.named(end, bundle, statements).await
    }

    /// A contract says why it refuses, but not of which statement that is.
    async fn named<T>(
        &self,
        end: Result<T, SubmitError>,
        bundle: &ProofRecord,
        statements: &[ProofRecord],
    ) -> Result<T, SubmitError> {
        match &end {
            Err(SubmitError::Refused(refusal)) if !refusal.is_known() => {
                match self.preflight_bundle(bundle, statements).await {
                    Err(error @ SubmitError::Bundled { .. }) => Err(error),
                    _ => end,
                }
            }
            _ => end,
        }
    }
}
