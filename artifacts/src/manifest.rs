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
    "146d86cd9cf6bfef25aaeae117b0e06723873a05554f5ca9f868d9aa7770271e",
    include_bytes!("../committee-change.vk"),
    "002b962201120b59b0003a9a3e9ee32810ef75e5709d10cd69342a06a0376bb1",
);

/// The program `inclusion`.
pub const INCLUSION: Artifact = artifact(
    "inclusion",
    include_bytes!("../inclusion.elf"),
    "6c1d29b23eae5d7674c257285dee46dd3ca6e1fa10c639c2be7c2b3905db6712",
    include_bytes!("../inclusion.vk"),
    "004554fcb75864433e16d008d51f7e470e85e21a5855330b827b21cd99783f8d",
);

/// A program that does nothing: what executing and proving cost by themselves.
pub const EMPTY_ELF: &[u8] = include_bytes!("../empty.elf");
