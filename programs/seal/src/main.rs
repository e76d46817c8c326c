//! `seal`: the last step of `programs/build.sh --install`. Takes built guests, derives their verifying keys, and
//! writes what the `artifacts` crate embeds.

mod manifest;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use sha2::{Digest, Sha256};
use sp1_sdk::{Elf, HashableKey, LightProver, Prover, ProvingKey, SP1_CIRCUIT_VERSION};

use manifest::{Manifest, Program};

/// Derives the verifying keys of built guests and writes them, the ELFs and a manifest.
#[derive(Parser)]
struct Arguments {
    /// Folder of the built ELFs, named as the programs.
    #[arg(long)]
    elf_dir: PathBuf,
    /// Folder to write to.
    #[arg(long)]
    artifacts: PathBuf,
    /// What the guests were compiled with, for the manifest.
    #[arg(long)]
    toolchain: String,
    /// Version of the SP1 crates the guests link, for the manifest.
    #[arg(long)]
    sp1_version: String,
    /// A program that proves nothing: only its ELF is written.
    #[arg(long)]
    yardstick: String,
    /// The statement programs, in the order of their tags.
    programs: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let prover = LightProver::new().await;
    let mut programs = Vec::new();
    for name in &arguments.programs {
        programs.push(seal(&prover, &arguments, name).await.with_context(|| format!("program {name}"))?);
    }
    let yardstick = &arguments.yardstick;
    let elf = read(&arguments.elf_dir.join(yardstick))?;
    write(&arguments.artifacts.join(format!("{yardstick}.elf")), &elf)?;
    let manifest = Manifest {
        circuit_version: SP1_CIRCUIT_VERSION.to_owned(),
        sp1_version: arguments.sp1_version,
        toolchain: arguments.toolchain,
        built_by: "programs/build.sh --install".to_owned(),
        programs,
    };
    write(&arguments.artifacts.join("manifest.json"), manifest.to_json()?.as_bytes())?;
    write(&arguments.artifacts.join("src/manifest.rs"), manifest.to_rust(yardstick).as_bytes())?;
    for program in &manifest.programs {
        println!("{}: elf {}, verifying key {}", program.program, program.elf_sha256, program.vk_hash);
    }
    Ok(())
}

/// Writes one program's ELF and verifying key.
async fn seal(prover: &LightProver, arguments: &Arguments, name: &str) -> Result<Program> {
    let elf = read(&arguments.elf_dir.join(name))?;
    let key = prover.setup(Elf::from(elf.as_slice())).await.context("setting up keys")?;
    let verifying_key = bincode::serialize(key.verifying_key())?;
    write(&arguments.artifacts.join(format!("{name}.elf")), &elf)?;
    write(&arguments.artifacts.join(format!("{name}.vk")), &verifying_key)?;
    Ok(Program {
        program: name.to_owned(),
        elf_sha256: hex::encode(Sha256::digest(&elf)),
        verifying_key_sha256: hex::encode(Sha256::digest(&verifying_key)),
        vk_hash: key.verifying_key().bytes32(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}
