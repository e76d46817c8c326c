//! `sextant submit`: proofs to a light client contract.

use std::path::Path;

use serde_json::{Value, json};
use sextant_client::ProofRecord;
use sextant_submit::{Mined, Outcome as Submission, SubmitError, Submitter};

use super::{Failure, Outcome, read_proof};
use crate::{args::Submit, output, render};

/// Runs the command.
pub async fn run(arguments: Submit) -> Outcome {
    // All are read before any is sent.
    let mut proofs = Vec::new();
    for file in &arguments.files {
        proofs.push(read_proof(file)?);
    }
    let submitter = Submitter::new(arguments.sending.sender().await?, arguments.contract).await?;
    let sending = &arguments.sending;
    submitter.preflight_proofs(&proofs).await?;
    for (file, record) in arguments.files.iter().zip(proofs) {
        let result = match sending.dry_run {
            true => try_out(&submitter, &record).await,
            false => submit(&submitter, &record, sending.json).await,
        };
        let result = result.map_err(|error| Failure::from(error).of(file.display()))?;
        show(file, &result, sending.json)?;
    }
    Ok(())
}

async fn try_out(submitter: &Submitter, record: &ProofRecord) -> Result<Value, SubmitError> {
    match submitter.dry_run(record).await {
        Ok(gas) => Ok(json!({ "outcome": "would be accepted", "gas_limit": gas })),
        Err(SubmitError::Refused(refusal)) if refusal.is_known() => {
            Ok(json!({ "outcome": "known", "reason": refusal.to_string() }))
        }
        Err(error) => Err(error),
    }
}

async fn submit(submitter: &Submitter, record: &ProofRecord, quiet: bool) -> Result<Value, SubmitError> {
    let mut on_sent = |sent: &sextant_submit::Sent| {
        if !quiet {
            eprintln!("sending transaction {} (nonce {})", sent.hash, sent.nonce);
        }
        Ok(())
    };
    Ok(match submitter.submit(record, &[], &mut on_sent).await? {
        Submission::Accepted(mined) => mined_json("accepted", &mined),
        Submission::Contradicts(mined) => mined_json("accepted as a contradiction of what it knew", &mined),
        Submission::Known(refusal) => json!({ "outcome": "known", "reason": refusal.to_string() }),
    })
}

/// A transaction in a block, for output.
pub fn mined_json(outcome: &str, mined: &Mined) -> Value {
    json!({
        "outcome": outcome,
        "transaction": mined.hash,
        "block": mined.block,
        "gas_used": mined.gas_used,
        "wei_per_gas": mined.gas_price.map(|wei| wei.to_string()),
    })
}

fn show(file: &Path, result: &Value, json: bool) -> Outcome {
    let file = file.display().to_string();
    if json {
        let mut result = result.clone();
        result["file"] = file.into();
        return output::print_json_line(&result);
    }
    output::print(&rows(&file, result).to_string())
}

/// A result as a table.
pub fn rows(title: &str, result: &Value) -> render::Table {
    let mut table = render::Table::default();
    table.section(title);
    for (name, value) in result.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), String::from);
        table.row(&name.replace('_', " "), text);
    }
    table
}
