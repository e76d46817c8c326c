//! What can be asked, and what is answered.

use serde::{Deserialize, Serialize};
use sextant_consensus::Program;
use sha2::{Digest, Sha256};

use crate::{ProofKind, ProofRecord};

/// One question to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Prove a statement. Answered by [`Response::Proof`], after progress events.
    Prove(ProveRequest),
    /// Verify a proof against the server's pinned programs. Answered by [`Response::Verified`].
    Verify(ProofRecord),
    /// Answered by [`Response::Info`].
    Info,
    /// Answered at once by [`Response::Pong`].
    Ping,
    /// [`Self::Prove`], by exactly this build of the program. Since version 2.
    ProveBy {
        /// The request.
        request: ProveRequest,
        /// Hash of the verifying key that the proof must be for. A server with another one refuses.
        vk_hash: [u8; 32],
    },
}

/// Asks for one proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveRequest {
    /// The statement and its evidence.
    pub input: StatementInput,
    /// The form of proof wanted.
    pub kind: ProofKind,
    /// Give up this many milliseconds after the request arrives, queueing included; 0 is the server's maximum.
    pub deadline_ms: u64,
}

/// A statement's input in the consensus crate's own encoding: the very bytes the guest program reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementInput {
    /// Wire tag of the program, [`Program::tag`].
    pub program: u32,
    /// `committee_change::Input` or `inclusion::Input`, encoded.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl StatementInput {
    /// Wraps an encoded input of `program`.
    pub fn new(program: Program, bytes: Vec<u8>) -> Self {
        Self { program: program.tag(), bytes }
    }

    /// The program this input is for; `None` if the tag is unknown.
    pub fn program(&self) -> Option<Program> {
        Program::from_tag(self.program)
    }

    /// Names the request's content: `SHA-256(program tag, u32 little-endian || bytes)`.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.program.to_le_bytes()).chain_update(&self.bytes).finalize().into()
    }
}

/// One successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// The proof, and what making it took.
    Proof {
        /// The self-describing proof.
        proof: ProofRecord,
        /// [`StatementInput::digest`] of the input it was made from.
        input_digest: [u8; 32],
        /// What it took; informative, not bound to the proof.
        cost: ProvingCost,
    },
    /// The proof is valid for the server's pinned program.
    Verified,
    /// What the server runs.
    Info(ServerInfo),
    /// The server is there.
    Pong,
}

/// What making a proof took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvingCost {
    /// Guest cycles executed.
    pub cycles: u64,
    /// Milliseconds in the queue.
    pub queued_ms: u64,
    /// Milliseconds of executing and proving.
    pub proving_ms: u64,
    /// Peak resident memory of the prover worker so far, bytes.
    pub peak_memory: u64,
}

/// What a server runs and offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Name and version of the server software.
    pub agent: String,
    /// SP1 circuit version proofs are made for.
    pub circuit_version: String,
    /// Programs served.
    pub programs: Vec<ProgramInfo>,
    /// Kinds of proof offered.
    pub kinds: Vec<ProofKind>,
}

/// One program of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramInfo {
    /// Wire tag, [`Program::tag`].
    pub program: u32,
    /// Its verifying key's hash, as contracts take it.
    pub vk_hash: [u8; 32],
    /// SHA-256 of its ELF.
    pub elf_sha256: [u8; 32],
    /// Jobs waiting in its queue now.
    pub queued: u32,
    /// How many may wait.
    pub queue_capacity: u32,
}
