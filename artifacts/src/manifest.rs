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
    "13ffc45d9d1e48653a987e9ee3f3cdc36f4cb8da480dfe1f33710341b91e97e7",
    include_bytes!("../committee-change.vk"),
    "00ae67c01aa11f70d042ff8ad912cafce0c4265f8564d033876adb030d8a67d1",
);

/// The program `inclusion`.
pub const INCLUSION: Artifact = artifact(
    "inclusion",
    include_bytes!("../inclusion.elf"),
    "d7759239a6f11f0c63616651ab16f0d699bd2520b3f07b43684cabc7b162dba9",
    include_bytes!("../inclusion.vk"),
    "00f5fce8da5cef30377b38b3dd9a37a372fa124881fb4a910540d495923368d2",
);

/// A program that does nothing: what executing and proving cost by themselves.
pub const EMPTY_ELF: &[u8] = include_bytes!("../empty.elf");
