//! A job's way through its stages, one worker after the other.
//!
//! What a stage has made is kept before the next one begins, so that whatever ends a stage costs that stage: a worker that
//! dies, a client that gives up, a server that is restarted. A stage that goes on with what is there is tried again when its
//! worker dies; the first stage is not, since there is nothing to lose, and its client hears of it and decides.

use sextant_protocol::{ErrorCode, ServerError};

use super::{
    Proved, WorkerEvent, WorkerMode, WorkerRequest,
    crew::Crew,
    kept::Kept,
    station::{Cause, Failed, Station},
};
use crate::{
    audience::Audience,
    made::ProofKey,
    metrics::{self, Work},
    traces::Kind,
};

/// How often a stage is tried that goes on with what is there.
const TRIES: u32 = 3;

/// What workers make of a job: the last event.
pub(crate) type Outcome = Result<WorkerEvent, ServerError>;

/// What is to be done for a job.
pub(crate) struct Course {
    /// The workers it needs, one after the other.
    pub(crate) stages: &'static [WorkerMode],
    /// What the first of them is asked.
    pub(crate) request: WorkerRequest,
    /// The proof that comes of it, if one does.
    pub(crate) making: Option<ProofKey>,
    /// What it counts as.
    pub(crate) work: Work,
    /// Names the job's content, to tell a job that kills workers from workers that die.
    pub(crate) digest: [u8; 32],
}

/// Who does it.
struct Hands<'a> {
    station: &'a Station,
    crew: &'a mut Crew,
    audience: &'a Audience,
}

impl Course {
    /// Takes a job to its end, beginning behind the last stage of which something is kept. Cancelled by being dropped: the
    /// worker that is at it is dead then.
    pub(super) async fn run(
        &self,
        station: &Station,
        kept: Option<&Kept>,
        crew: &mut Crew,
        audience: &Audience,
    ) -> Outcome {
        let kept = kept.zip(self.making.as_ref()).map(|(kept, proof)| Of { kept, proof });
        let mut hands = Hands { station, crew, audience };
        // Stages whose kept outputs are of no use.
        let mut refused = Vec::new();
        loop {
            let Some((next, made)) = self.made_before(kept, &refused).await else {
                let outcome = self.go_on(&mut hands, kept, (0, &self.request)).await;
                return outcome.map_err(|(_, failed)| failed.error);
            };
            if next == self.stages.len() {
                return Ok(WorkerEvent::Proved(made.into()));
            }
            match self.go_on(&mut hands, kept, (next, &WorkerRequest::Continue(made.into()))).await {
                Ok(event) => return Ok(event),
                // The stage that needs what was kept says that it is of no use.
                Err((at, Failed { cause: Cause::Said, error })) if at == next => {
                    let stage = self.stages[next - 1];
                    tracing::warn!(stage = stage.as_str(), %error, "what was kept is made again");
                    forget(kept, stage).await;
                    refused.push(stage);
                }
                Err((_, failed)) => return Err(failed.error),
            }
        }
    }

    /// The last stage's output that is kept, and the number of the stage that comes next. What it took counts for whoever
    /// asked for it then.
    async fn made_before(&self, kept: Option<Of<'_>>, refused: &[WorkerMode]) -> Option<(usize, Proved)> {
        let Of { kept, proof } = kept?;
        for (number, stage) in
            self.stages.iter().enumerate().rev().filter(|(_, stage)| !refused.contains(stage))
        {
            if let Some(made) = kept.find(proof, *stage).await {
                tracing::info!(stage = stage.as_str(), "made before, and kept");
                return Some((number + 1, Proved { proving_ms: 0, ..made }));
            }
        }
        None
    }

    /// The stages from one on; the number of the one that failed.
    async fn go_on(
        &self,
        hands: &mut Hands<'_>,
        kept: Option<Of<'_>>,
        (first, request): (usize, &WorkerRequest),
    ) -> Result<WorkerEvent, (usize, Failed)> {
        let mut made: Option<WorkerRequest> = None;
        for (number, stage) in self.stages.iter().enumerate().skip(first) {
            let request = made.as_ref().unwrap_or(request);
            let event = self.persist(hands, *stage, request).await.map_err(|failed| (number, failed))?;
            let WorkerEvent::Proved(proved) = event else { return Ok(event) };
            if let Some(Of { kept, proof }) = kept {
                kept.keep(proof, *stage, &proved).await;
            }
            if number + 1 == self.stages.len() {
                if self.stages.contains(&WorkerMode::Wrap) {
                    // It is in the finished proof now.
                    forget(kept, WorkerMode::Wrap).await;
                }
                return Ok(WorkerEvent::Proved(proved));
            }
            made = Some(WorkerRequest::Continue(proved));
        }
        let error = ServerError::new(ErrorCode::Internal, "a job without stages");
        Err((first, Failed { error, cause: Cause::Hopeless }))
    }

    /// Does one stage, and again if that may help.
    async fn persist(
        &self,
        Hands { station, crew, audience }: &mut Hands<'_>,
        mode: WorkerMode,
        request: &WorkerRequest,
    ) -> Result<WorkerEvent, Failed> {
        let job = (self.digest, self.work);
        let steps = |step| audience.send(step);
        let tries = if matches!(request, WorkerRequest::Continue(_)) { TRIES } else { 1 };
        let mut attempt = async |number: u32| {
            let span = audience.trace().span(mode.as_str(), Kind::Internal);
            span.set("sextant.delivery", number);
            let outcome = station.work(crew, mode, request, job, &steps).await;
            span.end(metrics::outcome(outcome.as_ref().err().map(|failed| failed.error.code)));
            outcome
        };
        for number in 1..tries {
            match attempt(number).await {
                Err(Failed { cause: Cause::Died | Cause::NotStarted, error }) => {
                    tracing::warn!(lane = station.name, mode = mode.as_str(), %error, "the stage is tried again");
                    station.metrics.stage_again(mode.as_str());
                }
                outcome => return outcome,
            }
        }
        attempt(tries).await
    }
}

/// What is kept of one proof in the making.
#[derive(Clone, Copy)]
struct Of<'a> {
    kept: &'a Kept,
    proof: &'a ProofKey,
}

async fn forget(kept: Option<Of<'_>>, stage: WorkerMode) {
    if let Some(Of { kept, proof }) = kept {
        kept.forget(proof, stage).await;
    }
}
