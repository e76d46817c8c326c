//! `sextant submit`: proofs to a light client contract.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sextant_client::{ProofRecord, verify::claimed};
use sextant_consensus::{
    Program,
    public_values::{Bundle, Statement},
};
use sextant_submit::{Mined, Outcome as Submission, Sent, SubmitError, Submitter};

use super::{Failure, Outcome, read_proof, statements::Statements};
use crate::{args::Submit, failure::Code, output, render};

/// What one transaction submits.
struct Item {
    file: PathBuf,
    record: ProofRecord,
    /// Of a bundle, in its order: what is in it, and the files that say it.
    bundled: Option<(Vec<ProofRecord>, Vec<PathBuf>)>,
}

/// Runs the command.
pub async fn run(arguments: Submit) -> Outcome {
    // All are read before any is sent.
    let items = read(&arguments)?;
    let submitter = Submitter::new(arguments.sending.sender().await?, arguments.contract).await?;
    let sending = &arguments.sending;
    let mut turn = submitter.in_turn().await?;
    for item in &items {
        let looked = match &item.bundled {
            None => turn.proof(&item.record).await,
            Some((statements, _)) => turn.bundle(&item.record, statements).await,
        };
        looked.map_err(|error| item.named(error))?;
    }
    turn.end().await?;
    for item in &items {
        let result = match sending.dry_run {
            true => item.try_out(&submitter).await,
            false => item.submit(&submitter, sending.json).await,
        };
        let result = result.map_err(|error| item.named(error))?;
        show(&item.file, &result, sending.json)?;
    }
    Ok(())
}

/// All proofs, the bundles among them with their statements.
fn read(arguments: &Submit) -> Result<Vec<Item>, Failure> {
    let statements = Statements::read(&arguments.statements)?;
    let (mut items, mut bundles) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        let record = read_proof(file)?;
        let bundled = match bundle(&record).map_err(|failure| failure.of(file.display()))? {
            None => None,
            Some(bundle) => {
                let all = statements.all_of(&bundle).map_err(|failure| failure.of(file.display()))?;
                bundles.push(bundle);
                Some(all.into_iter().map(|(file, record)| (record.clone(), file.to_owned())).unzip())
            }
        };
        items.push(Item { file: file.clone(), record, bundled });
    }
    if bundles.is_empty() && !statements.is_empty() {
        return Err(Failure::usage("--statement: there is no bundle among the proofs"));
    }
    statements.check_belong(&bundles.iter().collect::<Vec<_>>())?;
    Ok(items)
}

/// What a bundle names, if it is one.
fn bundle(record: &ProofRecord) -> Result<Option<Bundle>, Failure> {
    if record.program() != Some(Program::Bundle) {
        return Ok(None);
    }
    match claimed(record) {
        Ok(Statement::Bundle(bundle)) => Ok(Some(bundle)),
        Ok(_) => Ok(None),
        Err(error) => Err(Failure::new(Code::InvalidProof, error.to_string())),
    }
}

impl Item {
    /// An error with the files that it is about.
    fn named(&self, error: SubmitError) -> Failure {
        let about = match (&error, &self.bundled) {
            (SubmitError::Bundled { index, .. }, Some((_, files))) => files.get(*index),
            _ => None,
        };
        let failure = match about {
            Some(file) => Failure::from(error).of(file.display()),
            None => error.into(),
        };
        failure.of(self.file.display())
    }

    async fn try_out(&self, submitter: &Submitter) -> Result<Value, SubmitError> {
        let tried = match &self.bundled {
            None => submitter.dry_run(&self.record).await,
            Some((statements, _)) => submitter.dry_run_bundle(&self.record, statements).await,
        };
        match tried {
            Ok(gas) => Ok(json!({ "outcome": "would be accepted", "gas_limit": gas })),
            Err(SubmitError::Refused(refusal)) if refusal.is_known() => {
                Ok(json!({ "outcome": "known", "reason": refusal.to_string() }))
            }
            Err(error) => Err(error),
        }
    }

    async fn submit(&self, submitter: &Submitter, quiet: bool) -> Result<Value, SubmitError> {
        let mut on_sent = |sent: &Sent| {
            if !quiet {
                eprintln!("sending transaction {} (nonce {})", sent.hash, sent.nonce);
            }
            Ok(())
        };
        let submitted = match &self.bundled {
            None => submitter.submit(&self.record, &[], &mut on_sent).await?,
            Some((statements, _)) => {
                submitter.submit_bundle(&self.record, statements, &[], &mut on_sent).await?
            }
        };
        Ok(match submitted {
            Submission::Accepted(mined) => mined_json("accepted", &mined),
            Submission::Contradicts(mined) => {
                mined_json("accepted as a contradiction of what it knew", &mined)
            }
            Submission::Known(refusal) => json!({ "outcome": "known", "reason": refusal.to_string() }),
        })
    }
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
