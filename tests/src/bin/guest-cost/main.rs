//! `guest-cost [FOLDER]`: executes guests on recorded data, without proving, and says what they cost.
//!
//! The committed guests, or those `programs/build.sh` put into `FOLDER`. Prints a table per program and fixture,
//! and writes `guest-cost.json` at the root of the target folder.

mod meter;
mod report;

use std::borrow::Cow;
use std::error::Error;
use std::path::{Path, PathBuf};

use report::Report;
use sextant_consensus::bls::fast::HintRecorder;
use sextant_consensus::check_statement;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let elf = |program: &str, committed| elf(folder.as_deref(), program, committed);

    let empty = elf("empty", sextant_artifacts::EMPTY_ELF)?;
    let mut reports = vec![Report {
        program: "empty",
        fixture: "nothing",
        cost: meter::run(&empty, &[])?,
        committed: None,
    }];
    let committed = sextant_tests::committed_gas();
    for (fixture, program, input) in sextant_fixtures::statements() {
        let mut recorder = HintRecorder::new();
        check_statement(program, &input, &mut recorder)?;
        let guest = elf(program.as_str(), sextant_tests::executor::artifact(program).elf)?;
        let cost = meter::run(&guest, &[&input, &recorder.into_hints()])?;
        reports.push(Report {
            program: program.as_str(),
            fixture,
            cost,
            committed: committed.get(fixture).copied(),
        });
    }
    for report in &reports {
        println!("{report}");
    }
    let file = sextant_tests::target_folder()?.join("guest-cost.json");
    std::fs::write(&file, format!("{:#}\n", report::to_json(&reports)))?;
    println!("written to {}", file.display());
    match reports.iter().find(|report| report.cost.exit_code != 0) {
        Some(failed) => Err(format!("{} refused {}", failed.program, failed.fixture).into()),
        None => Ok(()),
    }
}

/// The guest to measure.
fn elf(
    folder: Option<&Path>,
    program: &str,
    committed: &'static [u8],
) -> std::io::Result<Cow<'static, [u8]>> {
    match folder {
        Some(folder) => Ok(std::fs::read(folder.join(program))?.into()),
        None => Ok(committed.into()),
    }
}
