//! `proof-server dev-circuits`: builds Groth16 circuits for tests, on machines that cannot have the released ones.
//!
//! The circuit is SP1's own; only its keys are homemade, and whoever made them can forge. Building needs some wrapped
//! proof, whatever it proves: here one of the empty program. Each step is a process of its own, so that their memory does
//! not add up, and leaves a file: what was built before an interruption is not built again. The last step, the keys, is
//! a Go program of its own, `proof-server/dev-circuits`. The folder gets its name when it is complete.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, bail, ensure};
use sextant_artifacts::EMPTY_ELF;
use sextant_engine::{Engine, EngineSettings, PlannedRun, Wrapper, groth16, plan};
use sextant_protocol::ProofKind;

use crate::{circuits, machine, process, worker::program::WorkerProgram};

/// Arguments of `proof-server dev-circuits`.
#[derive(Clone, Debug, clap::Args)]
pub struct DevCircuitsArgs {
    /// Where the circuits go; must not be there yet
    pub folder: PathBuf,
    /// The program that makes keys; `make snark-setup` builds it
    #[arg(long, value_name = "FILE", required_unless_present = "step")]
    keys_program: Option<PathBuf>,
    /// One step of the work, in the unfinished folder; for this program's own use
    #[arg(long, hide = true)]
    step: Option<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    Compress,
    Wrap,
    Circuit,
    Keys,
}

impl Step {
    const ALL: [Self; 4] = [Self::Compress, Self::Wrap, Self::Circuit, Self::Keys];

    const fn name(self) -> &'static str {
        match self {
            Self::Compress => "compress",
            Self::Wrap => "wrap",
            Self::Circuit => "circuit",
            Self::Keys => "keys",
        }
    }

    /// The last file that the step writes.
    const fn output(self) -> &'static str {
        match self {
            Self::Compress => "compressed.bin",
            Self::Wrap => "wrapped.bin",
            Self::Circuit => "circuit-written",
            Self::Keys => "groth16_vk.bin",
        }
    }
}

/// Files that nobody needs once the keys are made.
const SCAFFOLDING: [&str; 5] =
    ["compressed.bin", "wrapped.bin", "circuit-written", "constraints.json", "groth16_witness.json"];

/// Builds the circuits, telling each step on standard error.
///
/// # Errors
/// The step that failed, and why; what is done so far stays for the next time.
pub fn run(args: &DevCircuitsArgs) -> anyhow::Result<()> {
    let DevCircuitsArgs { folder, keys_program, step } = args;
    if let Some(step) = step {
        return work(*step, folder);
    }
    ensure!(!folder.exists(), "{} is there already", folder.display());
    eprintln!("development circuits: for tests only; whoever has them can forge proofs that they accept");
    let mut unfinished: OsString = folder.into();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    fs::create_dir_all(&unfinished).with_context(|| unfinished.display().to_string())?;
    let own = WorkerProgram::own()?;
    for step in Step::ALL {
        if unfinished.join(step.output()).exists() {
            eprintln!("{}: done before", step.name());
            continue;
        }
        eprintln!("{} ...", step.name());
        let start = Instant::now();
        let mut command = match (step, keys_program) {
            (Step::Keys, Some(program)) => Command::new(program),
            _ => {
                let mut command = own.command();
                command.args(["dev-circuits", "--step", step.name()]);
                command
            }
        };
        process::memory_settings(command.arg(&unfinished), machine::memory());
        let status = command.status().with_context(|| format!("{:?}", command.get_program()))?;
        if !status.success() {
            bail!("{}: {status}", step.name());
        }
        eprintln!("{}: {:.0} s", step.name(), start.elapsed().as_secs_f64());
    }
    groth16::write_contract(&unfinished)?;
    for file in SCAFFOLDING {
        fs::remove_file(unfinished.join(file)).context(file)?;
    }
    circuits::write_manifest(&unfinished).context("its manifest")?;
    fs::rename(&unfinished, folder).with_context(|| folder.display().to_string())?;
    println!("{}", folder.display());
    Ok(())
}

#[tokio::main]
async fn work(step: Step, folder: &Path) -> anyhow::Result<()> {
    let settings = EngineSettings::for_machine(machine::memory(), ProofKind::Compressed);
    let read = |step: Step| fs::read(folder.join(step.output())).context(step.output());
    let output = match step {
        Step::Compress => {
            let run = PlannedRun::new(EMPTY_ELF, Vec::new(), plan(EMPTY_ELF, &[], &settings)?)?;
            let engine = Engine::start(ProofKind::Compressed, settings).await?;
            let proven = engine.prove(&run, Arc::new(|_| ())).await?;
            bincode::serialize(&proven.proof)?
        }
        Step::Wrap => {
            let proof = bincode::deserialize(&read(Step::Compress)?)?;
            let wrapper = Wrapper::start(settings).await?;
            bincode::serialize(&wrapper.wrap(proof, Arc::new(|_| ())).await?)?
        }
        Step::Circuit => {
            let wrapped = bincode::deserialize(&read(Step::Wrap)?)?;
            groth16::write_circuit(&wrapped, folder)?;
            Vec::new()
        }
        Step::Keys => bail!("keys are made by a program of their own"),
    };
    // Whole or not at all: the file says that the step is done.
    let path = folder.join(step.output());
    let aside = path.with_extension("part");
    fs::write(&aside, output)?;
    Ok(fs::rename(aside, path)?)
}
