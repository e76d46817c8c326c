//! A prover of a fleet: takes a stage, has its worker do it, and hands on.
//!
//! The order in which things happen is what makes a death cheap: what lies there already is looked for before a worker is
//! asked; what was made is put into the store before it is noted, noted before the next stage is asked for, and only then is
//! the message done. Whoever takes it after a death finds what was finished.

use std::time::Duration;

use bytes::Bytes;
use sextant_fleet::{FleetError, Lane, Lease, Line, Release, Turns, Worker};
use sextant_protocol::{ErrorCode, ServerError};

use self::making::Made;
use super::{
    Fleet,
    order::{self, Accusation, Task},
    parts::Form,
};
use crate::{
    control::Control,
    metrics,
    traces::{Kind, Span, SpanContext, Traces},
    worker::{
        WorkerMode,
        crew::Crew,
        station::{Cause, Failed, Station},
    },
};

mod making;

/// When a message comes again that this prover could not do for reasons of its own or of the store's.
const LATER: Duration = Duration::from_secs(5);
/// When whoever waits may ask for a job again whose stages have to be made anew, milliseconds: at once.
const ANEW_MS: u64 = 1;

/// A prover, with one worker process at a time.
pub(crate) struct Puller {
    fleet: Fleet,
    station: Station,
    release: Release,
    turns: Turns,
    lines: Vec<Line>,
    name: Worker,
    traces: Traces,
}

/// Why a stage has made nothing.
enum Unmade {
    /// The lease says so: it is answered, or nobody waits for it.
    Over,
    /// The worker, or what it was given.
    Failed(Failed),
    /// What was made before is not there any more.
    Gone(String),
    /// What was made before is not that.
    False(String),
    Fleet(FleetError),
}

impl Unmade {
    fn label(&self) -> &'static str {
        match self {
            Self::Over => "cancelled",
            Self::Failed(failed) => metrics::outcome(Some(failed.error.code)),
            Self::Gone(_) => "gone",
            Self::False(_) => "false",
            Self::Fleet(_) => "fleet",
        }
    }
}

impl From<FleetError> for Unmade {
    fn from(error: FleetError) -> Self {
        Self::Fleet(error)
    }
}

impl Puller {
    /// A prover of `stages` on `machine`; one that is `large` takes what was too large for others. Proofs by `development`
    /// circuits are made by, and for, those who allow them.
    pub(crate) fn new(
        fleet: Fleet,
        station: Station,
        stages: &[WorkerMode],
        machine: &str,
        (large, development): (bool, bool),
        traces: Traces,
    ) -> Self {
        let release = order::release(development);
        let lanes: &[Lane] = if large { &[Lane::Xl] } else { &[Lane::Hi, Lane::Lo] };
        let lines = order::lines(stages, lanes, &release);
        let turns = Turns::new(lines.clone());
        Self { fleet, station, release, turns, lines, name: Worker::of(machine), traces }
    }

    /// Works until told to end: drained, it finishes the stage it is at; stopped, it gives it back.
    pub(crate) async fn run(self, control: Control) {
        let mut crew = Crew::default();
        let attendance = self.fleet.queue.attend(&self.name, &self.lines).await;
        if let Err(error) = &attendance {
            tracing::warn!(%error, "nobody sees this prover");
        }
        let attendance = attendance.ok();
        tracing::info!(name = %self.name, release = %self.release, "takes stages");
        loop {
            let lines = self.turns.next();
            let lease = tokio::select! {
                biased;
                () = control.ending() => return,
                lease = self.fleet.queue.take(&lines, &self.name) => lease,
            };
            let busy = lease.as_ref().ok().zip(attendance.as_ref());
            let _busy = busy.map(|(lease, attendance)| attendance.at(lease));
            let outcome = match lease {
                Ok(lease) => tokio::select! {
                    outcome = self.stage(lease, &mut crew) => outcome,
                    // Its message goes back, and its worker is killed.
                    () = control.stop.cancelled() => return,
                },
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "the fleet");
                tokio::select! {
                    () = control.ending() => return,
                    () = tokio::time::sleep(LATER) => {}
                }
            }
        }
    }

    async fn stage(&self, lease: Lease, crew: &mut Crew) -> Result<(), FleetError> {
        let message = lease.message();
        let task = match Task::of(message, &*self.fleet.store).await? {
            Ok(task) => task,
            Err(reason) => return lease.fail(anew(reason)).await,
        };
        tracing::info!(name = message.name(), delivery = lease.delivery(), "taken");
        let _running = self.station.health.begin();
        let span = self.span(&lease);
        let made = self.made(&lease, &task, crew).await;
        span.end(made.as_ref().err().map_or("ok", Unmade::label));
        match made {
            Ok(Made::Split(shards)) => lease.advance(&shards).await,
            Ok(Made::Object(object)) => {
                lease.made(object.clone(), Bytes::new()).await?;
                if !task.is_of_all(&lease.message().id) {
                    let folds = self.after_part(&lease, &task).await?;
                    return lease.advance(&folds).await;
                }
                match task.next(lease.message(), object.clone()) {
                    Some(next) => lease.advance(&[next]).await,
                    None => lease.finish(object, Bytes::new()).await,
                }
            }
            Err(Unmade::Over) => lease.leave().await,
            Err(Unmade::Gone(reason)) => self.begin_anew(lease, &reason).await,
            Err(Unmade::False(reason)) => self.accuse(lease, &task, &reason).await,
            Err(Unmade::Failed(failed)) => self.failed(lease, &task, failed).await,
            Err(Unmade::Fleet(error)) if error.passes() => {
                lease.again(LATER, &error.to_string());
                Ok(())
            }
            Err(Unmade::Fleet(error)) => {
                lease.again(LATER, &error.to_string());
                Err(error)
            }
        }
    }

    /// A message that was taken, as part of the trace of who asked for it: it has waited, and is worked on from now on.
    fn span(&self, lease: &Lease) -> Span {
        let message = lease.message();
        let trace = self.traces.within(SpanContext::parse(&message.traceparent));
        let stage = message.id.stage.as_str();
        // One that was given back has waited from then on, of which nobody knows the time.
        if message.asked_ms > 0 && lease.delivery() == 1 {
            let waited = trace.span("queue", Kind::Internal);
            waited.set("sextant.stage", stage);
            waited.since(message.asked_ms);
            waited.end("ok");
        }
        let span = trace.span(stage, Kind::Consumer);
        span.set("sextant.job", message.id.job.to_string());
        span.set("sextant.generation", message.id.generation);
        span.set("sextant.part", message.id.part.as_str());
        span.set("sextant.worker", lease.worker().to_string());
        span.set("sextant.delivery", lease.delivery());
        span
    }

    /// What the stage before has left is not there as it was put there, which is nobody's fault.
    async fn begin_anew(&self, lease: Lease, reason: &str) -> Result<(), FleetError> {
        for object in &lease.message().before {
            self.fleet.store.remove(&object.name).await?;
        }
        tracing::warn!(name = lease.message().name(), reason, "what was made before is made again");
        let error = anew(format!("what was made before {}: {reason}", lease.message().id.stage));
        lease.fail(error).await
    }

    /// What the stage before has left is there, and is not what it should be. A compressed proof stays where it is: whoever
    /// wants the job verifies it, and sees which of the two is wrong.
    async fn accuse(&self, lease: Lease, task: &Task, reason: &str) -> Result<(), FleetError> {
        let [object] = &lease.message().before[..] else { return self.begin_anew(lease, reason).await };
        if task.before() != Some(WorkerMode::Compressed) {
            return self.begin_anew(lease, reason).await;
        }
        tracing::error!(%object.name, reason, "what was made before is refused");
        let accusation = Accusation::encode(object);
        let error = anew(format!("what was made before {} is refused: {reason}", lease.message().id.stage));
        lease.fail_with(error, accusation).await
    }

    async fn failed(&self, lease: Lease, task: &Task, failed: Failed) -> Result<(), FleetError> {
        let Failed { error, cause } = failed;
        match cause {
            // The next worker may live, and another machine may start one.
            Cause::Died => lease.again(Duration::ZERO, &error.message),
            Cause::NotStarted => lease.again(LATER, &error.message),
            Cause::Hopeless if error.retry_after_ms > 0 => {
                lease.again(Duration::from_millis(error.retry_after_ms), &error.message);
            }
            Cause::Hopeless => return lease.fail(error).await,
            Cause::TooLarge => return self.enlarge(lease, error).await,
            Cause::Said if error.code == ErrorCode::TooLarge => return self.enlarge(lease, error).await,
            // It verifies what it is given: that does not hold. Of parts nobody else can tell whose fault that is.
            Cause::Said if task.form != Form::Whole && refuses(&error) => {
                return self.begin_anew(lease, &error.message).await;
            }
            Cause::Said if task.order.request.is_none() && refuses(&error) => {
                return self.accuse(lease, task, &error.message).await;
            }
            Cause::Said => return lease.fail(error).await,
        }
        Ok(())
    }

    /// It takes more than there is here: a prover for what is larger gets it, if there is one.
    async fn enlarge(&self, lease: Lease, error: ServerError) -> Result<(), FleetError> {
        let line = Line { lane: Lane::Xl, ..lease.message().line() };
        let depth = self.fleet.queue.depth(&line).await?;
        if lease.message().lane == Lane::Xl || depth.idle + depth.running + depth.waiting == 0 {
            return lease.fail(error).await;
        }
        lease.enlarge(&error.message).await
    }
}

/// Whether a worker that says so means what it was given.
fn refuses(error: &ServerError) -> bool {
    matches!(error.code, ErrorCode::InvalidProof | ErrorCode::Internal | ErrorCode::Malformed)
}

/// The job has to begin anew: whoever wants it asks again.
fn anew(mut reason: String) -> ServerError {
    reason.truncate(reason.floor_char_boundary(900));
    ServerError::retryable(ErrorCode::ProverFailed, reason, ANEW_MS)
}
