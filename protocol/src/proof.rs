//! A proof as it travels and as it lies in a file: self-describing, every byte checked.
//!
//! File: [`FILE_MAGIC`], then the encoded [`ProofRecord`], then the SHA-256 of everything before it. The checksum
//! tells a damaged file from a wrong proof; trust comes from verification alone.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sextant_consensus::Program;
use sha2::{Digest, Sha256};

use crate::{
    encoding::{self, EncodingError},
    wire::{Wire, values},
};

/// First bytes of a proof file; the last two are the format's version.
pub const FILE_MAGIC: [u8; 10] = *b"SXTPROOF\x00\x01";

/// Largest proof record there is, bytes: two orders of magnitude over what the engine makes of the largest statements so
/// far. Servers and clients have smaller limits by their settings.
pub const MAX_RECORD: usize = 256 << 20;

/// Forms of proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProofKind {
    /// 0: SP1 core proof, the fastest to make; size grows with the execution.
    Stark,
    /// 1: one recursive STARK of constant size.
    Compressed,
    /// 2: Groth16 over BN254, for contracts.
    Groth16,
    /// 3: PLONK over BN254, for contracts.
    Plonk,
    /// 4: a place in a bundle whose Groth16 proof many share, a [`Place`](crate::place::Place); for contracts.
    Bundled,
}

impl ProofKind {
    /// All that this version knows, each at the place of its number on the wire.
    pub const ALL: [Self; 5] = [Self::Stark, Self::Compressed, Self::Groth16, Self::Plonk, Self::Bundled];

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The name on the command line and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stark => "stark",
            Self::Compressed => "compressed",
            Self::Groth16 => "groth16",
            Self::Plonk => "plonk",
            Self::Bundled => "bundled",
        }
    }
}

impl std::fmt::Display for ProofKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ProofKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            format!("unknown proof kind {name:?} (stark, compressed, groth16, plonk, bundled)")
        })
    }
}

impl Wire for ProofKind {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(encoding::encode(self));
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        let number = u32::read(what, bytes)?;
        Self::from_number(number).ok_or(EncodingError::Unknown { what: "kind of proof", number })
    }
}

/// Kinds that this version does not know are left out.
impl Wire for Vec<ProofKind> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(encoding::encode(self));
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        let numbers: Vec<u32> = encoding::decode(what, &bytes, bytes.len())?;
        Ok(numbers.into_iter().filter_map(ProofKind::from_number).collect())
    }
}

/// Which circuits a SNARK was made with. STARKs have none and say `Release`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Circuits {
    /// 0: the engine's released circuits (trusted setup ceremony).
    Release,
    /// 1: development circuits built locally; worthless outside tests.
    Development,
}

/// A proof with all that says what it is. Nothing in it is believed: a verifier compares each field with what it pins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofRecord {
    /// Wire tag of the program, [`Program::tag`].
    pub program: u32,
    /// Form of the proof.
    pub kind: ProofKind,
    /// Circuits behind a SNARK.
    pub circuits: Circuits,
    /// SP1 circuit version, such as `v6.1.0`.
    pub circuit_version: String,
    /// Hash of the verifying key that the proof is by: the program's, or of a statement in a bundle the bundle program's.
    pub vk_hash: [u8; 32],
    /// ABI-encoded public values of the statement.
    #[serde(with = "serde_bytes")]
    pub public_values: Vec<u8>,
    /// The engine's proof. Of a STARK: bincode of SP1's `SP1Proof`. Of a SNARK: the bytes that its verifier contract
    /// takes. Of a statement in a bundle: an encoded [`Place`](crate::place::Place).
    #[serde(with = "serde_bytes")]
    pub proof: Vec<u8>,
}

values!(ProofRecord);

/// A record that is looked at where it lies: nothing of it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ProofView<'a> {
    /// As in [`ProofRecord`].
    pub program: u32,
    /// As in [`ProofRecord`].
    pub kind: ProofKind,
    /// As in [`ProofRecord`].
    pub circuits: Circuits,
    /// As in [`ProofRecord`].
    pub circuit_version: &'a str,
    /// As in [`ProofRecord`].
    pub vk_hash: [u8; 32],
    /// As in [`ProofRecord`].
    #[serde(with = "serde_bytes")]
    pub public_values: &'a [u8],
    /// As in [`ProofRecord`].
    #[serde(with = "serde_bytes")]
    pub proof: &'a [u8],
}

impl<'a> ProofView<'a> {
    /// Looks at an encoded [`ProofRecord`].
    ///
    /// # Errors
    /// As decoding it.
    pub fn of(record: &'a [u8]) -> Result<Self, EncodingError> {
        encoding::decode("proof record", record, MAX_RECORD)
    }

    /// The program this proof claims; `None` if the tag is unknown.
    pub fn program(&self) -> Option<Program> {
        Program::from_tag(self.program)
    }
}

/// Why bytes are not a proof file.
#[derive(Debug, thiserror::Error)]
pub enum ProofFileError {
    /// Too short, or other first bytes.
    #[error("not a Sextant proof file (version 1)")]
    NotAProofFile,
    /// The checksum does not match: the file was damaged or edited.
    #[error("checksum mismatch: the file is damaged or edited")]
    Checksum,
    /// The record inside does not decode.
    #[error(transparent)]
    Record(#[from] EncodingError),
}

impl ProofRecord {
    /// The program this proof claims; `None` if the tag is unknown.
    pub fn program(&self) -> Option<Program> {
        Program::from_tag(self.program)
    }

    /// The bytes of a proof file.
    pub fn to_file_bytes(&self) -> Vec<u8> {
        let mut bytes = FILE_MAGIC.to_vec();
        bytes.extend(encoding::encode(self));
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum);
        bytes
    }

    /// Reads the bytes of a proof file.
    ///
    /// # Errors
    /// [`ProofFileError`] says whether it is no proof file, a damaged one, or a malformed record.
    pub fn from_file_bytes(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let body = bytes.strip_prefix(&FILE_MAGIC).ok_or(ProofFileError::NotAProofFile)?;
        let (record, checksum) = body.split_last_chunk::<32>().ok_or(ProofFileError::NotAProofFile)?;
        if Sha256::digest(&bytes[..bytes.len() - 32])[..] != checksum[..] {
            return Err(ProofFileError::Checksum);
        }
        Ok(encoding::decode("proof record", record, MAX_RECORD)?)
    }
}
