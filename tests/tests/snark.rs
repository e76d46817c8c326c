//! A fresh SNARK from a real server, where the circuits for it are on the machine: `make snark-setup` puts them there.
//! Elsewhere nothing is made, and that is said: recorded ones are verified in any case (client/tests/snarks.rs,
//! submit/tests/node.rs).

use std::path::PathBuf;

use sextant_client::{Client, ClientConfig, Progress, ProofKind, StatementInput, verify::LocalVerifier};
use sextant_protocol::proof::Circuits;
use sextant_tests::server::Server;

/// Where `make snark-setup` puts circuits, if they are complete.
fn circuits() -> Option<PathBuf> {
    let cache = std::env::var_os("SEXTANT_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/sextant")))?;
    let folder = cache.join("dev-circuits");
    folder.join("SP1VerifierGroth16.sol").is_file().then_some(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_wraps_a_proof_to_a_snark_that_only_its_circuits_key_accepts() {
    let Some(folder) = circuits() else {
        println!("no circuits on this machine (make snark-setup): no SNARK is made");
        return;
    };
    let key = std::fs::read(folder.join("groth16_vk.bin")).expect("the circuits' key");
    let folder = folder.to_str().expect("a path in UTF-8");
    let server = Server::start(&["--warm=false", "--circuits", folder, "--allow-dev-circuits"]);
    let verifier = LocalVerifier::allow_development_circuits(key);
    let config = ClientConfig { verifier: verifier.clone(), ..ClientConfig::default() };
    let client = Client::connect_with(server.address(), config).await.expect("connects");

    if !client.info().await.expect("information").kinds.contains(&ProofKind::Groth16) {
        println!("a server built without Go: no SNARK is made");
        return;
    }

    let (_, program, input) = sextant_fixtures::statements().swap_remove(0);
    let input = StatementInput::new(program, input);
    let proving = client.prove(input.clone(), ProofKind::Compressed, None).await.expect("accepted");
    let compressed = proving.finish().await.expect("a compressed proof");
    let mut proving = client.wrap(compressed.record, None).await.expect("accepted");
    let mut seen = Vec::new();
    while let Some(progress) = proving.next_progress().await {
        seen.push(progress);
    }
    let proof = proving.finish().await.expect("a SNARK");
    // Kept for whoever wants to look at it, or to record it.
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("snark.proof");
    std::fs::write(&file, proof.record.to_file_bytes()).expect("the target folder is writable");
    println!("{}: {:?}", file.display(), proof.cost);
    for stage in [Progress::Shrinking, Progress::Wrapping] {
        assert!(seen.contains(&stage), "{stage:?} is not among {seen:?}");
    }
    assert!(!seen.iter().any(|step| matches!(step, Progress::Executing { .. })), "{seen:?}");
    assert_eq!(proof.statement, compressed.statement);
    assert_eq!(proof.record.proof.len(), 356);
    assert_eq!(proof.record.circuits, Circuits::Development);
    assert_eq!(verifier.verify(&proof.record).expect("verifies"), proof.statement);
    client.verify_remote(proof.record.clone()).await.expect("the server agrees");
    // Whatever it was made from, it is the proof of the statement.
    let proving = client.prove(input, ProofKind::Groth16, None).await.expect("accepted");
    assert_eq!(proving.finish().await.expect("the same").record, proof.record);
    assert!(LocalVerifier::default().verify(&proof.record).is_err(), "by nobody else's key");
}
