//! `verify-rate [KIND...]`: proofs verified in a second, by the verifier itself and through a server.
//!
//! A server makes one proof of each kind (STARKs unless told otherwise). It is then verified in this process, and by the
//! server over one connection that always has the next request waiting: `ROUNDS` times each way (200 unless the
//! environment says otherwise), in turns, so that a noisy machine is noisy to both.

use std::{
    error::Error,
    str::FromStr,
    time::{Duration, Instant},
};

use sextant_client::{Client, Proof, ProofKind, ProofRecord, StatementInput};
use sextant_tests::server::Server;
use sextant_verifier::Verifier;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Proof requests that are underway at once: one is verified, one waits.
const IN_FLIGHT: usize = 2;
/// Verifications in a row before the other way has its turn.
const TURN: usize = 50;

#[tokio::main]
async fn main() -> Result<()> {
    let kinds: Vec<_> = std::env::args().skip(1).map(|name| ProofKind::from_str(&name)).collect();
    let kinds = if kinds.is_empty() { vec![Ok(ProofKind::Stark)] } else { kinds };
    let rounds = std::env::var("ROUNDS").map_or(Ok(200), |rounds| rounds.parse::<usize>())?;
    let server = Server::start(&[]);
    let client = Client::connect(server.address()).await?;
    let verifier = Verifier::new();
    println!("| proof | verified in | processor time | through the server | per second and core | slower |");
    println!("|---|---|---|---|---|---|");
    for kind in kinds {
        let kind = kind?;
        let record = make(&client, kind).await?;
        // Both warm: the server's verification worker starts with its first proof.
        client.verify_remote(record.clone()).await?;
        verifier.verify(&record)?;
        let (mut direct, mut processor, mut served) = Default::default();
        for _ in 0..rounds.div_ceil(TURN) {
            let before = processor_time()?;
            direct += directly(&verifier, &record)?;
            processor += processor_time()?.saturating_sub(before);
            served += through(&client, &record).await?;
        }
        let each = |total: Duration| total / (rounds.div_ceil(TURN) * TURN) as u32;
        let (direct, processor, served) = (each(direct), each(processor), each(served));
        println!(
            "| {kind} | {direct:.1?} | {processor:.1?} | {served:.1?} | {:.1} | {:+.1} % |",
            1.0 / processor.as_secs_f64(),
            (served.as_secs_f64() / direct.as_secs_f64() - 1.0) * 100.0
        );
    }
    Ok(())
}

/// A committee change of mainnet, proven.
async fn make(client: &Client, kind: ProofKind) -> Result<ProofRecord> {
    let statements = sextant_fixtures::statements();
    let (_, program, input) = statements
        .into_iter()
        .find(|(name, ..)| *name == "mainnet-deneb-one-handover")
        .ok_or("no fixture")?;
    let Proof { record, .. } =
        client.prove(StatementInput::new(program, input), kind, None).await?.finish().await?;
    Ok(record)
}

fn directly(verifier: &Verifier, record: &ProofRecord) -> Result<Duration> {
    let start = Instant::now();
    for _ in 0..TURN {
        verifier.verify(record)?;
    }
    Ok(start.elapsed())
}

async fn through(client: &Client, record: &ProofRecord) -> Result<Duration> {
    let start = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..TURN {
        if running.len() == IN_FLIGHT {
            running.join_next().await.ok_or("nothing runs")???;
        }
        let (client, record) = (client.clone(), record.clone());
        running.spawn(async move { client.verify_remote(record).await.map_err(|error| error.to_string()) });
    }
    while let Some(verified) = running.join_next().await {
        verified??;
    }
    Ok(start.elapsed())
}

/// What this process has used of all cores so far.
fn processor_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // Fields 14 and 15 of proc_pid_stat(5), in clock ticks, of which Linux has 100 a second wherever it shows them.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| {
        fields.get(index).ok_or("no such field")?.parse::<u64>().map_err(Box::<dyn Error>::from)
    };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
