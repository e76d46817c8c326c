//! Verification without any server: the proof against pinned programs, and what it says against what is expected.

use std::sync::{Arc, OnceLock};

use sextant_consensus::{hash::Root, public_values::Statement};
use sextant_protocol::ProofRecord;
use sextant_verifier::Verifier;
pub use sextant_verifier::{circuit_selector, pinned_vk_hash};
use tokio::task::spawn_blocking;

/// Why a proof is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The verifier's reason.
    #[error(transparent)]
    Refused(#[from] sextant_verifier::VerifyError),
    /// The verifier did not come to an end on it.
    #[error("the verifier crashed on it")]
    Crashed,
}

/// Verifies proofs in this process. Clones share SP1's verifier, which is set up for the first proof that is no SNARK; so
/// do all defaults.
#[derive(Clone, Debug)]
pub struct LocalVerifier {
    development_key: Option<Arc<[u8]>>,
    verifier: Arc<OnceLock<Verifier>>,
}

impl Default for LocalVerifier {
    fn default() -> Self {
        static SHARED: OnceLock<Arc<OnceLock<Verifier>>> = OnceLock::new();
        Self { development_key: None, verifier: SHARED.get_or_init(Arc::default).clone() }
    }
}

impl LocalVerifier {
    /// Accepts SNARKs by the development circuits whose verifying key (`groth16_vk.bin`) is given, too. For tests: whoever
    /// built the circuits can forge.
    #[must_use]
    pub fn allow_development_circuits(key: Vec<u8>) -> Self {
        Self { development_key: Some(key.into()), verifier: Arc::default() }
    }

    /// Verifies a proof against the programs pinned in this build, and returns what it proves.
    ///
    /// That is all a proof can say by itself: which chain and which committee it speaks about has to be compared with what
    /// the caller trusts, see [`Expectation`].
    ///
    /// # Errors
    /// [`VerifyError`] names the first thing that is not as it must be.
    pub fn verify(&self, record: &ProofRecord) -> Result<Statement, VerifyError> {
        let verifier = self.verifier.get_or_init(|| match &self.development_key {
            Some(key) => Verifier::new().allow_development_circuits(key.to_vec()),
            None => Verifier::new(),
        });
        Ok(verifier.verify(record)?)
    }

    /// [`Self::verify`] for async callers, away from their threads. The proof comes from a stranger: where the engine panics
    /// on it, it is refused.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub async fn verify_apart(&self, record: ProofRecord) -> Result<(ProofRecord, Statement), VerifyError> {
        let verifier = self.clone();
        let verified = spawn_blocking(move || {
            let statement = verifier.verify(&record)?;
            Ok((record, statement))
        });
        verified.await.unwrap_or(Err(VerifyError::Crashed))
    }
}

/// [`LocalVerifier::verify`] by the default verifier.
///
/// # Errors
/// As there.
pub fn verify(record: &ProofRecord) -> Result<Statement, VerifyError> {
    LocalVerifier::default().verify(record)
}

/// What the reader of a proof trusts already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// [`sextant_consensus::chain::ChainConfig::digest`] of the chain.
    pub chain_digest: Option<Root>,
    /// `hash_tree_root` of the sync committee that has to have signed.
    pub committee_root: Option<Root>,
}

/// A valid proof of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// Another chain.
    #[error("chain digest is 0x{}, expected 0x{}: a proof for another network", hex::encode(.got), hex::encode(.expected))]
    Chain {
        /// Expected.
        expected: Root,
        /// In the proof.
        got: Root,
    },
    /// Another committee.
    #[error("signer committee root is 0x{}, expected 0x{}: signed by another committee", hex::encode(.got), hex::encode(.expected))]
    Committee {
        /// Expected.
        expected: Root,
        /// In the proof.
        got: Root,
    },
}

impl Expectation {
    /// Compares a verified statement with what is expected.
    ///
    /// # Errors
    /// [`ExpectationError`] with both values.
    pub fn check(&self, statement: &Statement) -> Result<(), ExpectationError> {
        let head = statement.head();
        match self.chain_digest {
            Some(expected) if expected != head.chain_digest => {
                return Err(ExpectationError::Chain { expected, got: head.chain_digest });
            }
            _ => {}
        }
        match self.committee_root {
            Some(expected) if expected != head.signer_committee_root => {
                Err(ExpectationError::Committee { expected, got: head.signer_committee_root })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_consensus::{Program, bls::Plain, check_statement, codec, networks::MAINNET};

    use super::*;

    fn statement() -> Statement {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        check_statement(Program::CommitteeChange, &input, &mut Plain).unwrap()
    }

    #[test]
    fn what_is_expected_is_compared() {
        let statement = statement();
        let committee = statement.head().signer_committee_root;
        let right = Expectation { chain_digest: Some(MAINNET.digest()), committee_root: Some(committee) };
        assert_eq!(right.check(&statement), Ok(()));
        assert_eq!(Expectation::default().check(&statement), Ok(()));

        let mut other_chain = MAINNET;
        other_chain.forks.0[4].epoch += 1;
        let expected = other_chain.digest();
        assert_eq!(
            Expectation { chain_digest: Some(expected), ..right }.check(&statement),
            Err(ExpectationError::Chain { expected, got: MAINNET.digest() })
        );
        assert_eq!(
            Expectation { committee_root: Some([1; 32]), ..right }.check(&statement),
            Err(ExpectationError::Committee { expected: [1; 32], got: committee })
        );
    }
}
