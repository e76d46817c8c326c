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

use super::{
    WorkerEvent, WorkerMode, WorkerRequest,
    breaker::Breaker,
    health::Health,
    process::{WorkerProcess, WorkerSpec},
    watch::{End, Watch},
};
use crate::{
    access::Identity,
    audience::Audience,
    control::Control,
    errors::shutting_down,
    metrics::{Metrics, Work, stage_name},
    queue::{Queues, Waiting},
    readiness::WarmingGuard,
};

/// How often a busy worker is looked at.
const INSPECTION: Duration = Duration::from_millis(250);

/// Shortest pause before a worker that did not start is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What a worker makes of a job: its last event.
pub(crate) type Outcome = Result<WorkerEvent, ServerError>;

/// A job on its way to a worker.
pub(crate) struct Job {
    /// The workers it needs, one after the other.
    pub(crate) stages: &'static [WorkerMode],
    /// What is to be done.
    pub(crate) request: WorkerRequest,
    /// What it counts as.
    pub(crate) work: Work,
    /// Names the job's content, to tell a job that kills workers from workers that die.
    pub(crate) digest: [u8; 32],
    /// Who waits for it and hears its steps.
    pub(crate) audience: Arc<Audience>,
    /// When it began to wait.
    pub(crate) queued: Instant,
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
}

/// A lane that is not running yet.
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    pub(crate) spec: WorkerSpec,
    pub(crate) jobs: Arc<Queues<Job>>,
    /// A worker to start before a job asks for one: at the beginning, which something waits for, and whenever the one
    /// before is gone and nobody waits.
    pub(crate) warm: Option<Warm>,
    /// Idle time after which the worker is ended; `None` keeps it.
    pub(crate) linger: Option<Duration>,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
}

/// The worker that a lane keeps ready.
pub(crate) struct Warm {
    pub(crate) mode: WorkerMode,
    /// Waits for the first one.
    pub(crate) first: Option<WarmingGuard>,
}

/// What a lane does next.
enum Next {
    Job(Job),
    /// Nothing: its worker has waited for too long.
    Idle,
    Start(WorkerMode),
}

/// A worker that has said it is ready.
struct Ready {
    mode: WorkerMode,
    process: WorkerProcess,
}

impl Lane {
    /// Works until told to end. While draining it finishes the job it is at; told to stop, it kills the worker and
    /// answers the job with `ShuttingDown`.
    pub(crate) async fn run(mut self, control: Control) {
        let mut worker: Option<Ready> = None;
        loop {
            if let (Some(_), Some(warm)) = (&worker, &mut self.warm) {
                // Started, be it for a job: what waits for the first one need not wait any more.
                warm.first = None;
            }
            let next = tokio::select! {
                biased;
                () = control.ending() => return,
                job = self.jobs.next() => Next::Job(job),
                () = self.lingered(), if worker.is_some() => Next::Idle,
                mode = self.wanted(), if worker.is_none() => Next::Start(mode),
            };
            let job = match next {
                Next::Job(job) => job,
                Next::Idle => {
                    tracing::info!(lane = self.name, "idle; its worker is ended");
                    worker = None;
                    self.metrics.worker_memory(self.name, 0);
                    continue;
                }
                Next::Start(mode) => {
                    tokio::select! {
                        started = self.start(mode) => {
                            worker = started.inspect_err(|error| tracing::warn!(lane = self.name, %error, "starting")).ok();
                        }
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
            self.metrics.waited(self.name, job.queued.elapsed());
            let _running = self.health.begin();
            let Job { stages, request, work, digest, audience, mut reply, .. } = job;
            let work = self.stages(&mut worker, stages, (&request, work), digest, &audience);
            let outcome = tokio::select! {
                outcome = work => Some(outcome),
                () = reply.closed() => None,
                () = control.stop.cancelled() => Some(Err(shutting_down())),
            };
            let Some(outcome) = outcome else {
                tracing::info!(lane = self.name, "job given up; its worker is killed");
                self.metrics.worker_memory(self.name, 0);
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
        let Some(mode) = self.health.missing().or(kept) else { return std::future::pending().await };
        let pause = self.breaker.open_for().unwrap_or_default().max(self.breaker.pause());
        if !pause.is_zero() {
            tokio::time::sleep(pause.max(AGAIN)).await;
        }
        mode
    }

    /// Takes a job through its stages. Cancelled by being dropped, like [`Self::work`].
    async fn stages(
        &self,
        worker: &mut Option<Ready>,
        stages: &[WorkerMode],
        (first, work): (&WorkerRequest, Work),
        digest: [u8; 32],
        audience: &Audience,
    ) -> Outcome {
        let mut outcome = None;
        for mode in stages {
            let next;
            let request = match outcome.take() {
                None => first,
                Some(WorkerEvent::Proved(proved)) => {
                    next = WorkerRequest::Continue(proved);
                    &next
                }
                Some(event) => return Ok(event),
            };
            outcome = Some(self.work(worker, *mode, (request, work), digest, audience).await?);
        }
        outcome.ok_or_else(|| ServerError::new(ErrorCode::Internal, "a job without stages"))
    }

    /// Does one stage. Cancelled by being dropped; `worker` is empty then, and the process dead.
    async fn work(
        &self,
        worker: &mut Option<Ready>,
        mode: WorkerMode,
        (request, work): (&WorkerRequest, Work),
        digest: [u8; 32],
        audience: &Audience,
    ) -> Outcome {
        let breaker = &self.breaker;
        if let Some(wait) = breaker.open_for() {
            let message = "its workers keep failing; none is started for a while";
            return Err(ServerError::retryable(ErrorCode::ProverFailed, message, crate::time::millis(wait)));
        }
        let reusable = worker.take().and_then(|mut ready| {
            // One that was killed while it was idle costs nobody a job.
            let fit = ready.mode == mode && ready.process.is_alive();
            fit.then_some(ready)
        });
        let mut ready = match reusable {
            Some(ready) => ready,
            None => {
                audience.send(Progress::Preparing);
                tokio::time::sleep(breaker.pause()).await;
                let started = Instant::now();
                let ready = self.start(mode).await?;
                self.metrics.stage_of("prepare", work, started.elapsed());
                ready
            }
        };
        let started = Instant::now();
        let outcome = match ready.process.send(request).await {
            Ok(()) => self.attend(&mut ready.process, audience, work).await,
            Err(error) => Err(End::Gone(error.to_string())),
        };
        match outcome {
            Ok(event) => {
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!(lane = self.name, mode = mode.as_str(), seconds, "job done");
                breaker.succeeded();
                *worker = Some(ready);
                match event {
                    WorkerEvent::Failed(error) => Err(error),
                    event => Ok(event),
                }
            }
            Err(end) => {
                let reason = self.bury(ready.process, &end).await;
                Err(match end {
                    // What the job did to it. It would do so again.
                    End::Memory(_) | End::Time => {
                        let message = format!("{reason}; this server cannot make this proof");
                        ServerError::new(ErrorCode::ProverFailed, message)
                    }
                    End::Gone(_) | End::Silence => {
                        breaker.failed(Some(digest));
                        prover_failed(reason)
                    }
                })
            }
        }
    }

    /// Starts a worker. That it does not start is nobody's fault but its own.
    async fn start(&self, mode: WorkerMode) -> Result<Ready, ServerError> {
        let started = self.try_start(mode).await;
        self.health.started(mode, started.as_ref().map(|_| ()).map_err(|error| error.message.clone()));
        started
    }

    async fn try_start(&self, mode: WorkerMode) -> Result<Ready, ServerError> {
        let started = Instant::now();
        self.metrics.worker_started(self.name, mode.as_str());
        let outcome = match WorkerProcess::start(&self.spec, mode) {
            Err(error) => {
                self.metrics.worker_failed(self.name, "start");
                Err(format!("the worker does not start: {error}"))
            }
            Ok(mut process) => {
                let nobody = Audience::new(Identity::this_server());
                match self.attend(&mut process, &nobody, Work::default()).await {
                    Ok(WorkerEvent::Ready) => Ok(Ready { mode, process }),
                    Ok(event) => {
                        Err(self.bury(process, &End::Gone(format!("it began with {event:?}"))).await)
                    }
                    Err(end) => Err(self.bury(process, &end).await),
                }
            }
        };
        match outcome {
            Ok(ready) => {
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!(lane = self.name, mode = mode.as_str(), seconds, "worker ready");
                Ok(ready)
            }
            Err(reason) => {
                self.breaker.failed(None);
                Err(prover_failed(reason))
            }
        }
    }

    /// Waits for the event that ends what the worker is doing, passing on its steps and watching its limits.
    async fn attend(
        &self,
        process: &mut WorkerProcess,
        audience: &Audience,
        work: Work,
    ) -> Result<WorkerEvent, End> {
        let mut watch = Watch::new(self.spec.limits, process.inspect());
        let mut inspection = tokio::time::interval(INSPECTION);
        let mut stage = (stage_name(&Progress::Preparing), Instant::now());
        loop {
            tokio::select! {
                event = process.next_event() => match event {
                    Some(WorkerEvent::Progress { step }) => {
                        watch.heard();
                        let name = stage_name(&step);
                        if name != stage.0 {
                            self.note_stage(stage, work);
                            stage = (name, Instant::now());
                        }
                        audience.send(step);
                    }
                    Some(event) => {
                        self.note_stage(stage, work);
                        return Ok(event);
                    }
                    None => return Err(End::Gone("it closed its pipe".into())),
                },
                _ = inspection.tick() => {
                    let usage = process.inspect();
                    self.metrics.worker_memory(self.name, usage.memory);
                    watch.check(usage)?;
                }
            }
        }
    }

    fn note_stage(&self, (stage, since): (&'static str, Instant), work: Work) {
        // Preparing is measured as a whole, where the worker is started.
        if stage != stage_name(&Progress::Preparing) {
            self.metrics.stage_of(stage, work, since.elapsed());
        }
    }

    /// Makes sure that a worker is gone, and says why.
    async fn bury(&self, process: WorkerProcess, end: &End) -> String {
        self.metrics.worker_failed(self.name, end.label());
        self.metrics.worker_memory(self.name, 0);
        if let End::Gone(how) = end {
            let exit = process.end().await;
            tracing::warn!(lane = self.name, %how, %exit, "worker gone");
            return format!("the worker is gone: {exit}");
        }
        let reason = format!("the worker was killed: {}", end.reason(&self.spec.limits));
        tracing::warn!(lane = self.name, %reason, "worker killed");
        drop(process);
        reason
    }
}

fn prover_failed(mut message: String) -> ServerError {
    let mut end = message.len().min(900);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.truncate(end);
    ServerError::retryable(ErrorCode::ProverFailed, message, 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_between_characters() {
        let error = prover_failed("é".repeat(1000));
        assert!(error.message.len() <= 900 && error.message.chars().all(|c| c == 'é'));
    }
}
