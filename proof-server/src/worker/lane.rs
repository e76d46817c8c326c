//! A lane: one loop, one worker process at a time, jobs one after the other.
//!
//! Two provers do not fit into the memory of a small machine, so both sub-servers share one lane. Verification has a
//! lane of its own. The process stays alive between jobs, because starting is what costs; a job of another mode
//! replaces it, as its `crew` sees fit. What is done with a job is its `course`. A job ends early when nobody waits for its
//! reply any more: the process is killed and the next one starts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sextant_protocol::{ErrorCode, Progress, ServerError};
use tokio::sync::oneshot;

use super::{
    WorkerMode,
    course::{Course, Outcome},
    crew::Crew,
    kept::Kept,
    station::Station,
};
use crate::{
    access::Identity,
    audience::Audience,
    control::Control,
    errors::shutting_down,
    queue::{Queues, Waiting},
    readiness::WarmingGuard,
    traces::Span,
};

/// Shortest pause before a worker that did not start is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// When a client that had to make room may ask again, milliseconds.
const DISPLACED_MS: u64 = 10_000;

/// A job on its way to a worker.
pub(crate) struct Job {
    /// What is to be done.
    pub(crate) course: Course,
    /// Who waits for it and hears its steps.
    pub(crate) audience: Arc<Audience>,
    /// When it began to wait.
    pub(crate) queued: Instant,
    /// As long as it waits.
    pub(crate) waiting: Span,
    /// Takes the outcome; dropping the receiving end gives the job up.
    pub(crate) reply: oneshot::Sender<Outcome>,
}

impl Waiting for Job {
    fn moved(&self, position: u32) {
        self.audience.send(Progress::Queued { position });
    }

    fn identities(&self) -> Vec<Identity> {
        self.audience.identities()
    }

    fn displaced(self) {
        let message = "the queue is full, and others have wasted less of the server's time";
        // Nobody waits for it any more: then nobody need be told.
        let _ = self.reply.send(Err(ServerError::retryable(ErrorCode::Busy, message, DISPLACED_MS)));
    }
}

/// A lane that is not running yet.
pub(crate) struct Lane {
    pub(crate) station: Station,
    pub(crate) jobs: Arc<Queues<Job>>,
    /// A worker to start before a job asks for one: at the beginning, which something waits for, and whenever the one
    /// before is gone and nobody waits.
    pub(crate) warm: Option<Warm>,
    /// Idle time after which the worker is ended; `None` keeps it.
    pub(crate) linger: Option<Duration>,
    /// What stages have made, where that is of use to others.
    pub(crate) kept: Option<Arc<Kept>>,
}

/// The worker that a lane keeps ready.
pub(crate) struct Warm {
    pub(crate) mode: WorkerMode,
    /// Waits for the first one.
    pub(crate) first: Option<WarmingGuard>,
}

/// What a lane does next.
enum Next {
    Job(Box<Job>),
    /// Nothing: its worker has waited for too long.
    Idle,
    Start(WorkerMode),
}

impl Lane {
    /// Works until told to end. While draining it finishes the job it is at; told to stop, it kills the worker and
    /// answers the job with `ShuttingDown`.
    pub(crate) async fn run(mut self, control: Control) {
        let (mut crew, limit) = (Crew::default(), self.station.spec.limits.memory);
        loop {
            if let (true, Some(warm)) = (crew.is_ready(), &mut self.warm) {
                // Started, be it for a job: what waits for the first one need not wait any more.
                warm.first = None;
            }
            let next = tokio::select! {
                biased;
                () = control.ending() => return,
                job = self.jobs.next() => Next::Job(job.into()),
                () = self.lingered(), if crew.is_ready() => Next::Idle,
                mode = self.wanted(), if !crew.is_ready() => Next::Start(mode),
            };
            let job = match next {
                Next::Job(job) => job,
                Next::Idle => {
                    tracing::info!(lane = self.station.name, "idle; its worker is ended");
                    crew.dismiss();
                    self.station.metrics.worker_memory(self.station.name, 0);
                    continue;
                }
                Next::Start(mode) => {
                    let called = crew.call(mode, limit);
                    let start = async {
                        match called {
                            Some(ready) => Ok(ready),
                            None => self.station.start(&mut crew, mode).await,
                        }
                    };
                    tokio::select! {
                        started = start => match started {
                            Ok(ready) => crew.give_back(ready),
                            Err(error) => tracing::warn!(lane = self.station.name, %error, "starting"),
                        },
                        () = control.ending() => return,
                    }
                    if let Some(warm) = &mut self.warm {
                        // It was tried: how that went is told by the lane's health.
                        warm.first = None;
                    }
                    continue;
                }
            };
            if job.reply.is_closed() {
                continue;
            }
            self.station.metrics.waited(self.station.name, job.queued.elapsed());
            let _running = self.station.health.begin();
            let Job { course, audience, waiting, mut reply, .. } = *job;
            waiting.end("ok");
            let work = course.run(&self.station, self.kept.as_deref(), &mut crew, &audience);
            let outcome = tokio::select! {
                outcome = work => Some(outcome),
                () = reply.closed() => None,
                () = control.stop.cancelled() => Some(Err(shutting_down())),
            };
            let Some(outcome) = outcome else {
                tracing::info!(lane = self.station.name, "job given up; its worker is killed");
                self.station.metrics.worker_memory(self.station.name, crew.resting_memory());
                continue;
            };
            // Nobody there to hear it is the same as given up.
            let _ = reply.send(outcome);
        }
    }

    /// Completes when a worker was idle for too long.
    async fn lingered(&self) {
        match self.linger {
            Some(linger) => tokio::time::sleep(linger).await,
            None => std::future::pending().await,
        }
    }

    /// The worker that should be there although no job asks for one, when it is time to start it: one that did not start
    /// before, because nobody may send a job to a server that is not ready and it has to get well by itself, or the one
    /// that is kept ready.
    async fn wanted(&self) -> WorkerMode {
        let kept = self.warm.as_ref().map(|warm| warm.mode);
        let Some(mode) = self.station.health.missing().or(kept) else { return std::future::pending().await };
        let breaker = &self.station.breaker;
        let pause = breaker.open_for().unwrap_or_default().max(breaker.pause());
        if !pause.is_zero() {
            tokio::time::sleep(pause.max(AGAIN)).await;
        }
        mode
    }
}
