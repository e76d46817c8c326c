//! Written by `programs/build.sh --install`, as `manifest.json` beside it.

use crate::{Artifact, artifact};

/// Version of the circuits that prove and verify the programs.
pub const CIRCUIT_VERSION: &str = "v6.1.0";

/// Version of the SP1 crates the programs link.
pub const SP1_VERSION: &str = "6.10.0";

/// What the programs were compiled with.
pub const TOOLCHAIN: &str = "debian: rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball), LLVM 22.1.8, linker LLD 22.1.8";

/// The program `committee-change`.
pub const COMMITTEE_CHANGE: Artifact = artifact(
    "committee-change",
    include_bytes!("../committee-change.elf"),
    "744c9b8e7caef294265c23c617b90658ad17f64abb9c85b7abf9034b691ecc3d",
    include_bytes!("../committee-change.vk"),
    "00f7afe65832cc40b33254f410426239f2bfc480ab512eec2022df005dce69a4",
);

/// The program `inclusion`.
pub const INCLUSION: Artifact = artifact(
    "inclusion",
    include_bytes!("../inclusion.elf"),
    "df751b0b7c147964a367c4c8836ba94cb06645e1883e512df617d3c78742f5c9",
    include_bytes!("../inclusion.vk"),
    "009ff762ec01d183d67b60518227e1da1098d1b723a93194ee2e438b89d78a1a",
);

/// A program that does nothing: what executing and proving cost by themselves.
pub const EMPTY_ELF: &[u8] = include_bytes!("../empty.elf");
