//! Mutation tests that compile all mutants into one program: `sextant-mutants ORIGIN COPY STATE [WORD...] -- CARGO-ARGUMENT...`,
//! started by `scripts/mutants.sh`. In the folder STATE are `list.json`, which `cargo mutants --list --json` has printed, and
//! `names`, those of them that are tried. What is found is kept there too. Tests whose program or name has one of the words in it
//! do not run.

mod build;
mod judge;
mod list;
mod tests;
mod weave;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env::args,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

use build::{LeftOut, Program, Tree};
use judge::{Judge, Outcome, Results, Verdict, at_once, spread};
use list::Mutant;
use tests::{Runner, Test, Told};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = args().skip(1).collect();
    let mut parts = arguments.split(|argument| argument == "--");
    let (Some([origin, copy, state, skipped @ ..]), Some(cargo)) = (parts.next(), parts.next()) else {
        bail!("what is to be changed, and how is it built?");
    };
    let tree = Tree { origin: origin.into(), copy: copy.into(), arguments: cargo.to_vec() };
    let state = PathBuf::from(state);
    let mutants: Vec<Mutant> = serde_json::from_slice(&fs::read(state.join("list.json"))?)?;
    let names = fs::read_to_string(state.join("names"))?;
    let names: HashSet<&str> = names.lines().collect();

    let left_out_file = state.join("left-out.json");
    let mut left_out: LeftOut = fs::read(&left_out_file)
        .map_or_else(|_| Ok(LeftOut::default()), |text| serde_json::from_slice(&text))?;
    let save = |left_out: &LeftOut| Ok(fs::write(&left_out_file, serde_json::to_string(left_out)?)?);
    let programs = tree.build_all(&mutants, &mut left_out, save)?;
    let programs: BTreeMap<_, _> =
        programs.into_iter().map(|program| (program.name.clone(), program)).collect();

    let runner = Runner::default();
    let tests = measure(&programs, skipped, &runner, &state)?;
    for test in tests.iter().filter(|test| !test.passes) {
        eprintln!("mutants: left out, since it fails without any mutant: {}: {}", test.program, test.name);
    }
    let judge = Judge::new(&programs, tests.into_iter().filter(|test| test.passes).collect(), &runner);
    let verdicts = Results::<Verdict>::open(&state.join("verdicts"))?;
    let judged: HashSet<_> = verdicts.known.iter().map(|verdict| verdict.mutant.clone()).collect();

    let mut todo: Vec<(u32, &Mutant)> = (0..).zip(&mutants).collect();
    todo.retain(|(_, mutant)| names.contains(&*mutant.name) && !judged.contains(&mutant.name));
    todo.sort_by_key(|(_, mutant)| spread(&mutant.name));
    let (apart, together): (Vec<_>, Vec<_>) =
        todo.into_iter().partition(|(number, _)| left_out.apart.contains(number));
    let (broken, together): (Vec<_>, Vec<_>) =
        together.into_iter().partition(|(number, _)| left_out.broken.contains(number));
    let broken_mutant = |mutant: &Mutant| Verdict {
        mutant: mutant.name.clone(),
        outcome: Outcome::DoesNotCompile,
        by: None,
        reached_by: 0,
    };
    broken.iter().try_for_each(|(_, mutant)| verdicts.add(&broken_mutant(mutant)))?;
    eprintln!("mutants: {} to try, and {} that are compiled alone", together.len(), apart.len());
    at_once(&together, |(number, mutant)| {
        let verdict = judge.judge(mutant, &Told::On(*number), |test| test.reached.contains(number))?;
        tell(&verdict);
        verdicts.add(&verdict)
    })?;

    for (_, mutant) in &apart {
        let text = fs::read_to_string(tree.copy.join(&mutant.file))?;
        tree.write(&mutant.file, &mutant.applied(&tree.original(&mutant.file)?))?;
        let verdict = match tree.build()? {
            Err(_) => broken_mutant(mutant),
            // The same programs, built again; who comes by what the compiler evaluates is not known.
            Ok(_) => judge.judge(mutant, &Told::Nothing, |_| true)?,
        };
        tell(&verdict);
        verdicts.add(&verdict)?;
        tree.write(&mutant.file, &text)?;
    }
    report(&state, &mutants, &names)
}

/// What each test does without mutants, as far as that is not known yet.
fn measure(
    programs: &BTreeMap<String, Program>,
    skipped: &[String],
    runner: &Runner,
    state: &Path,
) -> Result<Vec<Test>> {
    let is_skipped = |program: &str, name: &str| {
        let name = format!("{program}: {name}");
        skipped.iter().any(|word| name.contains(word))
    };
    let results = Results::<Test>::open(&state.join("tests"))?;
    let known: HashSet<_> =
        results.known.iter().map(|test| (test.program.clone(), test.name.clone())).collect();
    let mut todo = Vec::new();
    for program in programs.values() {
        for name in program.tests()? {
            if !known.contains(&(program.name.clone(), name.clone())) && !is_skipped(&program.name, &name) {
                todo.push((program, name));
            }
        }
    }
    let todo: Vec<_> = todo.into_iter().enumerate().collect();
    at_once(&todo, |(number, (program, name))| {
        results.add(&runner.measure(program, name.clone(), &state.join(format!("notes-{number}")))?)
    })?;
    let mut tests = Results::<Test>::open(&state.join("tests"))?.known;
    tests.retain(|test| !is_skipped(&test.program, &test.name));
    Ok(tests)
}

fn tell(verdict: &Verdict) {
    match verdict.outcome {
        Outcome::Survives => println!("SURVIVES {} ({} tests come by)", verdict.mutant, verdict.reached_by),
        Outcome::TimedOut => println!("timed out {}", verdict.mutant),
        Outcome::Caught | Outcome::DoesNotCompile => {}
    }
}

/// Prints the counts, and what survives.
fn report(state: &Path, mutants: &[Mutant], names: &HashSet<&str>) -> Result<ExitCode> {
    let verdicts = Results::<Verdict>::open(&state.join("verdicts"))?.known;
    let verdicts: HashMap<&str, &Verdict> =
        verdicts.iter().map(|verdict| (&*verdict.mutant, verdict)).collect();
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for mutant in mutants.iter().filter(|mutant| names.contains(&*mutant.name)) {
        let verdict =
            verdicts.get(&*mutant.name).with_context(|| format!("no verdict on {}", mutant.name))?;
        *counts.entry(verdict.outcome).or_default() += 1;
        if verdict.outcome == Outcome::Survives {
            println!("SURVIVES {}", mutant.name);
        }
    }
    let count = |outcome| counts.get(&outcome).copied().unwrap_or_default();
    let survive = count(Outcome::Survives);
    println!(
        "mutants: {} in all, {} do not compile; of the others {} caught, {} timed out, {survive} survive",
        names.len(),
        count(Outcome::DoesNotCompile),
        count(Outcome::Caught),
        count(Outcome::TimedOut),
    );
    Ok(ExitCode::from(if survive > 0 { 2 } else { 0 }))
}
