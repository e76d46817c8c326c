//! Runs the tests against each mutant until one fails.

use std::{
    collections::{BTreeMap, HashMap},
    env,
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    build::Program,
    list::Mutant,
    tests::{End, Runner, Test, Told},
};

/// What became of a mutant.
#[derive(Serialize, Deserialize)]
pub struct Verdict {
    pub mutant: String,
    pub outcome: Outcome,
    /// The test that noticed it.
    pub by: Option<String>,
    /// How many tests come by it, if that is known.
    pub reached_by: usize,
}

#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    DoesNotCompile,
    Caught,
    TimedOut,
    Survives,
}

/// Tests and what they have noticed so far.
pub struct Judge<'a> {
    pub programs: &'a BTreeMap<String, Program>,
    pub tests: Vec<Test>,
    pub runner: &'a Runner,
    /// By file and test.
    noticed: Mutex<HashMap<(String, usize), u32>>,
}

impl<'a> Judge<'a> {
    pub fn new(programs: &'a BTreeMap<String, Program>, tests: Vec<Test>, runner: &'a Runner) -> Self {
        Self { programs, tests, runner, noticed: Mutex::default() }
    }

    /// Runs the tests that `picked` picks, those first that are likely to notice something soon.
    pub fn judge(&self, mutant: &Mutant, told: &Told, picked: impl Fn(&Test) -> bool) -> Result<Verdict> {
        let mut tests: Vec<usize> = (0..self.tests.len()).filter(|test| picked(&self.tests[*test])).collect();
        {
            let noticed = self.noticed.lock().expect("nobody panics with it");
            let cost = |test: &usize| {
                let times = noticed.get(&(mutant.file.clone(), *test)).copied().unwrap_or_default();
                self.tests[*test].seconds / f64::from(1 + times)
            };
            tests.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        }
        let mut verdict = Verdict {
            mutant: mutant.name.clone(),
            outcome: Outcome::Survives,
            by: None,
            reached_by: tests.len(),
        };
        for number in tests {
            let test = &self.tests[number];
            let program = &self.programs[&test.program];
            verdict.outcome = match self.runner.run(program, &test.name, told, test.limit())?.0 {
                End::Passed => continue,
                End::TimedOut => Outcome::TimedOut,
                // Some fail now and then where much else runs.
                End::Failed => {
                    if self.runner.run(program, &test.name, told, test.limit())?.0 == End::Passed
                        && self.runner.alone(program, &test.name, told, test.limit())?.0 == End::Passed
                    {
                        continue;
                    }
                    Outcome::Caught
                }
            };
            verdict.by = Some(format!("{}: {}", test.program, test.name));
            *self
                .noticed
                .lock()
                .expect("nobody panics with it")
                .entry((mutant.file.clone(), number))
                .or_default() += 1;
            break;
        }
        Ok(verdict)
    }
}

/// A file to which results are added, one a line: what was interrupted goes on where it was.
pub struct Results<T> {
    pub known: Vec<T>,
    file: Mutex<File>,
}

impl<T: Serialize + DeserializeOwned> Results<T> {
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).unwrap_or_default();
        // One may be cut off.
        let known = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        Ok(Self { known, file: Mutex::new(file) })
    }

    pub fn add(&self, result: &T) -> Result<()> {
        let line = serde_json::to_string(result)? + "\n";
        Ok(self.file.lock().expect("nobody panics with it").write_all(line.as_bytes())?)
    }
}

/// Does `work` on each of `items`, several at once.
pub fn at_once<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    // Tests that wait rather than compute want more than there are cores.
    let workers = match env::var("JOBS") {
        Ok(jobs) => jobs.parse().context("JOBS is a number")?,
        Err(_) => thread::available_parallelism()?.get(),
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(item)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a worker does not panic"))
    })
}

/// An order in which a part of all says something about all.
pub fn spread(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
