//! What an operator is told. The names of the fields are those of the JSON, which `docs/fleet.md` lists.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sextant_fleet::{DeadLetter, FleetError, Made, Outcome, Pause, Paused, Present, Queued, StageId};
use sextant_protocol::{JobKey, ServerError};

use super::args::JobState;
use crate::{
    fleet::{
        Fleet,
        demand::{self, Demand},
        parts,
    },
    time::unix_ms,
};

/// `fleet status`.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) demand: Vec<Demand>,
    pub(super) workers: usize,
    pub(super) busy: usize,
    pub(super) dead: usize,
    pub(super) pauses: Vec<PauseRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct PauseRow {
    pub(super) stage: Option<String>,
    pub(super) worker: Option<String>,
    pub(super) since_seconds: u64,
    /// Seconds until it ends by itself.
    pub(super) ends_in_seconds: Option<u64>,
}

/// A row of `fleet jobs`.
#[derive(Debug, Serialize)]
pub(super) struct JobRow {
    pub(super) job: String,
    pub(super) state: JobState,
    pub(super) generation: u32,
    pub(super) stages: BTreeSet<String>,
    pub(super) release: String,
    pub(super) since_seconds: u64,
    pub(super) deliveries: u32,
    pub(super) workers: BTreeSet<String>,
    pub(super) reason: Option<String>,
}

/// `fleet job`.
#[derive(Debug, Serialize)]
pub(super) struct Job {
    pub(super) job: String,
    pub(super) state: JobState,
    pub(super) waiters: u64,
    pub(super) messages: Vec<MessageRow>,
    pub(super) made: Vec<MadeRow>,
    pub(super) dead: Vec<DeadRow>,
    pub(super) outcome: Option<OutcomeRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct MessageRow {
    pub(super) generation: u32,
    pub(super) stage: String,
    pub(super) part: String,
    pub(super) release: String,
    pub(super) lane: &'static str,
    pub(super) attempt: u32,
    pub(super) state: JobState,
    pub(super) since_seconds: u64,
    pub(super) deliveries: u32,
    pub(super) worker: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct MadeRow {
    pub(super) generation: u32,
    pub(super) stage: String,
    pub(super) part: String,
    pub(super) object: String,
    pub(super) bytes: u64,
    pub(super) worker: String,
}

#[derive(Debug, Serialize)]
pub(super) struct OutcomeRow {
    pub(super) generation: u32,
    pub(super) worker: String,
    pub(super) object: Option<String>,
    pub(super) bytes: Option<u64>,
    pub(super) error: Option<ErrorRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorRow {
    pub(super) code: String,
    pub(super) message: String,
}

/// A row of `fleet dead`.
#[derive(Debug, Serialize)]
pub(super) struct DeadRow {
    pub(super) job: String,
    pub(super) generation: u32,
    pub(super) stage: String,
    pub(super) part: String,
    pub(super) release: String,
    pub(super) lane: &'static str,
    pub(super) deliveries: u32,
    pub(super) since_seconds: u64,
    pub(super) error: ErrorRow,
}

/// A row of `fleet workers`.
#[derive(Debug, Serialize)]
pub(super) struct WorkerRow {
    pub(super) worker: String,
    pub(super) stages: Vec<String>,
    pub(super) release: String,
    pub(super) large: bool,
    pub(super) paused: bool,
    pub(super) since_seconds: u64,
    pub(super) job: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) busy_seconds: Option<u64>,
}

/// A row of `fleet releases`.
#[derive(Debug, Default, Serialize)]
pub(super) struct ReleaseRow {
    pub(super) release: String,
    /// Whether provers of this very program would be of it.
    pub(super) own: bool,
    pub(super) waiting: u64,
    pub(super) running: u64,
    pub(super) workers: usize,
}

fn seconds_since(ms: u64) -> u64 {
    unix_ms().saturating_sub(ms) / 1000
}

fn error(error: &ServerError) -> ErrorRow {
    ErrorRow { code: error.code.to_string(), message: error.message.clone() }
}

pub(super) async fn status(fleet: &Fleet) -> Result<Status, FleetError> {
    let queue = &fleet.queue;
    let demand = demand::look(&**queue, &queue.lines().await?).await?;
    let workers = queue.workers().await?;
    let busy = workers.iter().filter(|worker| worker.at.is_some()).count();
    // The parts of what a stage makes are paused with it.
    let is_said =
        |pause: &&Pause| !matches!(&pause.of, Paused::Stage(stage) if parts::worker_of(stage) != *stage);
    let pauses = queue.pauses().await?.iter().filter(is_said).map(pause).collect();
    Ok(Status { demand, workers: workers.len(), busy, dead: queue.dead().await?.len(), pauses })
}

fn pause(pause: &Pause) -> PauseRow {
    let (stage, worker) = match &pause.of {
        Paused::Stage(stage) => (Some(stage.to_string()), None),
        Paused::Worker(worker) => (None, Some(worker.to_string())),
    };
    let ends_in_seconds = (pause.until_ms != 0).then(|| pause.until_ms.saturating_sub(unix_ms()) / 1000);
    PauseRow { stage, worker, since_seconds: seconds_since(pause.since_ms), ends_in_seconds }
}

/// The jobs of `messages` and `dead`, those that came first at the front.
pub(super) async fn jobs(fleet: &Fleet, most: usize) -> Result<Vec<JobRow>, FleetError> {
    let present = fleet.queue.workers().await?;
    let mut rows = BTreeMap::<JobKey, JobRow>::new();
    for message in fleet.queue.messages(None, most).await? {
        let row = message_row(&message, &present);
        let one = JobRow {
            job: message.id.job.to_string(),
            state: row.state,
            generation: row.generation,
            stages: BTreeSet::from([row.stage]),
            release: row.release,
            since_seconds: row.since_seconds,
            deliveries: row.deliveries,
            workers: row.worker.into_iter().collect(),
            reason: row.reason,
        };
        merge(&mut rows, message.id.job, one);
    }
    for letter in fleet.queue.dead().await? {
        let row = dead_row(&letter);
        let one = JobRow {
            job: row.job,
            state: JobState::Dead,
            generation: row.generation,
            stages: BTreeSet::from([row.stage]),
            release: row.release,
            since_seconds: row.since_seconds,
            deliveries: row.deliveries,
            workers: BTreeSet::new(),
            reason: Some(row.error.message),
        };
        merge(&mut rows, letter.message.id.job, one);
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.since_seconds));
    Ok(rows)
}

/// A job is in the state of its message that is farthest.
fn merge(rows: &mut BTreeMap<JobKey, JobRow>, job: JobKey, one: JobRow) {
    let Some(row) = rows.get_mut(&job) else {
        rows.insert(job, one);
        return;
    };
    row.state = row.state.min(one.state);
    row.generation = row.generation.max(one.generation);
    row.stages.extend(one.stages);
    row.workers.extend(one.workers);
    row.since_seconds = row.since_seconds.max(one.since_seconds);
    row.deliveries = row.deliveries.max(one.deliveries);
    row.reason = row.reason.take().or(one.reason);
}

/// All that is known of a job; nothing if nothing is.
pub(super) async fn job(fleet: &Fleet, job: JobKey) -> Result<Option<Job>, FleetError> {
    let queue = &fleet.queue;
    let present = queue.workers().await?;
    let queued = queue.messages(Some(job), usize::MAX).await?;
    let messages: Vec<_> = queued.iter().map(|message| message_row(message, &present)).collect();
    let made: Vec<_> = queue.all_made(job).await?.iter().map(made_row).collect();
    let letters = queue.dead().await?;
    let dead: Vec<_> = letters.iter().filter(|letter| letter.message.id.job == job).map(dead_row).collect();
    let outcome = queue.outcome(job).await?;
    let waiters = queue.waiters(job).await?;
    let state = match &outcome {
        Some(outcome) if outcome.result.is_ok() => Some(JobState::Done),
        _ => messages.iter().map(|message| message.state).min(),
    };
    let state = state
        .or((!dead.is_empty()).then_some(JobState::Dead))
        .or(outcome.is_some().then_some(JobState::Failed))
        .or((waiters > 0 || !made.is_empty()).then_some(JobState::PutOff));
    let outcome = outcome.as_ref().map(outcome_row);
    Ok(state.map(|state| Job { job: job.to_string(), state, waiters, messages, made, dead, outcome }))
}

fn message_row(message: &Queued, present: &[Present]) -> MessageRow {
    let has_it = |worker: &&Present| worker.at.as_ref().is_some_and(|at| at.id == message.id);
    let worker = present.iter().find(has_it).map(|worker| worker.worker.to_string());
    let state = match (message.taken, &worker) {
        (true, Some(_)) => JobState::Running,
        (true, None) => JobState::PutOff,
        (false, _) => JobState::Waiting,
    };
    let StageId { generation, stage, part, .. } = &message.id;
    MessageRow {
        generation: *generation,
        stage: stage.to_string(),
        part: part.to_string(),
        release: message.release.to_string(),
        lane: message.lane.as_str(),
        attempt: message.attempt,
        state,
        since_seconds: seconds_since(message.since_ms),
        deliveries: message.deliveries,
        worker: worker.filter(|_| message.taken),
        reason: message.reason.clone(),
    }
}

fn made_row((id, made): &(StageId, Made)) -> MadeRow {
    MadeRow {
        generation: id.generation,
        stage: id.stage.to_string(),
        part: id.part.to_string(),
        object: made.object.name.to_string(),
        bytes: made.object.length,
        worker: made.worker.to_string(),
    }
}

pub(super) fn dead_row(letter: &DeadLetter) -> DeadRow {
    let message = &letter.message;
    DeadRow {
        job: message.id.job.to_string(),
        generation: message.id.generation,
        stage: message.id.stage.to_string(),
        part: message.id.part.to_string(),
        release: message.release.to_string(),
        lane: message.lane.as_str(),
        deliveries: letter.deliveries,
        since_seconds: seconds_since(letter.at_ms),
        error: error(&letter.error),
    }
}

fn outcome_row(outcome: &Outcome) -> OutcomeRow {
    let object = outcome.result.as_ref().ok();
    OutcomeRow {
        generation: outcome.generation,
        worker: outcome.worker.to_string(),
        object: object.map(|object| object.name.to_string()),
        bytes: object.map(|object| object.length),
        error: outcome.result.as_ref().err().map(error),
    }
}

pub(super) async fn workers(fleet: &Fleet) -> Result<Vec<WorkerRow>, FleetError> {
    let pauses = fleet.queue.pauses().await?;
    let paused = |worker: &Present| {
        pauses.iter().any(|pause| pause.of == Paused::Worker(worker.worker.clone()))
            || worker
                .lines
                .iter()
                .all(|line| pauses.iter().any(|pause| pause.of == Paused::Stage(line.stage.clone())))
    };
    Ok(fleet.queue.workers().await?.iter().map(|worker| worker_row(worker, paused(worker))).collect())
}

fn worker_row(worker: &Present, paused: bool) -> WorkerRow {
    let mut stages: Vec<String> = Vec::new();
    for line in &worker.lines {
        let stage = parts::worker_of(&line.stage).to_string();
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    let at = worker.at.as_ref();
    WorkerRow {
        worker: worker.worker.to_string(),
        stages,
        release: worker.lines.first().map_or_else(String::new, |line| line.release.to_string()),
        large: worker.lines.iter().any(|line| demand::Class::of(line.lane) == demand::Class::Large),
        paused,
        since_seconds: seconds_since(worker.since_ms),
        job: at.map(|at| at.id.job.to_string()),
        stage: at.map(|at| at.id.stage.to_string()),
        busy_seconds: at.map(|at| seconds_since(at.since_ms)),
    }
}

pub(super) async fn releases(fleet: &Fleet, own: [String; 2]) -> Result<Vec<ReleaseRow>, FleetError> {
    let mut rows = BTreeMap::<String, ReleaseRow>::new();
    let row = |release: &str| ReleaseRow {
        release: release.into(),
        own: own.iter().any(|own| own == release),
        ..ReleaseRow::default()
    };
    for line in fleet.queue.lines().await? {
        let depth = fleet.queue.depth(&line).await?;
        let row = rows.entry(line.release.to_string()).or_insert_with_key(|release| row(release));
        row.waiting += depth.waiting;
        row.running += depth.running;
    }
    for worker in fleet.queue.workers().await? {
        let releases: BTreeSet<_> = worker.lines.iter().map(|line| line.release.to_string()).collect();
        for release in releases {
            rows.entry(release).or_insert_with_key(|release| row(release)).workers += 1;
        }
    }
    Ok(rows.into_values().collect())
}
