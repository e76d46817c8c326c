//! `sextant prove`: files in, a verified proof file out.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use sextant_client::{
    CheckError, CheckedInput, Client, ClientConfig, Proof, ProofKind,
    input::{self, Prepared},
};
use sextant_consensus::public_values::Statement;

use super::Outcome;
use crate::{
    args::{Prove, ProveOptions},
    output, progress, render,
};

/// Runs the command.
pub async fn run(prove: Prove) -> Outcome {
    let (prepared, options) = prepare(prove)?;
    if let Some(out) = &options.out {
        check_target(out)?;
    }
    // Before any server is asked: a false statement is known without one.
    let checked = CheckedInput::check(prepared.input.clone()).await.map_err(|error| match error {
        CheckError::Statement(error) => prepared.explain(&error),
        other => other.to_string(),
    })?;
    let client = Client::connect_with(&options.server.address, client_config()).await?;
    let deadline = options.deadline.map(Duration::from_secs);
    let mut proving = client.prove_checked(checked, options.kind, deadline)?;
    progress::show(&mut proving).await;
    let proof = proving.finish().await?;

    let out = options.out.clone().unwrap_or_else(|| default_name(&proof.statement, options.kind));
    let bytes = proof.record.to_file_bytes();
    fs::write(&out, &bytes).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    report(&proof, &options, &out, bytes.len())
}

/// How this command introduces itself.
pub fn client_config() -> ClientConfig {
    ClientConfig { agent: concat!("sextant/", env!("CARGO_PKG_VERSION")).into(), ..ClientConfig::default() }
}

fn prepare(prove: Prove) -> Result<(Prepared, ProveOptions), Box<dyn Error + Send + Sync>> {
    match prove {
        Prove::CommitteeChange { bootstrap, updates, options } => {
            let chain = options.network.config();
            let bootstrap = input::bootstrap(chain, &bootstrap)?;
            let mut all = Vec::new();
            for file in &updates {
                all.extend(input::updates(chain, file)?);
            }
            Ok((input::committee_change(chain, &bootstrap, all)?, options))
        }
        Prove::Inclusion { bootstrap, finality_update, proofs, options } => {
            let chain = options.network.config();
            let bootstrap = input::bootstrap(chain, &bootstrap)?;
            let update = input::finality_update(chain, &finality_update)?;
            let mut accounts = Vec::new();
            for file in &proofs {
                accounts.extend(input::accounts(file)?);
            }
            Ok((input::inclusion(chain, &bootstrap, &update, accounts)?, options))
        }
    }
}

/// A proof takes minutes: where it cannot be written is better known before.
fn check_target(out: &Path) -> Outcome {
    let folder = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if out.is_dir() {
        return Err(format!("cannot write {}: it is a folder", out.display()).into());
    }
    if !folder.is_dir() {
        return Err(format!("cannot write {}: no folder {}", out.display(), folder.display()).into());
    }
    Ok(())
}

fn default_name(statement: &Statement, kind: ProofKind) -> PathBuf {
    let head = statement.head();
    format!("{}-{}-{kind}.proof", head.program, head.finalized_slot).into()
}

fn report(proof: &Proof, options: &ProveOptions, out: &Path, size: usize) -> Outcome {
    let cost = &proof.cost;
    let (proving, queued) = (cost.proving_ms as f64 / 1e3, cost.queued_ms as f64 / 1e3);
    if options.json {
        return output::print_json(&json!({
            "file": out.display().to_string(),
            "file_bytes": size,
            "proof_bytes": proof.record.proof.len(),
            "kind": proof.record.kind.as_str(),
            "cycles": cost.cycles,
            "proving_seconds": proving,
            "queued_seconds": queued,
            "peak_memory_bytes": cost.peak_memory,
            "verified": true,
            "public_values": render::statement_json(&proof.statement),
        }));
    }
    let memory = cost.peak_memory as f64 / f64::from(1 << 30);
    let mut table = render::Table::default();
    table.row("proof", out.display());
    table.row("size", format!("{} bytes", render::grouped(size as u64)));
    table.row("kind", proof.record.kind);
    table.row("cycles", render::grouped(cost.cycles));
    table.row("proving time", format!("{proving:.1} s (after {queued:.1} s in the queue)"));
    table.row("worker's peak memory", format!("{memory:.1} GiB"));
    table.row("verified", "yes: here, against the pinned program and this statement");
    table.section("public values");
    render::statement(&mut table, &proof.statement);
    output::print(&table.to_string())
}
