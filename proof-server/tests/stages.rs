//! What a stage has made survives whatever ends the next one. Workers are scripts that die where a test wants it; their
//! proofs are none.
#![cfg(feature = "snark")]

mod common;

use std::{path::Path, time::Duration};

use common::{Client, Server, circuits, good_request, until, worker::Script};
use proof_server::Config;
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofKind, Request, Response, ServerError, proof::ProofView,
};

/// Dies in a stage for which there is a file `die-STAGE`, once or always; says that it cannot use what it was given where
/// there is `refuse-STAGE`; waits where there is `wait-STAGE`.
const JOB: &str = "\
    [ -e $D/always-die-$3 ] && kill -9 $$
    [ -e $D/die-$3 ] && rm $D/die-$3 && kill -9 $$
    [ -e $D/refuse-$3 ] && rm $D/refuse-$3 && cat $D/refused && continue
    while [ -e $D/wait-$3 ]; do sleep 0.02; done";

/// A server that makes every kind of proof, and keeps no finished ones in memory.
struct Staged {
    server: Server,
    client: Client,
    _circuits: tempfile::TempDir,
    asked: u64,
}

impl Staged {
    async fn start(adjust: impl FnOnce(&mut Config)) -> Self {
        let (folder, circuits) = circuits();
        let script = Script::for_stages(&good_request(), JOB);
        let server = Server::start_with(Some(script), |config| {
            config.circuits = circuits;
            config.cache.memory = 0;
            adjust(config);
        })
        .await;
        let client = Client::connect(&server).await;
        Self { server, client, _circuits: folder, asked: 0 }
    }

    fn script(&self) -> &Script {
        self.server.script.as_ref().unwrap()
    }

    async fn ask(&mut self, kind: ProofKind) -> u64 {
        let Request::Prove(mut request) = good_request() else { unreachable!() };
        request.kind = kind;
        self.asked += 1;
        self.client.request(self.asked, Request::Prove(request)).await;
        self.asked
    }

    /// Has a proof made, or hears why not.
    async fn prove(&mut self, kind: ProofKind) -> Result<(), ServerError> {
        let id = self.ask(kind).await;
        match self.client.answer().await {
            (answered, Ok(Response::Proof(answer))) => {
                assert_eq!((answered, ProofView::of(&answer.record).unwrap().kind), (id, kind));
                Ok(())
            }
            (_, Err(error)) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// The stages that workers have begun.
    fn stages(&self) -> String {
        self.script().stages().join(" ")
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

#[tokio::test]
async fn a_worker_that_dies_costs_its_stage_and_none_before() {
    for (dies, stages) in
        [("wrap", "compressed wrap wrap groth16"), ("groth16", "compressed wrap groth16 groth16")]
    {
        let mut staged = Staged::start(|_| {}).await;
        staged.script().touch(&format!("die-{dies}"));
        staged.prove(ProofKind::Groth16).await.unwrap();
        assert_eq!(staged.stages(), stages);
        let again = format!("sextant_stages_again_total{{mode=\"{dies}\"}}");
        assert_eq!(staged.server.metric(&again).await, 1.0);
        staged.stop().await;
    }
    // Before the first stage is done there is nothing to lose: its client decides.
    let mut staged = Staged::start(|_| {}).await;
    staged.script().touch("die-compressed");
    let error = staged.prove(ProofKind::Groth16).await.unwrap_err();
    assert!(error.code == ErrorCode::ProverFailed && error.retry_after_ms > 0, "{error}");
    staged.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(staged.stages(), "compressed compressed wrap groth16");
    staged.stop().await;
}

#[tokio::test]
async fn a_stage_is_tried_three_times_and_what_was_before_it_is_kept() {
    let mut staged = Staged::start(|_| {}).await;
    staged.script().touch("always-die-groth16");
    let error = staged.prove(ProofKind::Groth16).await.unwrap_err();
    assert!(error.code == ErrorCode::ProverFailed && error.retry_after_ms > 0, "{error}");
    assert!(error.message.contains("signal 9"), "{error}");
    assert_eq!(staged.stages(), "compressed wrap groth16 groth16 groth16");
    std::fs::remove_file(staged.script().path().with_file_name("always-die-groth16")).unwrap();
    staged.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(staged.stages(), "compressed wrap groth16 groth16 groth16 groth16");
    staged.stop().await;
}

#[tokio::test]
async fn a_job_that_was_given_up_goes_on_where_it_was() {
    let mut staged = Staged::start(|_| {}).await;
    staged.script().touch("wait-wrap");
    let id = staged.ask(ProofKind::Groth16).await;
    until("it is wrapping", common::PATIENCE, async || staged.stages() == "compressed wrap").await;
    staged.client.send(&ClientMessage::Cancel { id }).await;
    assert_eq!(staged.client.error(id).await.code, ErrorCode::Cancelled);
    std::fs::remove_file(staged.script().path().with_file_name("wait-wrap")).unwrap();
    staged.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(staged.stages(), "compressed wrap wrap groth16");
    staged.stop().await;
}

#[tokio::test]
async fn a_compressed_proof_is_the_beginning_of_another_and_the_other_way_round() {
    let mut staged = Staged::start(|_| {}).await;
    staged.prove(ProofKind::Compressed).await.unwrap();
    staged.prove(ProofKind::Groth16).await.unwrap();
    staged.prove(ProofKind::Compressed).await.unwrap();
    assert_eq!(staged.stages(), "compressed wrap groth16");
    // A STARK is of no use to either.
    staged.prove(ProofKind::Stark).await.unwrap();
    assert_eq!(staged.stages(), "compressed wrap groth16 stark");
    staged.stop().await;

    // A finished one does as well, where there is no room for what stages make.
    let mut crowded = Staged::start(|config| (config.cache.stages, config.cache.memory) = (8, 1 << 20)).await;
    crowded.prove(ProofKind::Compressed).await.unwrap();
    crowded.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(crowded.stages(), "compressed wrap groth16");
    crowded.stop().await;

    let mut forgetful = Staged::start(|config| config.cache.stages = 0).await;
    forgetful.prove(ProofKind::Compressed).await.unwrap();
    forgetful.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(forgetful.stages(), "compressed compressed wrap groth16");
    forgetful.stop().await;
}

#[tokio::test]
async fn what_the_next_stage_cannot_use_is_made_again() {
    let mut staged = Staged::start(|_| {}).await;
    staged.prove(ProofKind::Compressed).await.unwrap();
    staged.script().touch("refuse-wrap");
    staged.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(staged.stages(), "compressed wrap compressed wrap groth16");
    // Also where it cannot be taken away: a finished proof stays one.
    let mut finished = Staged::start(|config| config.cache.memory = 1 << 20).await;
    finished.prove(ProofKind::Compressed).await.unwrap();
    finished.script().touch("refuse-wrap");
    finished.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(finished.stages(), "compressed wrap compressed wrap groth16");
    // What was made for this very job and is refused is the prover's failure.
    let mut fresh = Staged::start(|_| {}).await;
    fresh.script().touch("refuse-wrap");
    fresh.prove(ProofKind::Groth16).await.unwrap_err();
    assert_eq!(fresh.stages(), "compressed wrap");
    for server in [staged, finished, fresh] {
        server.stop().await;
    }
}

/// A server that fails in its last stage, and is stopped: what it leaves is in `folder`.
async fn fails_at_the_end(folder: &Path) {
    let mut staged = Staged::start(|config| config.cache.folder = Some(folder.into())).await;
    staged.script().touch("always-die-groth16");
    staged.prove(ProofKind::Groth16).await.unwrap_err();
    staged.stop().await;
}

#[tokio::test]
async fn a_server_that_is_started_again_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    fails_at_the_end(folder.path()).await;
    let mut staged = Staged::start(|config| config.cache.folder = Some(folder.path().into())).await;
    staged.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(staged.stages(), "groth16");
    // The wrapped proof has done its work; the compressed one may be of use again.
    let files = |bucket: &str| std::fs::read_dir(folder.path().join("stages").join(bucket)).unwrap().count();
    assert_eq!((files("parts"), files("proofs")), (0, 1));
    staged.stop().await;
}

#[tokio::test]
async fn what_is_damaged_on_disk_is_made_again_from_what_is_not() {
    for (damaged, stages) in
        [(&["parts"][..], "wrap groth16"), (&["parts", "proofs"], "compressed wrap groth16")]
    {
        let folder = tempfile::tempdir().unwrap();
        fails_at_the_end(folder.path()).await;
        for bucket in damaged {
            let mut files = std::fs::read_dir(folder.path().join("stages").join(bucket)).unwrap();
            let file = files.next().unwrap().unwrap().path();
            let mut bytes = std::fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(file, bytes).unwrap();
        }
        let mut staged = Staged::start(|config| config.cache.folder = Some(folder.path().into())).await;
        staged.prove(ProofKind::Groth16).await.unwrap();
        assert_eq!(staged.stages(), stages);
        staged.stop().await;
    }
}

/// Memory that a compressing worker is known to need, MiB: the largest that works beside a resting one.
const NEEDED: u64 = 14 << 10;

/// gnark's worker has read gigabytes: it stays for the next proof where there is room for it beside the others.
#[tokio::test]
async fn the_last_worker_rests_while_there_is_room() {
    for (mib, started) in [(NEEDED + 1024, 5), (NEEDED, 6)] {
        let mut staged = Staged::start(|config| {
            config.worker_memory = mib << 20;
            // Everything is made each time.
            config.cache.stages = 0;
        })
        .await;
        for _ in 0..2 {
            staged.prove(ProofKind::Groth16).await.unwrap();
        }
        assert_eq!(staged.stages(), "compressed wrap groth16 compressed wrap groth16");
        assert_eq!(staged.script().pids().len(), started, "{mib} MiB");
        // Whichever rests is gone with its server.
        let pids = staged.script().pids();
        staged.stop().await;
        until("all are gone", Duration::from_secs(5), async || {
            !pids.iter().any(|pid| common::worker::is_alive(*pid))
        })
        .await;
    }
}

#[tokio::test]
async fn a_resting_worker_that_died_is_started_again() {
    let mut staged = Staged::start(|config| {
        config.worker_memory = (NEEDED + 1024) << 20;
        config.cache.stages = 0;
    })
    .await;
    staged.prove(ProofKind::Groth16).await.unwrap();
    staged.prove(ProofKind::Stark).await.unwrap();
    let resting = staged.script().pids()[2];
    assert!(common::worker::is_alive(resting));
    // SAFETY: a plain system call; the process is a worker of this test's server.
    unsafe { libc::kill(resting, libc::SIGKILL) };
    staged.prove(ProofKind::Groth16).await.unwrap();
    assert_eq!(staged.stages(), "compressed wrap groth16 stark compressed wrap groth16");
    staged.stop().await;
}
