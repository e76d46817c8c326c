//! What is looked at before anything is proven for a contract or deployed: what would be noticed too late otherwise.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, FixedBytes};
use alloy_sol_types::SolCall;
use sextant_consensus::{Program, public_values::Statement};
use sextant_protocol::{ProofKind, ProofRecord, place::Place};
use sextant_sources::ExecutionNodes;

use crate::{
    Deployment, Knowledge, Refusal, Rules, SubmitError,
    chain::{self, Call},
    contract::{Verifiers::verifyProofCall, VerifiersErrors},
    learned,
};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// An age beyond which most who signed may have left with their stake: several weak-subjectivity periods.
const MAX_AGE: u64 = 90 * DAY;
/// Shortest and longest time in which those who rely on a contract can leave it.
const DELAY: std::ops::RangeInclusive<u64> = HOUR..=365 * DAY;

/// What a contract has to agree with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// Hash of the committee change program's verifying key.
    pub committee_change_key: B256,
    /// Hash of the inclusion program's verifying key.
    pub inclusion_key: B256,
    /// Hash of the bundle program's verifying key. A contract without one shares it too.
    pub bundle_key: B256,
    /// Digest of the chain that is followed.
    pub chain_digest: B256,
    /// First four bytes of a proof, if it is known by which circuits proofs are made.
    pub selector: Option<FixedBytes<4>>,
}

/// Why nothing should be deployed, or proven for a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreflightError {
    /// There is code, but it does not answer as a light client does.
    #[error("the contract at {0} is no light client of this version")]
    NoLightClient(Address),
    /// The verifier did not refuse what is no proof.
    #[error("the verifier at {0} accepts what is no proof: with it anybody proves anything")]
    AcceptsAnything(Address),
    /// The verifier is none of these circuits.
    #[error("the verifier at {verifier} does not verify proofs by circuits {selector}: {reason}")]
    OtherCircuits {
        /// The verifier.
        verifier: Address,
        /// The circuits: first four bytes of a proof.
        selector: FixedBytes<4>,
        /// In the verifier's words.
        reason: String,
    },
    /// The contract trusts another thing than the one that proofs are made with.
    #[error("the contract has another {what}: {got}, ours is {expected}")]
    Differs {
        /// What differs.
        what: &'static str,
        /// The contract's.
        got: String,
        /// Ours.
        expected: String,
    },
    /// The contract does not know the committee that the statement begins with.
    #[error(
        "the contract does not know the committee of period {period}, with which this begins; its head is at slot {head_slot}: \
         submit the committee changes up to that period first"
    )]
    PeriodsApart {
        /// The period.
        period: u64,
        /// The contract's head.
        head_slot: u64,
    },
    /// The statement begins before anything that the contract knows, though it leads over a committee that it knows.
    #[error(
        "the statement begins with the committee of period {period}, which the contract does not know; it knows the one of period \
         {known}: prove the same from there"
    )]
    BeginsTooEarly {
        /// Period of the committee that the statement begins with.
        period: u64,
        /// The first one that it teaches and the contract knows.
        known: u64,
    },
    /// Its statements have to be submitted one by one.
    #[error("the contract trusts no bundle program: submit the statements one by one")]
    NoBundles,
    /// Contracts learn each committee, which a chain does not show.
    #[error("contracts take committee changes, not chains of them")]
    Chain,
    /// A number that makes no sense.
    #[error("{what} of {got} makes no sense: {why}")]
    Senseless {
        /// Which.
        what: &'static str,
        /// The number.
        got: u64,
        /// What would make sense.
        why: String,
    },
}

impl Ours {
    /// Whether a contract takes proofs of these programs, circuits and chain.
    ///
    /// # Errors
    /// [`PreflightError::Differs`] names what it does not share.
    pub fn check(&self, known: &Knowledge) -> Result<(), PreflightError> {
        let trust = &known.trust;
        same("verifying key of committee changes", &trust.committee_change_key, &self.committee_change_key)?;
        same("verifying key of inclusions", &trust.inclusion_key, &self.inclusion_key)?;
        if let Some(key) = &trust.bundle_key {
            same("verifying key of bundles", key, &self.bundle_key)?;
        }
        if let Some(selector) = &self.selector {
            same("verifier, by its circuits", &trust.selector, selector)?;
        }
        match trust.next_fork {
            Some(next) if next.digest == self.chain_digest => Ok(()),
            _ => same("chain digest", &trust.chain_digest, &self.chain_digest),
        }
    }
}

impl Knowledge {
    /// Whether the committee that a statement begins with is known there, or taught by proofs that are submitted before it:
    /// committees by period. It signed, or, where the statement teaches committees, handed over to the first of them. The
    /// contract must have been asked for its period and for those that it teaches.
    ///
    /// # Errors
    /// [`PreflightError::PeriodsApart`], [`PreflightError::BeginsTooEarly`] or, for another committee,
    /// [`PreflightError::Differs`].
    pub fn check_signer(
        &self,
        statement: &Statement,
        taught: &BTreeMap<u64, B256>,
    ) -> Result<(), PreflightError> {
        let Some(head) = statement.head() else { return Ok(()) };
        let (period, committee) = (head.signer_period, head.signer_committee_root.into());
        if let Some(known) = self.committees.get(&period).or_else(|| taught.get(&period)) {
            return same("committee", known, &committee);
        }
        let mut later = learned(statement).iter().map(|learned| learned.period);
        Err(match later.find(|later| self.committees.contains_key(later)) {
            Some(known) => PreflightError::BeginsTooEarly { period, known },
            None => PreflightError::PeriodsApart { period, head_slot: self.head_slot },
        })
    }

    /// Whether a proof is by the programs and circuits that count there, and about the chain that does.
    ///
    /// # Errors
    /// [`PreflightError::Differs`] names what it does not share.
    pub fn check_proof(&self, record: &ProofRecord) -> Result<(), PreflightError> {
        let Some(program) = record.program() else { return Ok(()) };
        // What does not decode has a better reason to be refused.
        let place = (record.kind == ProofKind::Bundled).then(|| Place::of(&record.proof).ok()).flatten();
        let (what, key) = match program {
            Program::Chain => return Err(PreflightError::Chain),
            _ if record.kind == ProofKind::Bundled => self.bundle_key()?,
            Program::CommitteeChange => {
                ("verifying key of committee changes", &self.trust.committee_change_key)
            }
            Program::Inclusion => ("verifying key of inclusions", &self.trust.inclusion_key),
            Program::Bundle => self.bundle_key()?,
        };
        same(what, key, &record.vk_hash.into())?;
        let proof = match record.kind {
            ProofKind::Bundled => place.map_or(&[][..], |place| place.proof),
            _ => &record.proof,
        };
        if let Some(selector) = proof.first_chunk::<4>() {
            same("verifier, by its circuits", &self.trust.selector, &selector.into())?;
        }
        // And so here.
        let Ok(statement) = Statement::abi_decode(program, &record.public_values) else { return Ok(()) };
        // A bundle may be under either of two schedules: each of its statements has a slot that decides.
        let slot = statement.head().map_or(0, |head| head.finalized_slot);
        let digest = statement.chain_digest().into();
        match self.takes_chain(&digest, slot) {
            true => Ok(()),
            false => Err(differs("chain digest", &self.trust.chain_digest, &digest)),
        }
    }

    fn bundle_key(&self) -> Result<(&'static str, &B256), PreflightError> {
        let key = self.trust.bundle_key.as_ref().ok_or(PreflightError::NoBundles)?;
        Ok(("verifying key of bundles", key))
    }
}

impl Deployment {
    /// Whether its numbers make sense for a chain with committees of this size.
    ///
    /// # Errors
    /// [`PreflightError::Senseless`] names the first that does not.
    pub fn check(&self, committee_size: u64) -> Result<(), PreflightError> {
        let Rules { genesis_time, seconds_per_slot, max_age, min_participation } = self.rules;
        let two_thirds = (committee_size * 2).div_ceil(3);
        within("a genesis time", genesis_time, 1..=u64::MAX, "it is Unix time in seconds")?;
        within("a slot length", seconds_per_slot, 1..=HOUR, "it is in seconds")?;
        within(
            "a minimum of signers",
            min_participation.into(),
            two_thirds..=committee_size,
            &format!("proofs have at least {two_thirds} and at most {committee_size}"),
        )?;
        within(
            "a maximum age",
            max_age,
            HOUR..=MAX_AGE,
            "finality takes a quarter of an hour, and old committees may have left with their stake; give an hour to 90 days",
        )?;
        match self.guardian.is_zero() {
            true => Ok(()),
            false => within(
                "a delay",
                self.delay,
                DELAY,
                "give an hour to a year, in seconds, so that others can leave",
            ),
        }
    }
}

/// Whether a verifier refuses what is no proof, and knows the circuits.
///
/// # Errors
/// [`PreflightError::AcceptsAnything`], [`PreflightError::OtherCircuits`]; that there is no contract, or no node answers.
pub async fn probe_verifier(
    nodes: &ExecutionNodes,
    verifier: Address,
    selector: FixedBytes<4>,
    key: B256,
) -> Result<(), SubmitError> {
    if !chain::has_code(nodes, verifier).await? {
        return Err(SubmitError::NoContract(verifier));
    }
    // As long as a proof by Groth16, and of no curve; and none at all, which verifiers for tests accept.
    let shaped = [selector.as_slice(), &[0; 32], &[1; 320]].concat();
    for proof in [Vec::new(), shaped] {
        let public_values = vec![1; 32];
        let is_empty = proof.is_empty();
        let data = verifyProofCall {
            programVKey: key,
            publicValues: public_values.into(),
            proofBytes: proof.into(),
        }
        .abi_encode();
        let call = Call { from: None, to: Some(verifier), data: &data };
        match chain::call(nodes, &call, None).await.map_err(SubmitError::refused) {
            Ok(_) => return Err(PreflightError::AcceptsAnything(verifier).into()),
            // A proof that names no circuits is refused for that.
            Err(SubmitError::Refused(_)) if is_empty => {}
            Err(SubmitError::Refused(Refusal::Verifier(
                reason @ (VerifiersErrors::RouteNotFound(_)
                | VerifiersErrors::RouteIsFrozen(_)
                | VerifiersErrors::WrongVerifierSelector(_)),
            ))) => {
                let reason = Refusal::Verifier(reason).to_string();
                return Err(PreflightError::OtherCircuits { verifier, selector, reason }.into());
            }
            Err(SubmitError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Display>(
    what: &'static str,
    got: &T,
    expected: &T,
) -> Result<(), PreflightError> {
    match got == expected {
        true => Ok(()),
        false => Err(differs(what, got, expected)),
    }
}

fn differs<T: std::fmt::Display>(what: &'static str, got: &T, expected: &T) -> PreflightError {
    PreflightError::Differs { what, got: got.to_string(), expected: expected.to_string() }
}

fn within(
    what: &'static str,
    got: u64,
    range: std::ops::RangeInclusive<u64>,
    why: &str,
) -> Result<(), PreflightError> {
    match range.contains(&got) {
        true => Ok(()),
        false => Err(PreflightError::Senseless { what, got, why: why.into() }),
    }
}

#[cfg(test)]
mod tests;
