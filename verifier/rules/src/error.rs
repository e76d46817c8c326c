//! Why a proof is refused.

use sextant_consensus::{AbiError, Program};
use sextant_protocol::{ProofKind, encoding::EncodingError};
use sextant_snark_verifier::SnarkError;

use crate::ValuesError;

/// Why a proof record is not accepted: one variant per check, in the order of the checks. `E` is what a verifier of STARKs
/// says.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError<E: std::error::Error + 'static> {
    /// The program tag is none that is known.
    #[error("unknown program tag {0}")]
    UnknownProgram(u32),
    /// The proof was made for another build of the program, or for another program.
    #[error("verifying key 0x{} is not the pinned one of {program}, 0x{}", hex(got), hex(pinned))]
    WrongKey {
        /// The program claimed.
        program: Program,
        /// Its pinned key's hash.
        pinned: [u8; 32],
        /// The record's.
        got: [u8; 32],
    },
    /// The proof was made for another version of the circuits.
    #[error("circuit version {got:?} is not {expected:?}")]
    CircuitVersion {
        /// The version accepted.
        expected: &'static str,
        /// The record's.
        got: String,
    },
    /// A proof by development circuits proves nothing: whoever built them can forge.
    #[error("made with development circuits, which prove nothing; not accepted unless asked for by name")]
    DevelopmentCircuits,
    /// This build does not verify that kind.
    #[error("{0} proofs are not supported by this version")]
    Unsupported(ProofKind),
    /// The public values are not exactly one statement of the program. The reason names them itself.
    #[error("{0}")]
    PublicValues(AbiError),
    /// A chain of committees whose earlier part another program has proven, which may have said anything.
    #[error(
        "what came before in the chain is by the program with the key 0x{}, not by the pinned one, 0x{}",
        hex(got),
        hex(pinned)
    )]
    OtherPredecessor {
        /// The pinned key's hash.
        pinned: [u8; 32],
        /// The one that the public values name.
        got: [u8; 32],
    },
    /// The statement is said to be in a bundle, and why it is not.
    #[error("the statement is not where the proof has it: {0}")]
    Place(#[from] PlaceError),
    /// The engine's proof is too large to be one.
    #[error("proof of {got} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Its length, bytes.
        got: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The engine's proof does not decode.
    #[error("the proof does not decode: {0}")]
    Malformed(bincode::Error),
    /// The engine's proof is of another kind than the record says.
    #[error("the proof inside is not a {claimed} proof")]
    OtherKind {
        /// The kind that the record claims.
        claimed: ProofKind,
    },
    /// The verifier refuses the proof.
    #[error("the proof does not hold: {0}")]
    Rejected(#[source] E),
    /// The verifier refuses the SNARK.
    #[error(transparent)]
    Snark(#[from] SnarkError),
    /// The verifier gave up on the proof.
    #[error("the proof is malformed: the verifier gave up ({0})")]
    Panicked(String),
}

/// Why a statement has no place in the bundle that its record names, one variant per check, in their order. That the
/// bundle's own proof holds is looked at afterwards.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The place does not decode.
    #[error(transparent)]
    Malformed(#[from] EncodingError),
    /// What it is said to be in is not exactly one bundle. The reason names the public values.
    #[error("the bundle's {0}")]
    Bundle(AbiError),
    /// The bundle has fewer parts.
    #[error("part {index} of a bundle of {parts}, which are counted from 0")]
    OutOfRange {
        /// The place.
        index: u32,
        /// Parts of the bundle.
        parts: usize,
    },
    /// The part at this place is by another program.
    #[error("part {index} of the bundle is a statement of {got}, not of {claimed}")]
    Program {
        /// The place.
        index: u32,
        /// The record's program.
        claimed: Program,
        /// The part's.
        got: Program,
    },
    /// The part at this place is another statement.
    #[error(
        "part {index} of the bundle is another statement: its SHA-256 is 0x{}, not 0x{}",
        hex(got),
        hex(claimed)
    )]
    Statement {
        /// The place.
        index: u32,
        /// SHA-256 of the record's public values.
        claimed: [u8; 32],
        /// The part's.
        got: [u8; 32],
    },
    /// Bundle and statement are about different chains: no program says that of a part of its own.
    #[error("the bundle is about the chain 0x{}, the statement about 0x{}", hex(got), hex(claimed))]
    Chain {
        /// The statement's chain digest.
        claimed: [u8; 32],
        /// The bundle's.
        got: [u8; 32],
    },
}

/// Why a reader does not accept a proof: [`VerifyError`], with what another release is told apart by said first.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError<E: std::error::Error + 'static> {
    /// The verifier's reason.
    #[error(transparent)]
    Refused(VerifyError<E>),
    /// The proof was made by another build of the program, or by another program.
    #[error(
        "made by another build of the {program} program: its verifying key is 0x{}, this build pins 0x{}",
        hex(got),
        hex(pinned)
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

impl<E: std::error::Error + 'static> From<VerifyError<E>> for AcceptError<E> {
    fn from(error: VerifyError<E>) -> Self {
        match error {
            VerifyError::WrongKey { program, pinned, got } => Self::OtherBuild { program, pinned, got },
            other => Self::Refused(other),
        }
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
