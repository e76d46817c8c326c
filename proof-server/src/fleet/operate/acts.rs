//! What an operator does to a fleet.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use serde::Serialize;
use sextant_fleet::{
    Bucket, DeadLetter, FleetError, Outcome, Pause, Paused, Stage, StageId, Stored, Submitted, Worker,
};
use sextant_protocol::{ErrorCode, JobKey, ServerError};

use super::OperateError;
use crate::{
    fleet::{Fleet, parts, stages},
    time::unix_ms,
};

/// Digits of a job that name it, if no other job begins so.
const ENOUGH: usize = 8;

/// What was ended, put back or taken away.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    pub(super) job: String,
    /// Messages that were in the queue.
    pub(super) messages: usize,
    /// Those who waited.
    pub(super) waiters: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct PutBack {
    pub(super) job: String,
    pub(super) generation: u32,
    pub(super) stage: String,
    pub(super) part: String,
    /// `new` if it waits now, `known` if it waited already or was made, `over` if the job has its proof.
    pub(super) submitted: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Collected {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) dry_run: bool,
}

/// The job that `text` names or begins.
pub(super) async fn find(fleet: &Fleet, text: &str) -> Result<JobKey, OperateError> {
    if let Ok(job) = text.parse() {
        return Ok(job);
    }
    let digits = text.len() < 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.len() < ENOUGH || !digits {
        return Err(OperateError::NotAJob(text.into()));
    }
    let begins = |job: &JobKey| job.to_string().starts_with(&text.to_ascii_lowercase());
    let queued = fleet.queue.messages(None, usize::MAX).await?;
    let dead = fleet.queue.dead().await?;
    let jobs = queued.iter().map(|message| message.id.job).chain(dead.iter().map(|dead| dead.message.id.job));
    let found: BTreeSet<_> = jobs.filter(begins).collect();
    match found.len() {
        0 => Err(OperateError::NoJob(text.into())),
        1 => found.first().copied().ok_or_else(|| OperateError::NoJob(text.into())),
        many => Err(OperateError::Ambiguous(text.into(), many)),
    }
}

/// Ends a job, of which something must be there.
pub(super) async fn cancel(fleet: &Fleet, job: JobKey, reason: &str) -> Result<Ended, OperateError> {
    let queue = &fleet.queue;
    let messages = queue.messages(Some(job), usize::MAX).await?;
    let waiters = queue.waiters(job).await?;
    if messages.is_empty() && waiters == 0 {
        return Err(match queue.outcome(job).await? {
            Some(_) => OperateError::Over(job.to_string()),
            None => OperateError::NoJob(job.to_string()),
        });
    }
    let known = queue.outcome(job).await?.map(|outcome| outcome.generation);
    let newest = messages.iter().map(|message| message.id.generation).chain(known).max().unwrap_or(0);
    let outcome = Outcome {
        job,
        generation: newest,
        result: Err(ServerError::new(ErrorCode::Cancelled, reason)),
        worker: Worker::literal("operator"),
        facts: Bytes::new(),
    };
    queue.cancel(&outcome).await?;
    Ok(Ended { job: job.to_string(), messages: messages.len(), waiters })
}

/// Puts the dead letters of a job back.
pub(super) async fn retry(fleet: &Fleet, job: JobKey) -> Result<Vec<PutBack>, OperateError> {
    let letters = fleet.queue.dead().await?;
    let of_job: Vec<_> = letters.into_iter().filter(|letter| letter.message.id.job == job).collect();
    if of_job.is_empty() {
        let state = match fleet.queue.outcome(job).await? {
            Some(outcome) if outcome.result.is_ok() => " (its proof is made)",
            _ if !fleet.queue.messages(Some(job), 1).await?.is_empty() => " (it is in the queue)",
            _ => "",
        };
        return Err(OperateError::NothingDead(job.to_string(), state));
    }
    put_back(fleet, of_job).await
}

/// Puts all dead letters back, or those of a stage.
pub(super) async fn requeue(fleet: &Fleet, stage: Option<&str>) -> Result<Vec<PutBack>, OperateError> {
    put_back(fleet, dead(fleet, stage).await?).await
}

/// The dead letters, or those of a stage, parts of what it makes among them.
pub(super) async fn dead(fleet: &Fleet, stage: Option<&str>) -> Result<Vec<DeadLetter>, FleetError> {
    let of_stage = |letter: &DeadLetter| {
        let of = &letter.message.id.stage;
        stage.is_none_or(|stage| of.as_str() == stage || parts::worker_of(of).as_str() == stage)
    };
    Ok(fleet.queue.dead().await?.into_iter().filter(of_stage).collect())
}

async fn put_back(fleet: &Fleet, letters: Vec<DeadLetter>) -> Result<Vec<PutBack>, OperateError> {
    let mut done = Vec::new();
    for letter in letters {
        let submitted = match fleet.queue.requeue(&letter).await? {
            Submitted::New => "new",
            Submitted::Known => "known",
            Submitted::Over(_) => "over",
        };
        let StageId { job, generation, stage, part } = letter.message.id;
        let (job, stage, part) = (job.to_string(), stage.to_string(), part.to_string());
        done.push(PutBack { job, generation, stage, part, submitted });
    }
    Ok(done)
}

/// What a pause is of: a stage that there is, or a worker.
pub(super) fn paused(stage: Option<&str>, worker: Option<&str>) -> Result<Paused, OperateError> {
    match (stage, worker) {
        (Some(stage), _) => {
            stages::chosen(&[stage.to_owned()]).map_err(OperateError::Name)?;
            Ok(Paused::Stage(stage.parse::<Stage>()?))
        }
        (None, Some(worker)) => Ok(Paused::Worker(worker.parse()?)),
        (None, None) => Err(OperateError::Unsaid("name a stage, or a worker by --worker")),
    }
}

pub(super) async fn pause(fleet: &Fleet, of: Paused, minutes: Option<u64>) -> Result<Pause, OperateError> {
    let until = minutes.map_or(0, |minutes| unix_ms().saturating_add(minutes.saturating_mul(60_000)));
    let pause = Pause::now(of, until);
    for of in with_parts(&pause.of) {
        fleet.queue.pause(&Pause { of, ..pause.clone() }).await?;
    }
    Ok(pause)
}

/// What is paused with a stage: whatever its workers are asked.
fn with_parts(of: &Paused) -> Vec<Paused> {
    match of {
        Paused::Stage(stage) => parts::names(stage).into_iter().map(Paused::Stage).collect(),
        Paused::Worker(_) => vec![of.clone()],
    }
}

pub(super) async fn resume(fleet: &Fleet, of: &Paused) -> Result<(), OperateError> {
    let mut was_paused = false;
    for of in with_parts(of) {
        was_paused |= fleet.queue.resume(&of).await?;
    }
    if was_paused { Ok(()) } else { Err(OperateError::NotPaused(of.to_string())) }
}

/// Takes away parts of jobs that are not in the queue, and inputs that no message names, if they are older than `age`: what
/// is asked for just now is put there before its message.
pub(super) async fn collect(fleet: &Fleet, age: Duration, dry_run: bool) -> Result<Collected, OperateError> {
    // Before the messages: what comes meanwhile is young.
    let (parts, inputs) = (fleet.store.list(Bucket::Parts).await?, fleet.store.list(Bucket::Inputs).await?);
    let messages = fleet.queue.messages(None, usize::MAX).await?;
    let dead = fleet.queue.dead().await?;
    let of_dead = dead.iter().map(|letter| letter.message.id.job.to_string());
    let jobs: BTreeSet<_> =
        messages.iter().map(|message| message.id.job.to_string()).chain(of_dead).collect();
    let of_dead = dead.iter().filter_map(|letter| letter.message.work.stored.as_ref());
    let of_dead = of_dead.map(|object| object.name.clone());
    let named: BTreeSet<_> =
        messages.iter().filter_map(|message| message.input.clone()).chain(of_dead).collect();
    let old = |stored: &&Stored| unix_ms().saturating_sub(stored.since_ms) > crate::time::millis(age);
    let job_of = |stored: &Stored| stored.name.key().split('.').next().unwrap_or_default().to_owned();
    let parts = parts.iter().filter(|stored| !jobs.contains(&job_of(stored)));
    let inputs = inputs.iter().filter(|stored| !named.contains(&stored.name));
    let mut collected = Collected { objects: 0, bytes: 0, dry_run };
    for stored in parts.chain(inputs).filter(old) {
        if !dry_run {
            fleet.store.remove(&stored.name).await?;
        }
        collected.objects += 1;
        collected.bytes += stored.length;
    }
    Ok(collected)
}
