//! What is being worked on, for whoever operates the server.

use hyper::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ServerError};

use super::{
    asker::Asker,
    job::Step,
    problem::{self, Described, Problem},
    values::Json,
};
use crate::{
    history::Failure, jobs, made::ProofKey, metrics::Metrics, origins::is_number, programs, time::millis,
    worker::health::Health,
};

/// Jobs that are told of at once, those that have been there longest first.
const MOST: usize = 200;

/// What a server is at.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Work {
    /// Whether it wants requests now.
    wanted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// Jobs that are not over.
    jobs: Vec<OpenJob>,
    /// How many jobs there are, of which not all may be listed.
    open: usize,
    workers: Vec<Lane>,
    last_hour: Hour,
    /// The last jobs that failed, the latest first.
    failures: Vec<FailedJob>,
}

/// A job that is not over.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenJob {
    /// Names it, 64 hexadecimal digits.
    id: String,
    program: String,
    kind: String,
    /// Where it stands, once it has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
    /// How many clients wait for it.
    clients: usize,
    /// Milliseconds since it was asked for.
    age_ms: u64,
}

/// Where workers take jobs from.
#[derive(Debug, Serialize, JsonSchema)]
struct Lane {
    /// proving or verification.
    lane: String,
    /// Jobs that a worker is at.
    running: usize,
    /// Resident memory of its workers, bytes.
    memory: u64,
    /// Why no worker starts, if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// Worker processes that failed since the server was started.
    failures: u64,
}

/// What was made in the last hour.
#[derive(Debug, Serialize, JsonSchema)]
struct Hour {
    made: usize,
    failed: usize,
    /// Milliseconds in the prover, on average of those that were made.
    mean_proving_ms: u64,
}

/// A job that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct FailedJob {
    id: String,
    program: String,
    kind: String,
    /// Milliseconds since then.
    age_ms: u64,
    error: Described,
}

/// What is being worked on.
pub(super) async fn work(asker: Asker, headers: HeaderMap) -> Result<Json<Work>, Problem> {
    // A page whose name was made to lead here is no operator, though its reader may be one.
    let by_number = || headers.get(header::HOST).is_some_and(is_number);
    if !asker.caller.operator || !(asker.caller.known || by_number()) {
        let message = "only an operator may look: an entry of the token file that says so, or on a server without tokens \
                       and certificates whoever asks from its own machine";
        let error = ServerError::new(ErrorCode::Unauthorized, message);
        return Err(Problem::with_status(StatusCode::FORBIDDEN, error));
    }
    let services = &asker.context.services;
    let mut open = services.jobs.open();
    let count = open.len();
    open.sort_by_key(|job| job.since);
    let wanted = services.readiness.check();
    let rates = services.jobs.history().rates();
    Ok(Json(Work {
        wanted: wanted.is_ok(),
        reason: wanted.err().unwrap_or_default(),
        jobs: open.into_iter().take(MOST).map(OpenJob::from).collect(),
        open: count,
        workers: services
            .lanes
            .iter()
            .map(|(lane, health)| told_of(lane, health, &services.metrics))
            .collect(),
        last_hour: Hour { made: rates.made, failed: rates.failed, mean_proving_ms: millis(rates.mean) },
        failures: services.jobs.history().failures().into_iter().map(FailedJob::from).collect(),
    }))
}

fn told_of(lane: &'static str, health: &Health, metrics: &Metrics) -> Lane {
    Lane {
        lane: lane.into(),
        running: health.running(),
        memory: metrics.worker_memory_of(lane),
        trouble: health.check().err(),
        failures: metrics.worker_failures_of(lane),
    }
}

impl From<jobs::OpenJob> for OpenJob {
    fn from(job: jobs::OpenJob) -> Self {
        let (id, program, kind) = named(&job.key);
        Self {
            id,
            program,
            kind,
            step: job.step.map(Step::from),
            clients: job.clients,
            age_ms: millis(job.since.elapsed()),
        }
    }
}

impl From<Failure> for FailedJob {
    fn from(failure: Failure) -> Self {
        let (id, program, kind) = named(&failure.key);
        Self {
            id,
            program,
            kind,
            age_ms: millis(failure.at.elapsed()),
            error: problem::described(&failure.error),
        }
    }
}

/// What a job is called, and what it is of.
fn named(key: &ProofKey) -> (String, String, String) {
    let program =
        Program::ALL.into_iter().find(|program| programs::artifact(*program).vk_hash == key.vk_hash);
    (key.job().to_string(), program.map(programs::name).unwrap_or_default().into(), key.kind.to_string())
}
