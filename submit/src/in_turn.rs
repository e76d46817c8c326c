//! Proofs that are submitted one after the other: each is looked at with what those before it teach, before any is sent.

use std::collections::{BTreeMap, HashSet};

use alloy_primitives::{B256, U256};
use sextant_consensus::public_values::{Bundle, Bundled, Learned, Statement};
use sextant_protocol::{ProofKind, ProofRecord, place::Place};

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
    /// [`SubmitError::Preflight`] with the reason; [`SubmitError::Place`] and [`SubmitError::Refused`] what is wrong with its
    /// place in a bundle. Or that no node answers.
    pub async fn proof(&mut self, record: &ProofRecord) -> Result<(), SubmitError> {
        // What does not decode has a better reason to be refused.
        let decode = |program| Statement::abi_decode(program, &record.public_values).ok();
        let statement = record.program().and_then(decode);
        if self.submitter.proven_at(&record.public_values).await?.is_none() {
            self.ledger.knowledge.check_proof(record)?;
            check_place(record)?;
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
    let parts = Bundle::abi_decode(&bundle.public_values).map_err(|_| not_canonical())?.parts;
    if statements.len() != parts.len() {
        let (statements, parts) = (U256::from(statements.len()), U256::from(parts.len()));
        return Err(refused(Reason::OtherNumber(Client::OtherNumber { statements, parts })));
    }
    match statements.iter().zip(&parts).position(|(record, part)| !is_part(record, part)) {
        Some(index) => Err(other_statement(index)),
        None => Ok(()),
    }
}

/// Whether a statement that shares the proof of a bundle is where it says; any other one has no place.
fn check_place(record: &ProofRecord) -> Result<(), SubmitError> {
    if record.kind != ProofKind::Bundled {
        return Ok(());
    }
    let place = Place::of(&record.proof)?;
    let bundle = Bundle::abi_decode(place.public_values).map_err(|_| not_canonical())?;
    let index = place.index as usize;
    match bundle.parts.get(index).is_some_and(|part| is_part(record, part)) {
        true => Ok(()),
        false => Err(other_statement(index)),
    }
}

fn is_part(record: &ProofRecord, part: &Bundled) -> bool {
    record.program().is_some_and(|program| Bundled::of(program, &record.public_values) == *part)
}

fn refused(reason: Reason) -> SubmitError {
    SubmitError::Refused(Refusal::Contract(reason))
}

fn not_canonical() -> SubmitError {
    refused(Reason::NotCanonical(Client::NotCanonical {}))
}

fn other_statement(index: usize) -> SubmitError {
    refused(Reason::OtherStatement(Client::OtherStatement { index: U256::from(index) }))
}

#[cfg(test)]
mod tests {
    use sextant_consensus::Program;
    use sextant_protocol::proof::Circuits;

    use super::*;

    fn bundle(parts: &[(Program, &[u8])]) -> ProofRecord {
        let parts = parts.iter().map(|(program, values)| Bundled::of(*program, values)).collect();
        ProofRecord {
            program: Program::Bundle.tag(),
            kind: ProofKind::Groth16,
            circuits: Circuits::Release,
            circuit_version: String::new(),
            vk_hash: [0; 32],
            public_values: Bundle { chain_digest: [1; 32], parts }.abi_encode(),
            proof: vec![4, 5],
        }
    }

    /// What the contract would say of a place is said before anything is sent.
    #[test]
    fn a_statement_is_looked_for_at_its_place() {
        let (change, inclusion) = (Program::CommitteeChange, Program::Inclusion);
        let bundle = bundle(&[(inclusion, b"a"), (change, b"a"), (inclusion, b"b")]);
        let placed = |program, values: &[u8], index| {
            check_place(&ProofRecord::in_bundle(program, values.to_vec(), index, &bundle))
        };
        for (index, (program, values)) in
            [(inclusion, b"a"), (change, b"a"), (inclusion, b"b")].iter().enumerate()
        {
            placed(*program, *values, index as u32).unwrap();
        }
        for (program, values, index) in
            [(inclusion, b"a", 1), (inclusion, b"a", 2), (change, b"b", 2), (inclusion, b"b", 3)]
        {
            let error = placed(program, values, index).unwrap_err();
            let SubmitError::Refused(Refusal::Contract(Reason::OtherStatement(said))) = error else {
                panic!("{error}")
            };
            assert_eq!(said.index, U256::from(index));
        }
        let alone = ProofRecord { program: inclusion.tag(), ..bundle.clone() };
        check_place(&alone).unwrap();
        let torn = ProofRecord { kind: ProofKind::Bundled, ..alone };
        assert!(matches!(check_place(&torn), Err(SubmitError::Place(_))));
        let none = ProofRecord { public_values: vec![0; 32], ..bundle };
        let in_none = ProofRecord::in_bundle(inclusion, b"a".to_vec(), 0, &none);
        assert!(matches!(check_place(&in_none), Err(SubmitError::Refused(_))));
    }
}
