//! `sextant verify`: a proof file against the pinned programs, a network and, if given, a committee.

use serde_json::json;
use sextant_client::verify::Expectation;

use super::{Outcome, read_proof};
use crate::{args::Verify, output, render};

/// Runs the command.
pub async fn run(arguments: Verify) -> Outcome {
    let name = arguments.file.display().to_string();
    let record = read_proof(&arguments.file)?;
    let verified = arguments.circuits.verifier()?.verify_apart(record).await;
    let (record, statement) = verified.map_err(|error| format!("{name}: not a valid proof: {error}"))?;
    let expectation = Expectation {
        chain_digest: Some(arguments.network.digest(&statement)),
        committee_root: arguments.committee_root,
    };
    expectation.check(&statement).map_err(|error| format!("{name}: a valid proof, but {error}"))?;

    if arguments.json {
        return output::print_json(&json!({
            "file": name,
            "valid": true,
            "kind": record.kind.as_str(),
            "network": arguments.network.name(),
            "committee_root_compared": arguments.committee_root.is_some(),
            "public_values": render::statement_json(&statement),
        }));
    }
    let mut table = render::Table::default();
    table.row("proof", &name);
    table.row(
        "verdict",
        format!("valid: a {} proof by the pinned {} program", record.kind, statement.head().program),
    );
    table
        .row("network", format!("{}: compared with the chain digest in the proof", arguments.network.name()));
    table.row(
        "committee",
        match arguments.committee_root {
            Some(_) => "the one given: compared with the signer committee root in the proof",
            None => "NOT compared: trust the signer committee below, or give --committee-root",
        },
    );
    table.section("public values");
    render::statement(&mut table, &statement);
    output::print(&table.to_string())
}
