//! `sextant inspect`: what a proof file says, taken at its word.

use serde_json::json;
use sextant_consensus::public_values::Statement;

use super::{Failure, Outcome, read_proof};
use crate::{args::Inspect, failure::Code, output, render};

/// Runs the command.
pub fn run(arguments: Inspect) -> Outcome {
    let name = arguments.file.display();
    let record = read_proof(&arguments.file)?;
    let wrong = |reason: String| Failure::new(Code::InvalidProof, format!("{name}: {reason}"));
    let program = record.program().ok_or_else(|| wrong(format!("unknown program tag {}", record.program)))?;
    let statement = Statement::abi_decode(program, &record.public_values)
        .map_err(|error| wrong(format!("public values: {error}")))?;

    if arguments.json {
        return output::print_json(&json!({
            "file": name.to_string(),
            "verified": false,
            "program": program.as_str(),
            "kind": record.kind.as_str(),
            "circuits": format!("{:?}", record.circuits).to_lowercase(),
            "circuit_version": record.circuit_version,
            "vk_hash": render::hex(&record.vk_hash),
            "proof_bytes": record.proof.len(),
            "public_values": render::statement_json(&statement),
        }));
    }
    let mut table = render::Table::default();
    table.row("proof", name);
    table.row("verdict", "none: inspected only, see `sextant verify`");
    table.row("program", program);
    table.row("kind", record.kind);
    table
        .row("circuits", format!("{:?}, version {}", record.circuits, record.circuit_version).to_lowercase());
    table.row("verifying key hash", render::hex(&record.vk_hash));
    table.row("engine proof", format!("{} bytes", render::grouped(record.proof.len() as u64)));
    table.section("public values");
    render::statement(&mut table, &statement);
    output::print(&table.to_string())
}
