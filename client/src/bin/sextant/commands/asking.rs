//! A proof asked of a server, from the arguments to the file: what every command that has one made does alike.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use sextant_client::{
    ClientConfig, ClientError, Patience, Proof, ProofKind, ServerProver, security::SecurityError,
    verify::LocalVerifier,
};
use sextant_consensus::{Program, public_values::Statement};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Failure, Outcome};
use crate::{
    args::{Asking, Server},
    failure::Code,
    output,
    progress::Display,
    render,
};

/// A server that is about to be asked for a proof of one kind.
pub struct Asker<'a> {
    options: &'a Asking,
    kind: ProofKind,
    stop: CancellationToken,
    display: Arc<Display>,
    /// What proofs are verified with here.
    pub verifier: LocalVerifier,
    /// The server.
    pub prover: ServerProver,
}

impl<'a> Asker<'a> {
    /// Looks whether the proof could be written where it should go, and listens for interruptions from now on.
    pub fn new(options: &'a Asking, kind: ProofKind) -> Result<Self, Failure> {
        if let Some(out) = options.out.as_deref().filter(|out| !is_stdout(out)) {
            check_target(out)?;
        }
        let (stop, display) = (interrupted()?, Arc::new(Display::new()));
        let verifier = options.circuits.verifier()?;
        let config = ClientConfig { verifier: verifier.clone(), ..client_config(&options.server)? };
        let shown = display.clone();
        let prover = ServerProver::new(&options.server.address, config)
            .with_deadline(Some(Duration::from_secs(options.deadline)).filter(|deadline| !deadline.is_zero()))
            .with_patience(if options.no_wait { Patience::NONE } else { Patience::ALL })
            .with_stop(stop.clone())
            .with_events(move |event| shown.show(event));
        Ok(Self { options, kind, stop, display, verifier, prover })
    }

    /// What the server does not do is known at once. One that is busy is waited for later.
    pub async fn check_offer(&self, programs: &[Program]) -> Outcome {
        match self.prover.check_offer(programs, self.kind).await.map_err(Failure::from) {
            Err(failure) if failure.code() == Code::Busy && !self.options.no_wait => Ok(()),
            outcome => outcome,
        }
    }

    /// What comes of `work`, or that it was interrupted.
    pub async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            result = work => result,
            () = self.stop.cancelled() => Err(ClientError::Cancelled { told: false }.into()),
        }
    }

    /// Waits for the proof, writes it to its file, and tells of it.
    pub async fn finish(&self, proof: impl Future<Output = Result<Proof, ClientError>>) -> Outcome {
        let proof = proof.await;
        self.display.end();
        let proof = proof?;
        let out = self.options.out.clone().unwrap_or_else(|| default_name(&proof.statement, self.kind));
        let bytes = proof.record.to_file_bytes();
        if is_stdout(&out) {
            output::print_bytes(&bytes)?;
        } else {
            fs::write(&out, &bytes).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
        }
        report(&proof, self.options, &out, bytes.len())
    }
}

/// How this command introduces itself to `server`.
pub fn client_config(server: &Server) -> Result<ClientConfig, SecurityError> {
    Ok(ClientConfig {
        agent: concat!("sextant/", env!("CARGO_PKG_VERSION")).into(),
        security: server.security()?,
        ..ClientConfig::default()
    })
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
    let program = statement.program();
    match statement.head() {
        Some(head) => format!("{program}-{}-{kind}.proof", head.finalized_slot).into(),
        None => format!("{program}-{kind}.proof").into(),
    }
}

fn report(proof: &Proof, options: &Asking, out: &Path, size: usize) -> Outcome {
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
