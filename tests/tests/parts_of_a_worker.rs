//! One proof by a worker process that is asked for its plan, for each part and for the whole, as provers of a fleet ask.

use std::process::Stdio;

use proof_server::worker::{MadePart, ProveJob, WorkerEvent, WorkerRequest, messages::MAX_WORKER_FRAME};
use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, Progress, ProofKind,
    frame::{MessageReader, MessageWriter},
};
use sextant_tests::{guest::Guest, server::binary};
use sextant_verifier::Verifier;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

struct Worker {
    events: MessageReader<ChildStdout, WorkerEvent>,
    requests: MessageWriter<ChildStdin, WorkerRequest>,
    _process: Child,
}

impl Worker {
    async fn start(limits: &[&str]) -> Self {
        let mut process = Command::new(binary("proof-server"))
            .args(["worker", "--mode", "stark", "--memory", &(24_u64 << 30).to_string()])
            .args(limits)
            .envs(sextant_engine::ALLOCATOR_ENVIRONMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let (stdin, stdout) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        let mut worker = Self {
            events: MessageReader::new(stdout, MAX_WORKER_FRAME, "worker event"),
            requests: MessageWriter::new(stdin, MAX_WORKER_FRAME),
            _process: process,
        };
        assert_eq!(worker.event().await, WorkerEvent::Ready);
        worker
    }

    async fn ask(&mut self, request: WorkerRequest) -> WorkerEvent {
        self.requests.send(&request).await.expect("it reads");
        self.event().await
    }

    /// The next event that ends something.
    async fn event(&mut self) -> WorkerEvent {
        loop {
            match self.any_event().await {
                WorkerEvent::Progress { .. } => {}
                event => return event,
            }
        }
    }

    async fn any_event(&mut self) -> WorkerEvent {
        self.events.next().await.expect("a frame").expect("it lives")
    }

    /// Asks for what does not fit, and returns why it is refused: after it was executed, and before anything is proven.
    async fn refuses(&mut self, request: WorkerRequest) -> String {
        self.requests.send(&request).await.expect("it reads");
        loop {
            match self.any_event().await {
                WorkerEvent::Progress { step: Progress::Executing { .. } } => {}
                WorkerEvent::Failed(error) if error.code == ErrorCode::TooLarge => return error.message,
                other => panic!("{other:?} where a refusal was due"),
            }
        }
    }
}

/// A recorded inclusion.
fn job() -> ProveJob {
    let guest = Guest::named("mainnet-deneb-one-contract-one-slot").expect("a fixture");
    let [input, hints] = <[_; 2]>::try_from(guest.inputs).expect("an input and hints");
    ProveJob {
        program: Program::Inclusion.tag(),
        kind: ProofKind::Stark,
        input,
        hints,
        proofs: Default::default(),
    }
}

/// What a worker refuses of what others made, and why.
fn refusal(event: WorkerEvent) -> String {
    match event {
        WorkerEvent::Failed(error) if error.code == ErrorCode::InvalidProof => error.message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn parts_make_a_proof_that_verifies_and_what_is_none_is_named() {
    let job = job();
    let mut worker = Worker::start(&[]).await;

    let WorkerEvent::Planned(planned) = worker.ask(WorkerRequest::Plan(job.clone())).await else {
        panic!("a plan")
    };
    assert_eq!(planned.parts, ["p-KECCAK_PERMUTE-1", "c-1"]);
    let part = |name: &str| WorkerRequest::Part {
        job: job.clone(),
        plan: planned.plan.clone(),
        name: name.to_owned(),
    };
    let mut parts = Vec::new();
    for name in &planned.parts {
        let WorkerEvent::Part(made) = worker.ask(part(name)).await else { panic!("a part") };
        println!("{name}: {} bytes, {} ms", made.part.len(), made.proving_ms);
        parts.push(*made);
    }
    let fold =
        |parts: Vec<MadePart>| WorkerRequest::Fold { job: job.clone(), plan: planned.plan.clone(), parts };

    // Before it is asked for what holds, everything that does not, each by its name; and it lives on.
    assert!(refusal(worker.ask(part("c-2")).await).contains("c-2"));
    let other_plan = WorkerRequest::Part { job: job.clone(), plan: "none".into(), name: "c-1".into() };
    assert!(refusal(worker.ask(other_plan).await).starts_with("the plan does not decode"));
    assert!(refusal(worker.ask(fold(parts[..1].to_vec())).await).contains("c-1 is missing"));
    let mut changed = parts.clone();
    let mut bytes = changed[1].part.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    changed[1].part = bytes.into();
    assert!(refusal(worker.ask(fold(changed)).await).contains("c-1 is not a proof of that part"));

    let spent: u64 = parts.iter().map(|part| part.proving_ms).sum();
    let WorkerEvent::Proved(proved) = worker.ask(fold(parts)).await else { panic!("a proof") };
    Verifier::new().verify(&proved.proof).expect("a verifier that trusts nobody accepts it");
    assert!(proved.proving_ms > spent && proved.cycles > 0, "{} ms", proved.proving_ms);
}

/// What takes more memory or time than the server lets a worker have is refused with both numbers, by the whole and, where it
/// is memory, by the plan of a proof that others make: minutes before it would be killed over it.
#[tokio::test]
async fn what_does_not_fit_is_refused_before_any_of_it_is_proven() {
    let mut small = Worker::start(&["--memory-limit", &(1_u64 << 30).to_string()]).await;
    for request in [WorkerRequest::Prove(job()), WorkerRequest::Plan(job())] {
        let refusal = small.refuses(request).await;
        assert!(refusal.contains(" MiB here, allowed are 1024 MiB"), "{refusal}");
    }
    drop(small);
    let mut hurried = Worker::start(&["--time-limit", "1"]).await;
    let refusal = hurried.refuses(WorkerRequest::Prove(job())).await;
    assert!(refusal.contains(" s here, allowed are 1 s"), "{refusal}");
    // Whoever plans makes the least of it.
    let planned = hurried.ask(WorkerRequest::Plan(job())).await;
    assert!(matches!(planned, WorkerEvent::Planned(_)), "{planned:?}");
}
