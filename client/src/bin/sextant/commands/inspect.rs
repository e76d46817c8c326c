//! `sextant inspect`: what a proof file says, taken at its word.

use serde_json::json;
use sextant_client::verify::{bundle_of, claimed, pinned_vk_hash, proven_by};

use super::{Failure, Outcome, read_proof};
use crate::{args::Inspect, failure::Code, output, render};

/// Runs the command.
pub fn run(arguments: Inspect) -> Outcome {
    let name = arguments.file.display();
    let record = read_proof(&arguments.file)?;
    let statement =
        claimed(&record).map_err(|error| Failure::new(Code::InvalidProof, format!("{name}: {error}")))?;
    let program = statement.program();
    let is_pinned = record.vk_hash == pinned_vk_hash(proven_by(record.kind, program));
    let place = bundle_of(&record).transpose();
    let place = place.map_err(|error| Failure::new(Code::InvalidProof, format!("{name}: {error}")))?;
    let place = place.map(|(place, bundle)| (place.index, bundle.parts.len()));

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
            "place": place.map(|(index, parts)| json!({ "index": index, "parts": parts })),
            "public_values": render::statement_json(&statement),
        }));
    }
    let mut table = render::Table::default();
    table.row("proof", name);
    table.row("verdict", "none: inspected only, see `sextant verify`");
    table.row("program", program);
    table.row("kind", record.kind);
    if let Some((index, parts)) = place {
        table.row("place", format!("part {index} (from 0) of a bundle of {parts}"));
    }
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
