//! `seeds DIR`: writes every target's seeds to `DIR/<target>/`, for libFuzzer to begin with.

use std::path::PathBuf;
use std::process::ExitCode;

use sextant_fuzz_targets::{TARGETS, seeds};

fn main() -> ExitCode {
    let Some(root) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: seeds DIR");
        return ExitCode::FAILURE;
    };
    for (target, _) in TARGETS {
        if let Err(error) = write(&root.join(target), target) {
            eprintln!("{}: {error}", root.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(folder: &std::path::Path, target: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (index, seed) in seeds::of(target).into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index:03}")), seed)?;
    }
    Ok(())
}
