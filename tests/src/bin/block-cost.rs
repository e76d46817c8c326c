//! `block-cost ELF [FOLDER]`: executes the guest of execution blocks on every input of a folder (`tests/data/execution` unless
//! said otherwise), without proving, and says what each costs.
//!
//! An output that is not the one due is an error, and so is a guest that takes an input whose witness lacks a node. Prints a
//! table, and writes `block-cost.json` at the root of the target folder.

use std::{error::Error, path::PathBuf};

use serde_json::{Value, json};
use sextant_execution::encode;
use sextant_execution::input::StatelessInput;
use sextant_execution_vectors::{blocks, inputs};
use sextant_tests::executor::{Execution, Executor};
use sp1_sdk::SP1Stdin;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let elf = arguments.next().ok_or("usage: block-cost ELF [FOLDER]")?;
    let folder = arguments.next().unwrap_or_else(blocks);
    let elf: &'static [u8] = Box::leak(std::fs::read(elf)?.into());
    let executor = Executor::new().await;
    let execute = |input: &[u8]| {
        let mut stdin = SP1Stdin::new();
        stdin.write_slice(input);
        executor.run_elf(elf, stdin)
    };

    println!("| block | transactions | EVM gas | cycles | SP1 gas | for each EVM gas |");
    println!("|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for input in inputs::below(&folder)? {
        let run = execute(&input.bytes).await;
        if input.is_refusal() {
            refused(&input.name, &run)?;
            println!("| {} | refused: {} | | {} | | |", input.name, run.stderr.trim(), cycles(&run));
            continue;
        }
        if run.public_values != input.expected {
            let said = hex::encode(&run.public_values);
            return Err(format!("{}: the guest says {said:?}: {}", input.name, run.stderr.trim()).into());
        }
        rows.push(row(&input, &run)?);
    }
    if let Some(input) = inputs::below(&folder)?.into_iter().find(|input| !input.is_refusal()) {
        let StatelessInput { schema, request, mut witness, chain_id, .. } =
            StatelessInput::parse(&input.bytes)?;
        witness.state.clear();
        let broken = encode::stateless_input(schema, &request.encode(), &witness, chain_id, &[]);
        refused("a block without its parent's state", &execute(&broken).await)?;
    }
    let file = sextant_tests::target_folder()?.join("block-cost.json");
    std::fs::write(&file, format!("{:#}\n", json!({ "blocks": rows })))?;
    println!("\nwritten to {}", file.display());
    Ok(())
}

/// One line of the table, printed, and the same for programs.
fn row(input: &inputs::Input, run: &Execution) -> Result<Value, Box<dyn Error>> {
    let parsed = StatelessInput::parse(&input.bytes)?;
    let (payload, gas) = (&parsed.request.payload, run.report.gas().unwrap_or(0));
    let (evm_gas, transactions) = (payload.gas_used, payload.transactions.len());
    let each = if evm_gas == 0 { "-".into() } else { format!("{:.1}", gas as f64 / evm_gas as f64) };
    println!("| {} | {transactions} | {evm_gas} | {} | {gas} | {each} |", input.name, cycles(run));
    let calls: Vec<_> = run.report.syscall_counts.iter().filter(|(_, calls)| **calls > 0).collect();
    let calls: Value = calls.iter().map(|(code, calls)| (code.to_string(), json!(calls))).collect();
    Ok(json!({
        "block": input.name,
        "transactions": transactions,
        "evm_gas": evm_gas,
        "cycles": cycles(run),
        "gas": gas,
        "syscalls": calls,
    }))
}

fn cycles(run: &Execution) -> u64 {
    run.report.total_instruction_count()
}

/// Whether the guest ended with exit code 1 and without public values.
fn refused(name: &str, run: &Execution) -> Result<(), Box<dyn Error>> {
    if run.report.exit_code == 1 && run.public_values.is_empty() {
        return Ok(());
    }
    let said = hex::encode(&run.public_values);
    Err(format!("{name}: exit code {}, public values {said:?}", run.report.exit_code).into())
}
