//! `vectors-execution`: runs the cases of ethereum/tests, the recorded blocks and the executable specification's, as checked in.
//! `vectors-execution DIR`: runs the inputs of another folder, `NAME.stateless-input.ssz.xz` with `NAME.stateless-output.hex`,
//! or archives of them.
//! `vectors-execution --mutations N [DIR]`: breaks each input of a folder N times, and leaves out each item of its witness.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use rayon::prelude::*;
use sextant_execution_vectors::{
    CASES, SPEC_INPUTS, archives, blocks, inputs, mutations, report, run_archives, spec_inputs,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let start = Instant::now();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all_checked_in(),
        ["--mutations", count] => mutate(&blocks(), count),
        ["--mutations", count, folder] => mutate(Path::new(folder), count),
        [folder] if !folder.starts_with('-') => run_inputs(&PathBuf::from(folder)).map(|right| right > 0),
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
    let made = run_inputs(&spec_inputs())?;
    if made < SPEC_INPUTS.0 {
        eprintln!("{made} inputs of the specification are right, where there are {}", SPEC_INPUTS.0);
    }
    Ok(run_inputs(&blocks())? > 0 && made >= SPEC_INPUTS.0 && report.is_clean(CASES))
}

/// How many inputs of a folder are right; none if one of them is not.
fn run_inputs(folder: &Path) -> io::Result<usize> {
    let inputs = inputs::below(folder)?;
    let shown: Vec<_> = inputs.par_iter().map(|input| (&input.name, input.check())).collect();
    let mut wrong = 0;
    let mut kinds = BTreeMap::<String, usize>::new();
    for (name, shown) in shown {
        match shown {
            Ok(shown) if inputs.len() < 100 => println!("{name}: {shown}"),
            // A great many by what there is, and how many of it.
            Ok(shown) => *kinds.entry(report::kind(&shown)).or_default() += 1,
            Err(error) => {
                wrong += 1;
                println!("WRONG {name}: {error}");
            }
        }
    }
    for (kind, count) in kinds {
        println!("{count:>6}  {kind}");
    }
    let refused = inputs.iter().filter(|input| input.is_refusal()).count();
    println!("{} inputs, {refused} of them to be refused, {wrong} wrong", inputs.len());
    if inputs.is_empty() {
        eprintln!("{}: no NAME.stateless-input.ssz.xz in it", folder.display());
    }
    Ok(if wrong == 0 { inputs.len() } else { 0 })
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
