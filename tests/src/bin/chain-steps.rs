//! `chain-steps [STEPS] [OUT]`: a chain of committees over mainnet's recorded periods, extended one period at a time by a real
//! server (3 unless said otherwise): seconds, memory and bytes of each step, verified by a client that knows the anchor alone.
//! Then what does not follow is refused: a change done twice, a skipped period, a change in front of the chain. The proofs of
//! the first two steps are written to `OUT`, where one is named (`tests/data/recorded-starks`).

use std::path::Path;

use sextant_client::{CheckedBundle, Client, ProofKind, StatementInput, verify::LocalVerifier};
use sextant_consensus::{Program, codec, public_values::Statement};
use sextant_fixtures::catch_up::one_by_one;
use sextant_protocol::{ProofRecord, request::ProvingCost};
use sextant_tests::server::Server;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Steps whose proofs are recorded.
const RECORDED: usize = 2;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let steps: usize = arguments.next().map_or(Ok(3), |steps| steps.parse())?;
    let out = arguments.next();
    // One more than is asked for: the one that comes too early.
    let inputs = one_by_one(steps + 1);
    let (anchor, period) = (inputs[0].signer_committee_root, inputs[0].signer_period);
    let server = Server::start(&["--kinds", "compressed"]);
    let client = Client::connect(server.address()).await?;
    let verifier = LocalVerifier::default();

    let (mut chain, mut changes) = (None::<ProofRecord>, Vec::new());
    for (step, input) in (1..).zip(&inputs) {
        let input = StatementInput::new(Program::CommitteeChange, codec::encode(input));
        let change = client.prove(input, ProofKind::Compressed, None).await?.finish().await?;
        changes.push(change.record.clone());
        if step > steps {
            break;
        }
        let proofs = chain.take().into_iter().chain([change.record]).collect();
        let checked = CheckedBundle::chain(proofs, &verifier).await?;
        let extended = client.bundle(checked, ProofKind::Compressed, None)?.finish().await?;
        let Statement::Chain(said) = verifier.verify(&extended.record)? else {
            return Err("no chain".into());
        };
        let learned = said.newest.period;
        if (said.anchor().committee_root, learned) != (anchor, period + step as u64) {
            return Err(format!("a chain from another anchor, or to period {learned}").into());
        }
        println!(
            "to period {learned}: the change {}; the chain {}",
            told(&change.cost),
            told(&extended.cost)
        );
        let file = extended.record.to_file_bytes();
        println!("  {} bytes; verified from the anchor of period {period}", file.len());
        if let Some(out) = out.as_ref().filter(|_| step <= RECORDED) {
            std::fs::write(Path::new(out).join(format!("chain-{step}-compressed.proof")), file)?;
        }
        chain = Some(extended.record);
    }
    let chain = chain.ok_or("no step")?;
    let [first, .., done, next] = &changes[..] else { return Err("two steps at least".into()) };
    for (what, proofs) in [
        ("a change done twice", vec![chain.clone(), done.clone()]),
        ("a skipped period", vec![first.clone(), next.clone()]),
        ("a change in front of the chain", vec![next.clone(), chain]),
    ] {
        match CheckedBundle::chain(proofs, &verifier).await {
            Ok(_) => return Err(format!("{what} was not refused").into()),
            Err(error) => println!("{what}: {error}"),
        }
    }
    Ok(())
}

fn told(cost: &ProvingCost) -> String {
    let seconds = cost.proving_ms as f64 / 1e3;
    format!("{seconds:.1} s, {:.1} GiB", cost.peak_memory as f64 / f64::from(1 << 30))
}
