//! `sextant prove`: what nodes or files say in, a verified proof file out.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use sextant_client::{
    CheckError, CheckedInput, Client, ClientConfig, Proof, ProofKind,
    input::{self, Prepared, Signers},
    security::SecurityError,
    sources::prepare::{self, Periods},
};
use sextant_consensus::public_values::Statement;

use super::{Failure, Outcome};
use crate::{
    args::{CommitteeChange, Inclusion, Prove, ProveOptions, Server},
    output, progress, render,
};

/// Runs the command.
pub async fn run(prove: Prove) -> Outcome {
    let options = match &prove {
        Prove::CommitteeChange(change) => &change.options,
        Prove::Inclusion(inclusion) => &inclusion.options,
    };
    if let Some(out) = &options.out {
        check_target(out)?;
    }
    if options.calldata && !matches!(options.kind, ProofKind::Groth16 | ProofKind::Plonk) {
        return Err("--calldata needs a proof for contracts: --kind groth16".into());
    }
    let prepared = match &prove {
        Prove::CommitteeChange(change) => committee_change(change).await?,
        Prove::Inclusion(inclusion) => inclusion_of(inclusion).await?,
    };
    // Before any server is asked: a false statement is known without one.
    let checked = CheckedInput::check(prepared.input.clone()).await.map_err(|error| match error {
        CheckError::Statement(error) => prepared.explain(&error),
        other => other.to_string(),
    })?;
    let config = ClientConfig { verifier: options.circuits.verifier()?, ..client_config(&options.server)? };
    let client = Client::connect_with(&options.server.address, config).await?;
    let deadline = options.deadline.map(Duration::from_secs);
    let mut proving = client.prove_checked(checked, options.kind, deadline)?;
    progress::show(&mut proving).await;
    let proof = proving.finish().await?;

    let out = options.out.clone().unwrap_or_else(|| default_name(&proof.statement, options.kind));
    let bytes = proof.record.to_file_bytes();
    fs::write(&out, &bytes).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    report(&proof, options, &out, bytes.len())
}

/// How this command introduces itself to `server`.
pub fn client_config(server: &Server) -> Result<ClientConfig, SecurityError> {
    Ok(ClientConfig {
        agent: concat!("sextant/", env!("CARGO_PKG_VERSION")).into(),
        security: server.security()?,
        ..ClientConfig::default()
    })
}

async fn committee_change(change: &CommitteeChange) -> Result<Prepared, Failure> {
    let network = &change.options.network;
    let Some(bootstrap) = &change.bootstrap else {
        let beacon = change.beacon.nodes()?;
        let chain = beacon.chain(&network.expected()).await?;
        let execution = match change.rpc.rpc[..] {
            [] => None,
            _ => Some(change.rpc.nodes(change.beacon.config())?),
        };
        say_untrusted(change.checkpoint.is_none());
        let periods = Periods { from: change.from, to: change.to, checkpoint: change.checkpoint };
        return Ok(prepare::committee_change(beacon, chain, periods, execution.as_ref()).await?);
    };
    let chain = network.config()?;
    let signers = Signers::of_bootstrap(chain, &input::bootstrap(chain, bootstrap)?)?;
    let mut updates = Vec::new();
    for file in &change.updates {
        updates.extend(input::updates(chain, file)?);
    }
    let block = change.block.as_deref().map(input::block_header).transpose()?;
    Ok(input::committee_change(chain, &signers, updates, block.as_ref())?)
}

async fn inclusion_of(inclusion: &Inclusion) -> Result<Prepared, Failure> {
    let network = &inclusion.options.network;
    let (Some(bootstrap), Some(update)) = (&inclusion.bootstrap, &inclusion.finality_update) else {
        let watched = &inclusion.watched.0;
        if watched.is_empty() {
            return Err("nothing to look up: give --address, and --slot for each slot of it".into());
        }
        let (beacon, execution) = (
            inclusion.beacon.nodes()?,
            inclusion.rpc.nodes(inclusion.beacon.config()).map_err(|error| format!("--rpc: {error}"))?,
        );
        let chain = beacon.chain(&network.expected()).await?;
        if let Some(id) = chain.execution_chain_id {
            execution.check_chain(id).await?;
        }
        say_untrusted(inclusion.checkpoint.is_none());
        return Ok(prepare::inclusion(beacon, &execution, chain, watched, inclusion.checkpoint).await?);
    };
    let chain = network.config()?;
    let signers = Signers::of_bootstrap(chain, &input::bootstrap(chain, bootstrap)?)?;
    let update = input::finality_update(chain, update)?;
    let mut accounts = Vec::new();
    for file in &inclusion.proofs {
        accounts.extend(input::accounts(file)?);
    }
    let block = inclusion.block.as_deref().map(input::block_header).transpose()?;
    Ok(input::inclusion(chain, &signers, &update, accounts, block.as_ref())?)
}

/// Without a checkpoint the first committee is whatever the node says.
fn say_untrusted(untrusted: bool) {
    if untrusted {
        eprintln!(
            "note: no --checkpoint given, so the first committee is the beacon node's word; compare the signer \
             committee's root in the result with one that you trust"
        );
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
    if options.calldata {
        return output::print(&format!("{}\n", render::hex(&sextant_submit::calldata(&proof.record)?)));
    }
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
