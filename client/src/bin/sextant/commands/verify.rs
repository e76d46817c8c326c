//! `sextant verify`: a proof file against the pinned programs, a network and, if given, a committee.

use std::path::Path;

use serde_json::json;
use sextant_client::{
    ProofRecord,
    verify::{Expectation, bundle_of, claimed, proven_by},
};
use sextant_consensus::public_values::Statement;

use super::{Failure, Outcome, read_proof, statements::Statements};
use crate::{args::Verify, failure::Code, output, render};

/// A valid proof says what follows from a committee. Whether that is the chain's, it cannot say.
const UNCHECKED: &str = "NOT checked: anybody can make a committee of their own and proofs that begin at it. Compare the \
                         signer committee below with one that you trust, or give --committee-root";

/// A bundle names statements by their hashes; where they begin stands in them.
const UNCHECKED_IN_BUNDLE: &str = "NOT checked: each statement in the bundle begins at a committee of its own. Verify the proof \
                                   of each, with --committee-root";

/// The same where all of them are shown.
const UNCHECKED_STATEMENTS: &str = "NOT checked: each statement in the bundle begins at a committee of its own. Compare their \
                                    signer committees below with those that you trust, or that a statement before teaches";

/// Runs the command.
pub async fn run(arguments: Verify) -> Outcome {
    let name = arguments.file.display().to_string();
    let record = read_proof(&arguments.file)?;
    let statements = Statements::read(&arguments.statements)?;
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
    // What has verified reads.
    let place = bundle_of(&record).and_then(Result::ok);
    let place = place.map(|(place, bundle)| (place.index, bundle.parts.len()));
    let bundled = bundled(&statement, &statements).map_err(|failure| failure.of(&name))?;
    let start_checked = arguments.committee_root.is_some();
    let unchecked = match &statement {
        Statement::Bundle(_) if bundled.iter().all(Option::is_some) => UNCHECKED_STATEMENTS,
        Statement::Bundle(_) => UNCHECKED_IN_BUNDLE,
        _ => UNCHECKED,
    };

    if arguments.json {
        let mut values = render::statement_json(&statement);
        for (place, found) in bundled.iter().enumerate() {
            if let Some(found) = found {
                values["statements"][place]["file"] = found.file.display().to_string().into();
                values["statements"][place]["public_values"] = render::statement_json(&found.statement);
            }
        }
        return output::print_json(&json!({
            "file": name,
            "valid": true,
            "kind": record.kind.as_str(),
            "place": place.map(|(index, parts)| json!({ "index": index, "parts": parts })),
            "network": arguments.network.name(),
            "committee_root_compared": start_checked,
            "warning": (!start_checked).then_some(unchecked),
            "public_values": values,
        }));
    }
    let mut table = render::Table::default();
    table.row("proof", &name);
    table.row(
        "verdict",
        format!(
            "valid: a {} proof by the pinned {} program{}",
            record.kind,
            proven_by(record.kind, statement.program()),
            if start_checked { "" } else { "; where it begins is NOT checked" }
        ),
    );
    if let Some((index, parts)) = place {
        table.row(
            "statement",
            format!("{}: part {index} (from 0) of a bundle of {parts}", statement.program()),
        );
    }
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
    for (place, found) in bundled.iter().enumerate() {
        if let Some(Bundled { file, statement }) = found {
            table.section(&format!("statement {place} of the bundle, in {}", file.display()));
            render::statement(&mut table, statement);
        }
    }
    output::print(&table.to_string())
}

/// A statement in a bundle, and the file that says it.
struct Bundled<'a> {
    file: &'a Path,
    statement: Statement,
}

/// For each place of a bundle what its statement says, if a file was named that does. The bundle's proof is theirs: that of the
/// file counts for nothing.
fn bundled<'a>(
    statement: &Statement,
    statements: &'a Statements,
) -> Result<Vec<Option<Bundled<'a>>>, Failure> {
    let Statement::Bundle(bundle) = statement else {
        return match statements.is_empty() {
            true => Ok(Vec::new()),
            false => Err(Failure::usage("--statement: this proof is of no bundle")),
        };
    };
    statements.check_belong(&[bundle])?;
    let said = |(file, record): (&'a Path, &ProofRecord)| {
        let statement = claimed(record)
            .map_err(|error| Failure::new(Code::InvalidProof, error.to_string()).of(file.display()))?;
        Ok(Bundled { file, statement })
    };
    let places = statements.in_places(bundle).into_iter();
    places.map(|found| found.map(said).transpose()).collect()
}
