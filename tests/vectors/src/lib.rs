//! Runs the light-client vectors of the consensus specification (runner `light_client`, any folder of their layout)
//! against `sextant-consensus`. What a case means: `tests/data/spec-vectors/README.md`.
//!
//! A file that no handler reads is a failure: a vector must not be skipped by mistake.

pub mod case;
pub mod config;
mod handlers;
pub mod report;
pub mod ssz;
pub mod statements;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use case::Case;
use report::Report;

/// The vectors checked in.
pub fn data() -> PathBuf {
    sextant_fixtures::data().join("spec-vectors")
}

/// Where cases are looked for, in words.
pub const LAYOUT: &str =
    "folders are PRESET/FORK/light_client/HANDLER/SUITE/CASE, as in `tests` of a released archive";

/// Runs every case below `root`, whose folders are `<preset>/<fork>/light_client/<handler>/<suite>/<case>`.
///
/// # Errors
/// Those of reading folders; what is wrong with a case is in the report.
pub fn run(root: &Path) -> io::Result<Report> {
    let mut report = Report::default();
    for case in cases(root)? {
        let result = handlers::run(&case);
        let unread = case.unread()?;
        report.add(&case, result, unread);
    }
    for stray in strays(root)? {
        report.stray(stray);
    }
    Ok(report)
}

/// Every case below `root`, in order.
///
/// # Errors
/// Those of reading folders.
pub fn cases(root: &Path) -> io::Result<Vec<Case>> {
    let mut level = vec![root.to_path_buf()];
    // Preset, fork, runner, handler, suite, case.
    for depth in 0..6 {
        let mut below = Vec::new();
        for folder in level {
            below.extend(
                folders(&folder)?.into_iter().filter(|path| depth != 2 || path.ends_with("light_client")),
            );
        }
        level = below;
    }
    level.into_iter().map(|path| Case::new(root, path)).collect()
}

fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.is_dir());
    paths.sort();
    Ok(paths)
}

/// Files of the runner that lie outside any case. At the root a readme is nobody's vector.
fn strays(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut strays = Vec::new();
    let mut level: Vec<PathBuf> = vec![root.to_path_buf()];
    for depth in 0..6 {
        let mut below = Vec::new();
        for folder in level {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_file() && (depth > 0 || path.extension().is_none_or(|kind| kind != "md")) {
                    strays.push(path);
                } else if path.is_dir() && (depth != 2 || path.ends_with("light_client")) {
                    below.push(path);
                }
            }
        }
        level = below;
    }
    Ok(strays)
}
