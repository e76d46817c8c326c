//! Real Groth16 proofs, recorded with development circuits: worth something only where that is said by name.

mod common;
mod fake;

use std::path::{Path, PathBuf};

use common::{BOOTSTRAP, Folder, UPDATE_1150, UPDATE_1151, assert_names, file, sextant, sextant_with, text};
use fake::{Peer, answer_with};
use sextant_client::verify::{LocalVerifier, VerifyError, pinned_vk_hash};
use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, Statement},
};
use sextant_protocol::{ProofRecord, proof::Circuits};
use tokio::net::TcpStream;

const BOTH: [&str; 2] = ["committee-change.proof", "inclusion.proof"];

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/recorded-snarks").join(name)
}

fn record(name: &str) -> ProofRecord {
    ProofRecord::from_file_bytes(&std::fs::read(recorded(name)).unwrap()).unwrap()
}

fn key() -> Vec<u8> {
    std::fs::read(recorded("groth16_vk.bin")).unwrap()
}

#[test]
fn they_are_accepted_where_their_circuits_are_named() {
    let key = recorded("groth16_vk.bin");
    for name in BOTH {
        let proof = recorded(name);
        let accepted = sextant(&["verify", text(&proof), "--allow-dev-circuits", text(&key)]);
        let output = String::from_utf8(accepted.stdout).unwrap();
        assert!(accepted.status.success(), "{name}: {}", String::from_utf8_lossy(&accepted.stderr));
        assert!(output.contains("valid: a groth16 proof by the pinned"), "{output}");
        assert_names(&sextant(&["verify", text(&proof)]), &[name, "development circuits"]);
    }
}

/// Of a statement that shares a proof `inspect` tells the place. `verify` refuses a statement that is not at its place before
/// it looks at the proof, and then a proof that is none of the bundle.
#[test]
fn a_place_in_a_bundle_is_told_and_checked() {
    let own = record(BOTH[0]);
    let statement = Statement::abi_decode(own.program().unwrap(), &own.public_values).unwrap();
    let parts = BOTH.map(record).map(|one| Bundled::of(one.program().unwrap(), &one.public_values));
    let bundle = Bundle { chain_digest: statement.chain_digest(), parts: parts.into() };
    let bundle = ProofRecord {
        program: Program::Bundle.tag(),
        vk_hash: pinned_vk_hash(Program::Bundle),
        public_values: bundle.abi_encode(),
        ..own.clone()
    };
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("placed.proof"), recorded("groth16_vk.bin"));
    for (index, reason) in
        [(0, "it does not prove this"), (1, "part 1 of the bundle is"), (2, "part 2 of a bundle of 2")]
    {
        let placed = ProofRecord::in_bundle(statement.program(), own.public_values.clone(), index, &bundle);
        std::fs::write(&path, placed.to_file_bytes()).unwrap();
        let told = String::from_utf8(sextant(&["inspect", text(&path)]).stdout).unwrap();
        assert!(told.contains(&format!("part {index} (from 0) of a bundle of 2")), "{told}");
        assert!(!told.contains("ANOTHER"), "by the pinned bundle program: {told}");
        let told = sextant(&["inspect", "--json", text(&path)]).stdout;
        let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told["place"], serde_json::json!({ "index": index, "parts": 2 }));
        let refused = sextant(&["verify", text(&path), "--allow-dev-circuits", text(&key)]);
        let told = String::from_utf8(refused.stderr).unwrap();
        // After the warning that such circuits are for tests.
        let line = told.lines().last().unwrap();
        assert_eq!(refused.status.code(), Some(6), "{told}");
        for part in ["error: ", "placed.proof", "not a valid proof", reason] {
            assert!(line.contains(part), "{part}: {told}");
        }
    }
}

/// Standard output is the proof's alone; with -q nothing is told but what warns, with -v what was checked here as well.
#[tokio::test]
async fn a_proof_goes_to_standard_output_where_that_is_asked() {
    for told_how in ["-q", "", "-v"] {
        let server = fake::listen(async |stream: TcpStream| {
            let mut peer = Peer::greet(stream).await;
            let (id, request) = peer.prove_request().await;
            peer.answer(id, Ok(answer_with(&record(BOTH[0]), &request.input))).await;
            peer.drain().await;
        });
        let server = server.await.to_string();
        let output = tokio::task::spawn_blocking(move || {
            let (bootstrap, key) = (file(BOOTSTRAP), recorded("groth16_vk.bin"));
            let updates = [file(UPDATE_1150), file(UPDATE_1151)];
            let mut line = vec!["prove", "committee-change", "--bootstrap", text(&bootstrap), "--update"];
            line.extend(updates.iter().map(|update| text(update)));
            line.extend(["--kind", "groth16", "--allow-dev-circuits", text(&key), "--out", "-"]);
            line.extend((!told_how.is_empty()).then_some(told_how));
            sextant_with(&server, &line)
        });
        let output = output.await.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        assert_eq!(output.stdout, record(BOTH[0]).to_file_bytes());
        assert_eq!(told.lines().all(|line| line.starts_with("warning: ")), told_how == "-q", "{told}");
        assert_eq!(told.contains("true, checked here in "), told_how == "-v", "{told}");
    }
}

/// Whoever relabels one gets it checked by the released circuits' key.
#[test]
fn a_false_label_does_not_help() {
    let folder = Folder::new();
    for name in BOTH {
        let mut relabelled = record(name);
        relabelled.circuits = Circuits::Release;
        let file = folder.path().join(name);
        std::fs::write(&file, relabelled.to_file_bytes()).unwrap();
        assert_names(&sextant(&["verify", text(&file)]), &[name, "not a valid proof"]);
        let key = recorded("groth16_vk.bin");
        let told = sextant(&["verify", text(&file), "--allow-dev-circuits", text(&key)]);
        assert!(String::from_utf8_lossy(&told.stderr).contains("not a valid proof"), "{told:?}");
    }
}

/// Neither another statement, nor another proof, nor a bit turned anywhere in it.
#[test]
fn they_prove_what_they_prove() {
    let verifier = LocalVerifier::allow_development_circuits(key());
    let [change, inclusion] = BOTH.map(record);
    verifier.verify(&change).unwrap();
    verifier.verify(&inclusion).unwrap();

    let swapped = ProofRecord { proof: inclusion.proof.clone(), ..change.clone() };
    assert!(matches!(verifier.verify(&swapped), Err(VerifyError::Refused(_))));
    let mut edited = inclusion.clone();
    *edited.public_values.last_mut().unwrap() ^= 1;
    assert!(verifier.verify(&edited).is_err(), "another value of the slot");
    for position in 0..inclusion.proof.len() {
        let mut turned = inclusion.clone();
        turned.proof[position] ^= 1;
        assert!(verifier.verify(&turned).is_err(), "byte {position}");
    }
}
