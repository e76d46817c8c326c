//! Proofs to a light client contract. The contract itself is the record of what was submitted: whoever asks it first
//! pays for no proof twice, however many submit to it.

use alloy_primitives::{Address, Bytes, FixedBytes, U256};
use alloy_sol_types::SolCall;
use sextant_consensus::{Program, public_values::Statement};
use sextant_protocol::{ProofKind, ProofRecord, place::Place};

use crate::{
    Knowledge, Mined, OnSent, Ours, PreflightError, Refusal, Sender, Sent, SubmitError,
    chain::{self, Call},
    contract::LightClient::{
        contradictedAtCall, knowledgeCall, provenAtCall, submitCommitteeChangeCall, submitInclusionCall,
        submitPartCall,
    },
    probe_verifier,
};

/// How a submission ended well.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The contract accepted the proof, in this transaction.
    Accepted(Mined),
    /// The contract accepted the proof, and recorded that it contradicts what it knew: a committee lied. Nothing was learned
    /// from it, and nothing about its slot can be read there any more.
    Contradicts(Mined),
    /// Nothing was sent, or what was sent came second: the contract knows what the proof says.
    Known(Refusal),
}

/// Submits to one contract with one key.
#[derive(Debug)]
pub struct Submitter {
    sender: Sender,
    contract: Address,
}

/// The transaction's data that submits a proof: `submitCommitteeChange` or `submitInclusion`, or `submitPart` where the
/// statement shares the proof of a bundle, ABI-encoded.
///
/// # Errors
/// [`SubmitError::Kind`] for a proof that no contract verifies, [`SubmitError::Program`], [`SubmitError::Place`] for one that
/// names no place in a bundle.
pub fn calldata(record: &ProofRecord) -> Result<Vec<u8>, SubmitError> {
    if record.kind == ProofKind::Bundled {
        return part_calldata(record);
    }
    for_contracts(record)?;
    let (values, proof) = (record.public_values.clone().into(), record.proof.clone().into());
    match record.program() {
        Some(Program::CommitteeChange) => {
            Ok(submitCommitteeChangeCall { publicValues: values, proof }.abi_encode())
        }
        Some(Program::Inclusion) => Ok(submitInclusionCall { publicValues: values, proof }.abi_encode()),
        Some(Program::Bundle) => Err(SubmitError::BundleAlone),
        Some(Program::Chain) => Err(SubmitError::Chain),
        None => Err(SubmitError::Program(record.program)),
    }
}

/// The data for one statement of a bundle, which brings nothing of the others but the hashes in the bundle's public values.
fn part_calldata(record: &ProofRecord) -> Result<Vec<u8>, SubmitError> {
    match record.program() {
        Some(Program::CommitteeChange | Program::Inclusion) => {}
        Some(Program::Chain) => return Err(SubmitError::Chain),
        Some(Program::Bundle) | None => return Err(SubmitError::Program(record.program)),
    }
    let place = Place::of(&record.proof)?;
    let call = submitPartCall {
        index: U256::from(place.index),
        statement: record.public_values.clone().into(),
        publicValues: place.public_values.to_vec().into(),
        proof: place.proof.to_vec().into(),
    };
    Ok(call.abi_encode())
}

/// Whether contracts verify proofs of its kind, made of its own statement.
pub(crate) fn for_contracts(record: &ProofRecord) -> Result<(), SubmitError> {
    match record.kind {
        ProofKind::Groth16 | ProofKind::Plonk => Ok(()),
        kind => Err(SubmitError::Kind(kind)),
    }
}

impl Submitter {
    /// Looks whether there is a contract that answers as a light client.
    ///
    /// # Errors
    /// [`SubmitError::NoContract`], [`PreflightError::NoLightClient`], or that no node answers.
    pub async fn new(sender: Sender, contract: Address) -> Result<Self, SubmitError> {
        if !chain::has_code(&sender.nodes, contract).await? {
            return Err(SubmitError::NoContract(contract));
        }
        let submitter = Self { sender, contract };
        submitter.knowledge(0, 0).await?;
        Ok(submitter)
    }

    /// What the contract is and knows now, with its committees of `count` periods from `first_period` on.
    ///
    /// # Errors
    /// [`PreflightError::NoLightClient`] for a contract that does not say, or that no node answers.
    pub async fn knowledge(&self, first_period: u64, count: u64) -> Result<Knowledge, SubmitError> {
        self.known(first_period, count).await.map(|(known, _)| known)
    }

    /// As [`Self::knowledge`], with as much of the head's root as the contract keeps.
    pub(crate) async fn known(
        &self,
        first_period: u64,
        count: u64,
    ) -> Result<(Knowledge, FixedBytes<23>), SubmitError> {
        let data = knowledgeCall { firstPeriod: first_period, count }.abi_encode();
        match self.read(&data).await {
            Ok(answer) => match knowledgeCall::abi_decode_returns(&answer) {
                Ok(known) => {
                    let root = known.headRootPrefix;
                    Ok((Knowledge::of(first_period, known), root))
                }
                Err(_) => Err(PreflightError::NoLightClient(self.contract).into()),
            },
            Err(SubmitError::Refused(_)) => Err(PreflightError::NoLightClient(self.contract).into()),
            Err(error) => Err(error),
        }
    }

    /// Whether the contract takes proofs of these programs, circuits and chain, and refuses what is no proof. Asked before
    /// anything is proven for it.
    ///
    /// # Errors
    /// [`SubmitError::Preflight`] with the reason, or that no node answers.
    pub async fn preflight(&self, ours: &Ours) -> Result<(), SubmitError> {
        let known = self.knowledge(0, 0).await?;
        ours.check(&known)?;
        self.probe(&known).await
    }

    /// As [`Self::preflight`], for proofs that are there and are submitted in this order: each has to begin with a committee
    /// that the contract knows or that one before it teaches, be that a committee change or an inclusion. Those that it
    /// accepted before are left alone.
    ///
    /// # Errors
    /// As there.
    pub async fn preflight_proofs(&self, records: &[ProofRecord]) -> Result<(), SubmitError> {
        let mut turn = self.in_turn().await?;
        for record in records {
            turn.proof(record).await?;
        }
        turn.end().await
    }

    pub(crate) async fn probe(&self, known: &Knowledge) -> Result<(), SubmitError> {
        let trust = &known.trust;
        probe_verifier(&self.sender.nodes, trust.verifier, trust.selector, trust.inclusion_key).await
    }

    /// The contract's address.
    pub fn contract(&self) -> Address {
        self.contract
    }

    /// Who signs and pays, on which chain.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// When the contract accepted these public values, Unix time in seconds; `None` if it did not.
    ///
    /// # Errors
    /// [`SubmitError`] if the contract does not say.
    pub async fn proven_at(&self, public_values: &[u8]) -> Result<Option<u64>, SubmitError> {
        let data = provenAtCall { publicValues: public_values.to_vec().into() }.abi_encode();
        match self.read(&data).await {
            Ok(time) => provenAtCall::abi_decode_returns(&time)
                .map(|time| Some(time.saturating_to()))
                .map_err(|_| SubmitError::Answer { method: "provenAt", got: time.to_string() }),
            Err(SubmitError::Refused(refusal)) if refusal.is_not_proven() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Since when the contract knows that two proven statements disagree about a finalized slot, Unix time in seconds.
    ///
    /// # Errors
    /// [`SubmitError`] if the contract does not say.
    pub async fn contradicted_at(&self, slot: u64) -> Result<Option<u64>, SubmitError> {
        let time = self.read(&contradictedAtCall { slot }.abi_encode()).await?;
        contradictedAtCall::abi_decode_returns(&time)
            .map(|time| (!time.is_zero()).then(|| time.saturating_to()))
            .map_err(|_| SubmitError::Answer { method: "contradictedAt", got: time.to_string() })
    }

    async fn read(&self, data: &[u8]) -> Result<Bytes, SubmitError> {
        let call = Call { from: None, to: Some(self.contract), data };
        chain::call(&self.sender.nodes, &call, None).await.map_err(SubmitError::refused)
    }

    /// Whether the contract would accept the proof now: the gas that it would take.
    ///
    /// # Errors
    /// [`SubmitError::Refused`] with its reason.
    pub async fn dry_run(&self, record: &ProofRecord) -> Result<u64, SubmitError> {
        self.sender.dry_run(Some(self.contract), &calldata(record)?).await
    }

    /// Submits a proof, unless the contract knows it, and waits until it is in a block. `earlier` are transactions of
    /// the same proof that a run before this one has sent; `on_sent` hears of each new one before any node does.
    ///
    /// # Errors
    /// [`SubmitError`]; [`SubmitError::is_passing`] tells whether to try again.
    pub async fn submit(
        &self,
        record: &ProofRecord,
        earlier: &[Sent],
        on_sent: OnSent<'_>,
    ) -> Result<Outcome, SubmitError> {
        self.deliver(&calldata(record)?, std::slice::from_ref(record), earlier, on_sent).await
    }

    /// Sends what proves these statements, unless the contract knows them.
    pub(crate) async fn deliver(
        &self,
        data: &[u8],
        statements: &[ProofRecord],
        earlier: &[Sent],
        on_sent: OnSent<'_>,
    ) -> Result<Outcome, SubmitError> {
        match self.sender.resume(earlier, on_sent).await {
            Ok(Some(mined)) => return self.accepted(statements, mined).await,
            // It came second or too late: the dry run says to what.
            Ok(None) | Err(SubmitError::Failed { .. }) => {}
            Err(error) => return Err(error),
        }
        let sent = match self.sender.dry_run(Some(self.contract), data).await {
            Ok(gas) => self.sender.send(Some(self.contract), data, gas, on_sent).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(mined) => self.accepted(statements, mined).await,
            Err(SubmitError::Refused(refusal)) if refusal.is_known() => Ok(Outcome::Known(refusal)),
            // Somebody was faster: with this key, or with another.
            Err(error @ (SubmitError::Failed { .. } | SubmitError::NonceTaken { .. })) => {
                match self.sender.dry_run(Some(self.contract), data).await {
                    Err(SubmitError::Refused(refusal)) if refusal.is_known() => Ok(Outcome::Known(refusal)),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// A contradiction is accepted like any other proof: the contract tells it apart.
    async fn accepted(&self, statements: &[ProofRecord], mined: Mined) -> Result<Outcome, SubmitError> {
        for record in statements {
            let program = record.program().ok_or(SubmitError::Program(record.program))?;
            let statement = Statement::abi_decode(program, &record.public_values).ok();
            // What does not decode here was decoded by the contract: then only the question cannot be asked.
            let Some(head) = statement.as_ref().and_then(Statement::head) else { continue };
            if self.contradicted_at(head.finalized_slot).await?.is_some() {
                return Ok(Outcome::Contradicts(mined));
            }
        }
        Ok(Outcome::Accepted(mined))
    }
}

#[cfg(test)]
mod tests {
    use sextant_protocol::proof::Circuits;

    use super::*;
    use crate::{bundle_calldata, contract::LightClient::submitBundleCall};

    fn record(program: u32, kind: ProofKind) -> ProofRecord {
        ProofRecord {
            program,
            kind,
            circuits: Circuits::Release,
            circuit_version: String::new(),
            vk_hash: [0; 32],
            public_values: vec![1, 2, 3],
            proof: vec![4, 5],
        }
    }

    #[test]
    fn calldata_is_the_call_of_the_program() {
        let data = calldata(&record(Program::CommitteeChange.tag(), ProofKind::Groth16)).unwrap();
        let call = submitCommitteeChangeCall::abi_decode(&data).unwrap();
        assert_eq!((&call.publicValues[..], &call.proof[..]), (&[1, 2, 3][..], &[4, 5][..]));
        let data = calldata(&record(Program::Inclusion.tag(), ProofKind::Groth16)).unwrap();
        assert!(submitInclusionCall::abi_decode(&data).is_ok());
    }

    #[test]
    fn only_snarks_of_known_programs_are_for_contracts() {
        let stark = calldata(&record(1, ProofKind::Stark)).unwrap_err().to_string();
        assert_eq!(stark, "a stark proof is not for contracts: ask for --kind groth16");
        assert!(matches!(calldata(&record(9, ProofKind::Groth16)), Err(SubmitError::Program(9))));
        assert!(matches!(calldata(&record(3, ProofKind::Groth16)), Err(SubmitError::BundleAlone)));
    }

    #[test]
    fn a_statement_of_a_bundle_goes_with_its_place() {
        let bundle = record(3, ProofKind::Groth16);
        let part = |program| ProofRecord::in_bundle(program, vec![6, 7], 9, &bundle);
        for program in [Program::CommitteeChange, Program::Inclusion] {
            let data = calldata(&part(program)).unwrap();
            let call = submitPartCall::abi_decode(&data).unwrap();
            assert_eq!((call.index, &call.statement[..]), (U256::from(9), &[6, 7][..]));
            assert_eq!((&call.publicValues[..], &call.proof[..]), (&[1, 2, 3][..], &[4, 5][..]));
        }
        assert!(matches!(calldata(&part(Program::Bundle)), Err(SubmitError::Program(3))));
        assert!(matches!(calldata(&part(Program::Chain)), Err(SubmitError::Chain)));
        let torn = ProofRecord { proof: vec![1, 0], ..part(Program::Inclusion) };
        assert!(matches!(calldata(&torn), Err(SubmitError::Place(_))));
        let wrong = bundle_calldata(&part(Program::Bundle), &[]);
        assert!(matches!(wrong, Err(SubmitError::Kind(ProofKind::Bundled))));
    }

    #[test]
    fn a_bundle_goes_with_its_statements() {
        let (bundle, statement) = (record(3, ProofKind::Groth16), record(2, ProofKind::Compressed));
        let data = bundle_calldata(&bundle, &[statement.clone(), statement]).unwrap();
        let call = submitBundleCall::abi_decode(&data).unwrap();
        assert_eq!((&call.publicValues[..], &call.proof[..]), (&[1, 2, 3][..], &[4, 5][..]));
        assert_eq!(call.statements, vec![Bytes::from(vec![1, 2, 3]); 2]);
        let wrong = bundle_calldata(&record(2, ProofKind::Groth16), &[]);
        assert!(matches!(wrong, Err(SubmitError::Program(2))));
        let wrong = bundle_calldata(&record(3, ProofKind::Compressed), &[]);
        assert!(matches!(wrong, Err(SubmitError::Kind(ProofKind::Compressed))));
    }
}
