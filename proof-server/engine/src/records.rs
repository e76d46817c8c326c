//! From a program run to shard records: execute, cut, trace, pack.
//!
//! SP1's own controller makes at least two shards of any program: one of execution, one of memory at its boundaries.
//! A shard costs some fifteen seconds on two cores before anything is in it, so a small program pays that twice.
//! SP1's circuits allow memory boundaries in the last execution shard (its single-machine path packs them so), and
//! that is what is done here: a program that fits one shard is one shard. Precompiles that have shards of their own
//! (keccak, and others that are not retained) still get them.
//!
//! The steps are those of `sp1_core_machine::utils::generate_records`, except that a record is handed out as soon as
//! it is traced, and the next one is traced only when there is a place for it: memory holds as many shards as the
//! settings say, however many there are.

use std::sync::Arc;

use hashbrown::HashSet;
use sp1_core_executor::{
    CompressedMemory, CompressedPages, CycleResult, ExecutionRecord, Program, SP1CoreOpts,
    SplicedMinimalTrace, SplicingVMEnum, SplitOpts,
};
use sp1_core_executor_runner::MinimalExecutorRunner;
use sp1_core_machine::{executor::trace_chunk, riscv::RiscvAir, utils::emit_globals};
use sp1_hypercube::{MachineRecord, air::PROOF_NONCE_NUM_WORDS};
use sp1_jit::{MinimalTrace, TraceChunk};
use sp1_primitives::SP1Field;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::EngineError;

/// SP1 can bind a proof to a nonce; nothing here uses it.
pub(crate) const NONCE: [u32; PROOF_NONCE_NUM_WORDS] = [0; PROOF_NONCE_NUM_WORDS];

/// A shard, traced and ready to be proven.
pub(crate) struct Shard {
    pub(crate) record: ExecutionRecord,
    /// Holds nothing but calls of one precompile.
    pub(crate) precompile: bool,
    /// Dropped when the shard needs no memory any more.
    pub(crate) place: Option<Place>,
}

/// Shards that may be in memory at once, from before they are traced until they are proven.
#[derive(Clone)]
pub(crate) struct Places(Arc<Semaphore>, Handle);

/// The place of one shard.
pub(crate) type Place = OwnedSemaphorePermit;

impl Places {
    /// Room for `count` shards; to be called within the runtime that proves them.
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)), Handle::current())
    }

    /// Waits for a place; blocking. Nobody closes the semaphore, so there always is one in the end.
    fn take(&self) -> Option<Place> {
        self.1.block_on(self.0.clone().acquire_owned()).ok()
    }
}

/// Runs `program` on `inputs`, cuts it as `opts` say, what is deferred as `split` says, and gives each shard to `emit`, which returns whether it wants more; blocking.
/// Returns what the guest committed.
pub(crate) fn generate(
    program: &Arc<Program>,
    inputs: &[Vec<u8>],
    opts: &SP1CoreOpts,
    split: &SplitOpts,
    places: &Places,
    mut emit: impl FnMut(Shard) -> bool,
) -> Result<Vec<u8>, EngineError> {
    let machine = RiscvAir::<SP1Field>::machine();
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
    // The first has the place that was taken before it was traced; those that come with it wait for theirs.
    let mut emit_all = |place: Option<Place>, shards: Vec<Shard>| {
        let mut place = place;
        shards.into_iter().all(|mut shard| {
            shard.place = place.take().or_else(|| places.take());
            machine.generate_dependencies(std::iter::once(&mut shard.record), None);
            emit(shard)
        })
    };

    let mut deferred = ExecutionRecord::new(program.clone(), NONCE, opts.global_dependencies_opt);
    let mut touched = Touched::default();
    let mut next_chunk = next(&mut executor)?;
    while let Some(chunk) = next_chunk {
        // One ahead: final memory can be read only when the executor has found that there is no further chunk.
        next_chunk = next(&mut executor)?;
        for piece in cut(program, chunk, opts, &mut touched)? {
            let place = places.take();
            let record = ExecutionRecord::new(program.clone(), NONCE, opts.global_dependencies_opt);
            let (done, mut record, registers) =
                trace_chunk::<SP1Field>(program.clone(), opts.clone(), piece, NONCE, record)
                    .map_err(|error| EngineError::Execution(error.to_string()))?;
            if done {
                let Touched { addresses, pages } = std::mem::take(&mut touched);
                emit_globals(&executor, &mut record, registers, addresses, pages);
            }
            deferred.append(&mut record.defer(&opts.retained_events_presets));
            let mut shards = precompile_shards(&mut deferred, done, split);
            if done {
                shards.extend(memory_shards(&mut deferred, &mut record, split));
            }
            shards.insert(0, Shard { record, precompile: false, place: None });
            if !emit_all(place, shards) {
                return Err(EngineError::Prover(anyhow::anyhow!("a shard was not proven")));
            }
        }
    }
    match executor.exit_code() {
        0 => Ok(executor.into_public_values_stream()),
        code => Err(EngineError::ExitCode { code, reason: String::new() }),
    }
}

/// Runs on to the end of the next chunk. The chunk is copied out of the executor's ring, so that it can go on.
pub(crate) fn next(executor: &mut MinimalExecutorRunner) -> Result<Option<TraceChunk>, EngineError> {
    let chunk = executor.try_execute_chunk().map_err(|error| EngineError::Execution(error.to_string()))?;
    Ok(chunk.map(TraceChunk::from))
}

/// Addresses and pages that a run has used.
#[derive(Default)]
pub(crate) struct Touched {
    addresses: HashSet<u64>,
    pages: HashSet<u64>,
}

impl Touched {
    /// The addresses.
    pub(crate) fn addresses(self) -> HashSet<u64> {
        self.addresses
    }
}

/// Cuts a chunk of the run where shards end.
pub(crate) fn cut(
    program: &Arc<Program>,
    chunk: TraceChunk,
    opts: &SP1CoreOpts,
    touched: &mut Touched,
) -> Result<Vec<SplicedMinimalTrace<TraceChunk>>, EngineError> {
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
    }
    touched.addresses.extend(addresses.is_set());
    touched.pages.extend(pages.is_set());
    Ok(pieces)
}

/// Takes full shards of precompile calls out of `deferred`, and at the end of the run whatever is left.
fn precompile_shards(deferred: &mut ExecutionRecord, done: bool, split: &SplitOpts) -> Vec<Shard> {
    let mut shards = Vec::new();
    for (code, events) in std::mem::take(&mut deferred.precompile_events.events) {
        let mut rest = events;
        while !rest.is_empty() {
            let take = split.syscall_threshold[code].max(1);
            if rest.len() < take && !done {
                break;
            }
            let later = rest.split_off(take.min(rest.len()));
            let program = deferred.program.clone();
            let mut record = ExecutionRecord::new(program.clone(), NONCE, deferred.global_dependencies_opt);
            record.precompile_events.events.insert(code, std::mem::replace(&mut rest, later));
            record.public_values.update_initialized_state(
                program.pc_start_abs,
                program.enable_untrusted_programs,
                program.trap_context,
                program.untrusted_memory,
            );
            shards.push(Shard { record, precompile: true, place: None });
        }
        if !rest.is_empty() {
            deferred.precompile_events.events.insert(code, rest);
        }
    }
    shards
}

/// Puts the memory boundaries into `last` if they fit, else into shards of their own. `deferred` holds nothing else.
fn memory_shards(
    deferred: &mut ExecutionRecord,
    last: &mut ExecutionRecord,
    split: &SplitOpts,
) -> Vec<Shard> {
    let fits = last.estimated_trace_area <= split.pack_trace_threshold
        && deferred.global_memory_initialize_events.len() <= split.combine_memory_threshold
        && deferred.global_memory_finalize_events.len() <= split.combine_memory_threshold
        && deferred.global_page_prot_initialize_events.len() <= split.combine_page_prot_threshold
        && deferred.global_page_prot_finalize_events.len() <= split.combine_page_prot_threshold;
    tracing::debug!(area = last.estimated_trace_area, fits, "memory boundaries");
    deferred
        .split(true, last, fits, split)
        .into_iter()
        .map(|record| Shard { record, precompile: false, place: None })
        .collect()
}
