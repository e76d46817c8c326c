//! `vectors-execution`: runs the cases of ethereum/tests and the recorded blocks that are checked in.
//! `vectors-execution DIR`: runs the inputs of another folder, `NAME.stateless-input.ssz.xz` with `NAME.stateless-output.hex`.
//! `vectors-execution --mutations N [DIR]`: breaks each input of a folder N times, and leaves out each item of its witness.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use sextant_execution_vectors::{CASES, archives, blocks, inputs, mutations, run_archives};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let start = Instant::now();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all_checked_in(),
        ["--mutations", count] => mutate(&blocks(), count),
        ["--mutations", count, folder] => mutate(Path::new(folder), count),
        [folder] if !folder.starts_with('-') => run_inputs(&PathBuf::from(folder)),
        _ => Err(io::Error::other("usage: vectors-execution [--mutations N] [DIR]")),
    };
    match result {
        Ok(is_clean) => {
            println!("{:.1} s", start.elapsed().as_secs_f64());
            if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn all_checked_in() -> io::Result<bool> {
    let report = run_archives(&archives())?;
    println!("{report}");
    if report.cases < CASES {
        eprintln!("{} cases, where there are {CASES}", report.cases);
    }
    Ok(run_inputs(&blocks())? && report.is_clean(CASES))
}

fn run_inputs(folder: &Path) -> io::Result<bool> {
    let inputs = inputs::below(folder)?;
    let mut wrong = 0;
    for input in &inputs {
        match input.check() {
            Ok(shown) => println!("{}: {shown}", input.name),
            Err(error) => {
                wrong += 1;
                println!("WRONG {}: {error}", input.name);
            }
        }
    }
    println!("{} inputs, {wrong} wrong", inputs.len());
    if inputs.is_empty() {
        eprintln!("{}: no NAME.stateless-input.ssz.xz in it", folder.display());
    }
    Ok(!inputs.is_empty() && wrong == 0)
}

fn mutate(folder: &Path, count: &str) -> io::Result<bool> {
    let count = count.parse().map_err(|error| io::Error::other(format!("{count:?}: {error}")))?;
    // What panics is in the tally.
    std::panic::set_hook(Box::new(|_| {}));
    let mut wrong = 0;
    let mut valid = 0;
    for input in inputs::below(folder)?.iter().filter(|input| !input.is_refusal()) {
        valid += 1;
        let name = &input.name;
        let flips = mutations::flips(&input.bytes, &input.expected, count, 1);
        println!("{name}: bits flipped: {flips}");
        let omissions = mutations::omissions(&input.bytes, &input.expected).map_err(io::Error::other)?;
        println!("{name}: items left out: {omissions}");
        wrong += flips.wrong.len() + omissions.wrong.len();
    }
    Ok(valid > 0 && wrong == 0)
}
