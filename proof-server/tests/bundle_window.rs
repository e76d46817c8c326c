//! Statements that are asked for within a while of each other share the proof of a bundle: each is answered with its own place
//! in it. Workers are scripts, which tell a committee change, an inclusion and a bundle apart.
#![cfg(feature = "snark")]

mod common;

use std::time::Duration;

use common::{
    Client, PATIENCE, Server, circuits, good_request, good_requests, settings, until,
    worker::{Script, is_alive},
};
use proof_server::{Role, Settings};
use sextant_artifacts::{BUNDLE, CIRCUIT_VERSION};
use sextant_consensus::{
    Program,
    bls::Plain,
    check_statement,
    public_values::{Bundle, Bundled},
};
use sextant_protocol::{
    BundleRequest, ClientMessage, ErrorCode, Progress, ProofAnswer, ProofKind, ProofRecord, Request,
    RequestId, Response, ServerInfo, ServerMessage, encoding,
    place::Place,
    proof::{Circuits, MAX_RECORD},
};

const WINDOW: Duration = Duration::from_secs(3);
const AT_ONCE: Duration = Duration::from_millis(100);

/// A committee change and an inclusion of mainnet, asked for as places in a bundle.
fn both() -> [Request; 2] {
    [0, 2].map(|index| {
        let mut request = good_requests().swap_remove(index);
        let Request::Prove(prove) = &mut request else { unreachable!() };
        prove.kind = ProofKind::Bundled;
        request
    })
}

/// What a request states: the program and its public values.
fn stated(request: &Request) -> (Program, Vec<u8>) {
    let Request::Prove(request) = request else { unreachable!() };
    let program = request.input.program().unwrap();
    (program, check_statement(program, &request.input.bytes, &mut Plain).unwrap().abi_encode())
}

/// The bundle of these statements in this order, as a client would ask for it that has their proofs.
fn bundle(statements: &[Request]) -> Request {
    let compressed = |request: &Request| {
        let (program, public_values) = stated(request);
        ProofRecord {
            program: program.tag(),
            kind: ProofKind::Compressed,
            circuits: Circuits::Release,
            circuit_version: CIRCUIT_VERSION.into(),
            vk_hash: sextant_verifier::pinned_vk_hash(program),
            public_values,
            proof: b"compressed".repeat(100),
        }
    };
    let proofs: Vec<_> = statements.iter().map(compressed).collect();
    Request::Bundle(BundleRequest::new(Program::Bundle, &proofs, ProofKind::Groth16))
}

/// A server that gathers for `window`, whose workers make both statements and the bundle of `bundled`, and do `job` before
/// they compress anything.
async fn server(window: Duration, bundled: &[Request], job: &str) -> (Server, tempfile::TempDir) {
    let (folder, circuits) = circuits();
    let script = Script::by_program(&bundle(bundled), &both(), job);
    let server = Server::start_with(Some(script), |config| {
        config.circuits = circuits;
        config.bundle_window = Some(window);
    });
    (server.await, folder)
}

fn script(server: &Server) -> &Script {
    server.script.as_ref().unwrap()
}

/// Waits until a prover is at the request, or it waits for one: it has its seat then.
async fn seated(client: &mut Client, wanted: RequestId) {
    step(client, wanted, |step| !matches!(step, Progress::Checking)).await;
}

/// Waits for a step of a request, and returns it.
async fn step(client: &mut Client, wanted: RequestId, is: impl Fn(&Progress) -> bool) -> Progress {
    loop {
        match client.receive().await {
            ServerMessage::Progress { id, progress } if id == wanted && is(&progress) => return progress,
            ServerMessage::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn proof(client: &mut Client, wanted: RequestId) -> ProofAnswer {
    match client.answer().await {
        (id, Ok(Response::Proof(answer))) if id == wanted => answer,
        other => panic!("a proof for {wanted} was due: {other:?}"),
    }
}

/// Whether an answer is the place `index` of what `request` states, in the bundle of `statements`; returns the SNARK.
fn is_placed(answer: &ProofAnswer, request: &Request, index: u32, statements: &[Request]) -> Vec<u8> {
    let record: ProofRecord = encoding::decode("proof record", &answer.record, MAX_RECORD).unwrap();
    let (program, public_values) = stated(request);
    assert_eq!((record.program(), record.kind), (Some(program), ProofKind::Bundled));
    assert_eq!((record.vk_hash, &record.public_values), (BUNDLE.vk_hash, &public_values));
    let place = Place::of(&record.proof).unwrap();
    let named = statements.iter().map(stated);
    let named: Vec<_> = named.map(|(program, values)| Bundled::of(program, &values)).collect();
    assert_eq!((place.index, Bundle::abi_decode(place.public_values).unwrap().parts), (index, named));
    let Request::Prove(prove) = request else { unreachable!() };
    assert_eq!(answer.input_digest, prove.input.digest());
    place.proof.to_vec()
}

/// What is made, and how often: each statement's compressed proof, and one SNARK of all.
#[tokio::test]
async fn who_asks_within_the_window_shares_one_proof() {
    let both = both();
    let (server, _circuits) = server(WINDOW, &both, ":").await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for (client, request) in clients.iter_mut().zip(&both) {
        client.request(1, request.clone()).await;
        seated(client, 1).await;
    }
    let mut snarks = Vec::new();
    for (index, (client, request)) in clients.iter_mut().zip(&both).enumerate() {
        let answer = proof(client, 1).await;
        snarks.push(is_placed(&answer, request, index as u32, &both));
        // From now on it is there.
        client.request(2, request.clone()).await;
        assert_eq!(proof(client, 2).await.record, answer.record);
    }
    assert_eq!(snarks[0], snarks[1]);
    assert_eq!(script(&server).lines("programs"), ["compressed-1", "compressed-2", "compressed-3"]);
    assert_eq!(script(&server).stages(), ["compressed", "compressed", "compressed", "wrap", "groth16"]);
    assert_eq!(server.metric("sextant_bundle_statements_count").await, 1.0);
    assert_eq!(server.metric("sextant_bundle_statements_sum").await, 2.0);
    server.stop().await;
}

/// First the steps of the own proof, then how far the others are, then those of the bundle.
#[tokio::test]
async fn progress_says_what_is_waited_for() {
    let both = both();
    let job = "while [ $P = 2 ] && [ ! -e $D/go ]; do sleep 0.02; done";
    let (server, _circuits) = server(WINDOW, &both, job).await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for (client, request) in clients.iter_mut().zip(&both) {
        client.request(1, request.clone()).await;
        seated(client, 1).await;
    }
    let [first, second] = &mut clients;
    let gathering = |step: &Progress| matches!(step, Progress::Gathering { total: 2, .. });
    let Progress::Gathering { done: 1, wait_ms: 1..=3_000, .. } = step(first, 1, gathering).await else {
        panic!("one is made, and more may come")
    };
    // The time is over, and the second is waited for.
    let over = |step: &Progress| matches!(step, Progress::Gathering { done: 1, total: 2, wait_ms: 0 });
    step(first, 1, over).await;
    script(&server).touch("go");
    let bundling = |step: &Progress| matches!(step, Progress::Queued { .. } | Progress::Preparing);
    step(first, 1, bundling).await;
    is_placed(&proof(first, 1).await, &both[0], 0, &both);
    is_placed(&proof(second, 1).await, &both[1], 1, &both);
    server.stop().await;
}

/// Only its requester hears why.
#[tokio::test]
async fn one_that_cannot_be_proven_leaves_the_bundle() {
    let both = both();
    let job = "if [ $P = 2 ]; then sleep 0.3; cat $D/too-large; continue; fi";
    let (server, _circuits) = server(WINDOW, &both[..1], job).await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for (client, request) in clients.iter_mut().zip(&both) {
        client.request(1, request.clone()).await;
        seated(client, 1).await;
    }
    let [first, second] = &mut clients;
    let error = second.error(1).await;
    assert!(error.code == ErrorCode::TooLarge && error.message.contains("more memory"), "{error}");
    is_placed(&proof(first, 1).await, &both[0], 0, &both[..1]);
    server.stop().await;
}

#[tokio::test]
async fn one_who_leaves_does_not_void_the_others() {
    let both = both();
    let (server, _circuits) = server(WINDOW, &both[1..], ":").await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for (client, request) in clients.iter_mut().zip(&both) {
        client.request(1, request.clone()).await;
        seated(client, 1).await;
    }
    let [first, second] = &mut clients;
    first.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(first.error(1).await.code, ErrorCode::Cancelled);
    is_placed(&proof(second, 1).await, &both[1], 0, &both[1..]);
    server.stop().await;
}

/// The bundle is being made when the first leaves: it has its place all the same, and the second its proof.
#[tokio::test]
async fn one_who_leaves_while_the_bundle_is_made_stays_in_it() {
    let both = both();
    let job = "while [ $P = 3 ] && [ ! -e $D/go ]; do sleep 0.02; done";
    let (server, _circuits) = server(WINDOW, &both, job).await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for (client, request) in clients.iter_mut().zip(&both) {
        client.request(1, request.clone()).await;
        seated(client, 1).await;
    }
    let at_it = async || script(&server).lines("programs").contains(&"compressed-3".to_owned());
    until("a worker is at the bundle", PATIENCE, at_it).await;
    let [first, second] = &mut clients;
    first.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(first.error(1).await.code, ErrorCode::Cancelled);
    script(&server).touch("go");
    is_placed(&proof(second, 1).await, &both[1], 1, &both);
    server.stop().await;
}

#[tokio::test]
async fn when_all_have_left_the_work_ends() {
    let both = both();
    let job = "while [ $P = 3 ] && [ ! -e $D/go ]; do sleep 0.02; done";
    let (server, _circuits) = server(AT_ONCE, &both[..1], job).await;
    let mut client = Client::connect(&server).await;
    client.request(1, both[0].clone()).await;
    let at_it = async || script(&server).lines("programs").contains(&"compressed-3".to_owned());
    until("a worker is at the bundle", PATIENCE, at_it).await;
    // The first that was needed; the other one verifies.
    let worker = script(&server).pids()[0];
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    until("the worker is killed", PATIENCE, async || !is_alive(worker)).await;
    assert!(!script(&server).stages().contains(&"wrap".to_owned()));
    server.stop().await;
}

/// Two clients, one statement, one place; and whoever wants its compressed proof shares that.
#[tokio::test]
async fn the_same_statement_has_one_place_and_one_proof_of_its_own() {
    let [change, _] = both();
    let job = "while [ $P = 1 ] && [ ! -e $D/go ]; do sleep 0.02; done";
    let (server, _circuits) = server(AT_ONCE, std::slice::from_ref(&change), job).await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for client in &mut clients {
        client.request(1, change.clone()).await;
        seated(client, 1).await;
    }
    let mut other = Client::connect(&server).await;
    let mut compressed = change.clone();
    let Request::Prove(prove) = &mut compressed else { unreachable!() };
    prove.kind = ProofKind::Compressed;
    other.request(1, compressed).await;
    seated(&mut other, 1).await;
    script(&server).touch("go");
    for client in &mut clients {
        is_placed(&proof(client, 1).await, &change, 0, std::slice::from_ref(&change));
    }
    assert_eq!(proof(&mut other, 1).await.cost.cycles, 7);
    assert_eq!(script(&server).lines("programs"), ["compressed-1", "compressed-3"]);
    server.stop().await;
}

/// A proof that does not hold is in no bundle, whoever made it.
#[tokio::test]
async fn each_part_is_verified_before_it_is_bundled() {
    let [change, _] = both();
    let (folder, circuits) = circuits();
    let refuses = Script::for_stages(
        &bundle(std::slice::from_ref(&change)),
        "[ $3 = verify ] && cat $D/refused && continue\n\
         [ $3 = compressed ] && cat $D/made-compressed-1 && continue",
    )
    .making(&change);
    let server = Server::start_with(Some(refuses), |config| {
        config.circuits = circuits;
        config.bundle_window = Some(AT_ONCE);
    })
    .await;
    let mut client = Client::connect(&server).await;
    client.request(1, change).await;
    let error = client.error(1).await;
    assert!(error.message.contains("the statement's own proof: not a valid proof"), "{error}");
    assert!(!script(&server).stages().contains(&"wrap".to_owned()));
    server.stop().await;
    drop(folder);
}

#[tokio::test]
async fn a_place_is_taken_on_and_fetched_like_a_proof() {
    let [change, _] = both();
    let (server, _circuits) = server(AT_ONCE, std::slice::from_ref(&change), ":").await;
    let mut client = Client::connect(&server).await;
    let Request::Prove(prove) = change.clone() else { unreachable!() };
    client.request(1, Request::Submit(prove)).await;
    let (1, Ok(Response::Submitted { job, .. })) = client.answer().await else { panic!("a job") };
    drop(client);
    let mut client = Client::connect(&server).await;
    client.request(2, Request::Fetch { job, offset: 0, deadline_ms: 0 }).await;
    let answer = proof(&mut client, 2).await;
    assert_eq!(answer.job, job);
    is_placed(&answer, &change, 0, std::slice::from_ref(&change));
    server.stop().await;
}

/// What upstreams prove is gathered by the entrypoint: they know of no window.
#[tokio::test]
async fn an_entrypoint_gathers_what_its_upstreams_prove() {
    let both = both();
    let (folder, circuits) = circuits();
    let made = Script::by_program(&bundle(&both), &both, ":");
    let upstream = Server::start_with(Some(made), |config| config.circuits = circuits).await;
    let verifies = Script::for_stages(&good_request(), ":");
    let entry = Server::start_with(Some(verifies), |config| {
        config.role = Role::Entrypoint;
        config.bundle_window = Some(WINDOW);
        let address = || vec![upstream.address.to_string()];
        config.upstreams.committee_change = address();
        config.upstreams.inclusion = address();
        config.upstreams.bundle = address();
    })
    .await;
    let mut client = Client::connect(&entry).await;
    until("it has looked at its upstreams", PATIENCE, async || {
        info(&mut client).await.kinds.contains(&ProofKind::Bundled)
    })
    .await;
    for (id, request) in (1..).zip(&both) {
        client.request(id, request.clone()).await;
        seated(&mut client, id).await;
    }
    let mut answers = [client.answer().await, client.answer().await];
    answers.sort_by_key(|(id, _)| *id);
    for (index, ((_, answer), request)) in answers.into_iter().zip(&both).enumerate() {
        let Ok(Response::Proof(answer)) = answer else { panic!("{answer:?}") };
        is_placed(&answer, request, index as u32, &both);
    }
    assert_eq!(script(&upstream).lines("programs").len(), 3);
    assert!(script(&entry).lines("stages").iter().all(|stage| stage == "verify"), "what others made");
    for server in [entry, upstream] {
        server.stop().await;
    }
    drop(folder);
}

async fn info(client: &mut Client) -> ServerInfo {
    client.send(&ClientMessage::Request { id: 90, request: Request::Info }).await;
    match client.answer().await {
        (90, Ok(Response::Info(info))) => info,
        other => panic!("{other:?}"),
    }
}

/// Older clients never see the kind, nor does anybody where nothing is gathered.
#[tokio::test]
async fn the_kind_is_offered_where_there_is_a_window() {
    let both = both();
    for window in [None, Some(AT_ONCE)] {
        let (folder, circuits) = circuits();
        let made = Script::by_program(&bundle(&both[..1]), &both, ":");
        let server = Server::start_with(Some(made), |config| {
            (config.circuits, config.bundle_window) = (circuits, window);
        })
        .await;
        let mut client = Client::connect(&server).await;
        let info = info(&mut client).await;
        assert_eq!(info.kinds.contains(&ProofKind::Bundled), window.is_some());
        for program in info.programs {
            let is_bundled = matches!(Program::from_tag(program.program), Some(program) if Program::OF_CHAINS.contains(&program));
            assert_eq!(program.kinds.contains(&ProofKind::Bundled), window.is_some() && is_bundled);
        }
        // What is brought as a proof has no place in a window.
        let Request::Bundle(mut as_place) = bundle(&both) else { unreachable!() };
        as_place.kind = ProofKind::Bundled;
        client.request(1, Request::Bundle(as_place)).await;
        assert_eq!(client.error(1).await.code, ErrorCode::Unsupported);
        if window.is_none() {
            client.request(2, both[0].clone()).await;
            let error = client.error(2).await;
            assert!(
                error.code == ErrorCode::Unsupported && error.message.contains("bundle-window"),
                "{error}"
            );
        }
        server.stop().await;
        drop(folder);
    }
}

/// A window without anybody to make its bundles is said before the server starts.
#[tokio::test]
async fn a_window_needs_who_makes_bundles() {
    let (_folder, circuits) = circuits();
    let mut config = settings().resolve().unwrap();
    (config.role, config.bundle_window) = (Role::All, Some(WINDOW));
    config.worker_program = Some(env!("CARGO_BIN_EXE_proof-server").into());
    config.circuits.folder = None;
    let error = proof_server::check(&config).unwrap_err().to_string();
    assert!(error.starts_with("bundle-window: groth16 proofs are not made"), "{error}");
    config.circuits = circuits;
    proof_server::check(&config).unwrap();
    let window = |role, upstream: Option<&str>| {
        let inclusion_upstreams = upstream.map(|address| vec![address.to_owned()]);
        let bundle_window = Some(20);
        Settings { role: Some(role), bundle_window, inclusion_upstreams, ..Settings::default() }.resolve()
    };
    for role in [Role::Inclusion, Role::Bundle, Role::Verifier] {
        let error = window(role, None).unwrap_err().to_string();
        assert!(error.starts_with("bundle-window needs role all or entrypoint"), "{error}");
    }
    let error = window(Role::Entrypoint, Some("prover:7100")).unwrap_err().to_string();
    assert!(error.starts_with("bundle-window needs bundle-upstreams"), "{error}");
    let late = Settings { bundle_window: Some(7200), role: Some(Role::All), ..Settings::default() };
    assert!(late.resolve().unwrap_err().to_string().contains("max-deadline"));
}
