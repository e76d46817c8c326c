//! Runs a committed guest in the engine's executor.

use futures::future::BoxFuture;
use sextant_artifacts::Artifact;
use sextant_consensus::Program;
use sp1_sdk::{Elf, ExecutionReport, LightProver, Prover, SP1Stdin, StatusCode};
use tokio::sync::watch;

/// What a run of a guest left behind.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The bytes it committed.
    pub public_values: Vec<u8>,
    /// Its last words.
    pub stderr: String,
    /// Exit code, cycles, precompile calls and gas.
    pub report: ExecutionReport,
}

/// Executes guests; starting it takes half a second.
#[allow(missing_debug_implementations)] // The engine's prover has none.
pub struct Executor(LightProver);

impl Executor {
    /// Starts the engine.
    // Futures without types, here and below: those that have one are compiled, with all of the engine in them, in each program
    // that runs them.
    pub fn new() -> BoxFuture<'static, Self> {
        Box::pin(async { Self(LightProver::new().await) })
    }

    /// Runs `program` on an encoded input and its hints. A guest that refuses its input is no error: its exit code
    /// says so.
    ///
    /// # Panics
    /// When the engine itself fails.
    pub async fn run(&self, program: Program, input: &[u8], hints: &[u8]) -> Execution {
        let mut stdin = SP1Stdin::new();
        stdin.write_slice(input);
        stdin.write_slice(hints);
        self.run_elf(artifact(program).elf, stdin).await
    }

    /// Runs any ELF.
    ///
    /// # Panics
    /// When the engine itself fails.
    pub fn run_elf(&self, elf: &'static [u8], stdin: SP1Stdin) -> BoxFuture<'_, Execution> {
        Box::pin(async move {
            let (sender, stderr) = watch::channel(String::new());
            let (public_values, report) = self
                .0
                .execute(Elf::Static(elf), stdin)
                // Without it the engine reports neither cycles nor the exit code.
                .calculate_gas(true)
                .expected_exit_code(StatusCode::ANY)
                .stderr(sender)
                .await
                .expect("the engine executes");
            let stderr = stderr.borrow().clone();
            Execution { public_values: public_values.to_vec(), stderr, report }
        })
    }
}

/// The committed guest of a program.
pub fn artifact(program: Program) -> &'static Artifact {
    match program {
        Program::CommitteeChange => &sextant_artifacts::COMMITTEE_CHANGE,
        Program::Inclusion => &sextant_artifacts::INCLUSION,
        Program::Bundle => &sextant_artifacts::BUNDLE,
        Program::Chain => &sextant_artifacts::CHAIN,
    }
}
