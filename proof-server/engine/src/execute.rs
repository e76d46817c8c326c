//! Runs a guest without proving: the cheap check before the dear work, and the cycle count.

use std::sync::Arc;

use sp1_core_executor::{OutputConsumers, Program};
use sp1_core_executor_runner::MinimalExecutorRunner;
use tokio::sync::watch;

use crate::{EngineError, EngineSettings};

/// What a guest run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Cycles run.
    pub cycles: u64,
    /// Bytes the guest committed.
    pub public_values: Vec<u8>,
}

/// Executes `elf` on `inputs`; blocking.
///
/// # Errors
/// [`EngineError::Program`] if the ELF is not one, [`EngineError::Execution`] or [`EngineError::ExitCode`] if the
/// guest does not end well.
pub fn execute(elf: &[u8], inputs: &[Vec<u8>], settings: &EngineSettings) -> Result<Execution, EngineError> {
    let mut runner = MinimalExecutorRunner::new(
        program(elf)?,
        false,
        None,
        settings.executor_memory,
        settings.trace_chunk_slots,
    );
    let (stderr, said) = watch::channel(String::new());
    runner.set_output_consumers(OutputConsumers { stdout: None, stderr: Some(stderr) });
    for input in inputs {
        runner.with_input(input);
    }
    while runner.try_execute_chunk().map_err(|error| EngineError::Execution(error.to_string()))?.is_some() {}
    match runner.exit_code() {
        0 => Ok(Execution { cycles: runner.global_clk(), public_values: runner.into_public_values_stream() }),
        code => Err(EngineError::ExitCode { code, reason: said.borrow().trim().chars().take(300).collect() }),
    }
}

/// Loads an ELF.
pub(crate) fn program(elf: &[u8]) -> Result<Arc<Program>, EngineError> {
    Program::from(elf).map(Arc::new).map_err(|error| EngineError::Program(error.to_string()))
}
