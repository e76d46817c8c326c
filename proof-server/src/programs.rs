//! This software and the guest programs, as the server knows them.

use sextant_artifacts::Artifact;
use sextant_consensus::Program;
use sextant_protocol::request::ProgramInfo;
pub(crate) use sextant_verifier::rules::artifact;

/// Name and version of this software.
pub(crate) const AGENT: &str = concat!("proof-server/", env!("CARGO_PKG_VERSION"));

/// The name of `program` in metrics and logs.
pub(crate) fn name(program: Program) -> &'static str {
    artifact(program).program
}

/// What a server that does not prove says about `program`.
pub(crate) fn info_without_queue(program: Program) -> ProgramInfo {
    let Artifact { vk_hash, elf_sha256, .. } = artifact(program);
    ProgramInfo {
        program: program.tag(),
        vk_hash,
        elf_sha256,
        queued: 0,
        queue_capacity: 0,
        running: 0,
        kinds: Vec::new(),
        ready: true,
    }
}
