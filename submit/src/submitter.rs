//! Proofs to a light client contract. The contract itself is the record of what was submitted: whoever asks it first
//! pays for no proof twice, however many submit to it.

use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use sextant_consensus::Program;
use sextant_protocol::{ProofKind, ProofRecord};

use crate::{
    Mined, OnSent, Sender, Sent, SubmitError,
    chain::{self, Call},
    contract::{
        LightClient::{provenAtCall, submitCommitteeChangeCall, submitInclusionCall},
        Refusal,
    },
    sender::refused,
};

/// How a submission ended well.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The contract accepted the proof, in this transaction.
    Accepted(Mined),
    /// Nothing was sent, or what was sent came second: the contract knows what the proof says.
    Known(Refusal),
}

/// Submits to one contract with one key.
#[derive(Debug)]
pub struct Submitter {
    sender: Sender,
    contract: Address,
}

/// The transaction's data that submits a proof: `submitCommitteeChange` or `submitInclusion`, ABI-encoded.
///
/// # Errors
/// [`SubmitError::Kind`] for a proof that no contract verifies, [`SubmitError::Program`].
pub fn calldata(record: &ProofRecord) -> Result<Vec<u8>, SubmitError> {
    if !matches!(record.kind, ProofKind::Groth16 | ProofKind::Plonk) {
        return Err(SubmitError::Kind(record.kind));
    }
    let (values, proof) = (record.public_values.clone().into(), record.proof.clone().into());
    match record.program() {
        Some(Program::CommitteeChange) => {
            Ok(submitCommitteeChangeCall { publicValues: values, proof }.abi_encode())
        }
        Some(Program::Inclusion) => Ok(submitInclusionCall { publicValues: values, proof }.abi_encode()),
        None => Err(SubmitError::Program(record.program)),
    }
}

impl Submitter {
    /// Looks whether there is a contract.
    ///
    /// # Errors
    /// [`SubmitError::NoContract`], or that no node answers.
    pub async fn new(sender: Sender, contract: Address) -> Result<Self, SubmitError> {
        match chain::has_code(&sender.nodes, contract).await? {
            true => Ok(Self { sender, contract }),
            false => Err(SubmitError::NoContract(contract)),
        }
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
        let call = Call { from: None, to: Some(self.contract), data: &data };
        match chain::call(&self.sender.nodes, &call, None).await.map_err(refused) {
            Ok(time) => provenAtCall::abi_decode_returns(&time)
                .map(|time| Some(time.saturating_to()))
                .map_err(|_| SubmitError::Answer { method: "provenAt", got: time.to_string() }),
            Err(SubmitError::Refused(refusal)) if refusal.is_not_proven() => Ok(None),
            Err(error) => Err(error),
        }
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
        let data = calldata(record)?;
        match self.sender.resume(earlier, on_sent).await {
            Ok(Some(mined)) => return Ok(Outcome::Accepted(mined)),
            // It came second or too late: the dry run says to what.
            Ok(None) | Err(SubmitError::Failed { .. }) => {}
            Err(error) => return Err(error),
        }
        let sent = match self.sender.dry_run(Some(self.contract), &data).await {
            Ok(gas) => self.sender.send(Some(self.contract), &data, gas, on_sent).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(mined) => Ok(Outcome::Accepted(mined)),
            Err(SubmitError::Refused(refusal)) if refusal.is_known() => Ok(Outcome::Known(refusal)),
            // Somebody was faster: with this key, or with another.
            Err(error @ (SubmitError::Failed { .. } | SubmitError::NonceTaken { .. })) => {
                match self.sender.dry_run(Some(self.contract), &data).await {
                    Err(SubmitError::Refused(refusal)) if refusal.is_known() => Ok(Outcome::Known(refusal)),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_protocol::proof::Circuits;

    use super::*;

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
        assert!(matches!(calldata(&record(3, ProofKind::Groth16)), Err(SubmitError::Program(3))));
    }
}
