//! What the server says of itself.

use schemars::JsonSchema;
use serde::Serialize;
use sextant_consensus::Program;
use sextant_protocol::{
    ProofKind, Request as Asked, Response as Answer, ServerInfo, ServerInfo as Info, request::ProgramInfo,
};

use super::{
    asker::{Asker, unexpected},
    problem::Problem,
    values::Json,
};
use crate::programs;

/// A server, its programs and its limits.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Server {
    /// Name and version of the software.
    agent: String,
    /// Version of SP1's circuits.
    circuit_version: String,
    /// Whether it could work on a request.
    ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// Networks whose statements are proven; none: any.
    networks: Vec<String>,
    programs: Vec<ServedProgram>,
    limits: ServedLimits,
    /// Seconds since it was started.
    uptime_s: u64,
}

/// A program.
#[derive(Debug, Serialize, JsonSchema)]
struct ServedProgram {
    name: String,
    /// Its number in the protocol and in public values.
    tag: u32,
    /// Hash of its verifying key, as contracts take it.
    vk_hash: String,
    /// SHA-256 of its ELF.
    elf_sha256: String,
    /// Kinds of proof that are made by it.
    kinds: Vec<String>,
    /// Whether a request for it would be worked on.
    ready: bool,
    /// Jobs that wait.
    queued: u32,
    /// How many may wait.
    queue_capacity: u32,
    /// Jobs that are being worked on.
    running: u32,
}

/// The most that it takes.
#[derive(Debug, Serialize, JsonSchema)]
struct ServedLimits {
    /// Bytes of a statement input.
    input: u64,
    /// Bytes of a proof record to verify.
    record: u64,
    /// Longest that a proof may take, milliseconds.
    deadline_ms: u64,
}

/// What is offered here.
pub(super) async fn programs(asker: Asker) -> Result<Json<Server>, Problem> {
    match asker.ask(Asked::Info).await? {
        Answer::Info(info) => Ok(Json(info.into())),
        _ => Err(unexpected().into()),
    }
}

impl From<ServerInfo> for Server {
    fn from(info: ServerInfo) -> Self {
        let Info { agent, circuit_version, ready, reason, networks, uptime_s, limits, .. } = info;
        let limits =
            ServedLimits { input: limits.input, record: limits.record, deadline_ms: limits.deadline_ms };
        let programs = info.programs.into_iter().map(ServedProgram::from).collect();
        Self { agent, circuit_version, ready, reason, networks, programs, limits, uptime_s }
    }
}

impl From<ProgramInfo> for ServedProgram {
    fn from(info: ProgramInfo) -> Self {
        let name = Program::from_tag(info.program).map(programs::name).unwrap_or_default();
        Self {
            name: name.into(),
            tag: info.program,
            vk_hash: format!("0x{}", hex::encode(info.vk_hash)),
            elf_sha256: hex::encode(info.elf_sha256),
            kinds: info.kinds.iter().map(ProofKind::to_string).collect(),
            ready: info.ready,
            queued: info.queued,
            queue_capacity: info.queue_capacity,
            running: info.running,
        }
    }
}
