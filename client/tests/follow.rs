//! `sextant follow` and `sextant status` as commands: their lines, their refusals, and that a worthless proof from a server
//! is recorded nowhere.

mod common;
mod fake;

use std::{path::Path, process::Output, sync::Arc};

use common::{Folder, assert_names, sextant_with};
use fake::{Peer, answer_with, claiming, everything, listen_each};
use serde_json::{Value, json};
use sextant_client::{
    ClientConfig, ProofKind, ProofRecord, ServerError, ServerInfo, ServerProver,
    follow::{Prover, State},
    verify::LocalVerifier,
};
use sextant_protocol::{
    ErrorCode, Request, Response,
    message::{BUNDLE, WRAP},
};
use sextant_test_nodes::{
    Node, Reply,
    simulated::{PERIOD, Simulated},
};
use tokio::net::TcpListener;

/// A server whose proofs claim the right thing and are worthless.
async fn worthless_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut peer = Peer::greet(stream).await;
            let (id, prove) = peer.prove_request().await;
            let proof = claiming(&prove.input, prove.kind);
            peer.answer(id, Ok(answer_with(&proof, &prove.input))).await;
        }
    });
    address
}

struct World {
    chain: Arc<Simulated>,
    beacon: Node,
    rpc: Node,
    folder: Folder,
    server: String,
}

impl World {
    async fn new() -> Self {
        let chain = Arc::new(Simulated::old(8));
        chain.finalize(2 * PERIOD + 16);
        let (beacon, rpc) = (chain.clone(), chain.clone());
        Self {
            beacon: Node::start(move |ask| beacon.beacon(ask)).await,
            rpc: Node::start(move |ask| rpc.execution(ask)).await,
            folder: Folder::new(),
            server: worthless_server().await,
            chain,
        }
    }

    fn state(&self) -> String {
        self.folder.path().join("state").to_str().unwrap().into()
    }

    fn follow(&self) -> String {
        format!(
            "follow --once --state {} --beacon {} --rpc {} --chain-digest {} --max-head-age 0",
            self.state(),
            self.beacon.url(),
            self.rpc.url(),
            hex::encode(self.chain.chain.digest()),
        )
    }

    fn trusted(&self) -> String {
        let checkpoint = hex::encode(self.chain.checkpoint(0));
        format!("{} --checkpoint 0x{checkpoint} --allow-old-checkpoint", self.follow())
    }

    async fn run(&self, line: &str) -> Output {
        let (server, line) = (self.server.clone(), line.to_owned());
        let run = move || sextant_with(&server, &line.split_whitespace().collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worthless_proof_is_recorded_nowhere() {
    let world = World::new().await;
    let output = world.run(&format!("{} --json", world.trusted())).await;
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("the proof does not verify"), "{}", stderr(&output));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["started", "head", "proving"]);
    assert!(events.iter().all(|event| event["time"].as_u64().is_some_and(|time| time > 1_700_000_000)));
    assert_eq!(events[1]["finalized_slot"], 2 * PERIOD + 16);
    assert_eq!(events[2]["items"], 3, "three handovers in one proof");

    let status = world.run(&format!("status --state {} --json", world.state())).await;
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["proofs"], &status["proven_period"]), (&0.into(), &0.into()));
    assert_eq!((&status["known_period"], &status["period"]), (&3.into(), &2.into()));
    let proofs = Path::new(&world.state()).join("proofs");
    assert_eq!(std::fs::read_dir(proofs).unwrap().count(), 0, "nothing is left on disk");

    let shown = world.run(&format!("status --state {}", world.state())).await;
    let shown = String::from_utf8(shown.stdout).unwrap();
    for part in
        ["finalized slot", "144", "committees known", "to period 3", "last inclusion", "period 0 to 1"]
    {
        assert!(shown.contains(part), "{part:?} is not in: {shown}");
    }
}

/// Of a follower that runs, as it wrote it last: also what its contract knows, and that it lags.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_what_the_contract_holds() {
    let world = World::new().await;
    world.run(&world.trusted()).await;
    let folder = world.state();
    let _running = State::open(Path::new(&folder)).unwrap();
    let file = Path::new(&folder).join("status.json");
    let mut written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    written["submitted"] = 41.into();
    for (in_step, told) in [(true, "in step"), (false, "BEHIND")] {
        written["contract"] = json!({
            "target": "contract 0x12 on chain 5", "known_period": 2, "head_slot": 77, "in_step": in_step, "looked_at": 1
        });
        std::fs::write(&file, written.to_string()).unwrap();
        let shown = world.run(&format!("status --state {folder}")).await;
        let shown = String::from_utf8(shown.stdout).unwrap();
        for part in ["contract 0x12 on chain 5", "to period 2", told, "head at slot 77", "ago", "41"] {
            assert!(shown.contains(part), "{part:?} is not in: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_start_ends_in_one_line() {
    let world = World::new().await;
    assert_names(
        &world.run(&format!("status --state {}", world.state())).await,
        &["nothing was followed here yet"],
    );
    assert_names(&world.run(&world.follow()).await, &["no checkpoint", "that you trust"]);
    let submitting = format!(
        "{} --submit {} --submit-rpc http://127.0.0.1:9 --bundle-for 60",
        world.trusted(),
        "11".repeat(20)
    );
    assert_names(&world.run(&format!("{submitting} --kind plonk")).await, &["--bundle-for", "groth16"]);
    let old = world.trusted().replace(" --allow-old-checkpoint", "");
    assert_names(&world.run(&old).await, &["checkpoint is of slot 2", "weak subjectivity"]);
    let nodes = format!("--beacon {}", world.beacon.url());
    assert_names(&world.run(&world.trusted().replace(&nodes, "")).await, &["--beacon", "no endpoint given"]);
    let stale = world.trusted().replace("--max-head-age 0", "");
    let stale = world.run(&stale).await;
    assert_eq!(stale.status.code(), Some(7), "a node's trouble");
    assert!(stderr(&stale).contains("behind"), "{}", stderr(&stale));
}

/// A provider names a block, and is only believed when told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_provider_needs_a_yes() {
    let world = World::new().await;
    let asked =
        format!("{} --allow-old-checkpoint --checkpoint-provider {}", world.follow(), world.beacon.url());
    let root = hex::encode(world.chain.checkpoint(2));
    assert_names(
        &world.run(&asked).await,
        &[&world.beacon.url(), &format!("--checkpoint 0x{root}"), "--trust-provider"],
    );
    let output = world.run(&format!("{asked} --trust-provider")).await;
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("starts at finalized slot 130"),
        "{stdout} {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn a_server_that_is_gone_is_no_prover() {
    let prover = ServerProver::new("127.0.0.1:1", Default::default());
    let error = prover.prove(fake::one_handover(), ProofKind::Stark).await.unwrap_err();
    assert!(error.message.contains("cannot connect to 127.0.0.1:1"), "{error}");
    let worthless = claiming(&fake::one_handover(), ProofKind::Stark);
    assert!(prover.verify(worthless).await.is_err());
}

/// A server of this offer, which refuses every proof with this code.
async fn refusing(offer: ServerInfo, code: ErrorCode) -> ServerProver {
    let address = listen_each(move |stream| {
        let offer = offer.clone();
        async move {
            let mut peer = Peer::greet(stream).await;
            while let Ok(Some(message)) = peer.reader.next().await {
                match message {
                    sextant_protocol::ClientMessage::Request { id, request: Request::Info } => {
                        peer.answer(id, Ok(Response::Info(offer.clone()))).await;
                    }
                    sextant_protocol::ClientMessage::Request { id, .. } => {
                        peer.answer(id, Err(ServerError::new(code, "not here"))).await;
                    }
                    _ => {}
                }
            }
        }
    })
    .await;
    ServerProver::new(address.to_string(), fake::quick())
}

#[tokio::test]
async fn what_a_server_does_not_offer_stands_and_is_told_with_what_it_offers() {
    let mut stark = everything();
    stark.programs[0].kinds = vec![ProofKind::Stark];
    let prover = refusing(stark, ErrorCode::Unsupported).await;
    let error = prover.prove(fake::one_handover(), ProofKind::Groth16).await.unwrap_err();
    assert!(error.stands, "{error}");
    assert_eq!(error.message, "this server makes no groth16 proofs of committee-change, only stark");

    // Less than the statement needs.
    let mut small = everything();
    small.limits.input = 1000;
    let prover = refusing(small, ErrorCode::TooLarge).await;
    let error = prover.prove(fake::one_handover(), ProofKind::Stark).await.unwrap_err();
    assert!(error.stands && error.message.contains("this server takes 1000 at most"), "{error}");

    // Another reason than the offer: then it is the server's own.
    let prover = refusing(everything(), ErrorCode::Unsupported).await;
    let error = prover.prove(fake::one_handover(), ProofKind::Stark).await.unwrap_err();
    assert!(error.stands && error.message.contains("not here"), "{error}");
    for (code, stands) in [
        (ErrorCode::TooLarge, true),
        (ErrorCode::Unauthorized, true),
        (ErrorCode::ProverFailed, false),
        (ErrorCode::Busy, false),
        (ErrorCode::DeadlineExceeded, false),
    ] {
        let prover = refusing(everything(), code).await;
        let error = prover.prove(fake::one_handover(), ProofKind::Stark).await.unwrap_err();
        assert_eq!(error.stands, stands, "{code}");
    }
}

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)).unwrap()
}

/// What a follower has made of its compressed proofs, by a server that knows how and one that does not.
#[tokio::test]
async fn compressed_proofs_are_wrapped_and_bundled_by_a_server_that_knows_how() {
    let record = |name| ProofRecord::from_file_bytes(&recorded(name)).unwrap();
    let compressed = record("recorded-starks/committee-change-compressed.proof");
    let snark = record("recorded-snarks/one-handover.proof");
    let two = || vec![compressed.clone(); 2];
    let prover = refusing(everything(), ErrorCode::Busy).await;
    let error = prover.snark_of(compressed.clone()).await.unwrap_err();
    assert!(error.stands && error.message.contains("does not know how to wrap"), "{error}");
    let error = prover.bundle_of(two(), ProofKind::Groth16).await.unwrap_err();
    assert!(error.stands && error.message.contains("does not know how to bundle"), "{error}");
    let error = prover.bundle_of(vec![snark.clone()], ProofKind::Groth16).await.unwrap_err();
    assert!(error.stands && error.message.contains("only a compressed proof"), "{error}");

    let answer = snark.clone();
    let address = listen_each(move |stream| {
        let answer = answer.clone();
        async move {
            let mut peer = Peer::greet_knowing(stream, &[WRAP, BUNDLE]).await;
            let (id, request) = peer.request().await;
            assert!(matches!(request, Request::Wrap(_) | Request::Bundle(_)), "{request:?}");
            // Of the statement, and of no bundle.
            peer.answer(id, Ok(answer_with(&answer, &fake::one_handover()))).await;
            peer.drain().await;
        }
    });
    let verifier = LocalVerifier::allow_development_circuits(recorded("recorded-snarks/groth16_vk.bin"));
    let prover = ServerProver::new(address.await.to_string(), ClientConfig { verifier, ..fake::quick() });
    let proven = prover.snark_of(compressed.clone()).await.unwrap();
    assert_eq!(proven.record, snark);
    assert!(prover.bundle_of(two(), ProofKind::Groth16).await.is_err(), "not what was asked for");
}

/// Whoever names the checkpoint is waited for like every other node.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_a_checkpoint_provider_that_is_syncing() {
    let world = World::new().await;
    let chain = world.chain.clone();
    // So often one command line asks before it gives up.
    let provider = Node::start(move |ask| match ask.earlier < 4 {
        true => Reply::refused(503, "syncing"),
        false => chain.beacon(ask),
    })
    .await;
    let line = format!(
        "{} --allow-old-checkpoint --trust-provider --poll 1 --checkpoint-provider {}",
        world.follow(),
        provider.url()
    );
    let line = line.replace(" --once", "");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sextant"))
        .args(line.split_whitespace())
        .env("SEXTANT_SERVER", &world.server)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let lines = tokio::task::spawn_blocking(move || {
        let mut lines: Vec<String> = Vec::new();
        for line in std::io::BufRead::lines(stdout).map_while(Result::ok) {
            lines.push(line);
            if lines.last().unwrap().contains("starts at finalized slot 130") {
                break;
            }
        }
        lines
    });
    let lines = lines.await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[0].contains("trouble") && lines[0].contains("503"), "{lines:?}");
    assert!(lines.last().unwrap().contains("starts at finalized slot 130"), "{lines:?}");
}
