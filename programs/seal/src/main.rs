//! `seal`: steps of `programs/build.sh --install`. Takes built guests, derives their verifying keys, and writes what the
//! `artifacts` crate embeds; or what guests pin that verify proofs of others.

mod manifest;
mod pinned;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use sha2::{Digest, Sha256};
use sp1_sdk::{Elf, HashableKey, LightProver, Prover, ProvingKey, SP1_CIRCUIT_VERSION, SP1VerifyingKey};

use manifest::{Manifest, Program};

/// Derives the verifying keys of built guests.
#[derive(Parser)]
struct Arguments {
    /// Folder of the built ELFs, named as the programs.
    #[arg(long)]
    elf_dir: PathBuf,
    #[command(subcommand)]
    wanted: Wanted,
}

#[derive(Subcommand)]
enum Wanted {
    /// Writes the keys, the ELFs and a manifest.
    Artifacts(Artifacts),
    /// Writes a Rust module with the keys, as guests need them that verify proofs of these programs.
    Pinned {
        /// The module.
        #[arg(long)]
        out: PathBuf,
        /// The programs.
        programs: Vec<String>,
    },
}

#[derive(Args)]
struct Artifacts {
    /// Folder to write to.
    #[arg(long)]
    out: PathBuf,
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
    let Arguments { elf_dir, wanted } = Arguments::parse();
    match wanted {
        Wanted::Artifacts(wanted) => artifacts(&elf_dir, wanted).await,
        Wanted::Pinned { out, programs } => {
            let prover = LightProver::new().await;
            let mut keys = Vec::new();
            for name in programs {
                let (_, key) = set_up(&prover, &elf_dir, &name).await?;
                keys.push((name, key.hash_u32()));
            }
            write(&out, pinned::to_rust(&keys).as_bytes())
        }
    }
}

async fn artifacts(elf_dir: &Path, wanted: Artifacts) -> Result<()> {
    let prover = LightProver::new().await;
    let mut programs = Vec::new();
    for name in &wanted.programs {
        programs.push(seal(&prover, elf_dir, &wanted.out, name).await?);
    }
    let yardstick = &wanted.yardstick;
    let elf = read(&elf_dir.join(yardstick))?;
    write(&wanted.out.join(format!("{yardstick}.elf")), &elf)?;
    let manifest = Manifest {
        circuit_version: SP1_CIRCUIT_VERSION.to_owned(),
        sp1_version: wanted.sp1_version,
        toolchain: wanted.toolchain,
        built_by: "programs/build.sh --install".to_owned(),
        programs,
    };
    write(&wanted.out.join("manifest.json"), manifest.to_json()?.as_bytes())?;
    write(&wanted.out.join("src/manifest.rs"), manifest.to_rust(yardstick).as_bytes())?;
    for program in &manifest.programs {
        println!("{}: elf {}, verifying key {}", program.program, program.elf_sha256, program.vk_hash);
    }
    Ok(())
}

/// Writes one program's ELF and verifying key.
async fn seal(prover: &LightProver, elf_dir: &Path, out: &Path, name: &str) -> Result<Program> {
    let (elf, key) = set_up(prover, elf_dir, name).await?;
    let verifying_key = bincode::serialize(&key)?;
    write(&out.join(format!("{name}.elf")), &elf)?;
    write(&out.join(format!("{name}.vk")), &verifying_key)?;
    Ok(Program {
        program: name.to_owned(),
        elf_sha256: hex::encode(Sha256::digest(&elf)),
        verifying_key_sha256: hex::encode(Sha256::digest(&verifying_key)),
        vk_hash: key.bytes32(),
    })
}

/// A program's ELF, and its verifying key.
async fn set_up(prover: &LightProver, elf_dir: &Path, name: &str) -> Result<(Vec<u8>, SP1VerifyingKey)> {
    let elf = read(&elf_dir.join(name))?;
    let key = prover.setup(Elf::from(elf.as_slice())).await;
    let key = key.with_context(|| format!("setting up the keys of {name}"))?;
    Ok((elf, key.verifying_key().clone()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}
