//! Builds the tree with all mutants at once, less those that do not compile.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    list::Mutant,
    weave::{Woven, weave},
};

/// Code that is there to be changed, and how it is built.
pub struct Tree {
    /// Files as they are.
    pub origin: PathBuf,
    /// The copy that is changed.
    pub copy: PathBuf,
    /// What `cargo test --no-run` is told.
    pub arguments: Vec<String>,
}

/// What could not be compiled together with the others.
#[derive(Default, Serialize, Deserialize)]
pub struct LeftOut {
    /// Does not compile.
    pub broken: BTreeSet<u32>,
    /// May compile alone.
    pub apart: BTreeSet<u32>,
    /// Functions that are needed at compile time.
    pub constant: HashSet<String>,
}

/// A program of tests.
pub struct Program {
    pub path: PathBuf,
    /// Where its tests run.
    pub folder: PathBuf,
    pub name: String,
}

/// One line of what cargo says.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Said {
    CompilerArtifact {
        manifest_path: PathBuf,
        target: Target,
        profile: Profile,
        executable: Option<PathBuf>,
    },
    CompilerMessage {
        message: Diagnostic,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// What the compiler complains about.
#[derive(Deserialize)]
pub struct Diagnostic {
    message: String,
    level: String,
    code: Option<Code>,
    spans: Vec<Place>,
    children: Vec<Diagnostic>,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Place {
    file_name: String,
    line_start: usize,
    line_end: usize,
    is_primary: bool,
}

impl Tree {
    /// The test programs with all of `mutants`; what had to be left out for that is added to `left_out`, and saved by
    /// `save` each time.
    pub fn build_all(
        &self,
        mutants: &[Mutant],
        left_out: &mut LeftOut,
        save: impl Fn(&LeftOut) -> Result<()>,
    ) -> Result<Vec<Program>> {
        loop {
            let files = self.weave(mutants, left_out)?;
            save(left_out)?;
            let errors = match self.build()? {
                Ok(programs) => return Ok(programs),
                Err(errors) => errors,
            };
            let before = left_out.size();
            for error in &errors {
                left_out.blame(error, &files);
            }
            if left_out.size() == before {
                let texts: Vec<_> = errors.iter().filter_map(|error| error.rendered.as_deref()).collect();
                bail!("no mutant is at fault for what does not compile:\n{}", texts.join("\n"));
            }
            eprintln!(
                "mutants: {} are left out, which do not compile",
                left_out.size() - left_out.constant.len()
            );
        }
    }

    /// The test programs of the tree as it is, or why it does not compile.
    pub fn build(&self) -> Result<Result<Vec<Program>, Vec<Diagnostic>>> {
        let output = Command::new("cargo")
            .args(["test", "--no-run", "--message-format=json"])
            .args(&self.arguments)
            .current_dir(&self.copy)
            .stderr(Stdio::inherit())
            .output()
            .context("cargo does not start")?;
        let (mut programs, mut errors) = (Vec::new(), Vec::new());
        for line in String::from_utf8(output.stdout)?.lines() {
            match serde_json::from_str(line).with_context(|| format!("cargo says {line}"))? {
                Said::CompilerArtifact { manifest_path, target, profile, executable: Some(path) }
                    if profile.test =>
                {
                    let folder = manifest_path.parent().context("a manifest is in a folder")?.to_owned();
                    let package = folder.file_name().context("a package has a name")?.to_string_lossy();
                    let name = format!("{package} {} {}", target.kind.join(","), target.name);
                    programs.push(Program { path, folder, name });
                }
                Said::CompilerMessage { message } if message.level == "error" => errors.push(message),
                _ => {}
            }
        }
        ensure!(output.status.success() || !errors.is_empty(), "cargo ended with {}", output.status);
        Ok(if output.status.success() { Ok(programs) } else { Err(errors) })
    }

    /// Writes `file`, if it is another than is there: what has not changed is not compiled again.
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.copy.join(file);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// A file as it is without mutants.
    pub fn original(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.origin.join(file)).with_context(|| format!("{file} cannot be read"))
    }

    fn weave(&self, mutants: &[Mutant], left_out: &mut LeftOut) -> Result<BTreeMap<String, Woven>> {
        let mut files: BTreeMap<&str, Vec<(u32, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in (0..).zip(mutants) {
            let file = files.entry(&mutant.file).or_default();
            if !left_out.broken.contains(&number) && !left_out.apart.contains(&number) {
                file.push((number, mutant));
            }
        }
        let mut all = BTreeMap::new();
        for (file, mutants) in files {
            let text = self.original(file)?;
            let woven = weave(&text, &mutants, &left_out.constant).with_context(|| file.to_owned())?;
            left_out.apart.extend(&woven.apart);
            left_out.broken.extend(&woven.never);
            all.insert(file.to_owned(), woven);
        }
        for (file, woven) in &all {
            let (package, _) = file.split_once("/src/").with_context(|| format!("{file} is in no src"))?;
            let root = format!("{package}/src/lib.rs");
            let text = all.get(&root).map_or_else(|| self.original(&root), |woven| Ok(woven.text.clone()))?;
            // With `std`: most values that functions are replaced with are of its prelude.
            let text = text.replace("\n#![no_std]\n", "\n");
            self.write(&root, &(text + "\n#[doc(hidden)]\npub mod mutant;\n"))?;
            self.write(&format!("{package}/src/mutant.rs"), include_str!("planted.rs"))?;
            if *file != root {
                self.write(file, &woven.text)?;
            }
        }
        Ok(all)
    }
}

impl LeftOut {
    fn size(&self) -> usize {
        self.broken.len() + self.apart.len() + self.constant.len()
    }

    /// Leaves out what is at fault for an error.
    fn blame(&mut self, error: &Diagnostic, files: &BTreeMap<String, Woven>) {
        // Whose lines it is on: where it happens, or else where it comes from.
        let mut spans: Vec<&Place> = error.spans.iter().filter(|span| span.is_primary).collect();
        let at_fault = |spans: &[&Place]| -> Vec<u32> {
            let lines = spans.iter().filter_map(|span| Some((span, files.get(&span.file_name)?)));
            lines
                .flat_map(|(span, woven)| {
                    let on = |lines: &std::ops::Range<usize>| {
                        span.line_start < lines.end && lines.start <= span.line_end
                    };
                    woven.lines.iter().filter(move |(lines, _)| on(lines)).map(|(_, number)| *number)
                })
                .collect()
        };
        let mut numbers = at_fault(&spans);
        if numbers.is_empty() && error.code.as_ref().is_some_and(|code| code.code == "E0015") {
            // "cannot call non-const function `a::b` in constants"
            let name = error.message.split('`').nth(1).and_then(|path| path.rsplit("::").next());
            self.constant.extend(name.map(str::to_owned));
            return;
        }
        if numbers.is_empty() {
            spans.extend(error.spans.iter().chain(error.children.iter().flat_map(|child| &child.spans)));
            numbers = at_fault(&spans);
        }
        if !numbers.is_empty() {
            self.broken.extend(numbers);
            return;
        }
        // The innermost place around it, which could not be switched here.
        let around = spans.iter().filter_map(|span| {
            let places = &files.get(&span.file_name)?.places;
            let inside = places.iter().filter(|(lines, _)| lines.contains(&span.line_start));
            inside.min_by_key(|(lines, _)| lines.len())
        });
        self.apart.extend(around.flat_map(|(_, numbers)| numbers));
    }
}
