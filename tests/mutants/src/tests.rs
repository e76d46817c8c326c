//! Tests as programs run them, each in a process of its own.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::RwLock,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::build::Program;

/// A test without any mutant.
#[derive(Clone, Serialize, Deserialize)]
pub struct Test {
    /// The name of its program.
    pub program: String,
    pub name: String,
    pub seconds: f64,
    pub passes: bool,
    /// The mutants that it comes by.
    pub reached: HashSet<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Passed,
    Failed,
    TimedOut,
}

/// Runs tests: several at once, or one alone.
#[derive(Default)]
pub struct Runner(RwLock<()>);

/// What a test process is told: that it notes in a folder what it reaches, or which mutant is on.
pub enum Told<'a> {
    Nothing,
    Note(&'a Path),
    On(u32),
}

impl Program {
    /// The names of its tests, but for the ignored ones.
    pub fn tests(&self) -> Result<Vec<String>> {
        let list = |more: &[&str]| -> Result<Vec<String>> {
            let output = Command::new(&self.path)
                .args(["--list", "--format=terse"])
                .args(more)
                .current_dir(&self.folder)
                .output()?;
            ensure!(output.status.success(), "{} does not list its tests", self.name);
            let text = String::from_utf8(output.stdout)?;
            Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
        };
        let ignored: HashSet<_> = list(&["--ignored"])?.into_iter().collect();
        Ok(list(&[])?.into_iter().filter(|name| !ignored.contains(name)).collect())
    }
}

impl Runner {
    /// Runs a test while others run.
    pub fn run(
        &self,
        program: &Program,
        test: &str,
        told: &Told,
        limit: Duration,
    ) -> Result<(End, Duration)> {
        let _others = self.0.read();
        run(program, test, told, limit)
    }

    /// Runs a test while no other does.
    pub fn alone(
        &self,
        program: &Program,
        test: &str,
        told: &Told,
        limit: Duration,
    ) -> Result<(End, Duration)> {
        let _nobody = self.0.write();
        run(program, test, told, limit)
    }

    /// What a test does without mutants.
    pub fn measure(&self, program: &Program, name: String, notes: &Path) -> Result<Test> {
        fs::create_dir_all(notes)?;
        let limit = Duration::from_secs(600);
        let (mut end, mut took) = self.run(program, &name, &Told::Note(notes), limit)?;
        if end != End::Passed {
            (end, took) = self.alone(program, &name, &Told::Nothing, limit)?;
        }
        let mut reached = HashSet::new();
        for file in fs::read_dir(notes)? {
            for number in fs::read_to_string(file?.path())?.lines() {
                reached.insert(number.parse().context("a number is noted")?);
            }
        }
        fs::remove_dir_all(notes)?;
        let program = program.name.clone();
        Ok(Test { program, name, seconds: took.as_secs_f64(), passes: end == End::Passed, reached })
    }
}

impl Test {
    /// How long it may take with a mutant.
    pub fn limit(&self) -> Duration {
        Duration::from_secs_f64(self.seconds * 5.0 + 20.0)
    }
}

fn run(program: &Program, test: &str, told: &Told, limit: Duration) -> Result<(End, Duration)> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(&program.path);
    command.args([test, "--exact"]).current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
    match told {
        Told::Nothing => &mut command,
        Told::Note(folder) => command.env("SEXTANT_MUTANTS_REACHED", folder),
        Told::On(number) => command.env("SEXTANT_MUTANT", number.to_string()),
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{} does not start", program.name))?;
    let group = Pid::from_child(&child);
    let mut pause = Duration::from_millis(1);
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break if status.success() { End::Passed } else { End::Failed };
        }
        if begun.elapsed() > limit {
            break End::TimedOut;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let took = begun.elapsed();
    // What it has started besides, or all of it.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait()?;
    Ok((end, took))
}
