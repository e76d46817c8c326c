//! A job as HTTP tells of it: where it stands, or what came of it.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use schemars::JsonSchema;
use serde::Serialize;
use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, JobKey, Progress, ProofAnswer, Request, ServerError,
    proof::{FILE_MAGIC, ProofView},
};

use super::{
    asker::{Asker, Steps, unexpected},
    problem::{self, Described, Problem},
};
use crate::{account::Account, outbox::Reply, programs};

/// How long a job that runs may take to say where it stands.
const GLANCE: Duration = Duration::from_millis(200);

/// Bytes of a proof file besides its record: what it begins with, and its checksum.
pub(super) const ENVELOPE: usize = FILE_MAGIC.len() + 32;

/// A job.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Job {
    /// Names it, 64 hexadecimal digits.
    id: String,
    state: State,
    /// Where it stands, if it runs and has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
    /// What it has made, if it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
    /// Why there is no proof, if it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Described>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Running,
    Done,
    Failed,
}

/// Facts about a proof that was made. None of them is bound to it.
#[derive(Debug, Serialize, JsonSchema)]
struct Proof {
    /// The program that it is of.
    program: String,
    /// stark, compressed, groth16.
    kind: String,
    /// Size of the proof file, bytes.
    bytes: u64,
    /// SHA-256 of the record in the file.
    record_sha256: String,
    /// Cycles of the guest program.
    cycles: u64,
    /// Milliseconds in the queue.
    queued_ms: u64,
    /// Milliseconds in the prover.
    proving_ms: u64,
    /// Bytes of memory that the prover took.
    peak_memory: u64,
}

/// One step of a job.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "step", rename_all = "lowercase")]
pub(super) enum Step {
    /// The statement is checked natively.
    Checking,
    /// Waiting; `position` requests go first.
    Queued { position: u32 },
    /// The prover worker is starting or warming up.
    Preparing,
    /// The guest program is executed.
    Executing { cycles: u64 },
    /// Shards of the execution are proven.
    Proving { done: u32, total: u32 },
    /// Shard proofs are folded into one.
    Compressing { done: u32 },
    /// The finished proof is verified before it is handed out.
    Verifying,
    /// The proof is done.
    Done,
    /// For a SNARK: a compressed proof is shrunk.
    Shrinking,
    /// For a SNARK: it is proven once more, over another field.
    Wrapping,
    /// For a SNARK: its circuit is proven.
    Snark,
    /// For a bundle: the proofs in it are verified in circuits.
    Bundling { done: u32, total: u32 },
    /// For a place in a bundle: the proofs of the other statements are waited for, and for so long others may still come.
    Gathering { done: u32, total: u32, wait_ms: u64 },
    /// One of a later version.
    Other,
}

impl From<Progress> for Step {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Checking => Self::Checking,
            Progress::Queued { position } => Self::Queued { position },
            Progress::Preparing => Self::Preparing,
            Progress::Executing { cycles } => Self::Executing { cycles },
            Progress::Proving { done, total } => Self::Proving { done, total },
            Progress::Compressing { done } => Self::Compressing { done },
            Progress::Verifying => Self::Verifying,
            Progress::Done => Self::Done,
            Progress::Shrinking => Self::Shrinking,
            Progress::Wrapping => Self::Wrapping,
            Progress::Snark => Self::Snark,
            Progress::Bundling { done, total } => Self::Bundling { done, total },
            Progress::Gathering { done, total, wait_ms } => Self::Gathering { done, total, wait_ms },
            Progress::Unknown(_) => Self::Other,
        }
    }
}

impl Job {
    fn new(id: JobKey, state: State) -> Self {
        Self { id: id.to_string(), state, step: None, proof: None, error: None }
    }

    /// One that runs.
    pub(super) fn running(id: JobKey, step: Option<Progress>) -> Self {
        Self { step: step.map(Step::from), ..Self::new(id, State::Running) }
    }

    /// Whether there is a proof.
    pub(super) fn is_done(&self) -> bool {
        self.proof.is_some()
    }

    /// One that is over.
    pub(super) fn over(id: JobKey, outcome: &Result<ProofAnswer, ServerError>) -> Self {
        match outcome {
            Ok(answer) => Self { proof: Some(Proof::of(answer)), ..Self::new(id, State::Done) },
            Err(error) => Self { error: Some(problem::described(error)), ..Self::new(id, State::Failed) },
        }
    }
}

impl Proof {
    fn of(answer: &ProofAnswer) -> Self {
        let view = ProofView::of(&answer.record).ok();
        let program = view.and_then(|view| Program::from_tag(view.program));
        let cost = answer.cost;
        Self {
            program: program.map(programs::name).unwrap_or_default().into(),
            kind: view.map(|view| view.kind.to_string()).unwrap_or_default(),
            bytes: (answer.record.len() + ENVELOPE) as u64,
            record_sha256: hex::encode(answer.sha256),
            cycles: cost.cycles,
            queued_ms: cost.queued_ms,
            proving_ms: cost.proving_ms,
            peak_memory: cost.peak_memory,
        }
    }
}

/// A job that is waited for. Dropping it waits no more; the job goes on.
pub(super) struct Waiting {
    pub(super) job: JobKey,
    pub(super) steps: Steps,
    account: Account,
    work: BoxFuture<'static, Result<Reply, ServerError>>,
}

/// What is seen of a job that is waited for.
pub(super) enum Seen {
    /// It runs, and may have said where it stands.
    Step(Option<Progress>),
    Over(Result<ProofAnswer, ServerError>),
}

impl Waiting {
    pub(super) fn new(asker: Asker, job: JobKey) -> Self {
        let request = Request::Fetch { job, offset: 0, deadline_ms: 0 };
        let (account, held) = (asker.account(&request), asker.hold());
        let (sender, steps) = Steps::new();
        let work = asker.answer(request, sender, held, account.span()).boxed();
        Self { job, steps, account, work }
    }

    /// The next that is to be seen. Safe to drop half-way; not to be asked for more when it is over.
    pub(super) async fn next(&mut self) -> Seen {
        tokio::select! {
            // All steps come before the end.
            biased;
            Some(step) = self.steps.next() => Seen::Step(Some(step)),
            outcome = &mut self.work => Seen::Over(proof(outcome)),
        }
    }

    /// Where it stands now.
    pub(super) async fn glance(&mut self) -> Seen {
        tokio::time::timeout(GLANCE, self.next()).await.unwrap_or(Seen::Step(None))
    }

    /// What comes of it, if that is known within so long.
    pub(super) async fn outcome(&mut self, limit: Duration) -> Seen {
        let mut last = None;
        let over = async {
            loop {
                match self.next().await {
                    Seen::Step(step) => last = step.or(last),
                    Seen::Over(outcome) => return outcome,
                }
            }
        };
        let over = tokio::time::timeout(limit.max(GLANCE), over).await;
        over.map_or(Seen::Step(last), Seen::Over)
    }

    /// Counts it with what was seen last. What says that there is no such job is an error, anything else a job.
    pub(super) fn close(self, seen: &Seen) -> Result<Job, Problem> {
        let (job, error) = match seen {
            Seen::Step(step) => (Job::running(self.job, *step), None),
            Seen::Over(outcome) => (Job::over(self.job, outcome), outcome.as_ref().err()),
        };
        self.account.close(error);
        match error {
            Some(error) if is_no_outcome(error.code) => Err(error.clone().into()),
            _ => Ok(job),
        }
    }
}

/// Whether an error is about who asks and when, not about what came of the job.
pub(super) fn is_no_outcome(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::UnknownJob | ErrorCode::Unauthorized | ErrorCode::ShuttingDown | ErrorCode::Busy
    )
}

fn proof(reply: Result<Reply, ServerError>) -> Result<ProofAnswer, ServerError> {
    match reply? {
        Reply::Proof(answer, _) => Ok(answer),
        Reply::Response(_) => Err(unexpected()),
    }
}
