//! Runs a guest instruction by instruction under the engine's own gas model, and splits the bill at the markers
//! that [`mod@sextant_consensus::step`] leaves in guests.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sextant_consensus::step::Step;
use sp1_core_executor::{
    CycleResult, ExecutionError, ExecutionReport, GasEstimatingVM, Instruction, MinimalExecutor, Opcode,
    Program, SP1CoreOpts, SupervisorMode,
};

/// What a run cost, and what each part of it did.
#[derive(Debug)]
pub struct Cost {
    /// The guest's exit code.
    pub exit_code: u64,
    /// Everything, as the engine reports it.
    pub total: Bill,
    /// 64-bit words of memory that loads and stores touched. Each is initialized and finalized once in a proof, which
    /// the engine's gas leaves out.
    pub words: usize,
    /// Per step; the last entry is what belongs to none.
    pub steps: Vec<(&'static str, Bill)>,
}

/// Cycles, gas, trace cells and precompile calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Instructions.
    pub cycles: u64,
    /// The engine's gas, which follows the size of the trace.
    pub gas: u64,
    /// Cells of the trace, memory boundaries left out: what the prover commits to and sums over.
    pub cells: u64,
    /// Calls by precompile.
    pub syscalls: BTreeMap<String, u64>,
}

/// Executes `elf` on the buffers of its stdin.
///
/// # Errors
/// When the ELF is none, or the engine fails. A guest that refuses its input is no error.
pub fn run(elf: &[u8], stdin: &[&[u8]]) -> Result<Cost, Box<dyn std::error::Error>> {
    let program = Arc::new(Program::from(elf).map_err(|error| error.to_string())?);
    let options = SP1CoreOpts::default();
    // The chunk size the engine bills by; all but huge runs are one chunk.
    let chunk_size = Some(options.gas_trace_chunk_threshold);
    let mut executor = MinimalExecutor::<SupervisorMode>::new(program.clone(), false, chunk_size);
    stdin.iter().for_each(|buffer| executor.with_input(buffer));
    let mut exit_code = 0;
    let mut total = Bill::default();
    let mut splitter = Splitter::default();
    let mut words = HashSet::new();
    while let Some(chunk) = executor.execute_chunk() {
        let mut vm = GasEstimatingVM::new(&chunk, program.clone(), [0; 4], options.clone());
        splitter.last = Reading::default();
        let end = walk(&mut vm, &mut splitter, &mut words)?;
        exit_code = end.report.exit_code;
        total.add(Bill::between(&Reading::default(), &end));
    }
    let steps = (1..).zip(Step::ALL).map(|(i, step)| (step.as_str(), i)).chain([("none of these", 0)]);
    Ok(Cost {
        exit_code,
        total,
        words: words.len(),
        steps: steps.map(|(name, i)| (name, splitter.bills[i].clone())).collect(),
    })
}

/// The engine's own loop, with an eye on markers.
fn walk(
    vm: &mut GasEstimatingVM<'_, SupervisorMode>,
    splitter: &mut Splitter,
    words: &mut HashSet<u64>,
) -> Result<Reading, ExecutionError> {
    let mut halted = vm.core.is_done();
    while !halted {
        let instruction = vm.core.fetch();
        if let Some(number) = marker(&instruction) {
            splitter.cut(Reading::take(vm), number);
        }
        if instruction.is_memory_load_instruction() || instruction.is_memory_store_instruction() {
            let (_, base, offset) = instruction.i_type();
            words.insert(vm.core.registers()[base as usize].value.wrapping_add(offset) / 8);
        }
        match &instruction {
            i if i.is_alu_instruction() => vm.execute_alu(i),
            i if i.is_memory_load_instruction() => vm.execute_load(i)?,
            i if i.is_memory_store_instruction() => vm.execute_store(i)?,
            i if i.is_branch_instruction() => vm.execute_branch(i),
            i if i.is_jump_instruction() => vm.execute_jump(i),
            i if i.is_utype_instruction() => vm.execute_utype(i),
            i => vm.execute_ecall(i)?,
        }
        halted = !matches!(vm.core.advance(), CycleResult::Done(false));
    }
    let end = Reading::take(vm);
    splitter.bill(&end);
    Ok(end)
}

/// What the engine's meters show at some point of a run.
#[derive(Default)]
struct Reading {
    report: ExecutionReport,
    cells: u64,
}

impl Reading {
    fn take(vm: &GasEstimatingVM<'_, SupervisorMode>) -> Self {
        let (_, cells) = vm.gas_calculator.get_costs();
        Self { report: vm.gas_calculator.generate_report(), cells }
    }
}

/// The number of a marker, `addi zero, zero, number`.
fn marker(instruction: &Instruction) -> Option<i32> {
    let nothing = instruction.opcode == Opcode::ADDI && instruction.op_a == 0 && instruction.op_b == 0;
    (nothing && instruction.op_c != 0).then_some(instruction.op_c as i32)
}

/// Charges what was spent since the last marker to the step that was open.
#[derive(Default)]
struct Splitter {
    /// Numbers of the open steps, innermost last.
    open: Vec<usize>,
    last: Reading,
    bills: [Bill; Step::ALL.len() + 1],
}

impl Splitter {
    fn cut(&mut self, now: Reading, number: i32) {
        self.bill(&now);
        self.last = now;
        match Step::ALL.iter().position(|step| number == step.begin()) {
            Some(i) => self.open.push(i + 1),
            None => drop(self.open.pop()),
        }
    }

    fn bill(&mut self, now: &Reading) {
        let open = self.open.last().copied().unwrap_or(0);
        self.bills[open].add(Bill::between(&self.last, now));
    }
}

impl Bill {
    fn between(before: &Reading, after: &Reading) -> Self {
        let cells = after.cells - before.cells;
        let (before, after) = (&before.report, &after.report);
        let gas = |report: &ExecutionReport| report.gas().unwrap_or(0);
        let calls =
            after.syscall_counts.iter().map(|(code, after)| (code, after - before.syscall_counts[code]));
        Self {
            cycles: after.total_instruction_count() - before.total_instruction_count(),
            gas: gas(after) - gas(before),
            cells,
            syscalls: calls.filter(|(_, calls)| *calls != 0).map(|(code, n)| (code.to_string(), n)).collect(),
        }
    }

    fn add(&mut self, other: Self) {
        self.cycles += other.cycles;
        self.gas += other.gas;
        self.cells += other.cells;
        for (name, calls) in other.syscalls {
            *self.syscalls.entry(name).or_default() += calls;
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_consensus::bls::fast::HintRecorder;
    use sextant_consensus::check_statement;
    use sextant_tests::executor::artifact;
    use sp1_sdk::{Elf, LightProver, Prover, SP1Stdin};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_engine_sends_the_same_bill() -> Result<(), Box<dyn std::error::Error>> {
        let (_, program, input) = sextant_fixtures::statements().remove(0);
        let mut recorder = HintRecorder::new();
        check_statement(program, &input, &mut recorder)?;
        let (elf, hints) = (artifact(program).elf, recorder.into_hints());

        let ours = run(elf, &[&input, &hints])?;
        let mut stdin = SP1Stdin::new();
        stdin.write_slice(&input);
        stdin.write_slice(&hints);
        let (_, theirs) =
            LightProver::new().await.execute(Elf::Static(elf), stdin).calculate_gas(true).await?;

        assert_eq!(ours.exit_code, theirs.exit_code);
        // The report has no cells.
        let theirs = Reading { report: theirs, cells: ours.total.cells };
        assert_eq!(ours.total, Bill::between(&Reading::default(), &theirs));
        let parts: u64 = ours.steps.iter().map(|(_, bill)| bill.cycles).sum();
        assert_eq!(parts, ours.total.cycles);
        Ok(())
    }
}
