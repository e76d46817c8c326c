//! Verification without any server: the proof against pinned programs, and what it says against what is expected.

use std::sync::{Arc, OnceLock};

use sextant_consensus::public_values::Statement;
use sextant_protocol::ProofRecord;
use sextant_verifier::{
    SP1VerificationError, Verifier,
    rules::{AcceptError, check_version},
};
pub use sextant_verifier::{
    circuit_selector, pinned_vk_hash,
    rules::{
        Expectation, ExpectationError, PlaceError, ValuesError, bundle_of, claimed,
        networks::expected_digest, proven_by,
    },
};
use tokio::task::spawn_blocking;

/// Why a proof is not accepted.
pub type VerifyError = AcceptError<SP1VerificationError>;

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

#[cfg(test)]
mod tests {
    use sextant_consensus::{Program, bls::Plain, check_statement, codec};
    use sextant_protocol::{ProofKind, proof::Circuits};

    use super::*;

    fn statement() -> Statement {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        check_statement(Program::CommitteeChange, &input, &mut Plain).unwrap()
    }

    fn record(statement: &Statement) -> ProofRecord {
        let program = statement.program();
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
}
