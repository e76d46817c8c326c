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
//! settings say, however many there are. Whoever wants one shard gets it without the tracing of what it does not need.

use std::sync::Arc;

use sp1_core_executor::{ExecutionRecord, SP1CoreOpts, SplitOpts};
use sp1_core_executor_runner::MinimalExecutorRunner;
use sp1_core_machine::{executor::trace_chunk, riscv::RiscvAir, utils::emit_globals};
use sp1_hypercube::{Machine, MachineRecord};
use sp1_primitives::SP1Field;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    EngineError, EngineSettings, PartName, PlannedRun,
    cutting::{NONCE, Piece, Touched, cut, executor, next},
};

/// A shard, traced and ready to be proven.
pub(crate) struct Shard {
    pub(crate) name: PartName,
    pub(crate) record: ExecutionRecord,
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

/// Which shards somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    One(PartName),
}

impl Wanted {
    fn has(self, name: PartName) -> bool {
        self == Self::All || self == Self::One(name)
    }

    /// Whether anything wanted comes of a stretch of the execution, which is shard `name` and perhaps the last one.
    fn comes_of(self, name: PartName, last: bool) -> bool {
        match self {
            Self::All => true,
            Self::One(PartName::Core(_)) => self.has(name),
            // The calls are collected over all of the run.
            Self::One(PartName::Precompile(..)) => true,
            Self::One(PartName::Memory(_)) => last,
        }
    }
}

/// Executes `run`, cuts it as planned, and gives each shard that is `wanted` to `emit`, which returns whether it wants
/// more; blocking.
///
/// # Errors
/// [`EngineError::Plan`] where the run does not come out as planned.
pub(crate) fn generate(
    run: &PlannedRun,
    settings: &EngineSettings,
    wanted: Wanted,
    places: &Places,
    mut emit: impl FnMut(Shard) -> bool,
) -> Result<(), EngineError> {
    let opts = run.plan.cut.options(settings);
    let mut executor = executor(&run.program, &run.inputs, &opts);
    let mut tracer = Tracer::new(run, settings, opts);
    let mut found = Vec::new();
    let mut name = PartName::Core(1);
    let mut next_chunk = next(&mut executor)?;
    while let Some(chunk) = next_chunk {
        // One ahead: final memory can be read only when the executor has found that there is no further chunk.
        next_chunk = next(&mut executor)?;
        let mut pieces = cut(&run.program, chunk, &tracer.opts, &mut tracer.touched)?.into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let last = next_chunk.is_none() && pieces.peek().is_none();
            if wanted.comes_of(name, last) {
                // The first shard has the place that was taken before it was traced; those that come with it wait for
                // theirs.
                let mut place = places.take();
                let shards = tracer.trace(name, piece, &executor)?;
                for (name, mut record) in shards.into_iter().filter(|(name, _)| wanted.has(*name)) {
                    let place = place.take().or_else(|| places.take());
                    tracer.machine.generate_dependencies(std::iter::once(&mut record), None);
                    found.push(name);
                    if !emit(Shard { name, record, place }) {
                        return Err(EngineError::Prover(anyhow::anyhow!("a shard was not proven")));
                    }
                    if wanted != Wanted::All {
                        return Ok(());
                    }
                }
            }
            name = name.next();
        }
    }
    if let Wanted::One(name) = wanted {
        return Err(EngineError::Plan(format!("the run has no {name}")));
    }
    match executor.exit_code() {
        0 => as_planned(run, found, &executor.into_public_values_stream()),
        code => Err(EngineError::ExitCode { code, reason: String::new() }),
    }
}

fn as_planned(run: &PlannedRun, mut found: Vec<PartName>, values: &[u8]) -> Result<(), EngineError> {
    found.sort();
    if found != run.plan.parts {
        let list = |names: &[PartName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (found, planned) = (list(&found), list(&run.plan.parts));
        return Err(EngineError::Plan(format!("the run has the shards {found}, planned were {planned}")));
    }
    if values != run.plan.public_values {
        return Err(EngineError::Plan("the run commits other public values".into()));
    }
    Ok(())
}

/// Traces one stretch of the execution after the other.
struct Tracer<'a> {
    run: &'a PlannedRun,
    opts: SP1CoreOpts,
    put_off: SplitOpts,
    machine: Machine<SP1Field, RiscvAir<SP1Field>>,
    touched: Touched,
    /// What was put off to shards of its own.
    deferred: ExecutionRecord,
    /// The last shard of each kind that was made of it.
    made: Vec<PartName>,
}

impl<'a> Tracer<'a> {
    fn new(run: &'a PlannedRun, settings: &EngineSettings, opts: SP1CoreOpts) -> Self {
        let deferred = ExecutionRecord::new(run.program.clone(), NONCE, opts.global_dependencies_opt);
        Self {
            run,
            put_off: run.plan.cut.put_off(settings, &run.program),
            opts,
            machine: RiscvAir::machine(),
            touched: Touched::default(),
            deferred,
            made: Vec::new(),
        }
    }

    /// Traces a stretch of the execution. First of the shards is its own, then come those that are full with it.
    fn trace(
        &mut self,
        name: PartName,
        piece: Piece,
        executor: &MinimalExecutorRunner,
    ) -> Result<Vec<(PartName, ExecutionRecord)>, EngineError> {
        let (program, opts) = (&self.run.program, &self.opts);
        let record = ExecutionRecord::new(program.clone(), NONCE, opts.global_dependencies_opt);
        let (done, mut record, registers) =
            trace_chunk::<SP1Field>(program.clone(), opts.clone(), piece, NONCE, record)
                .map_err(|error| EngineError::Execution(error.to_string()))?;
        if done {
            let Touched { addresses, pages, .. } = std::mem::take(&mut self.touched);
            emit_globals(executor, &mut record, registers, addresses, pages);
        }
        self.deferred.append(&mut record.defer(&opts.retained_events_presets));
        let mut shards = self.precompile_shards(done);
        if done {
            shards.extend(self.memory_shards(&mut record));
        }
        shards.insert(0, (name, record));
        Ok(shards)
    }

    /// Takes full shards of precompile calls out of what was put off, and at the end of the run whatever is left.
    fn precompile_shards(&mut self, done: bool) -> Vec<(PartName, ExecutionRecord)> {
        let mut shards = Vec::new();
        for (code, events) in std::mem::take(&mut self.deferred.precompile_events.events) {
            let mut rest = events;
            while !rest.is_empty() {
                let take = self.put_off.syscall_threshold[code].max(1);
                if rest.len() < take && !done {
                    break;
                }
                let later = rest.split_off(take.min(rest.len()));
                let program = self.run.program.clone();
                let mut record =
                    ExecutionRecord::new(program.clone(), NONCE, self.deferred.global_dependencies_opt);
                record.precompile_events.events.insert(code, std::mem::replace(&mut rest, later));
                record.public_values.update_initialized_state(
                    program.pc_start_abs,
                    program.enable_untrusted_programs,
                    program.trap_context,
                    program.untrusted_memory,
                );
                shards.push((self.another(PartName::Precompile(code, 1)), record));
            }
            if !rest.is_empty() {
                self.deferred.precompile_events.events.insert(code, rest);
            }
        }
        shards
    }

    /// Puts the memory boundaries into `last` if they fit, else into shards of their own. Nothing else is put off any
    /// more.
    fn memory_shards(&mut self, last: &mut ExecutionRecord) -> Vec<(PartName, ExecutionRecord)> {
        let (deferred, put_off) = (&mut self.deferred, &self.put_off);
        let fits = last.estimated_trace_area <= put_off.pack_trace_threshold
            && deferred.global_memory_initialize_events.len() <= put_off.combine_memory_threshold
            && deferred.global_memory_finalize_events.len() <= put_off.combine_memory_threshold
            && deferred.global_page_prot_initialize_events.len() <= put_off.combine_page_prot_threshold
            && deferred.global_page_prot_finalize_events.len() <= put_off.combine_page_prot_threshold;
        tracing::debug!(area = last.estimated_trace_area, fits, "memory boundaries");
        let records = deferred.split(true, last, fits, put_off);
        (1..).map(PartName::Memory).zip(records).collect()
    }

    /// The next name of a kind whose first is `first`.
    fn another(&mut self, first: PartName) -> PartName {
        let Some(last) = self.made.iter_mut().find(|name| name.first() == first) else {
            self.made.push(first);
            return first;
        };
        *last = last.next();
        *last
    }
}

#[cfg(test)]
mod tests;
