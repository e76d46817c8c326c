//! A lane: one loop, one worker process at a time, jobs one after the other.
//!
//! Two provers do not fit into the memory of a small machine, so both sub-servers share one lane. Verification has a
//! lane of its own. The process stays alive between jobs, because starting is what costs; a job of another mode
//! replaces it. A job ends early when nobody waits for its reply any more: the process is killed and the next one
//! starts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sextant_protocol::{ErrorCode, Progress, ServerError};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    WorkerEvent, WorkerMode, WorkerRequest,
    process::{WorkerProcess, WorkerSpec},
};
use crate::{
    progress::ProgressSender,
    queue::{Queues, Waiting},
};

/// How often a busy worker's memory is looked at.
const INSPECTION: Duration = Duration::from_millis(250);
/// Pause before a worker is started again after failing to start: doubled each time, up to the last.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(250)..=Duration::from_secs(30);

/// What a worker makes of a job: its last event.
pub(crate) type Outcome = Result<WorkerEvent, ServerError>;

/// A job on its way to a worker.
pub(crate) struct Job {
    /// The worker it needs.
    pub(crate) mode: WorkerMode,
    /// What is to be done.
    pub(crate) request: WorkerRequest,
    /// Where its steps go.
    pub(crate) progress: ProgressSender,
    /// Takes the outcome; dropping the receiving end gives the job up.
    pub(crate) reply: oneshot::Sender<Outcome>,
}

impl Waiting for Job {
    fn moved(&self, position: u32) {
        self.progress.send(Progress::Queued { position });
    }
}

/// Limits of a worker's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Resident memory, bytes.
    pub(crate) memory: u64,
    /// One job, and also one start.
    pub(crate) time: Duration,
}

/// A lane that is not running yet.
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    pub(crate) spec: WorkerSpec,
    pub(crate) limits: Limits,
    pub(crate) jobs: Arc<Queues<Job>>,
    /// A worker to start before the first job asks for one.
    pub(crate) warm: Option<WorkerMode>,
}

/// A worker that has said it is ready.
struct Ready {
    mode: WorkerMode,
    process: WorkerProcess,
}

impl Lane {
    /// Works until `shutdown`, then kills the worker. The job it was at is answered with `ShuttingDown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut worker: Option<Ready> = None;
        let mut failures = 0;
        if let Some(mode) = self.warm {
            // If it fails, the first job tries again and has somebody to tell.
            tokio::select! {
                started = self.start(mode) => worker = started.inspect_err(|error| tracing::warn!(lane = self.name, %error, "warming up")).ok(),
                () = shutdown.cancelled() => return,
            }
        }
        loop {
            let mut job = tokio::select! {
                job = self.jobs.next() => job,
                () = shutdown.cancelled() => return,
            };
            let Some(outcome) = ({
                let work = self.work(&mut worker, &mut failures, &job.request, job.mode, &job.progress);
                tokio::select! {
                    outcome = work => Some(outcome),
                    () = job.reply.closed() => None,
                    () = shutdown.cancelled() => Some(Err(ServerError::new(ErrorCode::ShuttingDown, "the server is shutting down"))),
                }
            }) else {
                tracing::info!(lane = self.name, "job given up; its worker is killed");
                worker = None;
                continue;
            };
            // Nobody there to hear it is the same as given up.
            let _ = job.reply.send(outcome);
        }
    }

    /// Does one job. Cancelled by being dropped; `worker` then holds a process in the middle of something.
    async fn work(
        &self,
        worker: &mut Option<Ready>,
        failures: &mut u32,
        request: &WorkerRequest,
        mode: WorkerMode,
        progress: &ProgressSender,
    ) -> Outcome {
        let mut ready = match worker.take() {
            Some(ready) if ready.mode == mode => ready,
            other => {
                // First the old one: two do not fit.
                if let Some(old) = other {
                    old.process.end().await;
                }
                progress.send(Progress::Preparing);
                if *failures > 0 {
                    tokio::time::sleep(backoff(*failures)).await;
                }
                match self.start(mode).await {
                    Ok(ready) => {
                        *failures = 0;
                        ready
                    }
                    Err(error) => {
                        *failures += 1;
                        return Err(error);
                    }
                }
            }
        };
        let started = Instant::now();
        let outcome = match ready.process.send(request).await {
            Ok(()) => self.attend(&mut ready.process, progress).await,
            Err(error) => Err(End::Gone(error.to_string())),
        };
        match outcome {
            Ok(event) => {
                tracing::info!(
                    lane = self.name,
                    mode = mode.as_str(),
                    seconds = started.elapsed().as_secs_f64(),
                    "job done"
                );
                *worker = Some(ready);
                match event {
                    WorkerEvent::Failed(error) => Err(error),
                    event => Ok(event),
                }
            }
            Err(end) => Err(self.bury(ready.process, end).await),
        }
    }

    async fn start(&self, mode: WorkerMode) -> Result<Ready, ServerError> {
        let started = Instant::now();
        let mut process = WorkerProcess::start(&self.spec, mode)
            .map_err(|error| prover_failed(format!("the worker does not start: {error}")))?;
        match self.attend(&mut process, &ProgressSender::nowhere()).await {
            Ok(WorkerEvent::Ready) => {
                tracing::info!(
                    lane = self.name,
                    mode = mode.as_str(),
                    seconds = started.elapsed().as_secs_f64(),
                    "worker ready"
                );
                Ok(Ready { mode, process })
            }
            Ok(event) => Err(self.bury(process, End::Gone(format!("it began with {event:?}"))).await),
            Err(end) => Err(self.bury(process, end).await),
        }
    }

    /// Waits for the event that ends what the worker is doing, passing on its steps and watching its limits.
    async fn attend(
        &self,
        process: &mut WorkerProcess,
        progress: &ProgressSender,
    ) -> Result<WorkerEvent, End> {
        let deadline = tokio::time::Instant::now() + self.limits.time;
        let mut inspection = tokio::time::interval(INSPECTION);
        loop {
            tokio::select! {
                event = process.next_event() => match event {
                    Some(WorkerEvent::Progress(step)) => progress.send(step),
                    Some(event) => return Ok(event),
                    None => return Err(End::Gone("it closed its pipe".into())),
                },
                _ = inspection.tick() => {
                    let resident = process.inspect();
                    if resident > self.limits.memory {
                        return Err(End::Memory(resident));
                    }
                }
                () = tokio::time::sleep_until(deadline) => return Err(End::Time),
            }
        }
    }

    async fn bury(&self, process: WorkerProcess, end: End) -> ServerError {
        let reason = match end {
            End::Memory(resident) => format!(
                "the worker was killed: {} MiB of memory, {} MiB allowed",
                resident >> 20,
                self.limits.memory >> 20
            ),
            End::Time => {
                format!("the worker was killed: over its time limit of {} s", self.limits.time.as_secs())
            }
            End::Gone(how) => {
                let exit = process.end().await;
                tracing::warn!(lane = self.name, %how, %exit, "worker gone");
                return prover_failed(format!("the worker is gone: {exit}"));
            }
        };
        tracing::warn!(lane = self.name, %reason);
        drop(process);
        prover_failed(reason)
    }
}

/// Why a worker has no more to say.
enum End {
    Gone(String),
    Memory(u64),
    Time,
}

fn prover_failed(mut message: String) -> ServerError {
    let mut end = message.len().min(900);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.truncate(end);
    ServerError::retryable(ErrorCode::ProverFailed, message, 1_000)
}

fn backoff(failures: u32) -> Duration {
    BACKOFF.start().saturating_mul(1 << failures.min(16).saturating_sub(1)).min(*BACKOFF.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_end() {
        assert_eq!(backoff(1), Duration::from_millis(250));
        assert_eq!(backoff(3), Duration::from_secs(1));
        assert_eq!(backoff(40), Duration::from_secs(30));
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        let error = prover_failed("é".repeat(1000));
        assert!(error.message.len() <= 900 && error.message.chars().all(|c| c == 'é'));
    }
}
