//! The manifest, as JSON for people and scripts and as Rust for the crate that embeds the files.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;

/// What was built, with what.
#[derive(Serialize)]
pub struct Manifest {
    pub circuit_version: String,
    pub sp1_version: String,
    pub toolchain: String,
    pub built_by: String,
    pub programs: Vec<Program>,
}

/// One program's identity.
#[derive(Serialize)]
pub struct Program {
    pub program: String,
    pub elf_sha256: String,
    pub verifying_key_sha256: String,
    pub vk_hash: String,
}

impl Manifest {
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The module `manifest` of the `artifacts` crate.
    pub fn to_rust(&self, yardstick: &str) -> String {
        let mut code = format!(
            "//! Written by `{}`, as `manifest.json` beside it.\n\nuse crate::{{Artifact, artifact}};\n",
            self.built_by
        );
        let mut item = |doc: &str, declaration: String| {
            // Writing to a string cannot fail.
            let _ = write!(code, "\n/// {doc}\npub const {declaration};\n");
        };
        for (doc, name, value) in [
            (
                "Version of the circuits that prove and verify the programs.",
                "CIRCUIT_VERSION",
                &self.circuit_version,
            ),
            ("Version of the SP1 crates the programs link.", "SP1_VERSION", &self.sp1_version),
            ("What the programs were compiled with.", "TOOLCHAIN", &self.toolchain),
        ] {
            item(doc, format!("{name}: &str = {value:?}"));
        }
        for Program { program, elf_sha256, vk_hash, .. } in &self.programs {
            let declaration = format!(
                "{}: Artifact = artifact(\n    {program:?},\n    include_bytes!(\"../{program}.elf\"),\n    \
                 {elf_sha256:?},\n    include_bytes!(\"../{program}.vk\"),\n    {:?},\n)",
                program.replace('-', "_").to_uppercase(),
                vk_hash.trim_start_matches("0x"),
            );
            item(&format!("The program `{program}`."), declaration);
        }
        item(
            "A program that does nothing: what executing and proving cost by themselves.",
            format!("EMPTY_ELF: &[u8] = include_bytes!(\"../{yardstick}.elf\")"),
        );
        code
    }
}
