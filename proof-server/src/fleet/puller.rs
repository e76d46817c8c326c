//! A prover of a fleet: takes a stage, has its worker do it, and hands on.
//!
//! The order in which things happen is what makes a death cheap: what lies there already is looked for before a worker is
//! asked; what was made is put into the store before it is noted, noted before the next stage is asked for, and only then is
//! the message done. Whoever takes it after a death finds what was finished.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sextant_fleet::{FleetError, Lane, Lease, Line, ObjectName, ObjectRef, Release, Turns, Worker};
use sextant_protocol::{ErrorCode, ServerError};

use super::{
    Fleet,
    order::{self, Accusation, Task},
};
use crate::{
    control::Control,
    worker::{
        Proved, WorkerEvent, WorkerMode, WorkerRequest,
        crew::Crew,
        output,
        station::{Cause, Failed, Station},
    },
};

/// When a message comes again that this prover could not do for reasons of its own or of the store's.
const LATER: Duration = Duration::from_secs(5);
/// How long what was made waits for room in the store, and how often it is looked for.
const FOR_ROOM: Duration = Duration::from_secs(120);
const FOR_ROOM_EVERY: Duration = Duration::from_secs(1);

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
    ) -> Self {
        let release = order::release(development);
        let lanes: &[Lane] = if large { &[Lane::Xl] } else { &[Lane::Hi, Lane::Lo] };
        let lines = order::lines(stages, lanes, &release);
        let turns = Turns::new(lines.clone());
        Self { fleet, station, release, turns, lines, name: Worker::of(machine) }
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
        tracing::info!(message = message.name(), delivery = lease.delivery(), "taken");
        let _running = self.station.health.begin();
        match self.made(&lease, &task, crew).await {
            Ok(object) => {
                lease.made(object.clone(), Bytes::new()).await?;
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

    /// What the stage makes: what lies there, or else made now and put there.
    async fn made(&self, lease: &Lease, task: &Task, crew: &mut Crew) -> Result<ObjectRef, Unmade> {
        let (store, name) = (&self.fleet.store, task.name(&lease.message().id));
        if let Some(bytes) = store.read(&name).await? {
            match output::decode(&task.proof, task.stage, bytes.clone()) {
                Ok(_) => return Ok(ObjectRef::to(name, &bytes)),
                Err(reason) => {
                    tracing::warn!(%name, reason, "what lies there is not that; it is made again");
                    store.remove(&name).await?;
                }
            }
        }
        let request = self.request(lease, task).await?;
        let steps = |step| lease.progress(step);
        let job = (task.proof.job().0, task.work());
        let event = tokio::select! {
            event = self.station.work(crew, task.stage, &request, job, &steps) => event,
            _ = lease.over() => return Err(Unmade::Over),
        };
        let made = match event.map_err(Unmade::Failed)? {
            WorkerEvent::Proved(made) if output::is_of(&task.proof, task.stage, &made) => made,
            _ => return Err(Unmade::Failed(not_asked_for())),
        };
        self.keep(lease, &name, output::encode(task.stage, &made, Some(&self.name))).await
    }

    /// Puts what was made into the store. Where that has no room, it is kept in hand: to make it again would cost more.
    async fn keep(&self, lease: &Lease, name: &ObjectName, bytes: Bytes) -> Result<ObjectRef, Unmade> {
        let began = Instant::now();
        loop {
            match self.fleet.store.put(name, bytes.clone()).await {
                Err(error @ FleetError::Full(_)) if began.elapsed() < FOR_ROOM => {
                    tracing::warn!(%name, %error, "what was made is kept in hand");
                    tokio::select! {
                        () = tokio::time::sleep(FOR_ROOM_EVERY) => {}
                        _ = lease.over() => return Err(Unmade::Over),
                    }
                }
                put => return Ok(put?),
            }
        }
    }

    /// What the worker is asked.
    async fn request(&self, lease: &Lease, task: &Task) -> Result<WorkerRequest, Unmade> {
        if let Some(request) = &task.order.request {
            return Ok(request.clone());
        }
        let gone = |reason: &str| Unmade::Gone(reason.into());
        let stage = task.before().ok_or_else(|| gone("nothing comes before it"))?;
        let [object] = &lease.message().before[..] else { return Err(gone("it names nothing")) };
        let bytes = self.fleet.store.get(object).await?.ok_or_else(|| gone("it is gone, or damaged"))?;
        let made: Proved = output::decode(&task.proof, stage, bytes).map_err(Unmade::False)?;
        Ok(WorkerRequest::Continue(made.into()))
    }

    /// What the stage before has left is not there as it was put there, which is nobody's fault.
    async fn begin_anew(&self, lease: Lease, reason: &str) -> Result<(), FleetError> {
        for object in &lease.message().before {
            self.fleet.store.remove(&object.name).await?;
        }
        tracing::warn!(message = lease.message().name(), reason, "what was made before is made again");
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
            // It verifies what it is given: that does not hold.
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

fn not_asked_for() -> Failed {
    let error = ServerError::new(ErrorCode::Internal, "the worker made something else than was asked for");
    Failed { error, cause: Cause::Said }
}
