//! What can be asked, and what is answered.

use bytes::{Buf, Bytes};
use sextant_consensus::Program;
use sha2::{Digest, Sha256};

use crate::{
    OLDEST_VERSION, PROTOCOL_VERSION, ProofKind, ProofRecord,
    encoding::{self, EncodingError},
    message,
    parts::{PART, Parts},
    record,
    wire::Wire,
};

message! {
/// One question to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Answered at once by [`Response::Pong`].
    0 = Ping,
    /// Answered at once by [`Response::Info`].
    1 = Info,
    /// Prove a statement. Answered by [`Response::Proof`], after progress events.
    2 = Prove(request: ProveRequest),
    /// Verify a proof against the server's pinned programs. Answered by [`Response::Verified`].
    3 = Verify {
        /// The first bytes of the encoded [`ProofRecord`].
        1 = record: Vec<u8>,
        /// Bytes that follow in parts.
        2 = more: u64 = 0,
    },
    /// Prove a statement for somebody who comes back for it. Answered by [`Response::Submitted`]; the job goes on whoever
    /// is connected.
    4 = Submit(request: ProveRequest),
    /// Wait for a job, or have its proof. Answered like [`Self::Prove`].
    5 = Fetch {
        /// The job.
        1 = job: JobKey,
        /// Where in the record to begin: what comes before is there already.
        2 = offset: u64 = 0,
        /// How long to wait at most, milliseconds; 0 is the server's maximum. The job goes on.
        3 = deadline_ms: u64 = 0,
    },
    /// Give up a job that this client has submitted. Answered by [`Response::Withdrawn`].
    6 = Withdraw {
        /// The job.
        1 = job: JobKey,
    },
    /// Make a SNARK of a compressed proof that somebody has. Answered like [`Self::Prove`]. For servers with the capability
    /// [`WRAP`](crate::message::WRAP).
    7 = Wrap(request: WrapRequest),
    /// [`Self::Wrap`] for somebody who comes back for it. Answered by [`Response::Submitted`].
    8 = SubmitWrap(request: WrapRequest),
    /// Make one proof of compressed proofs that somebody has. Answered like [`Self::Prove`]. For servers with the capability
    /// [`BUNDLE`](crate::message::BUNDLE).
    9 = Bundle(request: BundleRequest),
    /// [`Self::Bundle`] for somebody who comes back for it. Answered by [`Response::Submitted`].
    10 = SubmitBundle(request: BundleRequest),
}
}

impl Request {
    /// Asks to verify `proof`.
    pub fn verify(proof: &ProofRecord) -> Self {
        Self::Verify { record: encoding::encode(proof), more: 0 }
    }

    /// Takes out what does not fit into the message with the request: it has to follow it.
    pub fn split(&mut self) -> Parts {
        let Some((content, more)) = self.content() else { return Parts::default() };
        let rest = content.split_off(PART.min(content.len()));
        *more = rest.len() as u64;
        Parts::new(content.len() as u64, rest.into())
    }

    /// What the request carries that may be large, and how much of it is still to come.
    pub fn content(&mut self) -> Option<(&mut Vec<u8>, &mut u64)> {
        match self {
            Self::Prove(request) | Self::Submit(request) => {
                Some((&mut request.input.bytes, &mut request.more))
            }
            Self::Verify { record, more } => Some((record, more)),
            Self::Wrap(request) | Self::SubmitWrap(request) => Some((&mut request.record, &mut request.more)),
            Self::Bundle(request) | Self::SubmitBundle(request) => {
                Some((&mut request.records, &mut request.more))
            }
            _ => None,
        }
    }
}

record! {
/// Asks for one proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveRequest {
    /// The statement and its evidence; on the wire the first bytes of it.
    1 = input: StatementInput,
    /// The form of proof wanted.
    2 = kind: ProofKind,
    /// Give up this many milliseconds after the request arrives, queueing included; 0 is the server's maximum.
    3 = deadline_ms: u64 = 0,
    /// Hash of the verifying key that the proof must be for; a server with another one refuses. None: whichever it has.
    4 = vk_hash: Option<[u8; 32]> = None,
    /// Bytes of the input that follow in parts.
    5 = more: u64 = 0,
}
}

impl ProveRequest {
    /// Asks for a proof of `input` by whichever build of the program, within the server's own time.
    pub fn new(input: StatementInput, kind: ProofKind) -> Self {
        Self { input, kind, deadline_ms: 0, vk_hash: None, more: 0 }
    }
}

record! {
/// Asks for the SNARK of a compressed proof: of the same program, with the same public values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapRequest {
    /// The compressed proof, an encoded [`ProofRecord`]; on the wire the first bytes of it.
    1 = record: Vec<u8>,
    /// The form of proof wanted.
    2 = kind: ProofKind,
    /// As in [`ProveRequest`].
    3 = deadline_ms: u64 = 0,
    /// Bytes of the record that follow in parts.
    4 = more: u64 = 0,
}
}

impl WrapRequest {
    /// Asks for the Groth16 proof of `proof`, within the server's own time.
    pub fn new(proof: &ProofRecord) -> Self {
        Self { record: encoding::encode(proof), kind: ProofKind::Groth16, deadline_ms: 0, more: 0 }
    }
}

record! {
/// Asks for a proof that other proofs hold: of the program `bundle`, whose public values name their statements in order, or
/// of the program `chain`, which joins committee changes to what they lead from and to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRequest {
    /// The compressed proofs in their order, that of the chain so far ahead of those that follow: of each the length, 4 bytes little-endian, and the encoded [`ProofRecord`]. On
    /// the wire the first bytes of all this.
    1 = records: Vec<u8>,
    /// The form of proof wanted.
    2 = kind: ProofKind,
    /// As in [`ProveRequest`].
    3 = deadline_ms: u64 = 0,
    /// Hash of the verifying key that the proof must be for, as in [`ProveRequest`].
    4 = vk_hash: Option<[u8; 32]> = None,
    /// Bytes of the records that follow in parts.
    5 = more: u64 = 0,
    /// Tag of the program that verifies them, [`Program::Bundle`] or [`Program::Chain`].
    6 = program: u32 = Program::Bundle.tag(),
}
}

impl BundleRequest {
    /// Asks for one proof of `proofs` by `program`, within the server's own time.
    pub fn new(program: Program, proofs: &[ProofRecord], kind: ProofKind) -> Self {
        let encoded: Vec<_> = proofs.iter().map(encoding::encode).collect();
        let records = Self::joined(&encoded);
        Self { records, kind, deadline_ms: 0, vk_hash: None, more: 0, program: program.tag() }
    }

    /// What [`Self::records`] holds of these encoded records.
    pub fn joined(encoded: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let mut records = Vec::new();
        for record in encoded {
            let record = record.as_ref();
            // Records are far below 4 GiB: `MAX_RECORD`.
            records.extend((record.len() as u32).to_le_bytes());
            records.extend(record);
        }
        records
    }

    /// The encoded record of each proof in `records`, which nothing is copied of.
    ///
    /// # Errors
    /// [`EncodingError::Torn`] if they end within one.
    pub fn split_records(records: &Bytes) -> Result<Vec<Bytes>, EncodingError> {
        let torn = || EncodingError::Torn { what: "list of proof records" };
        let (mut rest, mut split) = (records.clone(), Vec::new());
        while !rest.is_empty() {
            let length = *rest.first_chunk().ok_or_else(torn)?;
            rest.advance(4);
            let length = u32::from_le_bytes(length) as usize;
            if length > rest.len() {
                return Err(torn());
            }
            split.push(rest.split_to(length));
        }
        Ok(split)
    }
}

record! {
/// A statement's input in the consensus crate's own encoding: the very bytes the guest program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementInput {
    /// Wire tag of the program, [`Program::tag`].
    1 = program: u32,
    /// `committee_change::Input` or `inclusion::Input`, encoded.
    2 = bytes: Vec<u8>,
}
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

/// Names a job. Servers make these up; to a client they are 32 bytes without a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey(pub [u8; 32]);

impl Wire for JobKey {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        <[u8; 32]>::read(what, bytes).map(Self)
    }
}

impl std::fmt::Display for JobKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::str::FromStr for JobKey {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key)?;
        Ok(Self(key))
    }
}

message! {
/// One successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// The server is there.
    0 = Pong,
    /// What the server runs.
    1 = Info(info: ServerInfo),
    /// The proof is valid for the server's pinned program.
    2 = Verified,
    /// The proof, and what making it took.
    3 = Proof(proof: ProofAnswer),
    /// The job is taken on.
    4 = Submitted {
        /// Names it from now on.
        1 = job: JobKey,
        /// How long its outcome is kept after its end, seconds.
        2 = kept_s: u64 = 0,
    },
    /// The job has lost this client; it ends if nobody else wants it.
    5 = Withdrawn,
}
}

record! {
/// A proof on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofAnswer {
    /// [`StatementInput::digest`] of an input it was made from; zeros where that was a compressed proof.
    1 = input_digest: [u8; 32],
    /// What it took; informative, not bound to the proof.
    2 = cost: ProvingCost = ProvingCost::default(),
    /// The job, for a [`Request::Fetch`] that goes on where a connection broke.
    3 = job: JobKey = JobKey::default(),
    /// SHA-256 of the whole encoded [`ProofRecord`].
    4 = sha256: [u8; 32],
    /// Where in it `record` begins.
    5 = offset: u64 = 0,
    /// The encoded [`ProofRecord`], or the first bytes of what was asked for of it.
    6 = record: Bytes,
    /// Bytes that follow in parts.
    7 = more: u64 = 0,
}
}

impl ProofAnswer {
    /// An answer with all of `proof`.
    pub fn new(proof: &ProofRecord, input_digest: [u8; 32], cost: ProvingCost, job: JobKey) -> Self {
        let record = Bytes::from(encoding::encode(proof));
        let sha256 = Sha256::digest(&record).into();
        Self { input_digest, cost, job, sha256, offset: 0, record, more: 0 }
    }

    /// Leaves out what comes before `offset`, and takes out what does not fit into the message with the answer: it has to
    /// follow it. An offset past the end is the end.
    pub fn split(&mut self, offset: u64) -> Parts {
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX).min(self.record.len());
        let mut record = self.record.slice(skipped..);
        let rest = record.split_off(PART.min(record.len()));
        (self.offset, self.more) = (skipped as u64, rest.len() as u64);
        let parts = Parts::new((skipped + record.len()) as u64, rest);
        self.record = record;
        parts
    }
}

record! {
/// What making a proof took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvingCost {
    /// Guest cycles executed.
    1 = cycles: u64 = 0,
    /// Milliseconds in the queue.
    2 = queued_ms: u64 = 0,
    /// Milliseconds of executing and proving.
    3 = proving_ms: u64 = 0,
    /// Peak resident memory of the prover worker so far, bytes.
    4 = peak_memory: u64 = 0,
}
}

record! {
/// What a server runs and offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// Name and version of the server software.
    1 = agent: String = String::new(),
    /// SP1 circuit version proofs are made for.
    2 = circuit_version: String = String::new(),
    /// Programs served.
    3 = programs: Vec<ProgramInfo> = Vec::new(),
    /// Kinds of proof offered, by any program.
    4 = kinds: Vec<ProofKind> = Vec::new(),
    /// Whether a request would be worked on.
    5 = ready: bool = true,
    /// Why not, in words; empty if it is ready.
    6 = reason: String = String::new(),
    /// Networks whose statements are proven: a name, or a chain digest in hexadecimal. Empty: any.
    7 = networks: Vec<String> = Vec::new(),
    /// The oldest version of the protocol that the server speaks.
    8 = oldest_version: u32 = OLDEST_VERSION,
    /// The newest one.
    9 = newest_version: u32 = PROTOCOL_VERSION,
    /// What it takes at most.
    10 = limits: ServerLimits = ServerLimits::default(),
    /// Seconds since it was started.
    11 = uptime_s: u64 = 0,
}
}

record! {
/// The most that a server takes; 0 where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerLimits {
    /// Bytes of a statement input.
    1 = input: u64 = 0,
    /// Bytes of a proof record to verify.
    2 = record: u64 = 0,
    /// Requests open at once on one connection.
    3 = requests: u32 = 0,
    /// Longest that a prove request may take, queueing included, milliseconds.
    4 = deadline_ms: u64 = 0,
}
}

record! {
/// One program of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramInfo {
    /// Wire tag, [`Program::tag`].
    1 = program: u32,
    /// Its verifying key's hash, as contracts take it.
    2 = vk_hash: [u8; 32],
    /// SHA-256 of its ELF.
    3 = elf_sha256: [u8; 32] = [0; 32],
    /// Jobs waiting in its queue now.
    4 = queued: u32 = 0,
    /// How many may wait; 0 where the program is verified only.
    5 = queue_capacity: u32 = 0,
    /// Jobs that are being worked on.
    6 = running: u32 = 0,
    /// Kinds of proof that are made by it.
    7 = kinds: Vec<ProofKind> = Vec::new(),
    /// Whether a request for it would be worked on.
    8 = ready: bool = true,
}
}
