//! Prove jobs and those who wait for them: the same request twice is one job.
//!
//! A job belongs to no connection. It lives as long as somebody waits for it: one who cancels, or runs out of time,
//! leaves at once; one whose connection broke is counted a little longer, so that whoever connects again finds the job
//! still there. With the last one the job ends, wherever it stands. Finished proofs are kept in the [`Cache`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use sextant_protocol::{ErrorCode, ServerError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Caller,
    audience::{Audience, ProgressSender},
    budget::OpenRequest,
    cache::{Cache, ProofKey},
};

/// What comes of a job: an encoded response.
pub(crate) type JobOutcome = Result<Bytes, ServerError>;

/// All jobs that are not finished, and the proofs that are.
pub(crate) struct Jobs {
    running: Mutex<HashMap<ProofKey, Arc<Running>>>,
    cache: Cache,
    /// How long a client that vanished is waited for.
    grace: Duration,
}

struct Running {
    key: ProofKey,
    audience: Arc<Audience>,
    outcome: watch::Receiver<Option<JobOutcome>>,
    given_up: CancellationToken,
}

/// How a request finds its proof.
pub(crate) enum Found {
    /// Made already.
    Cached(Bytes),
    /// Being made, and for others too.
    Shared(Waiter),
    /// Being made from now on.
    Started(Waiter),
}

/// One request that waits for a job. Dropping it leaves.
pub(crate) struct Waiter {
    jobs: Arc<Jobs>,
    running: Arc<Running>,
    number: u64,
    gone: CancellationToken,
    open: Option<OpenRequest>,
}

impl Jobs {
    pub(crate) fn new(cache: Cache, grace: Duration) -> Arc<Self> {
        Arc::new(Self { running: Mutex::default(), cache, grace })
    }

    /// The kept proofs.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Finds the proof for `key`, or the job that makes it, or starts one with what `start` returns for its audience.
    /// `open` is held while the caller waits.
    ///
    /// # Errors
    /// Those of `start`; nothing has happened then.
    pub(crate) fn find_or_start<F>(
        self: &Arc<Self>,
        key: ProofKey,
        caller: &Caller,
        progress: ProgressSender,
        open: OpenRequest,
        start: impl FnOnce(Arc<Audience>) -> Result<F, ServerError>,
    ) -> Result<Found, ServerError>
    where
        F: Future<Output = JobOutcome> + Send + 'static,
    {
        let mut jobs = self.running();
        let shared = jobs.get(&key).cloned();
        let started = shared.is_none();
        let running = match shared {
            Some(running) => running,
            None => {
                // Once more with the lock held: it may have been finished a moment ago.
                if let Some(response) = self.cache.recall(&key) {
                    return Ok(Found::Cached(response));
                }
                let audience = Audience::new(caller.identity.clone());
                let work = start(audience.clone())?;
                let (sender, outcome) = watch::channel(None);
                let running =
                    Arc::new(Running { key, audience, outcome, given_up: CancellationToken::new() });
                jobs.insert(key, running.clone());
                tokio::spawn(self.clone().run(running.clone(), work, sender));
                running
            }
        };
        let number = running.audience.join(caller.identity.clone(), progress);
        drop(jobs);
        let waiter =
            Waiter { jobs: self.clone(), running, number, gone: caller.gone.clone(), open: Some(open) };
        Ok(if started { Found::Started(waiter) } else { Found::Shared(waiter) })
    }

    /// Joins those who wait for a job that runs already; `None` if there is none. It takes nothing of the caller's share.
    pub(crate) fn join(
        self: &Arc<Self>,
        key: &ProofKey,
        caller: &Caller,
        progress: ProgressSender,
    ) -> Option<Waiter> {
        let jobs = self.running();
        let running = jobs.get(key)?.clone();
        let number = running.audience.join(caller.identity.clone(), progress);
        drop(jobs);
        Some(Waiter { jobs: self.clone(), running, number, gone: caller.gone.clone(), open: None })
    }

    async fn run(
        self: Arc<Self>,
        running: Arc<Running>,
        work: impl Future<Output = JobOutcome> + Send + 'static,
        sender: watch::Sender<Option<JobOutcome>>,
    ) {
        // A task of its own, so that a panic is an error like any other.
        let mut work = tokio::spawn(work);
        let outcome = tokio::select! {
            outcome = &mut work => outcome.unwrap_or_else(|error| {
                Err(ServerError::new(ErrorCode::Internal, format!("prove job: {error}")))
            }),
            () = running.given_up.cancelled() => {
                work.abort();
                Err(ServerError::new(ErrorCode::Cancelled, "cancelled"))
            }
        };
        if let Ok(response) = &outcome {
            // Before the job is forgotten: at any time it is either running or kept.
            self.cache.insert(running.key, response);
        }
        self.forget(&running);
        sender.send_replace(Some(outcome));
    }

    /// From here on the same request is a new job.
    fn forget(&self, running: &Arc<Running>) {
        let mut jobs = self.running();
        if jobs.get(&running.key).is_some_and(|current| Arc::ptr_eq(current, running)) {
            jobs.remove(&running.key);
        }
    }

    fn leave(&self, running: &Arc<Running>, number: u64) {
        // Under the lock, so that nobody joins a job that is being given up.
        let mut jobs = self.running();
        if running.audience.leave(number) {
            if jobs.get(&running.key).is_some_and(|current| Arc::ptr_eq(current, running)) {
                jobs.remove(&running.key);
            }
            drop(jobs);
            running.given_up.cancel();
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ProofKey, Arc<Running>>> {
        // Nothing panics while it holds the lock, and the map is consistent between any two statements.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// What came of the job.
    pub(crate) async fn outcome(&mut self) -> JobOutcome {
        let mut outcome = self.running.outcome.clone();
        let ended = || ServerError::retryable(ErrorCode::Internal, "the job was lost", 1_000);
        // The sender is dropped only with the runtime.
        let outcome = outcome.wait_for(Option::is_some).await.map_err(|_| ended())?;
        outcome.clone().ok_or_else(ended)?
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let (jobs, running, number) = (self.jobs.clone(), self.running.clone(), self.number);
        let finished = running.outcome.borrow().is_some();
        let vanished = self.gone.is_cancelled() && !jobs.grace.is_zero() && !finished;
        match (vanished, tokio::runtime::Handle::try_current()) {
            (true, Ok(runtime)) => {
                // The request still counts as open: vanishing is no way to get more of the prover.
                let open = self.open.take();
                runtime.spawn(async move {
                    let mut outcome = running.outcome.clone();
                    tokio::select! {
                        () = tokio::time::sleep(jobs.grace) => {}
                        _ = outcome.wait_for(Option::is_some) => {}
                    }
                    drop(open);
                    jobs.leave(&running, number);
                });
            }
            _ => jobs.leave(&running, number),
        }
    }
}
