//! Verification without any server: the proof against pinned programs, and what it says against what is expected.

use std::sync::{Arc, OnceLock};

use sextant_consensus::{
    AbiError, Program,
    hash::Root,
    public_values::{Statement, VERSION},
};
use sextant_protocol::ProofRecord;
use sextant_verifier::Verifier;
pub use sextant_verifier::{circuit_selector, pinned_vk_hash};
use tokio::task::spawn_blocking;

/// Why a proof is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The verifier's reason.
    #[error(transparent)]
    Refused(sextant_verifier::VerifyError),
    /// The proof was made by another build of the program, or by another program.
    #[error(
        "made by another build of the {program} program: its verifying key is 0x{}, this build pins 0x{}",
        hex::encode(.got), hex::encode(.pinned)
    )]
    OtherBuild {
        /// The program claimed.
        program: Program,
        /// Hash of the key that is pinned here.
        pinned: [u8; 32],
        /// Hash of the key that the record names.
        got: [u8; 32],
    },
    /// What it says is in another layout than this build reads.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// The verifier did not come to an end on it.
    #[error("the verifier crashed on it")]
    Crashed,
}

impl From<sextant_verifier::VerifyError> for VerifyError {
    fn from(error: sextant_verifier::VerifyError) -> Self {
        match error {
            sextant_verifier::VerifyError::WrongKey { program, pinned, got } => {
                Self::OtherBuild { program, pinned, got }
            }
            other => Self::Refused(other),
        }
    }
}

/// Why what a record says cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// The program tag is none that is known.
    #[error("unknown program tag {0}")]
    Program(u32),
    /// Another version of the layout.
    #[error("public values of version {0}, this build reads version {VERSION}: made for another release")]
    Version(u64),
    /// Of the right version, and yet no statement of the program.
    #[error("public values: {0}")]
    Malformed(AbiError),
}

/// What a record says, taken at its word: whether its proof holds is not looked at.
///
/// # Errors
/// [`ValuesError`].
pub fn claimed(record: &ProofRecord) -> Result<Statement, ValuesError> {
    let program = record.program().ok_or(ValuesError::Program(record.program))?;
    check_version(record)?;
    Statement::abi_decode(program, &record.public_values).map_err(ValuesError::Malformed)
}

/// Refuses another version than [`VERSION`], which every layout has in the same word: the second one, behind the offset of
/// the structure.
fn check_version(record: &ProofRecord) -> Result<(), ValuesError> {
    match record.public_values.get(32..64).and_then(|word| word.split_last_chunk::<8>()) {
        Some((front, version)) if front.iter().all(|byte| *byte == 0) => match u64::from_be_bytes(*version) {
            VERSION => Ok(()),
            other => Err(ValuesError::Version(other)),
        },
        // No version at all: for the decoder to say.
        _ => Ok(()),
    }
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
        check_version(record)?;
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
    use sextant_consensus::{bls::Plain, check_statement, codec, networks::MAINNET};
    use sextant_protocol::{ProofKind, proof::Circuits};

    use super::*;

    fn statement() -> Statement {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        check_statement(Program::CommitteeChange, &input, &mut Plain).unwrap()
    }

    fn record(statement: &Statement) -> ProofRecord {
        let program = statement.head().program;
        ProofRecord {
            program: program.tag(),
            kind: ProofKind::Compressed,
            circuits: Circuits::Release,
            circuit_version: sextant_verifier::Verifier::circuit_version().into(),
            vk_hash: pinned_vk_hash(program),
            public_values: statement.abi_encode(),
            proof: vec![1, 2, 3],
        }
    }

    #[test]
    fn another_version_and_another_build_are_named() {
        let statement = statement();
        let mut other = record(&statement);
        assert_eq!(claimed(&other), Ok(statement));
        other.vk_hash[0] ^= 1;
        let error = verify(&other).unwrap_err();
        assert!(
            matches!(error, VerifyError::OtherBuild { program: Program::CommitteeChange, .. }),
            "{error}"
        );
        assert!(claimed(&other).is_ok(), "taken at its word");
        for version in [1, 3, 256] {
            other.public_values[56..64].copy_from_slice(&u64::to_be_bytes(version));
            assert_eq!(claimed(&other), Err(ValuesError::Version(version)));
            let error = verify(&other).unwrap_err();
            assert!(matches!(error, VerifyError::Values(ValuesError::Version(v)) if v == version), "{error}");
        }
        other.public_values[40] = 1;
        assert!(matches!(claimed(&other), Err(ValuesError::Malformed(_))), "no version");
        other.public_values.clear();
        assert!(matches!(claimed(&other), Err(ValuesError::Malformed(_))));
        other.program = 9;
        assert_eq!(claimed(&other), Err(ValuesError::Program(9)));
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
