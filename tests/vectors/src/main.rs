//! `vectors [DIR]`: runs the light-client vectors of a folder, by default those checked in.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let root = std::env::args_os().nth(1).map_or_else(sextant_vectors::data, PathBuf::from);
    let start = Instant::now();
    match sextant_vectors::run(&root) {
        Ok(report) => {
            println!("{report} in {:.1} s", start.elapsed().as_secs_f64());
            if report.total().run == 0 {
                eprintln!("{}: no case below it; {}", root.display(), sextant_vectors::LAYOUT);
            }
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{}: {error}", root.display());
            ExitCode::FAILURE
        }
    }
}
