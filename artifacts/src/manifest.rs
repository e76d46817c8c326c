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
    "076078f61564ae9b1d42c7de240ba1ede02e351a7e542d7e4302195a92c035a6",
    include_bytes!("../committee-change.vk"),
    "00aad550bd6344dc93eff15cbfd7831b81b0c14e7e3c7d0eb9413119cc7b7707",
);

/// The program `inclusion`.
pub const INCLUSION: Artifact = artifact(
    "inclusion",
    include_bytes!("../inclusion.elf"),
    "2369104818a3e53f8952c1cb9e648167f6e9d76176745c7f5047cc8a11c53137",
    include_bytes!("../inclusion.vk"),
    "0039e655a2b617a0ffbec0beb1b137335b4d7bbb341d4c76ee9f82fdf4156ee7",
);

/// The program `bundle`.
pub const BUNDLE: Artifact = artifact(
    "bundle",
    include_bytes!("../bundle.elf"),
    "4d31fe454a82a3940b7d13d29bcaee641aa297c313352f88a944217aa3db4d19",
    include_bytes!("../bundle.vk"),
    "008b033474612aa864c570adabdbc899f50148ed0d9a32ac91cc7053b1ffead6",
);

/// The program `chain`.
pub const CHAIN: Artifact = artifact(
    "chain",
    include_bytes!("../chain.elf"),
    "85c5ba78f77447b9cc5cf828ad075f2e951b79b17b4ddbea86b5ad84a4088be0",
    include_bytes!("../chain.vk"),
    "002d74596086a5eeba47b472d9f5174bbd96a46a7b365bbd02f5cc0052efd0d1",
);

/// A program that does nothing: what executing and proving cost by themselves.
pub const EMPTY_ELF: &[u8] = include_bytes!("../empty.elf");
