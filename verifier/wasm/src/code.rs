//! Failures as programs see them: a code to act on, and the native verifier's words.

use serde_json::{Value, json};
use sextant_protocol::proof::ProofFileError;
use sextant_verifier_rules::{AcceptError, ExpectationError, MAX_FILE, VerifyError};

use crate::engine::EngineError;

/// Why there is no verdict, or a bad one.
pub struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    /// Options that cannot be meant.
    pub fn options(message: String) -> Self {
        Self { code: "options", message }
    }

    /// More bytes than a proof file has.
    pub fn too_large() -> Self {
        Self {
            code: "too-large",
            message: format!("more than {MAX_FILE} bytes are too many for a proof file"),
        }
    }

    /// The verifier panicked on the proof.
    pub fn gave_up(reason: &str) -> Self {
        AcceptError::from(VerifyError::<EngineError>::Panicked(reason.chars().take(200).collect())).into()
    }

    /// As the package gets it.
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

impl From<ProofFileError> for Failure {
    fn from(error: ProofFileError) -> Self {
        let code = match error {
            ProofFileError::NotAProofFile => "not-a-proof-file",
            ProofFileError::Checksum => "damaged",
            ProofFileError::Record(_) => "malformed-record",
        };
        Self { code, message: error.to_string() }
    }
}

impl From<AcceptError<EngineError>> for Failure {
    fn from(error: AcceptError<EngineError>) -> Self {
        let code = match &error {
            AcceptError::OtherBuild { .. } => "other-build",
            AcceptError::Values(_) => "public-values",
            AcceptError::Crashed => "gave-up",
            AcceptError::Refused(refused) => refusal(refused),
        };
        Self { code, message: error.to_string() }
    }
}

fn refusal(error: &VerifyError<EngineError>) -> &'static str {
    match error {
        VerifyError::UnknownProgram(_) => "unknown-program",
        VerifyError::WrongKey { .. } => "other-build",
        VerifyError::CircuitVersion { .. } => "circuit-version",
        VerifyError::DevelopmentCircuits => "development-circuits",
        VerifyError::Unsupported(_) => "unsupported-kind",
        VerifyError::PublicValues(_) => "public-values",
        VerifyError::OtherPredecessor { .. } => "other-predecessor",
        VerifyError::Place(_) => "other-place",
        VerifyError::TooLarge { .. } => "too-large",
        VerifyError::Malformed(_) => "malformed-proof",
        VerifyError::OtherKind { .. } => "other-kind",
        VerifyError::Rejected(_) | VerifyError::Snark(_) => "rejected",
        VerifyError::Panicked(_) => "gave-up",
    }
}

impl From<ExpectationError> for Failure {
    fn from(error: ExpectationError) -> Self {
        let code = match error {
            ExpectationError::Chain { .. } => "other-network",
            ExpectationError::Committee { .. } => "other-committee",
            ExpectationError::NoCommittee => "no-committee",
        };
        Self { code, message: format!("a valid proof, but {error}") }
    }
}
