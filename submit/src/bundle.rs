//! Bundles: one proof of many statements in one transaction, which the contract takes one after the other.

use std::collections::HashSet;

use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, Statement},
};
use sextant_protocol::ProofRecord;

use crate::{
    OnSent, Outcome, Refusal, Sent, SubmitError, Submitter,
    contract::{
        LightClient::{self as Client, submitBundleCall},
        LightClientErrors as Reason,
    },
    learned,
    ledger::Ledger,
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
    /// [`SubmitError::Bundled`] names the first statement that the contract would refuse; [`SubmitError::Refused`] and
    /// [`SubmitError::Preflight`] what is wrong with the bundle itself. Or that no node answers.
    pub async fn preflight_bundle(
        &self,
        bundle: &ProofRecord,
        statements: &[ProofRecord],
    ) -> Result<(), SubmitError> {
        bundle_calldata(bundle, statements)?;
        let mut ledger = self.ledger().await?;
        ledger.knowledge.check_proof(bundle)?;
        check_parts(bundle, statements)?;
        let mut known = HashSet::new();
        for (index, record) in statements.iter().enumerate() {
            let is_repeated = !known.insert(&record.public_values);
            if is_repeated || self.proven_at(&record.public_values).await?.is_some() {
                continue;
            }
            let refused = |reason| SubmitError::Bundled { index, refusal: Refusal::Contract(reason) };
            let program = record.program().ok_or(SubmitError::Program(record.program))?;
            let statement = Statement::abi_decode(program, &record.public_values)
                .map_err(|_| refused(Reason::NotCanonical(Client::NotCanonical {})))?;
            if let Some(head) = statement.head() {
                let periods = 1 + learned(&statement).len() as u64;
                let asked = self.knowledge(head.signer_period, periods).await?;
                for (period, root) in asked.committees {
                    // What an earlier statement taught stands where the contract knows nothing.
                    ledger.knowledge.committees.insert(period, root);
                }
            }
            ledger.take(&statement).map_err(refused)?;
        }
        self.probe(&ledger.knowledge).await
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

    async fn ledger(&self) -> Result<Ledger, SubmitError> {
        let (knowledge, head_root) = self.known(0, 0).await?;
        Ok(Ledger { knowledge, head_root })
    }
}

/// Whether these are the bundle's statements, in its order.
fn check_parts(bundle: &ProofRecord, statements: &[ProofRecord]) -> Result<(), SubmitError> {
    let refused = |reason| SubmitError::Refused(Refusal::Contract(reason));
    let parts = Bundle::abi_decode(&bundle.public_values)
        .map_err(|_| refused(Reason::NotCanonical(Client::NotCanonical {})))?
        .parts;
    if statements.len() != parts.len() {
        let (statements, parts) = (U256::from(statements.len()), U256::from(parts.len()));
        return Err(refused(Reason::OtherNumber(Client::OtherNumber { statements, parts })));
    }
    let is_part = |record: &ProofRecord, part: &Bundled| {
        record.program().is_some_and(|program| Bundled::of(program, &record.public_values) == *part)
    };
    match statements.iter().zip(&parts).position(|(record, part)| !is_part(record, part)) {
        Some(index) => {
            let index = U256::from(index);
            Err(refused(Reason::OtherStatement(Client::OtherStatement { index })))
        }
        None => Ok(()),
    }
}
