//! Records SNARKs for tests: `record-snarks CIRCUITS OUT [NAME...]` makes a Groth16 proof of each statement below, and one of a
//! bundle of eight, by a real server with these development circuits, as `OUT/NAME.proof`, and puts the circuits' verifying key
//! beside them (`tests/data/recorded-snarks`). Names pick some; those that are there already are kept, and so are compressed
//! proofs on the way, until what is made of them is there. Says what each took, and the bundle compared with as many proofs of
//! one statement each: from compressed proofs on, which both begin with.

use std::path::{Path, PathBuf};

use sextant_client::{CheckedBundle, Client, ClientConfig, ProofKind, StatementInput, verify::LocalVerifier};
use sextant_consensus::{Program, codec, inclusion::Input};
use sextant_fixtures::{committee_change, devnet, events, inclusion};
use sextant_protocol::{ProofRecord, request::ProvingCost};
use sextant_tests::server::Server;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The bundle's name: inclusions of one slot each, in a recorded local network.
const BUNDLE: &str = "bundle-of-eight";

/// What is recorded alone, by the name of its file.
fn statements() -> [(&'static str, StatementInput); 4] {
    let change = |handovers| {
        StatementInput::new(Program::CommitteeChange, codec::encode(&committee_change(handovers)))
    };
    [
        ("inclusion", included(&inclusion())),
        ("one-handover", change(1)),
        ("committee-change", change(2)),
        ("catch-up-slot-and-log", included(&events::catch_up_slot_and_log())),
    ]
}

fn included(input: &Input) -> StatementInput {
    StatementInput::new(Program::Inclusion, codec::encode(input))
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [circuits, out, wanted @ ..] = &arguments[..] else {
        return Err("usage: record-snarks CIRCUITS OUT [NAME...]".into());
    };
    let key = std::fs::read(Path::new(circuits).join("groth16_vk.bin"))?;
    let server = Server::start(&["--warm=false", "--circuits", circuits, "--allow-dev-circuits"]);
    let verifier = LocalVerifier::allow_development_circuits(key.clone());
    let config = ClientConfig { verifier: verifier.clone(), ..ClientConfig::default() };
    let client = Client::connect_with(server.address(), config).await?;
    let missing = |name: &str| {
        let is_wanted = wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
        Some(file(out, name)).filter(|file| is_wanted && !file.exists())
    };

    // All compressed ones first: then as little as possible is started in between.
    let mut compressed = Vec::new();
    for (name, input) in statements() {
        if let Some(file) = missing(name) {
            let record = compress(&client, &file.with_extension("compressed"), input).await?;
            compressed.push((file, record));
        }
    }
    let mut parts = Vec::new();
    if let Some(file) = missing(BUNDLE) {
        for (number, input) in devnet::ELECTRA_TO_FULU.inclusions_of_one_slot().iter().enumerate() {
            let file = file.with_extension(format!("{number}.compressed"));
            parts.push(compress(&client, &file, included(input)).await?);
        }
    }
    let mut alone = Vec::new();
    for (file, record) in compressed {
        let proof = client.wrap(record, None).await?.finish().await?;
        tell(&file.display().to_string(), &proof.cost);
        alone.push(seconds(&proof.cost));
        std::fs::write(file, proof.record.to_file_bytes())?;
    }
    if let Some(file) = missing(BUNDLE) {
        let count = parts.len();
        let checked = CheckedBundle::check(parts, &verifier).await?;
        let proof = client.bundle(checked, ProofKind::Groth16, None)?.finish().await?;
        tell(&file.display().to_string(), &proof.cost);
        std::fs::write(file, proof.record.to_file_bytes())?;
        if !alone.is_empty() {
            let one = alone.iter().sum::<f64>() / alone.len() as f64;
            let share = seconds(&proof.cost) / (one * count as f64);
            println!("{count} statements: {share:.2} of what {count} proofs take that are {one:.0} s each");
        }
    }
    for file in std::fs::read_dir(out)? {
        let file = file?.path();
        if file.extension().is_some_and(|kind| kind == "compressed") {
            std::fs::remove_file(file)?;
        }
    }
    std::fs::write(Path::new(out).join("groth16_vk.bin"), key)?;
    Ok(())
}

fn file(out: &str, name: &str) -> PathBuf {
    Path::new(out).join(name).with_extension("proof")
}

/// The compressed proof in this file, which is made if it is not there.
async fn compress(client: &Client, file: &Path, input: StatementInput) -> Result<ProofRecord> {
    if let Ok(bytes) = std::fs::read(file) {
        return Ok(ProofRecord::from_file_bytes(&bytes)?);
    }
    let proof = client.prove(input, ProofKind::Compressed, None).await?.finish().await?;
    tell(&file.display().to_string(), &proof.cost);
    std::fs::write(file, proof.record.to_file_bytes())?;
    Ok(proof.record)
}

fn tell(what: &str, cost: &ProvingCost) {
    let memory = cost.peak_memory as f64 / f64::from(1 << 30);
    println!("{what}: {:.1} s, {memory:.1} GiB", seconds(cost));
}

fn seconds(cost: &ProvingCost) -> f64 {
    cost.proving_ms as f64 / 1e3
}
