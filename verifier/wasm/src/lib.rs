//! `sextant verify` and `sextant inspect` as functions of bytes, for WebAssembly.
//!
//! The module imports nothing: it can reach no network, clock or storage. A call hands over bytes and gets JSON back
//! ([`abi`]); `npm/` makes a package with types of it. The rules are those of the native verifier
//! ([`sextant_verifier_rules`]); what is here is the verification of the engine's proofs, by SP1's crates that compile for
//! this machine.

mod abi;
mod code;
mod engine;
mod options;

use serde_json::{Value, json};
use sextant_protocol::ProofRecord;
use sextant_verifier_rules::{
    AcceptError, Expectation, MAX_FILE, bundle_of, check, check_version, claimed, json, pinned_vk_hash,
    proven_by, words,
};

use code::Failure;
use engine::EngineError;
use options::Options;

/// What `sextant verify` does: the file against the pinned programs, the network and the committee of `options`.
fn verify(file: &[u8], options: &[u8]) -> Result<Value, Failure> {
    let options = Options::parse(options)?;
    let record = read(file)?;
    check_version(&record).map_err(AcceptError::<EngineError>::from)?;
    let statement =
        check(&record, options.development_key.as_deref(), engine::verify).map_err(AcceptError::from)?;
    let expected = Expectation {
        chain_digest: Some(options.chain.digest(&statement)),
        committee_root: options.committee_root,
    };
    expected.check(&statement)?;
    let mut proof = described(&record);
    proof["network"] = options.chain.name().into();
    proof["committeeRootCompared"] = options.committee_root.is_some().into();
    proof["statement"] = json::statement(&statement);
    Ok(proof)
}

/// What `sextant inspect` does: what the file says, taken at its word.
fn inspect(file: &[u8]) -> Result<Value, Failure> {
    let record = read(file)?;
    let statement = claimed(&record).map_err(AcceptError::<EngineError>::from)?;
    let mut proof = described(&record);
    let by = proven_by(record.kind, statement.program());
    proof["pinnedProgram"] = (record.vk_hash == pinned_vk_hash(by)).into();
    proof["statement"] = json::statement(&statement);
    Ok(proof)
}

fn read(file: &[u8]) -> Result<ProofRecord, Failure> {
    if file.len() > MAX_FILE {
        return Err(Failure::too_large());
    }
    Ok(ProofRecord::from_file_bytes(file)?)
}

fn described(record: &ProofRecord) -> Value {
    let mut described = json!({
        "kind": record.kind.as_str(),
        "circuits": format!("{:?}", record.circuits).to_lowercase(),
        "circuitVersion": record.circuit_version,
        "vkHash": words::hex(&record.vk_hash),
        "proofBytes": record.proof.len(),
    });
    if let Some(Ok((place, bundle))) = bundle_of(record) {
        described["place"] = json!({ "index": place.index, "parts": bundle.parts.len() });
    }
    described
}
