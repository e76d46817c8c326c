//! An entrypoint's side: jobs go from the clients' queue into the fleet, and their outcomes come back.
//!
//! The wish stays here. What a queue or a prover loses is asked for again, as the next generation of the job, and what
//! comes back is verified like a stranger's proof before anybody gets it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sextant_fleet::{
    Event, FleetError, Lane, Line, ObjectRef, Outcome, Pause, Paused, Release, StageMessage, Submitted,
    Worker,
};
use sextant_protocol::{ErrorCode, Progress, ServerError, encoding};
use tokio::{task::JoinSet, time::timeout};

use super::{
    Fleet,
    order::{self, Accusation, Order},
    stages,
};
use crate::{
    audience::Audience,
    control::Control,
    made::ProofKey,
    metrics::{self, Metrics},
    queue::Queues,
    time::millis,
    traces::Kind,
    verification::Verification,
    worker::{
        Proved, WorkerEvent, WorkerMode,
        course::{self, Course},
        health::Health,
        lane::Job,
        output,
    },
};

/// Generations of a job that are tried.
const TRIES: u32 = 3;
/// Jobs that are in the fleet at least, however few provers it has.
const LEAST: u64 = 4;
/// Without news of a job for so long, it is asked for again; if the fleet has it, that is nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// When the fleet is asked again that did not answer.
const AGAIN: Duration = Duration::from_secs(2);

/// Hands jobs to a fleet. The rest waits in the clients' queue, where their turns are kept.
pub(crate) struct Sender {
    fleet: Fleet,
    jobs: Arc<Queues<Job>>,
    verification: Arc<Verification>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    release: Release,
}

/// A proof that somebody waits for.
struct Wish<'a> {
    order: Order,
    /// The stage that begins with what was brought.
    first: WorkerMode,
    proof: ProofKey,
    /// The stage that it comes of.
    last: WorkerMode,
    audience: &'a Audience,
}

/// Why a try came to nothing.
enum Failed {
    /// That is the answer.
    Finally(ServerError),
    /// The next generation may do better.
    Try(ServerError),
}

impl From<FleetError> for Failed {
    fn from(error: FleetError) -> Self {
        let wait = millis(AGAIN);
        Self::Finally(match error.passes() {
            true => ServerError::retryable(ErrorCode::Busy, error.to_string(), wait),
            false => ServerError::new(ErrorCode::Internal, error.to_string()),
        })
    }
}

impl Sender {
    pub(crate) fn new(
        fleet: Fleet,
        jobs: Arc<Queues<Job>>,
        verification: Arc<Verification>,
        (health, metrics): (Arc<Health>, Arc<Metrics>),
        development: bool,
    ) -> Self {
        Self { fleet, jobs, verification, health, metrics, release: order::release(development) }
    }

    /// Hands on until told to end. What the fleet has then is waited for until it is to stop.
    pub(crate) async fn run(self: Arc<Self>, control: Control) {
        let mut asked = JoinSet::new();
        loop {
            let window = tokio::select! {
                () = control.ending() => break,
                window = self.window() => window,
            };
            let has_room = (asked.len() as u64) < window;
            tokio::select! {
                () = control.ending() => break,
                job = self.jobs.next(), if has_room => {
                    let this = self.clone();
                    asked.spawn(async move { this.serve(job).await });
                }
                Some(_) = asked.join_next() => {}
                // Provers come and go.
                () = tokio::time::sleep(AGAIN), if !has_room => {}
            }
        }
        tokio::select! {
            () = control.stop.cancelled() => {}
            () = async { while asked.join_next().await.is_some() {} } => {}
        }
    }

    /// How many jobs of this entrypoint may be in the fleet: as many again as its provers can be at.
    async fn window(&self) -> u64 {
        let mut provers = 0;
        for line in self.lines() {
            // Not to know is to assume few.
            let depth = self.fleet.queue.depth(&line).await.unwrap_or_default();
            provers = provers.max(depth.idle + depth.running);
        }
        LEAST.max(2 * provers)
    }

    fn lines(&self) -> Vec<Line> {
        order::lines(&stages::ALL, &Lane::ALL, &self.release)
    }

    async fn serve(&self, job: Job) {
        let Job { course, audience, queued, waiting, mut reply } = job;
        waiting.end("ok");
        self.metrics.waited("proving", queued.elapsed());
        let _running = self.health.begin();
        let outcome = tokio::select! {
            outcome = self.prove(&course, &audience) => outcome,
            // Nobody waits: with the interest goes the work.
            () = reply.closed() => return,
        };
        // Nobody there to hear it is the same as given up.
        let _ = reply.send(outcome);
    }

    async fn prove(&self, course: &Course, audience: &Audience) -> course::Outcome {
        let (Some(proof), Some(last)) = (course.making, course.stages.last()) else {
            return Err(ServerError::new(ErrorCode::Internal, "a job that makes no proof"));
        };
        let order = Order::of(&proof, course.request.clone());
        let wish = Wish { order, first: course.stages[0], proof, last: *last, audience };
        let (mut generation, mut failed) = (0, None);
        for _ in 0..TRIES {
            match self.generation(&wish, &mut generation).await {
                Ok(made) => return Ok(WorkerEvent::Proved(made.into())),
                Err(Failed::Finally(error)) => return Err(error),
                Err(Failed::Try(error)) => {
                    tracing::warn!(job = %proof.job(), %error, "the job is asked for again");
                    self.metrics.stage_again(wish.first.as_str());
                    failed = Some(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| ServerError::new(ErrorCode::Internal, "nothing was tried")))
    }

    /// One try at a job as a whole, from its first stage that is not made yet; at least the `generation` that is given, which
    /// is the next one then.
    async fn generation(&self, wish: &Wish<'_>, generation: &mut u32) -> Result<Proved, Failed> {
        let (queue, job) = (&self.fleet.queue, wish.proof.job());
        let _interest = queue.interest(job).await?;
        match queue.outcome(job).await? {
            Some(Outcome { result: Ok(object), generation: made_in, .. }) => {
                match self.believe(&object, wish).await {
                    Err(Failed::Try(_)) => *generation = made_in.saturating_add(1).max(*generation),
                    made => return made.map(|made| Proved { proving_ms: 0, ..made }),
                }
            }
            Some(failed) => *generation = failed.generation.saturating_add(1).max(*generation),
            None => {}
        }
        let this = *generation;
        *generation = this.saturating_add(1);
        let mut watch = queue.watch(job, this).await?;
        let place = (&self.release, &*self.fleet.store);
        let mut message = order::first(&wish.order, wish.first, this, place).await?;
        // Whoever does it, and whatever comes of it, adds to the trace of who asked first.
        message.traceparent = wish.audience.trace().traceparent().unwrap_or_default();
        queue.submit(&message).await?;
        wish.audience.send(Progress::Queued { position: 0 });
        loop {
            match timeout(SILENCE, watch.next()).await {
                Ok(Some(Event::Progress(step))) => wish.audience.send(step),
                Ok(Some(Event::Over(outcome))) => {
                    return match &outcome.result {
                        Ok(object) => self.believe(object, wish).await,
                        Err(error) if error.retry_after_ms > 0 => {
                            self.judge(&outcome, wish).await?;
                            Err(Failed::Try(error.clone()))
                        }
                        Err(error) => Err(Failed::Finally(error.clone())),
                    };
                }
                Ok(None) => return Err(FleetError::Unreachable("its queue is gone".into()).into()),
                Err(_) => self.look_for(&message).await?,
            }
        }
    }

    /// Asks once more for a job that nothing was heard of: if the fleet has it, that is nothing. Where the fleet has nothing
    /// to do at all, it has lost the job, be it in a later stage.
    async fn look_for(&self, message: &StageMessage) -> Result<(), Failed> {
        let submitted = self.fleet.queue.submit(message).await?;
        let mut there = 0;
        for line in self.lines() {
            let depth = self.fleet.queue.depth(&line).await?;
            there += depth.waiting + depth.running;
        }
        if submitted == Submitted::Known && there == 0 {
            return Err(Failed::Try(again("the fleet has lost the job".into())));
        }
        Ok(())
    }

    /// The proof that came of a job, if it is one, and of what was asked for. What is not is taken away.
    async fn believe(&self, object: &ObjectRef, wish: &Wish<'_>) -> Result<Proved, Failed> {
        let (refused, maker) = match self.fleet.store.get(object).await? {
            None => ("it is gone, or damaged".into(), None),
            Some(bytes) => match self.verify(wish, wish.last, bytes.clone()).await? {
                Ok(made) => return Ok(made),
                Err(reason) => (reason, output::maker(bytes)),
            },
        };
        tracing::error!(%object.name, refused, "the fleet's proof is none");
        self.fleet.store.remove(&object.name).await?;
        self.fleet.queue.forget(wish.proof.job()).await?;
        self.shut_out(maker, &refused).await?;
        Err(Failed::Try(again(format!("the fleet's proof is none: {refused}"))))
    }

    /// Decides who is wrong where a stage has refused what was made before it: the one who made it, or the one who refused.
    async fn judge(&self, outcome: &Outcome, wish: &Wish<'_>) -> Result<(), Failed> {
        let Some(Accusation { object }) = Accusation::of(outcome) else { return Ok(()) };
        if object.name != order::compressed(&wish.proof) {
            return Ok(());
        }
        // Another entrypoint may have been faster.
        let Some(bytes) = self.fleet.store.get(&object).await? else { return Ok(()) };
        match self.verify(wish, WorkerMode::Compressed, bytes.clone()).await? {
            Ok(_) => self.shut_out(Some(outcome.worker.clone()), "it refused a proof that holds").await,
            Err(reason) => {
                self.fleet.store.remove(&object.name).await?;
                self.shut_out(output::maker(bytes), &reason).await
            }
        }
    }

    /// What `stage` has made, or what is wrong with it.
    async fn verify(
        &self,
        wish: &Wish<'_>,
        stage: WorkerMode,
        bytes: Bytes,
    ) -> Result<Result<Proved, String>, Failed> {
        let made = match output::decode(&wish.proof, stage, bytes) {
            Ok(made) => made,
            Err(reason) => return Ok(Err(reason)),
        };
        let span = wish.audience.trace().span("verify", Kind::Internal);
        let verified = self.verification.verify_made(encoding::encode(&made.proof).into()).await;
        span.end(match &verified {
            Ok(Ok(())) => "ok",
            Ok(Err(_)) => metrics::outcome(Some(ErrorCode::InvalidProof)),
            Err(error) => metrics::outcome(Some(error.code)),
        });
        Ok(verified.map_err(Failed::Finally)?.map(|()| made))
    }

    /// A machine that makes what is false, or refuses what is true, takes nothing more until somebody lets it.
    async fn shut_out(&self, worker: Option<Worker>, reason: &str) -> Result<(), Failed> {
        let Some(machine) = worker.map(|worker| worker.machine()) else { return Ok(()) };
        tracing::error!(%machine, reason, "shut out of the fleet, until an operator lets it in again");
        let pause = Pause { reason: reason.into(), ..Pause::now(Paused::Worker(machine), 0) };
        Ok(self.fleet.queue.pause(&pause).await?)
    }
}

fn again(message: String) -> ServerError {
    ServerError::retryable(ErrorCode::ProverFailed, message, millis(AGAIN))
}
