//! Running a guest, and cutting the run where shards end.

use std::sync::Arc;

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};
use sp1_core_executor::{
    CompressedMemory, CompressedPages, CycleResult, Program, SP1CoreOpts, SplicedMinimalTrace,
    SplicingVMEnum, SplitOpts,
};
use sp1_core_executor_runner::MinimalExecutorRunner;
use sp1_hypercube::air::PROOF_NONCE_NUM_WORDS;
use sp1_jit::{MinimalTrace, TraceChunk};

use crate::{EngineError, EngineSettings};

/// SP1 can bind a proof to a nonce; nothing here uses it.
pub(crate) const NONCE: [u32; PROOF_NONCE_NUM_WORDS] = [0; PROOF_NONCE_NUM_WORDS];

/// All that decides where shards end. Part of the plan, so that machines of any size cut a run alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cut {
    /// Cells at which a shard of the execution ends, so that all are of about the same size.
    pub(crate) shard_cells: u64,
    /// Cells that no shard exceeds: decides what is a shard of its own, and how much such a shard holds.
    pub(crate) most_cells: u64,
    /// Memory entries at which the executor begins another chunk, and with it another shard.
    pub(crate) chunk: u64,
}

impl Cut {
    /// Shards as large as a machine with `settings` may have them.
    pub(crate) fn largest(settings: &EngineSettings) -> Self {
        let most_cells = settings.element_threshold;
        Self { shard_cells: most_cells, most_cells, chunk: settings.trace_chunk_threshold }
    }

    /// SP1's options on a machine with `settings` for cutting so.
    pub(crate) fn options(&self, settings: &EngineSettings) -> SP1CoreOpts {
        let mut opts = settings.core_opts();
        opts.sharding_threshold.element_threshold = self.shard_cells;
        opts.minimal_trace_chunk_threshold = self.chunk;
        opts
    }

    /// SP1's options for what is put off to shards of its own.
    pub(crate) fn put_off(&self, settings: &EngineSettings, program: &Program) -> SplitOpts {
        let mut opts = settings.core_opts();
        opts.sharding_threshold.element_threshold = self.most_cells;
        SplitOpts::new(&opts, program.instructions.len(), false)
    }
}

/// Loads an ELF.
pub(crate) fn program(elf: &[u8]) -> Result<Arc<Program>, EngineError> {
    Program::from(elf).map(Arc::new).map_err(|error| EngineError::Program(error.to_string()))
}

/// An executor at the beginning of a run of `program` on `inputs`.
pub(crate) fn executor(
    program: &Arc<Program>,
    inputs: &[Vec<u8>],
    opts: &SP1CoreOpts,
) -> MinimalExecutorRunner {
    let mut executor = MinimalExecutorRunner::new(
        program.clone(),
        false,
        Some(opts.minimal_trace_chunk_threshold),
        opts.memory_limit,
        opts.trace_chunk_slots,
    );
    for input in inputs {
        executor.with_input(input);
    }
    executor
}

/// Runs on to the end of the next chunk. The chunk is copied out of the executor's ring, so that it can go on.
pub(crate) fn next(executor: &mut MinimalExecutorRunner) -> Result<Option<TraceChunk>, EngineError> {
    let chunk = executor.try_execute_chunk().map_err(|error| EngineError::Execution(error.to_string()))?;
    Ok(chunk.map(TraceChunk::from))
}

/// Addresses, pages and registers that a run has used.
#[derive(Default)]
pub(crate) struct Touched {
    pub(crate) addresses: HashSet<u64>,
    pub(crate) pages: HashSet<u64>,
    pub(crate) registers: usize,
}

/// A stretch of a run that is one shard of its execution.
pub(crate) type Piece = SplicedMinimalTrace<TraceChunk>;

/// Cuts a chunk of the run where shards end.
pub(crate) fn cut(
    program: &Arc<Program>,
    chunk: TraceChunk,
    opts: &SP1CoreOpts,
    touched: &mut Touched,
) -> Result<Vec<Piece>, EngineError> {
    let failed = |error: String| EngineError::Execution(format!("cutting shards: {error}"));
    let (mut addresses, mut pages) = (CompressedMemory::new(), CompressedPages::new());
    let mut pieces = Vec::new();
    {
        let mut vm =
            SplicingVMEnum::new(&chunk, program.clone(), &mut addresses, &mut pages, NONCE, opts.clone());
        let reads = usize::try_from(chunk.num_mem_reads()).map_err(|error| failed(error.to_string()))?;
        let mut piece = SplicedMinimalTrace::new_full_trace(chunk.clone());
        loop {
            let result = vm.execute().map_err(|error| failed(error.to_string()))?;
            piece.set_last_clk(vm.clk());
            match result {
                CycleResult::ShardBoundary => {
                    piece.set_last_mem_reads_idx(reads - vm.mem_reads_len());
                    match vm.splice(chunk.clone()) {
                        Some(next) => pieces.push(std::mem::replace(&mut piece, next)),
                        None => break,
                    }
                }
                CycleResult::Done(true) => {
                    piece.set_last_mem_reads_idx(reads);
                    break;
                }
                CycleResult::Done(false) | CycleResult::TraceEnd => {
                    return Err(failed("the chunk ends in the middle of a shard".into()));
                }
            }
        }
        pieces.push(piece);
        let registers = match &vm {
            SplicingVMEnum::Supervisor(vm) => vm.core.registers(),
            SplicingVMEnum::User(vm) => vm.core.registers(),
        };
        touched.registers = registers.iter().filter(|register| register.timestamp != 0).count();
    }
    touched.addresses.extend(addresses.is_set());
    touched.pages.extend(pages.is_set());
    Ok(pieces)
}
