//! `sextant verify`: a proof file against the pinned programs, a network and, if given, a committee.

use serde_json::json;
use sextant_client::verify::Expectation;

use super::{Failure, Outcome, read_proof};
use crate::{args::Verify, failure::Code, output, render};

/// A valid proof says what follows from a committee. Whether that is the chain's, it cannot say.
const UNCHECKED: &str = "NOT checked: anybody can make a committee of their own and proofs that begin at it. Compare the \
                         signer committee below with one that you trust, or give --committee-root";

/// A bundle names statements by their hashes; where they begin stands in them.
const UNCHECKED_IN_BUNDLE: &str = "NOT checked: each statement in the bundle begins at a committee of its own. Verify the proof \
                                   of each, with --committee-root";

/// Runs the command.
pub async fn run(arguments: Verify) -> Outcome {
    let name = arguments.file.display().to_string();
    let record = read_proof(&arguments.file)?;
    let verified = arguments.circuits.verifier()?.verify_apart(record).await;
    let (record, statement) =
        verified.map_err(|error| Failure::from(error).of("not a valid proof").of(&name))?;
    let expectation = Expectation {
        chain_digest: Some(arguments.network.digest(&statement)),
        committee_root: arguments.committee_root,
    };
    expectation
        .check(&statement)
        .map_err(|error| Failure::new(Code::InvalidProof, format!("{name}: a valid proof, but {error}")))?;
    let start_checked = arguments.committee_root.is_some();
    let unchecked = if statement.head().is_some() { UNCHECKED } else { UNCHECKED_IN_BUNDLE };

    if arguments.json {
        return output::print_json(&json!({
            "file": name,
            "valid": true,
            "kind": record.kind.as_str(),
            "network": arguments.network.name(),
            "committee_root_compared": start_checked,
            "warning": (!start_checked).then_some(unchecked),
            "public_values": render::statement_json(&statement),
        }));
    }
    let mut table = render::Table::default();
    table.row("proof", &name);
    table.row(
        "verdict",
        format!(
            "valid: a {} proof by the pinned {} program{}",
            record.kind,
            statement.program(),
            if start_checked { "" } else { "; where it begins is NOT checked" }
        ),
    );
    table
        .row("network", format!("{}: compared with the chain digest in the proof", arguments.network.name()));
    table.row(
        "committee",
        if start_checked {
            "the one given: compared with the signer committee root in the proof"
        } else {
            unchecked
        },
    );
    table.section("public values");
    render::statement(&mut table, &statement);
    output::print(&table.to_string())
}
