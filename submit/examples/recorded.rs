//! Prints proof files as the contracts' tests read them:
//! `cargo run --release -p sextant-submit --example recorded -- tests/data/recorded-snarks/*.proof
//! > contracts/test/recorded/proofs.json`

use std::path::Path;

use serde_json::{Map, Value, json};
use sextant_protocol::ProofRecord;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let mut proofs = Map::new();
    for file in std::env::args().skip(1) {
        let record = ProofRecord::from_file_bytes(&std::fs::read(&file)?)?;
        let name = Path::new(&file).file_stem().and_then(|stem| stem.to_str()).ok_or("no name")?;
        let proof = json!({
            "vkHash": hex(&record.vk_hash),
            "publicValues": hex(&record.public_values),
            "proof": hex(&record.proof),
        });
        proofs.insert(name.into(), proof);
    }
    println!("{:#}", Value::from(proofs));
    Ok(())
}
