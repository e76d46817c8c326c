//! Records SNARKs for tests: `record-snarks CIRCUITS OUT` makes a Groth16 proof of each statement below by a real server
//! with these development circuits, as `OUT/NAME.proof`, and puts the circuits' verifying key beside them
//! (`tests/data/recorded-snarks`). Those that are there already are kept.

use std::path::Path;

use sextant_client::{Client, ClientConfig, ProofKind, StatementInput, verify::LocalVerifier};
use sextant_consensus::{Program, codec};
use sextant_fixtures::{committee_change, events, inclusion};
use sextant_tests::server::Server;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What is recorded, by the name of its file.
fn statements() -> [(&'static str, StatementInput); 4] {
    let change = |handovers| {
        StatementInput::new(Program::CommitteeChange, codec::encode(&committee_change(handovers)))
    };
    let included = |input| StatementInput::new(Program::Inclusion, codec::encode(&input));
    [
        ("inclusion", included(inclusion())),
        ("one-handover", change(1)),
        ("committee-change", change(2)),
        ("catch-up-slot-and-log", included(events::catch_up_slot_and_log())),
    ]
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [circuits, out] = &arguments[..] else { return Err("usage: record-snarks CIRCUITS OUT".into()) };
    let key = std::fs::read(Path::new(circuits).join("groth16_vk.bin"))?;
    let server = Server::start(&["--warm=false", "--circuits", circuits, "--allow-dev-circuits"]);
    let verifier = LocalVerifier::allow_development_circuits(key.clone());
    let config = ClientConfig { verifier, ..ClientConfig::default() };
    let client = Client::connect_with(server.address(), config).await?;

    // All compressed ones first: then gnark reads its circuit once for all of them.
    let mut compressed = Vec::new();
    for (name, input) in statements() {
        let file = Path::new(out).join(name).with_extension("proof");
        if !file.exists() {
            let proof = client.prove(input, ProofKind::Compressed, None).await?.finish().await?;
            println!("{name}: compressed, {:?}", proof.cost);
            compressed.push((file, proof.record));
        }
    }
    for (file, record) in compressed {
        let proof = client.wrap(record, None).await?.finish().await?;
        println!("{}: wrapped, {:?}", file.display(), proof.cost);
        std::fs::write(file, proof.record.to_file_bytes())?;
    }
    std::fs::write(Path::new(out).join("groth16_vk.bin"), key)?;
    Ok(())
}
