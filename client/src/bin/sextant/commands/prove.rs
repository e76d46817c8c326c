//! `sextant prove`: what nodes or files say in, a verified proof file out.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use sextant_client::{
    CheckError, CheckedInput, ClientConfig, ClientError, Patience, Proof, ProofKind, ServerProver,
    input::{self, Prepared, Signers},
    security::SecurityError,
    sources::prepare::{self, Periods},
};
use sextant_consensus::{Program, public_values::Statement};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Failure, Outcome};
use crate::{
    args::{CommitteeChange, Inclusion, Prove, ProveOptions, Server},
    failure::Code,
    output,
    progress::Display,
    render,
};

/// Runs the command.
pub async fn run(prove: Prove) -> Outcome {
    let options = prove.options();
    if let Some(out) = options.out.as_deref().filter(|out| !is_stdout(out)) {
        check_target(out)?;
    }
    if options.calldata && !matches!(options.kind, ProofKind::Groth16 | ProofKind::Plonk) {
        return Err(Failure::usage("--calldata needs a proof for contracts: --kind groth16"));
    }
    let stop = interrupted()?;
    let display = Arc::new(Display::new());
    let prover = prover(options, stop.clone(), display.clone())?;
    let work = async {
        let (program, from_files) = match &prove {
            Prove::CommitteeChange(change) => (Program::CommitteeChange, change.bootstrap.is_some()),
            Prove::Inclusion(inclusion) => (Program::Inclusion, inclusion.bootstrap.is_some()),
        };
        // Before anything is fetched. Files are at hand: what they say is known without any server.
        if !from_files {
            check_offer(&prover, program, options).await?;
        }
        let prepared = match &prove {
            Prove::CommitteeChange(change) => committee_change(change).await?,
            Prove::Inclusion(inclusion) => inclusion_of(inclusion).await?,
        };
        let start = Instant::now();
        let input = &prepared.input;
        let said = format!("input of {} bytes, digest {}", input.bytes.len(), render::hex(&input.digest()));
        let checked = CheckedInput::check(input.clone()).await.map_err(|error| match error {
            CheckError::Statement(error) => Failure::new(Code::InvalidStatement, prepared.explain(&error)),
            other => other.into(),
        })?;
        output::detail(&format!("{said}: true, checked here in {:.1} s", start.elapsed().as_secs_f64()));
        if from_files {
            check_offer(&prover, program, options).await?;
        }
        Ok::<_, Failure>(checked)
    };
    let checked = tokio::select! {
        checked = work => checked?,
        () = stop.cancelled() => return Err(ClientError::Cancelled { told: false }.into()),
    };
    let proof = prover.ask(checked, options.kind).await;
    display.end();
    let proof = proof?;

    let out = options.out.clone().unwrap_or_else(|| default_name(&proof.statement, options.kind));
    let bytes = proof.record.to_file_bytes();
    if is_stdout(&out) {
        output::print_bytes(&bytes)?;
    } else {
        fs::write(&out, &bytes).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    }
    report(&proof, options, &out, bytes.len())
}

fn prover(
    options: &ProveOptions,
    stop: CancellationToken,
    display: Arc<Display>,
) -> Result<ServerProver, Failure> {
    let config = ClientConfig { verifier: options.circuits.verifier()?, ..client_config(&options.server)? };
    Ok(ServerProver::new(&options.server.address, config)
        .with_deadline(Some(Duration::from_secs(options.deadline)).filter(|deadline| !deadline.is_zero()))
        .with_patience(if options.no_wait { Patience::NONE } else { Patience::ALL })
        .with_stop(stop)
        .with_events(move |event| display.show(event)))
}

/// What the server does not do is known at once. One that is busy is waited for later.
async fn check_offer(prover: &ServerProver, program: Program, options: &ProveOptions) -> Outcome {
    match prover.check_offer(&[program], options.kind).await.map_err(Failure::from) {
        Err(failure) if failure.code() == Code::Busy && !options.no_wait => Ok(()),
        outcome => outcome,
    }
}

/// Cancelled by Ctrl-C or SIGTERM; the second one ends this process at once.
fn interrupted() -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cancelled = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancelled.is_cancelled() {
                std::process::exit(Code::Cancelled.status().into());
            }
            cancelled.cancel();
        }
    });
    Ok(stop)
}

fn is_stdout(out: &Path) -> bool {
    out.as_os_str() == "-"
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
            return Err(Failure::usage("nothing to look up: give --address, and --slot for each slot of it"));
        }
        let (beacon, execution) = (
            inclusion.beacon.nodes()?,
            inclusion
                .rpc
                .nodes(inclusion.beacon.config())
                .map_err(|error| Failure::from(error).of("--rpc"))?,
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
        output::note(
            "no --checkpoint given, so the first committee is the beacon node's word; compare the signer committee's \
             root in the result with one that you trust",
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
    let aside = is_stdout(out);
    let cost = &proof.cost;
    let (proving, queued) = (cost.proving_ms as f64 / 1e3, cost.queued_ms as f64 / 1e3);
    if options.json {
        let result = json!({
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
        });
        if aside {
            output::print_aside(&(output::json_line(&result) + "\n"));
            return Ok(());
        }
        return output::print_json(&result);
    }
    if aside && output::is_quiet() {
        return Ok(());
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
    if aside {
        output::print_aside(&table.to_string());
        return Ok(());
    }
    output::print(&table.to_string())
}
