//! `make devnet-e2e`: `sextant follow` on a live network, with a real server and real STARKs.
//!
//! Starts the network of `tests/devnet` and a proof server, follows with the `sextant` command until enough was proven,
//! kills the follower with SIGKILL on the way, and then asks the network whether what was proven is so. Beside that, the
//! inclusion of every finalized head is executed in the committed guest. Ends with exit code 0 only if all of it was seen.
//!
//! `devnet-e2e chain` (`make devnet-chain`) has it keep a chain of committees instead, in compressed proofs.

mod chain;
mod executed;
mod follower;
mod kept;
mod network;

use std::{
    collections::BTreeSet,
    error::Error,
    fs::File,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use chain::Chain;
use follower::Follower;
use network::Network;
use sextant_client::{ProofRecord, follow::ProofEntry};
use sextant_consensus::public_values::Statement;
use sextant_tests::server::{Server, children, is_alive};
use sextant_verifier::Verifier;
use tokio::sync::watch;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What has to be proven before it ends: handovers of sync committees, and inclusions.
const HANDOVERS: usize = 2;
const INCLUSIONS: usize = 4;
/// The first committee that differs from the one at genesis: an inclusion signed by it rests on a proven handover.
const ROTATED_PERIOD: u64 = 2;
/// Heads at which the inclusion has to be executed at least.
const EXECUTED_HEADS: usize = 8;
/// Eleven minutes on two cores that did other work too.
const LIMIT: Duration = Duration::from_secs(30 * 60);
const SIGTERM: i32 = 15;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = tokio::select! {
        outcome = run(Instant::now()) => outcome,
        // Dropping what runs ends it.
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devnet-e2e: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(started: Instant) -> Result<()> {
    match &std::env::args().skip(1).collect::<Vec<_>>()[..] {
        [] => {}
        [what] if what == "chain" => return kept::run(started).await,
        other => return Err(format!("usage: devnet-e2e [chain], not {other:?}").into()),
    }
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path().join("state");
    let network = Network::start(&[]).await?;
    say(started, &format!("the network is ready: {}", network.ready.beacon));
    let log = sextant_tests::target_folder()?.join("devnet-e2e-server.log");
    let mut server = Server::start_logged(&[], File::create(&log)?);
    say(started, &format!("the server listens on {}, its log: {}", server.address(), log.display()));

    let (done, is_done) = watch::channel(false);
    let executing = tokio::spawn(executed::every_head(network.ready.clone(), is_done));
    let proofs = tokio::time::timeout(LIMIT, follow(started, &network, server.address(), &folder))
        .await
        .map_err(|_| format!("not done after {} minutes", LIMIT.as_secs() / 60))??;
    done.send(true)?;
    let executed = executing.await??;

    let chain = Chain::new(&network.ready).await?;
    check_proofs(&chain, &folder, &proofs).await?;
    for head in &executed {
        chain.confirm_inclusion(&head.inclusion).await?;
    }
    if executed.len() < EXECUTED_HEADS {
        return Err(format!("{} heads executed, {EXECUTED_HEADS} expected", executed.len()).into());
    }

    let processes = [network.processes(), server.workers()].concat();
    server.signal(SIGTERM);
    let server_code = server.wait(Duration::from_secs(60));
    let network_code = network.stop().await?;
    if (server_code, network_code) != (Some(0), Some(0)) {
        return Err(format!("exit codes: server {server_code:?}, network {network_code:?}").into());
    }
    let left: Vec<_> = processes
        .iter()
        .filter(|pid| is_alive(**pid))
        .chain(&children(std::process::id()))
        .copied()
        .collect();
    if !left.is_empty() {
        return Err(format!("processes left behind: {left:?}").into());
    }

    println!("\nexecuted in the committed guest, one inclusion a finalized head:");
    for head in &executed {
        println!("  {head}");
    }
    println!("\nproven and recorded:");
    for proof in &proofs {
        println!("  {proof}");
    }
    println!("\non disk at the end:\n{}", follower::status_table(&folder)?);
    println!(
        "{} finalized heads executed, {} STARKs made, no process left, {:.0} s",
        executed.len(),
        proofs.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Follows until enough is proven, killed once on the way; returns what is recorded in the end.
async fn follow(started: Instant, network: &Network, server: &str, folder: &Path) -> Result<Vec<ProofEntry>> {
    let mut proofs: Vec<ProofEntry> = Vec::new();
    let watched = ["--address", &network.ready.address, "--slot", &network.ready.slot];
    let mut follower = Follower::start(&network.ready, server, folder, &watched)?;
    let mut killed = false;
    while !enough(&proofs) {
        let event = follower.next().await?;
        say(started, &follower::line(&event));
        if let Some(proof) = follower::proof(&event)? {
            proofs.push(proof);
        }
        if !killed && proofs.iter().any(|proof| proof.program == "inclusion") {
            killed = true;
            follower.kill().await?;
            say(started, "follow: killed");
            follower = Follower::start(&network.ready, server, folder, &watched)?;
            let event = follower.next().await?;
            say(started, &follower::line(&event));
            if event["event"] != "started" || event["resumed"] != true {
                return Err(format!("a killed follower does not go on: {event}").into());
            }
        }
    }
    // Between the last event read and the signal it may have recorded one more.
    for event in follower.stop().await? {
        say(started, &follower::line(&event));
        proofs.extend(follower::proof(&event)?);
    }
    let status = follower::status(folder)?;
    let last = |program: &str| proofs.iter().rev().find(|proof| proof.program == program).cloned();
    if status.proofs != proofs.len() as u64
        || status.last_committee_change != last("committee-change")
        || status.last_inclusion != last("inclusion")
    {
        return Err(format!("the state does not hold what was told: {status:?}").into());
    }
    let files: BTreeSet<_> = proofs.iter().map(|proof| &proof.file).collect();
    if files.len() != proofs.len() {
        return Err("a proof was recorded twice".into());
    }
    Ok(proofs)
}

fn enough(proofs: &[ProofEntry]) -> bool {
    let of = |program: &'static str| proofs.iter().filter(move |proof| proof.program == program);
    let handovers: u64 = of("committee-change").map(|proof| proof.to_period - proof.from_period).sum();
    handovers as usize >= HANDOVERS
        && of("inclusion").count() >= INCLUSIONS
        && of("inclusion").any(|proof| proof.from_period >= ROTATED_PERIOD)
}

/// Reads every proof from disk, verifies it once more, and compares what it says with the network.
async fn check_proofs(chain: &Chain, folder: &Path, proofs: &[ProofEntry]) -> Result<()> {
    let verifier = Verifier::new();
    let mut values = BTreeSet::new();
    let mut trusted = chain.committee_at_checkpoint().await?;
    for proof in proofs {
        let record = ProofRecord::from_file_bytes(&std::fs::read(folder.join("proofs").join(&proof.file))?)?;
        let statement = verifier.verify(&record).map_err(|error| format!("{}: {error}", proof.file))?;
        let head = statement.head().ok_or_else(|| format!("{}: about no chain", proof.file))?;
        chain.confirm_head(head).await?;
        let (signers, root) = (head.signer_period, head.signer_committee_root);
        if trusted.get(&signers) != Some(&root) {
            return Err(
                format!("{}: signed by a committee that no proof before it taught", proof.file).into()
            );
        }
        match statement {
            Statement::CommitteeChange(change) => {
                for learned in change.learned {
                    trusted.insert(learned.period, learned.committee_root);
                }
            }
            Statement::Inclusion(inclusion) => {
                values.insert(chain.confirm_inclusion(&inclusion).await?);
            }
            Statement::Bundle(_) | Statement::Chain(_) => {
                return Err(format!("{}: a statement about proofs", proof.file).into());
            }
        }
    }
    if values.len() < INCLUSIONS {
        return Err(format!("the watched slot was proven with the values {values:?} only").into());
    }
    let confirmed = chain.confirm_committees(&trusted, 2).await?;
    println!("\nconfirmed by the network: committees of the periods {confirmed:?}, values {values:?}");
    Ok(())
}

fn say(started: Instant, text: &str) {
    println!("{:6.1} s  {text}", started.elapsed().as_secs_f64());
}
