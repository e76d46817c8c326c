//! Proofs that are submitted one after the other: each is looked at with what those before it teach, before any is sent.

use std::collections::{BTreeMap, HashSet};

use alloy_primitives::{B256, U256};
use sextant_consensus::public_values::{Bundle, Bundled, Learned, Statement};
use sextant_protocol::ProofRecord;

use crate::{
    Refusal, SubmitError, Submitter, bundle_calldata,
    contract::{LightClient as Client, LightClientErrors as Reason},
    learned,
    ledger::Ledger,
};

/// A look at proofs in the order in which they are to be submitted: each has to begin with a committee that the contract knows
/// or that one before it teaches. What the contract accepted before is left alone.
#[derive(Debug)]
pub struct InTurn<'a> {
    submitter: &'a Submitter,
    /// What the contract is and knows, without its committees.
    ledger: Ledger,
    /// Committees that were taught so far, by period.
    taught: BTreeMap<u64, B256>,
}

impl Submitter {
    /// Begins such a look, with what the contract is now.
    ///
    /// # Errors
    /// That no node answers.
    pub async fn in_turn(&self) -> Result<InTurn<'_>, SubmitError> {
        let (knowledge, head_root) = self.known(0, 0).await?;
        Ok(InTurn { submitter: self, ledger: Ledger { knowledge, head_root }, taught: BTreeMap::new() })
    }
}

impl InTurn<'_> {
    /// The next one is a statement's proof: whether the contract shares its program, circuits and chain, and will know the
    /// committee with which it begins.
    ///
    /// # Errors
    /// [`SubmitError::Preflight`] with the reason, or that no node answers.
    pub async fn proof(&mut self, record: &ProofRecord) -> Result<(), SubmitError> {
        // What does not decode has a better reason to be refused.
        let decode = |program| Statement::abi_decode(program, &record.public_values).ok();
        let statement = record.program().and_then(decode);
        if self.submitter.proven_at(&record.public_values).await?.is_none() {
            self.ledger.knowledge.check_proof(record)?;
            if let Some((statement, head)) = statement.as_ref().and_then(|it| Some((it, it.head()?))) {
                let periods = 1 + learned(statement).len() as u64;
                let known = self.submitter.knowledge(head.signer_period, periods).await?;
                known.check_signer(statement, &self.taught)?;
            }
        }
        self.learn(statement.iter().flat_map(learned));
        Ok(())
    }

    /// The next one is a bundle with its statements, in its order: whether the contract takes it, as far as can be said without
    /// its proof, by the contract's own rules for each statement. What the contract has of them is passed over.
    ///
    /// # Errors
    /// [`SubmitError::Bundled`] names the first statement that the contract would refuse; [`SubmitError::Refused`] and
    /// [`SubmitError::Preflight`] what is wrong with the bundle itself. Or that no node answers.
    pub async fn bundle(
        &mut self,
        bundle: &ProofRecord,
        statements: &[ProofRecord],
    ) -> Result<(), SubmitError> {
        bundle_calldata(bundle, statements)?;
        self.ledger.knowledge.check_proof(bundle)?;
        check_parts(bundle, statements)?;
        let mut ledger = self.ledger.clone();
        ledger.knowledge.committees = self.taught.clone();
        let mut known = HashSet::new();
        for (index, record) in statements.iter().enumerate() {
            let refused = |reason| SubmitError::Bundled { index, refusal: Refusal::Contract(reason) };
            let program = record.program().ok_or(SubmitError::Program(record.program))?;
            let statement = Statement::abi_decode(program, &record.public_values);
            let is_repeated = !known.insert(&record.public_values);
            if !is_repeated && self.submitter.proven_at(&record.public_values).await?.is_none() {
                let malformed = |_| refused(Reason::NotCanonical(Client::NotCanonical {}));
                let statement = statement.as_ref().map_err(malformed)?;
                if let Some(head) = statement.head() {
                    let periods = 1 + learned(statement).len() as u64;
                    let asked = self.submitter.knowledge(head.signer_period, periods).await?;
                    for (period, root) in asked.committees {
                        // What an earlier statement taught stands where the contract knows nothing.
                        ledger.knowledge.committees.insert(period, root);
                    }
                }
                ledger.take(statement).map_err(refused)?;
            }
            self.learn(statement.iter().flat_map(learned));
        }
        Ok(())
    }

    /// All were looked at: last, whether the contract's verifier refuses what is no proof.
    ///
    /// # Errors
    /// [`SubmitError::Preflight`] if not, or that no node answers.
    pub async fn end(self) -> Result<(), SubmitError> {
        self.submitter.probe(&self.ledger.knowledge).await
    }

    fn learn<'a>(&mut self, learned: impl Iterator<Item = &'a Learned>) {
        self.taught.extend(learned.map(|learned| (learned.period, learned.committee_root.into())));
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
