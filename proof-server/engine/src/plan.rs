//! What a run is, and what proving it takes, before the first shard is traced.
//!
//! The guest is executed, natively and without proving, and the engine's own gas model walks over what it did: that
//! tells the cells of its trace. From those follow the number of shards, and from them and the settings memory, size and
//! time of the proof: whoever asks for too much hears it in seconds and not after an hour.

use std::sync::Arc;

use enum_map::EnumMap;
use hashbrown::HashSet;
use sextant_protocol::ProofKind;
use sp1_core_executor::{
    BYTE_NUM_ROWS, GasEstimatingVMEnum, OutputConsumers, Program, RANGE_NUM_ROWS, RiscvAirId, SP1CoreOpts,
    SplitOpts, SyscallCode, rv64im_costs,
};
use sp1_core_executor_runner::MinimalExecutorRunner;
use sp1_jit::TraceChunk;
use tokio::sync::watch;

use crate::{
    EngineError, EngineSettings,
    records::{NONCE, Touched, cut, next},
};

/// A run that ended well, and what proving it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Cycles run.
    pub cycles: u64,
    /// Bytes the guest committed.
    pub public_values: Vec<u8>,
    /// Cells of the whole trace, without what is in every shard.
    pub cells: u64,
    /// Shards that the proof will have.
    pub shards: usize,
    /// Cells at which a shard of the execution ends, so that all are of about the same size.
    pub(crate) shard_cells: u64,
    /// Cells of the largest shard.
    pub(crate) largest_shard: u64,
}

/// Executes `elf` on `inputs` and plans its proof; blocking, some hundred milliseconds for a million cycles.
///
/// # Errors
/// [`EngineError::Program`] if the ELF is not one, [`EngineError::Execution`] or [`EngineError::ExitCode`] if the
/// guest does not end well.
pub fn plan(elf: &[u8], inputs: &[Vec<u8>], settings: &EngineSettings) -> Result<Plan, EngineError> {
    let program = program(elf)?;
    let opts = settings.core_opts();
    let mut runner = MinimalExecutorRunner::new(
        program.clone(),
        false,
        Some(opts.minimal_trace_chunk_threshold),
        opts.memory_limit,
        opts.trace_chunk_slots,
    );
    let (stderr, said) = watch::channel(String::new());
    runner.set_output_consumers(OutputConsumers { stdout: None, stderr: Some(stderr) });
    for input in inputs {
        runner.with_input(input);
    }
    let mut run = Run::default();
    while let Some(chunk) = next(&mut runner)? {
        run.take(&program, chunk, &opts)?;
    }
    match runner.exit_code() {
        0 => {
            let mut plan = run.plan(&program, &opts, runner.hints())?;
            plan.cycles = runner.global_clk();
            plan.public_values = runner.into_public_values_stream();
            Ok(plan)
        }
        code => Err(EngineError::ExitCode { code, reason: said.borrow().trim().chars().take(300).collect() }),
    }
}

/// Loads an ELF.
pub(crate) fn program(elf: &[u8]) -> Result<Arc<Program>, EngineError> {
    Program::from(elf).map(Arc::new).map_err(|error| EngineError::Program(error.to_string()))
}

/// Cells that every shard of `program` has, whatever it proves.
pub(crate) fn fixed_cells(program: &Program) -> u64 {
    let costs = rv64im_costs();
    let cells = |air: RiscvAirId, rows: u64| rows * costs.get(&air).map_or(0, |cost| *cost as u64);
    cells(RiscvAirId::Program, (program.instructions.len() as u64).next_multiple_of(32))
        + cells(RiscvAirId::Byte, BYTE_NUM_ROWS)
        + cells(RiscvAirId::Range, RANGE_NUM_ROWS)
}

/// What was seen of a run.
#[derive(Default)]
struct Run {
    cells: u64,
    syscalls: EnumMap<SyscallCode, u64>,
    chunks: Vec<TraceChunk>,
}

impl Run {
    fn take(
        &mut self,
        program: &Arc<Program>,
        chunk: TraceChunk,
        opts: &SP1CoreOpts,
    ) -> Result<(), EngineError> {
        let mut vm = GasEstimatingVMEnum::new(&chunk, program.clone(), NONCE, opts.clone());
        let report = vm.execute().map_err(|error| EngineError::Execution(error.to_string()))?;
        let (_, cells) = match &vm {
            GasEstimatingVMEnum::Supervisor(vm) => vm.gas_calculator.get_costs(),
            GasEstimatingVMEnum::User(vm) => vm.gas_calculator.get_costs(),
        };
        self.cells += cells;
        for (code, calls) in report.syscall_counts.iter() {
            self.syscalls[code] += *calls;
        }
        drop(vm);
        self.chunks.push(chunk);
        Ok(())
    }

    /// The plan but for what the executor knows. `hints` are what the guest was given, by address.
    fn plan(
        self,
        program: &Arc<Program>,
        opts: &SP1CoreOpts,
        hints: &[(u64, Vec<u8>)],
    ) -> Result<Plan, EngineError> {
        let (precompile_shards, precompile_cells) = self.precompiles(program, opts);
        let fixed = fixed_cells(program);
        let limit = opts.sharding_threshold.element_threshold;
        let Shares { mut shards, mut cells } =
            Shares::of(self.cells.saturating_sub(precompile_cells), fixed, limit);
        // Shards count some cells anew that the model counts once: cut as the prover will, until it comes out even.
        let mut cutting = opts.clone();
        let touched = loop {
            cutting.sharding_threshold.element_threshold = cells;
            let (mut found, mut touched) = (0, Touched::default());
            for chunk in &self.chunks {
                found += cut(program, chunk.clone(), &cutting, &mut touched)?.len() as u64;
            }
            if found <= shards || cells == limit {
                shards = found;
                break touched;
            }
            cells = (cells + cells / 20).min(limit);
        };
        let memory_shards = memory_shards(program, touched.addresses(), hints, opts);
        Ok(Plan {
            cycles: 0,
            public_values: Vec::new(),
            cells: self.cells,
            shards: precompile_shards + shards as usize + memory_shards,
            shard_cells: cells,
            largest_shard: cells.min(self.cells + fixed).max((fixed + precompile_cells).min(limit)),
        })
    }

    /// Shards and cells of the precompiles that are proven in shards of their own.
    fn precompiles(&self, program: &Program, opts: &SP1CoreOpts) -> (usize, u64) {
        let split = SplitOpts::new(opts, program.instructions.len(), false);
        let retained: Vec<_> =
            opts.retained_events_presets.iter().flat_map(|preset| preset.syscall_codes()).collect();
        let costs = rv64im_costs();
        let (mut shards, mut cells) = (0, 0);
        for (code, calls) in self.syscalls.iter().filter(|(_, calls)| **calls > 0) {
            // What is neither sent nor kept in a shard of its own has no threshold.
            let threshold = split.syscall_threshold[code] as u64;
            if retained.contains(&&code) || threshold == 0 {
                continue;
            }
            shards += calls.div_ceil(threshold) as usize;
            if let Some(air) = code.as_air_id() {
                cells += calls * (air.rows_per_event() * costs[&air]) as u64;
            }
        }
        (shards, cells)
    }
}

/// Shards of what is in memory at both ends of the run, where it does not fit into the last shard of the execution.
fn memory_shards(
    program: &Program,
    mut addresses: HashSet<u64>,
    hints: &[(u64, Vec<u8>)],
    opts: &SP1CoreOpts,
) -> usize {
    let split = SplitOpts::new(opts, program.instructions.len(), false);
    addresses.extend(program.memory_image.keys().copied());
    for (start, bytes) in hints {
        addresses.extend((0..bytes.len().div_ceil(8) as u64).map(|word| start + 8 * word));
    }
    let finalized = addresses.len() + REGISTERS;
    let initialized = finalized - program.memory_image.len();
    if finalized <= split.combine_memory_threshold {
        return 0;
    }
    (initialized + finalized).div_ceil(2 * split.memory.max(1))
}

/// Registers have both ends like memory.
const REGISTERS: usize = 32;

/// A run parted into shards of the same size.
struct Shares {
    shards: u64,
    /// Cells of each.
    cells: u64,
}

impl Shares {
    /// As few shards as `limit` allows for `cells`, each of which has `fixed` cells besides.
    fn of(cells: u64, fixed: u64, limit: u64) -> Self {
        let shards = cells.div_ceil(limit.saturating_sub(fixed).max(1)).max(1);
        if shards == 1 {
            return Self { shards, cells: limit };
        }
        let share = cells / shards;
        Self { shards, cells: (fixed + share + share / 16 + SLACK).min(limit) }
    }
}

/// Cells that a shard may have more than its share.
const SLACK: u64 = 1 << 20;

/// What a proof will take, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Seconds on this machine.
    pub seconds: f64,
    /// Resident memory of the process that proves, bytes.
    pub memory: u64,
    /// Bytes of the proof.
    pub bytes: u64,
}

impl Plan {
    /// What a proof of `kind` takes with `settings` at `pace`.
    pub fn estimate(&self, kind: ProofKind, settings: &EngineSettings, pace: &Pace) -> Estimate {
        let shards = self.shards as f64;
        let core = shards * pace.shard + self.cells as f64 * pace.cell;
        let (seconds, bytes) = match kind {
            ProofKind::Stark => (core, self.shards as u64 * SHARD_PROOF),
            // Each shard is normalized; folding pairs takes one step less than there are shards, and at least one.
            _ => (core + shards * pace.normalize + (shards - 1.0).max(1.0) * pace.fold, COMPRESSED_PROOF),
        };
        Estimate { seconds, memory: settings.peak_memory(kind, self.largest_shard), bytes }
    }
}

/// Bytes of the proof of one shard, and of a compressed proof: `docs/benchmarks.md`.
const SHARD_PROOF: u64 = 1_700_000;
const COMPRESSED_PROOF: u64 = 1_300_000;

/// How fast this machine proves, seconds each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// A shard, whatever is in it.
    pub shard: f64,
    /// A cell.
    pub cell: f64,
    /// Turning a shard's proof into a recursion proof.
    pub normalize: f64,
    /// Folding two of those into one.
    pub fold: f64,
}

impl Pace {
    /// A first guess: what was measured on 2 cores with AVX-512, and with the square root of the number of cores on
    /// others (16 were 2.6 times as fast).
    pub fn guess(cores: usize) -> Self {
        let measured = Self { shard: 16.0, cell: 6.9e-7, normalize: 40.0, fold: 37.0 };
        measured.times((2.0 / cores.max(1) as f64).sqrt())
    }

    /// This pace after a proof took `actual` seconds where `estimated` were expected: half-way between the two, since
    /// whatever else the machine did counts too.
    #[must_use]
    pub fn learned(self, estimated: f64, actual: f64) -> Self {
        self.times(((1.0 + actual / estimated) / 2.0).clamp(0.25, 4.0))
    }

    fn times(self, factor: f64) -> Self {
        let Self { shard, cell, normalize, fold } = self;
        Self {
            shard: shard * factor,
            cell: cell * factor,
            normalize: normalize * factor,
            fold: fold * factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_consensus::{Program, codec, committee_change, inclusion};

    use super::*;
    use crate::records::{Places, generate};

    fn planned(cells: u64, settings: &EngineSettings) -> Plan {
        let Shares { shards, cells: shard_cells } = Shares::of(cells, FIXED, settings.element_threshold);
        let shards = shards as usize;
        Plan { cycles: 1, public_values: Vec::new(), cells, shards, shard_cells, largest_shard: shard_cells }
    }

    const FIXED: u64 = 2_000_000;

    #[test]
    fn shards_share_the_cells_evenly_and_none_exceeds_the_settings() {
        let settings = EngineSettings::for_machine(24 << 30, ProofKind::Stark);
        let limit = settings.element_threshold;
        for times in [1, 3, 10, 50, 128] {
            let plan = planned(limit * times / 2, &settings);
            assert!(plan.shard_cells <= limit, "{plan:?}");
            let room = plan.shards as u64 * (plan.shard_cells - FIXED);
            assert!(room >= plan.cells, "{plan:?}");
            assert!(room <= plan.cells * 9 / 8 + limit, "{plan:?}");
        }
    }

    #[test]
    fn memory_follows_the_machine_and_not_the_statement() {
        for kind in [ProofKind::Stark, ProofKind::Compressed] {
            let settings = EngineSettings::for_machine(24 << 30, kind);
            let pace = Pace::guess(2);
            let small = planned(1 << 30, &settings).estimate(kind, &settings, &pace);
            let large = planned(1 << 34, &settings).estimate(kind, &settings, &pace);
            assert!(large.memory <= 14 << 30, "{kind}: {large:?}");
            assert!(large.memory.abs_diff(small.memory) < 1 << 30, "{kind}: {small:?} {large:?}");
            assert!(large.seconds > 10.0 * small.seconds, "{kind}: {small:?} {large:?}");
        }
    }

    #[test]
    fn a_run_of_an_empty_program_is_one_shard() {
        let settings = EngineSettings::for_machine(24 << 30, ProofKind::Stark);
        let plan = plan(sextant_artifacts::EMPTY_ELF, &[], &settings).unwrap();
        assert_eq!(plan.shards, 1);
        assert!((1..10_000).contains(&plan.cycles), "{plan:?}");
        assert!(plan.cells > plan.cycles, "{plan:?}");
    }

    /// Shards that the prover's own way of cutting finds, none of them proven.
    async fn found(
        elf: &'static [u8],
        inputs: Vec<Vec<u8>>,
        settings: &EngineSettings,
        plan: &Plan,
    ) -> usize {
        let program = super::program(elf).unwrap();
        let split = SplitOpts::new(&settings.core_opts(), program.instructions.len(), false);
        let (opts, places) = (settings.core_opts_for(plan), Places::new(1));
        let generated = tokio::task::spawn_blocking(move || {
            let mut shards = 0;
            generate(&program, &inputs, &opts, &split, &places, |shard| {
                drop(shard);
                shards += 1;
                true
            })
            .map(|_| shards)
        });
        generated.await.unwrap().unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_prover_finds_the_shards_that_were_planned() {
        let change = sextant_fixtures::catch_up::handovers(3);
        let inclusion = sextant_fixtures::inclusion();
        let change = codec::encode::<committee_change::Input>(&change);
        let inclusion = codec::encode::<inclusion::Input>(&inclusion);
        let statements = [
            // Two of the execution, and one of its memory.
            (Program::CommitteeChange, &change, 40_000_000, 3),
            (Program::CommitteeChange, &change, 1 << 28, 1),
            // Its Keccak calls are a shard of their own.
            (Program::Inclusion, &inclusion, 1 << 28, 2),
        ];
        for (program, input, element_threshold, shards) in statements {
            let elf = match program {
                Program::CommitteeChange => sextant_artifacts::COMMITTEE_CHANGE.elf,
                Program::Inclusion => sextant_artifacts::INCLUSION.elf,
            };
            let (_, hints) = sextant_consensus::check_with_hints(program, input).unwrap();
            let inputs = vec![input.clone(), hints];
            let machine = EngineSettings::for_machine(24 << 30, ProofKind::Stark);
            let settings = EngineSettings { element_threshold, ..machine };
            let plan = plan(elf, &inputs, &settings).unwrap();
            assert_eq!(plan.shards, shards, "planned for {program:?}: {} cells", plan.cells);
            assert_eq!(found(elf, inputs, &settings, &plan).await, shards, "found for {program:?}");
        }
    }

    #[test]
    fn the_pace_follows_what_was_measured() {
        let pace = Pace::guess(2);
        let slower = pace.learned(100.0, 200.0);
        assert!((slower.shard / pace.shard - 1.5).abs() < 1e-9);
        assert!((Pace::guess(8).cell / pace.cell - 0.5).abs() < 1e-9);
    }
}
