//! Where a lane's workers are started, given work, watched at it, and buried.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sextant_protocol::{ErrorCode, Progress, ServerError};

use super::{
    WorkerEvent, WorkerMode, WorkerRequest,
    breaker::Breaker,
    crew::{Crew, Ready},
    health::Health,
    process::{WorkerProcess, WorkerSpec},
    watch::{End, Watch},
};
use crate::metrics::{Metrics, Work, stage_name};

/// How often a busy worker is looked at.
const INSPECTION: Duration = Duration::from_millis(250);

/// What it takes to have workers.
pub(crate) struct Station {
    /// The lane's name.
    pub(crate) name: &'static str,
    pub(crate) spec: WorkerSpec,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Hears the steps of a job.
pub(crate) type Steps<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Work that came to nothing.
pub(crate) struct Failed {
    pub(crate) error: ServerError,
    pub(crate) cause: Cause,
}

/// Why.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The worker said so, and lives.
    Said,
    /// The worker died of it, or fell silent.
    Died,
    /// No worker started.
    NotStarted,
    /// It takes more memory than there is.
    TooLarge,
    /// It takes too long, or workers are not started for a while.
    Hopeless,
}

impl Station {
    /// Has a worker of `mode` do one thing, that a job with this digest needs. Cancelled by being dropped: the worker is dead
    /// then.
    pub(crate) async fn work(
        &self,
        crew: &mut Crew,
        mode: WorkerMode,
        request: &WorkerRequest,
        (digest, work): ([u8; 32], Work),
        steps: Steps<'_>,
    ) -> Result<WorkerEvent, Failed> {
        let breaker = &self.breaker;
        if let Some(wait) = breaker.open_for() {
            let message = "its workers keep failing; none is started for a while";
            let wait = crate::time::millis(wait);
            let error = ServerError::retryable(ErrorCode::ProverFailed, message, wait);
            return Err(Failed { error, cause: Cause::Hopeless });
        }
        let mut ready = match crew.call(mode, self.spec.limits.memory) {
            Some(ready) => ready,
            None => {
                steps(Progress::Preparing);
                tokio::time::sleep(breaker.pause()).await;
                let started = Instant::now();
                let ready = self.start(crew, mode).await;
                let ready = ready.map_err(|error| Failed { error, cause: Cause::NotStarted })?;
                self.metrics.stage_of("prepare", work, started.elapsed());
                ready
            }
        };
        let started = Instant::now();
        let outcome = match ready.process.send(request).await {
            Ok(()) => self.attend(&mut ready.process, crew, steps, work).await,
            Err(error) => Err(End::Gone(error.to_string())),
        };
        match outcome {
            Ok(event) => {
                let seconds = started.elapsed().as_secs_f64();
                tracing::info!(lane = self.name, mode = mode.as_str(), seconds, "job done");
                breaker.succeeded();
                crew.give_back(ready);
                match event {
                    WorkerEvent::Failed(error) => Err(Failed { error, cause: Cause::Said }),
                    event => Ok(event),
                }
            }
            Err(end) => {
                let reason = self.bury(ready.process, &end).await;
                Err(match end {
                    // What the job did to it. It would do so again.
                    End::Memory(_) | End::Time => {
                        let message = format!("{reason}; this server cannot make this proof");
                        let error = ServerError::new(ErrorCode::ProverFailed, message);
                        let large = matches!(end, End::Memory(_));
                        Failed { error, cause: if large { Cause::TooLarge } else { Cause::Hopeless } }
                    }
                    End::Gone(_) | End::Silence => {
                        breaker.failed(Some(digest));
                        Failed { error: prover_failed(reason), cause: Cause::Died }
                    }
                })
            }
        }
    }

    /// Starts a worker. That it does not start is nobody's fault but its own.
    pub(super) async fn start(&self, crew: &mut Crew, mode: WorkerMode) -> Result<Ready, ServerError> {
        let started = self.try_start(crew, mode).await;
        self.health.started(mode, started.as_ref().map(|_| ()).map_err(|error| error.message.clone()));
        started
    }

    async fn try_start(&self, crew: &mut Crew, mode: WorkerMode) -> Result<Ready, ServerError> {
        let started = Instant::now();
        self.metrics.worker_started(self.name, mode.as_str());
        let outcome = match WorkerProcess::start(&self.spec, mode) {
            Err(error) => {
                self.metrics.worker_failed(self.name, "start");
                Err(format!("the worker does not start: {error}"))
            }
            Ok(mut process) => match self.attend(&mut process, crew, &|_| (), Work::default()).await {
                Ok(WorkerEvent::Ready) => Ok(Ready { mode, process }),
                Ok(event) => Err(self.bury(process, &End::Gone(format!("it began with {event:?}"))).await),
                Err(end) => Err(self.bury(process, &end).await),
            },
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
        crew: &mut Crew,
        steps: Steps<'_>,
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
                        steps(step);
                    }
                    Some(event) => {
                        self.note_stage(stage, work);
                        return Ok(event);
                    }
                    None => return Err(End::Gone("it closed its pipe".into())),
                },
                _ = inspection.tick() => {
                    let usage = process.inspect();
                    // Rather than that this one is killed.
                    crew.make_room(usage.memory, self.spec.limits.memory);
                    self.metrics.worker_memory(self.name, usage.memory + crew.resting_memory());
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
