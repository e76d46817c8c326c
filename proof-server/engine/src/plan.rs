//! What a run is, and what proving it takes, before the first shard is traced.
//!
//! The guest is executed, natively and without proving, and the engine's own gas model walks over what it did: that
//! tells the cells of its trace. From those follow the shards, by name, and from them and the settings memory, size and
//! time of the proof: whoever asks for too much hears it in seconds and not after an hour.

use std::{collections::BTreeMap, sync::Arc};

use enum_map::EnumMap;
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};
use sp1_core_executor::{
    BYTE_NUM_ROWS, ELEMENT_THRESHOLD, GasEstimatingVMEnum, OutputConsumers, Program, RANGE_NUM_ROWS,
    RiscvAirId, SP1CoreOpts, SplitOpts, SyscallCode, rv64im_costs,
};
use sp1_core_machine::riscv::MAX_NUMBER_OF_SHARDS;
use sp1_jit::TraceChunk;
use tokio::sync::watch;

use crate::{
    EngineError, EngineSettings, PartName,
    cutting::{self, Cut, NONCE, Touched, cut, executor, next},
};

/// A run that ended well, and what proving it takes.
///
/// It is data: one machine makes it, others prove parts of it. All cut the run alike, whatever their own settings are;
/// [`Plan::estimate`] tells whether a shard fits into a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Cycles run.
    pub cycles: u64,
    /// Bytes the guest committed.
    pub public_values: Vec<u8>,
    /// Cells of the whole trace, without what is in every shard.
    pub cells: u64,
    /// The shards, in the order in which they stand in the proof.
    pub parts: Vec<PartName>,
    /// Where they are cut.
    pub(crate) cut: Cut,
    /// Cells of the largest shard.
    pub(crate) largest_shard: u64,
}

/// Executes `elf` on `inputs` and plans its proof; blocking, some hundred milliseconds for a million cycles.
///
/// # Errors
/// [`EngineError::Program`] if the ELF is not one, [`EngineError::Execution`] or [`EngineError::ExitCode`] if the
/// guest does not end well.
pub fn plan(elf: &[u8], inputs: &[Vec<u8>], settings: &EngineSettings) -> Result<Plan, EngineError> {
    let program = cutting::program(elf)?;
    let opts = Cut::largest(settings).options(settings);
    let mut runner = executor(&program, inputs, &opts);
    let (stderr, said) = watch::channel(String::new());
    runner.set_output_consumers(OutputConsumers { stdout: None, stderr: Some(stderr) });
    let mut seen = Seen::default();
    while let Some(chunk) = next(&mut runner)? {
        seen.take(&program, chunk, &opts)?;
    }
    match runner.exit_code() {
        0 => {
            let mut plan = seen.plan(&program, settings, runner.hints())?;
            plan.cycles = runner.global_clk();
            plan.public_values = runner.into_public_values_stream();
            Ok(plan)
        }
        code => Err(EngineError::ExitCode { code, reason: said.borrow().trim().chars().take(300).collect() }),
    }
}

impl Plan {
    /// Refuses what this engine would not have planned: plans come from other machines too.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        let refuse = |what: String| Err(EngineError::Plan(what));
        let Cut { shard_cells, most_cells, chunk } = self.cut;
        if most_cells > ELEMENT_THRESHOLD || shard_cells > most_cells || shard_cells < LEAST_CELLS {
            return refuse(format!("shards of {shard_cells} cells, of {most_cells} at most"));
        }
        if !(LEAST_CHUNK..=LARGEST_CHUNK).contains(&chunk) {
            return refuse(format!("chunks of {chunk} memory entries"));
        }
        if self.parts.len() >= MAX_NUMBER_OF_SHARDS {
            return refuse(format!("{} shards, SP1 knows fewer", self.parts.len()));
        }
        // In order, each kind counted from 1, and something of the execution.
        let mut before = None;
        for name in &self.parts {
            let follows = before.is_some_and(|before: PartName| before.next() == *name);
            let begins = *name == name.first() && before.is_none_or(|before| before < *name);
            if !follows && !begins {
                return refuse(format!("{name} is not where it belongs"));
            }
            before = Some(*name);
        }
        if !self.parts.contains(&PartName::Core(1)) {
            return refuse("nothing of the execution".into());
        }
        Ok(())
    }
}

/// Bounds of what a plan may say. The least shard has what is in every shard, and a little.
const LEAST_CELLS: u64 = 1 << 24;
const LEAST_CHUNK: u64 = 1 << 16;
const LARGEST_CHUNK: u64 = 1 << 27;

/// Cells that every shard of `program` has, whatever it proves.
fn fixed_cells(program: &Program) -> u64 {
    let costs = rv64im_costs();
    let cells = |air: RiscvAirId, rows: u64| rows * costs.get(&air).map_or(0, |cost| *cost as u64);
    cells(RiscvAirId::Program, (program.instructions.len() as u64).next_multiple_of(32))
        + cells(RiscvAirId::Byte, BYTE_NUM_ROWS)
        + cells(RiscvAirId::Range, RANGE_NUM_ROWS)
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    cells: u64,
    syscalls: EnumMap<SyscallCode, u64>,
    chunks: Vec<TraceChunk>,
}

impl Seen {
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
        settings: &EngineSettings,
        hints: &[(u64, Vec<u8>)],
    ) -> Result<Plan, EngineError> {
        let mut cutting = Cut::largest(settings);
        let (limit, opts) = (cutting.most_cells, cutting.options(settings));
        let put_off = cutting.put_off(settings, program);
        let (mut parts, precompile_cells) = self.precompiles(&opts, &put_off);
        let fixed = fixed_cells(program);
        let Shares { mut shards, mut cells } =
            Shares::of(self.cells.saturating_sub(precompile_cells), fixed, limit);
        // Shards count some cells anew that the model counts once: cut as the prover will, until it comes out even.
        let touched = loop {
            cutting.shard_cells = cells;
            let opts = cutting.options(settings);
            let (mut found, mut touched) = (0, Touched::default());
            for chunk in &self.chunks {
                found += cut(program, chunk.clone(), &opts, &mut touched)?.len() as u64;
            }
            if found <= shards || cells == limit {
                shards = found;
                break touched;
            }
            cells = (cells + cells / 20).min(limit);
        };
        parts.extend((1..).take(shards as usize).map(PartName::Core));
        let ends = Ends::of(program, touched, hints);
        parts.extend((1..).take(ends.shards(&put_off)).map(PartName::Memory));
        Ok(Plan {
            cycles: 0,
            public_values: Vec::new(),
            cells: self.cells,
            parts,
            cut: cutting,
            largest_shard: cells.min(self.cells + fixed).max((fixed + precompile_cells).min(limit)),
        })
    }

    /// Shards and cells of the precompiles that are proven in shards of their own.
    fn precompiles(&self, opts: &SP1CoreOpts, put_off: &SplitOpts) -> (Vec<PartName>, u64) {
        let retained: Vec<_> =
            opts.retained_events_presets.iter().flat_map(|preset| preset.syscall_codes()).collect();
        let costs = rv64im_costs();
        let (mut calls_of, mut cells) = (BTreeMap::new(), 0);
        for (code, calls) in self.syscalls.iter().filter(|(_, calls)| **calls > 0) {
            // What is neither sent nor kept in a shard of its own has no threshold.
            if retained.contains(&&code) || put_off.syscall_threshold[code] == 0 {
                continue;
            }
            *calls_of.entry(kept_as(code)).or_default() += *calls;
            if let Some(air) = code.as_air_id() {
                cells += calls * (air.rows_per_event() * costs[&air]) as u64;
            }
        }
        let names = calls_of.into_iter().flat_map(|(code, calls): (_, u64)| {
            let shards = calls.div_ceil(put_off.syscall_threshold[code] as u64) as usize;
            (1..).take(shards).map(move |number| PartName::Precompile(code, number))
        });
        (names.collect(), cells)
    }
}

/// The code under which SP1 keeps a call: additions and subtractions in the quadratic fields share a table.
fn kept_as(code: SyscallCode) -> SyscallCode {
    match code {
        SyscallCode::BLS12381_FP2_SUB => SyscallCode::BLS12381_FP2_ADD,
        SyscallCode::BN254_FP2_SUB => SyscallCode::BN254_FP2_ADD,
        code => code,
    }
}

/// Words that are in memory at the beginning of a run and at its end, registers among them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// What the program brings is there without being initialized.
    pub(crate) initialized: usize,
    pub(crate) finalized: usize,
}

impl Ends {
    /// Those of a run that has used what is `touched`, and was given `hints`, by address.
    pub(crate) fn of(program: &Program, touched: Touched, hints: &[(u64, Vec<u8>)]) -> Self {
        let Touched { mut addresses, registers, .. } = touched;
        let image = &program.memory_image;
        addresses.extend(image.keys().copied());
        add_hinted(&mut addresses, hints);
        let finalized = addresses.len() + registers;
        Self { initialized: finalized - image.len(), finalized }
    }

    /// Shards of them alone, where they do not fit into the last one of the execution.
    fn shards(&self, put_off: &SplitOpts) -> usize {
        if self.finalized <= put_off.combine_memory_threshold {
            return 0;
        }
        (self.initialized + self.finalized).div_ceil(2 * put_off.memory.max(1))
    }
}

fn add_hinted(addresses: &mut HashSet<u64>, hints: &[(u64, Vec<u8>)]) {
    for (start, bytes) in hints {
        addresses.extend((0..bytes.len().div_ceil(8) as u64).map(|word| start + 8 * word));
    }
}

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

#[cfg(test)]
mod tests;
