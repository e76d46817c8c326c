//! `sextant inspect`: what a proof file says, taken at its word.

use serde_json::json;
use sextant_client::verify::{claimed, pinned_vk_hash};

use super::{Failure, Outcome, read_proof};
use crate::{args::Inspect, failure::Code, output, render};

/// Runs the command.
pub fn run(arguments: Inspect) -> Outcome {
    let name = arguments.file.display();
    let record = read_proof(&arguments.file)?;
    let statement =
        claimed(&record).map_err(|error| Failure::new(Code::InvalidProof, format!("{name}: {error}")))?;
    let program = statement.program();
    let is_pinned = record.vk_hash == pinned_vk_hash(program);

    if arguments.json {
        return output::print_json(&json!({
            "file": name.to_string(),
            "verified": false,
            "program": program.as_str(),
            "kind": record.kind.as_str(),
            "circuits": format!("{:?}", record.circuits).to_lowercase(),
            "circuit_version": record.circuit_version,
            "vk_hash": render::hex(&record.vk_hash),
            "pinned_program": is_pinned,
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
    if !is_pinned {
        table.row("program build", "ANOTHER than this command's: `sextant verify` refuses it");
    }
    table.row("engine proof", format!("{} bytes", render::grouped(record.proof.len() as u64)));
    table.section("public values");
    render::statement(&mut table, &statement);
    output::print(&table.to_string())
}
