//! Decides whether a proof record is a proof of what it says.
//!
//! Nothing in a record is believed; the checks and their order are those of [`rules`]. The program's verifying key is the
//! one embedded in this build; the record's own key hash, circuit version and kind are compared with what is pinned, the
//! engine's proof is decoded under a size limit, and SP1's verifier has the last word, with the public values bound to the
//! proof: for core STARKs its verifier of shards on a recording of its machine, [`sextant_stark_verifier`], which needs
//! nothing of SP1's prover. No mock proof passes. SNARKs by development circuits pass only a verifier that was made with [`Verifier::allow_development_circuits`].
//!
//! SP1's verifier is large and was written for proofs it made itself: on hostile bytes it may panic. Panics are
//! caught here and are a refusal like any other. What cannot be caught is a failed allocation or a stack overflow;
//! the size limit keeps decoding far from both, and the proof server verifies strangers' proofs in a process of
//! their own besides.

mod contain;
mod pinned;

use std::sync::OnceLock;

use pinned::Pinned;
use sextant_consensus::{Program, hash::sha256, public_values::Statement};
use sextant_protocol::{ProofKind, ProofRecord};
pub use sextant_snark_verifier::{SnarkError, release_key};
use sextant_stark_verifier::{Shard, StarkError};
pub use sextant_verifier_rules as rules;
pub use sextant_verifier_rules::{CIRCUIT_VERSION, MAX_PROOF, pinned_vk_hash};
use sextant_verifier_rules::{Checked, decode::decode};
pub use sp1_sdk::SP1VerificationError;
use sp1_sdk::{
    LightProver, Prover, SP1_CIRCUIT_VERSION, SP1Proof, SP1ProofWithPublicValues, SP1PublicValues,
    SP1VerifyingKey,
};

/// Why a proof record is not accepted: one variant per check, in the order of the checks.
pub type VerifyError = rules::VerifyError<SP1VerificationError>;

/// The first four bytes of every Groth16 proof by the released circuits, or by the development circuits with the given
/// verifying key: by them contracts tell circuits apart.
pub fn circuit_selector(development_key: Option<&[u8]>) -> [u8; 4] {
    let digest = sha256(&[development_key.unwrap_or(release_key())]);
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Verifies proofs of the pinned programs; cheap to share. SP1's verifier, half a second and some 50 MB, is set up
/// for the first compressed proof: nothing else needs it.
pub struct Verifier {
    prover: OnceLock<LightProver>,
    programs: [Pinned; Program::ALL.len()],
    /// Verifying key of the development circuits that are accepted.
    development_key: Option<Vec<u8>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("circuit_version", &Self::circuit_version()).finish_non_exhaustive()
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier {
    /// A verifier for the programs embedded in this build.
    ///
    /// # Panics
    /// If the embedded artifacts are inconsistent with each other, which a test of this crate excludes.
    pub fn new() -> Self {
        Self { prover: OnceLock::new(), programs: Program::ALL.map(Pinned::new), development_key: None }
    }

    /// Sets SP1's verifier up now, for whoever is not to wait for it with the first compressed proof. Blocks as long as that
    /// takes.
    pub fn warm_up(&self) {
        self.prover();
    }

    /// Whether that was done, or such a proof has come.
    pub fn is_warm(&self) -> bool {
        self.prover.get().is_some()
    }

    /// SP1's verifier. Blocks while it is set up; may be called inside an async runtime.
    fn prover(&self) -> &LightProver {
        self.prover.get_or_init(|| {
            // SP1 offers its light prover as a future only. A thread of its own lets this be called from anywhere.
            std::thread::spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
                runtime.block_on(LightProver::new())
            })
            .join()
            .expect("SP1's light prover starts")
        })
    }

    /// Accepts SNARKs by the development circuits whose verifying key (gnark's `groth16_vk.bin`) is given. For tests:
    /// whoever built the circuits can forge.
    #[must_use]
    pub fn allow_development_circuits(mut self, key: Vec<u8>) -> Self {
        self.development_key = Some(key);
        self
    }

    /// The SP1 circuit version accepted.
    pub fn circuit_version() -> &'static str {
        SP1_CIRCUIT_VERSION
    }

    /// Verifies `record` and returns the statement that it proves.
    ///
    /// # Errors
    /// [`VerifyError`] names the first thing that is wrong; cheap checks come first.
    pub fn verify(&self, record: &ProofRecord) -> Result<Statement, VerifyError> {
        rules::check(record, self.development_key.as_deref(), |checked| match record.kind {
            ProofKind::Groth16 | ProofKind::Bundled => contain::panics(|| checked.verify_snark())?,
            _ => self.verify_stark(checked),
        })
    }

    fn verify_stark(&self, checked: Checked<'_>) -> Result<(), VerifyError> {
        let Checked { program, record, .. } = checked;
        let key = &self.pinned(program).verifying_key;
        match (record.kind, contain::panics(|| decode(&record.proof))??) {
            (ProofKind::Stark, SP1Proof::Core(shards)) => core(&shards, &record.public_values, key),
            (ProofKind::Compressed, proof @ SP1Proof::Compressed(_)) => self.compressed(proof, record, key),
            _ => Err(VerifyError::OtherKind { claimed: record.kind }),
        }
    }

    fn compressed(
        &self,
        proof: SP1Proof,
        record: &ProofRecord,
        key: &SP1VerifyingKey,
    ) -> Result<(), VerifyError> {
        let bundle = SP1ProofWithPublicValues::new(
            proof,
            SP1PublicValues::from(&record.public_values),
            record.circuit_version.clone(),
        );
        // Outside of what is contained: a panic while it is set up is a fault of this build, not of the proof.
        let prover = self.prover();
        // `None`: only exit code 0 is accepted.
        contain::panics(|| prover.verify(&bundle, key, None))?.map_err(VerifyError::Rejected)
    }

    fn pinned(&self, program: Program) -> &Pinned {
        match program {
            Program::CommitteeChange => &self.programs[0],
            Program::Inclusion => &self.programs[1],
            Program::Bundle => &self.programs[2],
            Program::Chain => &self.programs[3],
        }
    }
}

fn core(shards: &[Shard], public_values: &[u8], key: &SP1VerifyingKey) -> Result<(), VerifyError> {
    let verdict = contain::panics(|| sextant_stark_verifier::verify(shards, public_values, key))?;
    verdict.map_err(|error| VerifyError::Rejected(said_by_the_sdk(error)))
}

fn said_by_the_sdk(error: StarkError) -> SP1VerificationError {
    match error {
        StarkError::PublicValues => SP1VerificationError::InvalidPublicValues,
        StarkError::ExitCode(code) => SP1VerificationError::UnexpectedExitCode(code),
        StarkError::Core(error) => SP1VerificationError::Core(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use sextant_protocol::proof::Circuits;

    use super::*;

    const SNARK: &[u8] = include_bytes!("../../tests/data/recorded-snarks/inclusion.proof");
    const CORE: &[u8] = include_bytes!("../../tests/data/recorded-starks/inclusion.proof");
    const COMPRESSED: &[u8] =
        include_bytes!("../../tests/data/recorded-starks/committee-change-compressed.proof");
    const ITS_CIRCUITS: &[u8] = include_bytes!("../../tests/data/recorded-snarks/groth16_vk.bin");

    /// Who checks SNARKs or core STARKs only does not pay for the verifier of compressed proofs, nor does rubbish buy it.
    #[test]
    fn only_a_compressed_proof_that_decodes_sets_up_its_verifier() {
        let verifier = Verifier::new().allow_development_circuits(ITS_CIRCUITS.to_vec());
        let snark = ProofRecord::from_file_bytes(SNARK).unwrap();
        verifier.verify(&snark).unwrap();
        verifier.verify(&ProofRecord::from_file_bytes(CORE).unwrap()).unwrap();
        let stark =
            |kind, proof: Vec<u8>| ProofRecord { kind, circuits: Circuits::Release, proof, ..snark.clone() };
        let rubbish = stark(ProofKind::Compressed, vec![0xff; 64]);
        assert!(matches!(verifier.verify(&rubbish), Err(VerifyError::Malformed(_))));
        let empty = bincode::serialize(&SP1Proof::Core(Vec::new())).unwrap();
        let other_kind = stark(ProofKind::Compressed, empty.clone());
        assert!(matches!(verifier.verify(&other_kind), Err(VerifyError::OtherKind { .. })));
        let error = verifier.verify(&stark(ProofKind::Stark, empty)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proof does not hold: Core machine verification error: Empty core proof"
        );
        assert!(!verifier.is_warm());

        let mut compressed = ProofRecord::from_file_bytes(COMPRESSED).unwrap();
        compressed.public_values[173] ^= 1;
        assert!(verifier.verify(&compressed).is_err());
        assert!(verifier.is_warm());
    }

    #[test]
    fn a_verifier_that_was_warmed_up_has_it_before_any_proof() {
        let verifier = Verifier::new();
        verifier.warm_up();
        assert!(verifier.is_warm());
    }

    #[test]
    fn the_circuits_pinned_are_those_of_the_sdk() {
        assert_eq!(CIRCUIT_VERSION, SP1_CIRCUIT_VERSION);
    }

    #[test]
    fn decoding_refuses_bombs_and_rubbish() {
        let decode = |bytes: &[u8]| -> Result<SP1Proof, VerifyError> { decode(bytes) };
        let over = decode(&vec![0; MAX_PROOF + 1]).unwrap_err();
        assert!(matches!(over, VerifyError::TooLarge { got, limit: MAX_PROOF } if got == MAX_PROOF + 1));
        // What a record may hold is looked at: a catch-up over many periods is such a proof.
        assert!(matches!(decode(&vec![0xff; 100 << 20]), Err(VerifyError::Malformed(_))));
        // Core proof of 2^64 - 1 shards, and of 2^40: lengths only.
        for claim in [u64::MAX, 1 << 40, 1 << 20] {
            let mut bomb = 0_u32.to_le_bytes().to_vec();
            bomb.extend(claim.to_le_bytes());
            assert!(matches!(decode(&bomb), Err(VerifyError::Malformed(_))));
        }
        for bytes in [&[][..], &[9, 0, 0, 0], &[0xff; 64]] {
            assert!(matches!(decode(bytes), Err(VerifyError::Malformed(_))));
        }
        // An empty core proof decodes; one byte more does not.
        let empty = bincode::serialize(&SP1Proof::Core(Vec::new())).unwrap();
        assert!(matches!(decode(&empty), Ok(SP1Proof::Core(shards)) if shards.is_empty()));
        assert!(decode(&[&empty[..], &[0]].concat()).is_err());
    }
}
