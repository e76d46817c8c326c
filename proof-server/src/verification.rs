//! Verification: a lane of its own, so that it never waits for proving, and a process of its own, because a stranger's
//! proof goes through a decoder and a verifier that were not written for strangers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::public_values::Statement;
use sextant_protocol::{ErrorCode, ProofKind, ServerError, proof::ProofView};
use sextant_verifier::rules::proven_by;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::{
    access::Identity,
    audience::Audience,
    blocking::blocking,
    budget::Budgets,
    errors::shutting_down,
    metrics::Work,
    pace::Pace,
    programs,
    queue::{NoPlace, QueueLimits, Queues},
    traces::{Span, Trace},
    worker::{WorkerEvent, WorkerMode, WorkerRequest, course::Course, lane::Job},
};

/// Verifies proofs in the verification lane, which has two queues, served in turn.
pub(crate) struct Verification {
    queues: Arc<Queues<Job>>,
    pace: Pace,
    budgets: Arc<Budgets>,
    /// When the lane was done with what it was at last.
    done: Mutex<Instant>,
}

/// Tries to get a proof verified when the verifier itself fails.
const VERIFICATIONS: u32 = 5;

/// The queue of what clients bring.
const STRANGERS: usize = 0;
/// The queue of what others have made for this server: a proof that is there already must not be lost because others wait.
const OWN: usize = 1;

impl Verification {
    /// The lane's queues, that of clients with `limits`. The other one needs none: what is in it is waited for, and
    /// those who wait are counted.
    pub(crate) fn queues(limits: QueueLimits, budgets: Arc<Budgets>) -> Arc<Queues<Job>> {
        Queues::new([limits, QueueLimits::NONE], budgets)
    }

    /// Verifies what is in `queues`. What false proofs cost is charged to `budgets`.
    pub(crate) fn new(queues: Arc<Queues<Job>>, budgets: Arc<Budgets>) -> Self {
        let pace = Pace::default();
        // Verifying takes parts of a second; nothing was measured yet.
        for _ in 0..32 {
            pace.note(Duration::from_millis(200));
        }
        Self { queues, pace, budgets, done: Mutex::new(Instant::now()) }
    }

    /// Verifies an encoded proof record against the pinned programs, in the turn of `identity`.
    pub(crate) async fn verify(
        self: &Arc<Self>,
        record: Bytes,
        identity: &Identity,
    ) -> Result<(), ServerError> {
        self.budgets.may_check(identity)?;
        self.verify_in(STRANGERS, record, identity.clone()).await
    }

    /// Verifies a proof that this server has asked for: it finds a place, however many wait.
    async fn verify_own(self: &Arc<Self>, record: Bytes) -> Result<(), ServerError> {
        self.verify_in(OWN, record, Identity::this_server()).await
    }

    /// Verifies a proof that others have made for this server; not at once where the verifier itself fails. The inner answer
    /// says what is wrong with the proof.
    ///
    /// # Errors
    /// It could not be verified.
    pub(crate) async fn verify_made(
        self: &Arc<Self>,
        record: Bytes,
    ) -> Result<Result<(), String>, ServerError> {
        for attempt in 1.. {
            match self.verify_own(record.clone()).await {
                Ok(()) => return Ok(Ok(())),
                Err(error) if matches!(error.code, ErrorCode::InvalidProof | ErrorCode::Unsupported) => {
                    return Ok(Err(error.message));
                }
                Err(error) if attempt == VERIFICATIONS => return Err(error),
                Err(error) => {
                    let pause = Duration::from_millis(error.retry_after_ms.clamp(100, 5_000));
                    tokio::time::sleep(pause).await;
                }
            }
        }
        unreachable!("the loop returns")
    }

    async fn verify_in(
        self: &Arc<Self>,
        queue: usize,
        record: Bytes,
        identity: Identity,
    ) -> Result<(), ServerError> {
        let looked_at = record.clone();
        let digest = blocking(move || {
            check_cheaply(&view(&looked_at)?)?;
            Ok(Sha256::digest(&looked_at).into())
        })
        .await??;
        let (reply, outcome) = oneshot::channel();
        let queued = Instant::now();
        let job = Job {
            course: Course {
                stages: &[WorkerMode::Verify],
                request: WorkerRequest::Verify { record },
                making: None,
                // What it is is known when it is decoded, in the worker.
                work: Work::default(),
                digest,
            },
            // The protocol has no steps for verification.
            audience: Audience::new(identity.clone(), Trace::default()),
            queued,
            waiting: Span::default(),
            reply,
        };
        // Who gives up takes it out of the queue again. What the worker is at goes on: to kill that would cost others the
        // start of a worker, and whoever brought it nothing.
        let _ticket = self.queues.push(queue, job).map_err(|reason| self.no_place(reason))?;
        let this = self.clone();
        let charged = tokio::spawn(async move {
            let outcome = outcome.await.map_err(|_| shutting_down())?;
            match &outcome {
                Err(error) if error.code == ErrorCode::InvalidProof => {
                    this.budgets.check_failed(&identity, this.took(queued));
                }
                // It never got there.
                Err(error) if error.code == ErrorCode::Busy => {}
                _ => drop(this.took(queued)),
            }
            outcome
        });
        match charged.await.map_err(|_| shutting_down())?? {
            WorkerEvent::Verified => {
                self.pace.note(queued.elapsed() / u32::try_from(self.queues.total() + 1).unwrap_or(1));
                Ok(())
            }
            _ => Err(ServerError::new(ErrorCode::Internal, "the worker answered something else")),
        }
    }

    /// How long the lane was at a job that is done now: one after the other, so since it was done with the one before, or
    /// since this one came.
    fn took(&self, queued: Instant) -> Duration {
        let now = Instant::now();
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *done, now);
        now.saturating_duration_since(before.max(queued))
    }

    fn no_place(&self, reason: NoPlace) -> ServerError {
        let busy = |message: String| {
            let wait = self.pace.retry_after_ms(self.queues.total());
            ServerError::retryable(ErrorCode::Busy, message, wait)
        };
        match reason {
            NoPlace::Closed => shutting_down(),
            NoPlace::Full => busy("too many proofs wait for verification".into()),
            NoPlace::Share(own) => busy(format!("{own} of your proofs wait for verification already")),
        }
    }
}

/// An encoded record, looked at.
///
/// # Errors
/// It is none.
pub(crate) fn view(record: &[u8]) -> Result<ProofView<'_>, ServerError> {
    ProofView::of(record).map_err(|error| ServerError::new(ErrorCode::Malformed, error.to_string()))
}

/// What can be told without the worker, so that rubbish costs it nothing; the worker repeats it.
///
/// # Errors
/// What is wrong with the proof.
pub(crate) fn check_cheaply(proof: &ProofView<'_>) -> Result<(), ServerError> {
    let invalid = |reason: String| Err(ServerError::new(ErrorCode::InvalidProof, reason));
    let Some(program) = proof.program() else {
        return invalid(format!("unknown program tag {}", proof.program));
    };
    let prover = proven_by(proof.kind, program);
    if proof.vk_hash != programs::artifact(prover).vk_hash {
        return invalid(format!("the verifying key is not the pinned one of {prover}"));
    }
    if proof.kind == ProofKind::Plonk {
        let message = format!("{} proofs are not verified by this version", proof.kind);
        return Err(ServerError::new(ErrorCode::Unsupported, message));
    }
    if proof.circuit_version != CIRCUIT_VERSION {
        let got: String = proof.circuit_version.chars().take(32).collect();
        return invalid(format!("circuit version {got:?} is not {CIRCUIT_VERSION:?}"));
    }
    if let Err(error) = Statement::abi_decode(program, proof.public_values) {
        return invalid(error.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sextant_protocol::{ProofRecord, encoding, proof::Circuits};

    use super::*;

    /// A record that only the worker can tell from a proof.
    fn record() -> Bytes {
        let (_, program, input) = sextant_fixtures::statements().remove(0);
        let statement = sextant_consensus::check_with_hints(program, &input).unwrap().0;
        let record = ProofRecord {
            program: program.tag(),
            kind: ProofKind::Stark,
            circuits: Circuits::Release,
            circuit_version: CIRCUIT_VERSION.into(),
            vk_hash: programs::artifact(program).vk_hash,
            public_values: statement.abi_encode(),
            proof: vec![0; 100],
        };
        encoding::encode(&record).into()
    }

    async fn until(so: impl Fn() -> bool) {
        let limit = Instant::now() + Duration::from_secs(10);
        while !so() {
            assert!(Instant::now() < limit, "not within ten seconds");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Killing the worker over it would cost everybody else its start, again and again, and who does it nothing.
    #[tokio::test]
    async fn a_proof_that_is_given_up_is_verified_to_the_end_and_charged() {
        let budgets = Arc::new(Budgets::default());
        let queues = Verification::queues(QueueLimits::NONE, budgets.clone());
        let verification = Arc::new(Verification::new(queues.clone(), budgets.clone()));
        let identity = Identity::address([192, 0, 2, 1].into());
        let ask = || {
            let (verification, identity, record) = (verification.clone(), identity.clone(), record());
            tokio::spawn(async move { verification.verify(record, &identity).await })
        };

        let asked = ask();
        let job = queues.next().await;
        asked.abort();
        assert!(asked.await.is_err_and(|error| error.is_cancelled()));
        assert!(!job.reply.is_closed(), "the worker is not killed");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let refused = ServerError::new(ErrorCode::InvalidProof, "not a valid proof");
        assert!(job.reply.send(Err(refused)).is_ok());
        until(|| budgets.failed(&identity) >= Duration::from_millis(10)).await;

        // One that has not begun is taken out, and costs nothing.
        let charged = budgets.failed(&identity);
        let asked = ask();
        until(|| queues.total() == 1).await;
        asked.abort();
        until(|| queues.total() == 0).await;
        assert!(budgets.failed(&identity) <= charged);
    }
}
