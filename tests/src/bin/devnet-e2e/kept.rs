//! `devnet-e2e chain`: the follower keeps a chain of committees, which grows by one period at a time; whoever knows the
//! checkpoint's committee alone then has the newest from its file.

use std::{
    collections::BTreeMap,
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use sextant_client::ProofRecord;
use sextant_consensus::public_values::{CommitteeChain, Statement};
use sextant_tests::server::Server;
use sextant_verifier::Verifier;

use super::{Result, chain::Chain, follower, follower::Follower, network::Network, say};

/// Milliseconds between two blocks, 192 of which are a period: so long that each handover and the chain with it are proven before
/// the next one comes, by two cores that do nothing else.
const BLOCK_MS: &str = "1200";
/// How often the chain is extended after it was begun.
const EXTENSIONS: usize = 3;
/// A compressed proof and a longer chain for each, on two cores that do other work too.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// One more period.
struct Step {
    newest: u64,
    bytes: u64,
    /// From asking for it to the verified file.
    seconds: f64,
}

/// Runs all of it.
pub async fn run(started: Instant) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let network = Network::start(&["--block-ms", BLOCK_MS]).await?;
    say(started, &format!("the network is ready: {}", network.ready.beacon));
    let log = sextant_tests::target_folder()?.join("devnet-e2e-server.log");
    let server = Server::start_logged(&["--kinds", "compressed"], File::create(&log)?);
    say(started, &format!("the server listens on {}, its log: {}", server.address(), log.display()));

    let (folder, file) = (scratch.path().join("state"), scratch.path().join("chain.proof"));
    let following = extend(started, &network, server.address(), &folder, &file);
    let steps = tokio::time::timeout(LIMIT, following)
        .await
        .map_err(|_| format!("not done after {} minutes", LIMIT.as_secs() / 60))??;
    let kept = verified(&file)?;
    let chain = Chain::new(&network.ready).await?;
    let trusted = chain.committee_at_checkpoint().await?;
    let anchor = kept.anchor();
    if trusted.get(&anchor.period) != Some(&anchor.committee_root) {
        return Err(format!(
            "the chain begins in period {}, not with the checkpoint's committee",
            anchor.period
        )
        .into());
    }
    let learned = BTreeMap::from([(kept.newest.period, kept.newest.committee_root)]);
    let confirmed = chain.confirm_committees(&learned, 1).await?;
    network.stop().await?;

    println!(
        "\nfrom the checkpoint's committee, of period {}; confirmed by the network: {confirmed:?}",
        anchor.period
    );
    for Step { newest, bytes, seconds } in &steps {
        println!("  to period {newest}: {seconds:.1} s, {bytes} bytes");
    }
    // The first begins the chain: it verifies one proof, the others two.
    let longer = &steps[1..];
    let spread = |of: fn(&Step) -> f64| {
        let least = longer.iter().map(of).fold(f64::INFINITY, f64::min);
        let most = longer.iter().map(of).fold(0.0, f64::max);
        100.0 * (most / least - 1.0)
    };
    let (in_seconds, in_bytes) = (spread(|step| step.seconds), spread(|step| step.bytes as f64));
    println!(
        "the longest extension took {in_seconds:.0} % more than the shortest; the largest file {in_bytes:.1} % more"
    );
    Ok(())
}

/// Follows until the chain was begun and extended so often.
async fn extend(
    started: Instant,
    network: &Network,
    server: &str,
    folder: &Path,
    file: &Path,
) -> Result<Vec<Step>> {
    let file = file.to_str().ok_or("a folder without a name")?;
    let kept = ["--kind", "compressed", "--max-handovers", "1", "--keep-chain", file];
    let mut follower = Follower::start(&network.ready, server, folder, &kept)?;
    let (mut steps, mut asked) = (Vec::new(), Instant::now());
    while steps.len() <= EXTENSIONS {
        let event = follower.next().await?;
        say(started, &follower::line(&event));
        match event["event"].as_str() {
            Some("chaining") => asked = Instant::now(),
            Some("chain") => {
                let number = |name: &str| event[name].as_u64().ok_or_else(|| format!("no {name}: {event}"));
                let seconds = asked.elapsed().as_secs_f64();
                steps.push(Step { newest: number("newest_period")?, bytes: number("bytes")?, seconds });
            }
            _ => {}
        }
    }
    follower.stop().await?;
    Ok(steps)
}

/// What the file says, by a verifier that pins the programs and knows nothing else.
fn verified(file: &Path) -> Result<CommitteeChain> {
    let record = ProofRecord::from_file_bytes(&std::fs::read(file)?)?;
    match Verifier::new().verify(&record)? {
        Statement::Chain(chain) => Ok(chain),
        other => Err(format!("a proof of {}", other.program()).into()),
    }
}
