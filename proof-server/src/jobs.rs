//! Prove jobs and those who wait for them: whoever wants the same proof waits for the same job.
//!
//! A job belongs to nobody. Each of those who wait was let in and pays by themselves, before they joined, and nothing
//! that concerns one of them reaches the others: a job fails for reasons of its own. It lives as long as somebody waits
//! for it: one who cancels, or runs out of time, leaves at once; one whose connection broke is counted a little longer,
//! so that whoever connects again finds the job still there. With the last one the job ends, wherever it stands.
//! Finished proofs are kept in the [`Cache`].

use std::{
    collections::HashMap,
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;
use sextant_protocol::{ErrorCode, Progress, ProofAnswer, ServerError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Caller,
    audience::{Audience, ProgressSender},
    budget::{OpenRequest, Reservation},
    cache::Cache,
    history::History,
    made::ProofKey,
    traces::Trace,
};

/// What comes of a job.
pub(crate) type JobOutcome = Result<ProofAnswer, ServerError>;

/// How many jobs are remembered that this server cannot do, and for how long.
const HOPELESS: (NonZero<usize>, Duration) = (NonZero::new(256).unwrap(), Duration::from_secs(3600));

/// All jobs that are not finished, and the proofs that are.
pub(crate) struct Jobs {
    running: Mutex<HashMap<JobId, Arc<Running>>>,
    /// Those that would fail again, with the reason, and until when they are refused for it.
    hopeless: Mutex<LruCache<ProofKey, (ServerError, Instant)>>,
    cache: Arc<Cache>,
    history: History,
    /// How long a client that vanished is waited for.
    grace: Duration,
}

/// What makes two requests one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct JobId {
    pub(crate) proof: ProofKey,
    /// Servers that the request has passed through, where it will be passed on: how far it may still go is not the same
    /// for all, and a request that comes back to this server must not wait for itself.
    pub(crate) hops: u32,
}

struct Running {
    key: JobId,
    since: Instant,
    audience: Arc<Audience>,
    outcome: watch::Receiver<Option<JobOutcome>>,
    given_up: CancellationToken,
}

/// A request that is about to wait: its client, and what it holds as long as it waits.
pub(crate) struct Entrant<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) progress: ProgressSender,
    /// None where it waits for the sake of another job, for which those who wait have paid.
    pub(crate) held: Option<(OpenRequest, Reservation)>,
    /// Where a job that it starts belongs.
    pub(crate) trace: Trace,
}

/// A job as its server's operator sees it.
pub(crate) struct OpenJob {
    pub(crate) key: ProofKey,
    pub(crate) step: Option<Progress>,
    /// How many wait for it.
    pub(crate) clients: usize,
    pub(crate) since: Instant,
}

/// How a request finds its proof.
pub(crate) enum Found {
    /// Made already.
    Cached(ProofAnswer),
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
    held: Option<(OpenRequest, Reservation)>,
}

impl Jobs {
    pub(crate) fn new(cache: Arc<Cache>, grace: Duration) -> Arc<Self> {
        let hopeless = Mutex::new(LruCache::new(HOPELESS.0));
        Arc::new(Self { running: Mutex::default(), hopeless, cache, history: History::default(), grace })
    }

    /// The kept proofs.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// What became of those that are over.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Those that are not over.
    pub(crate) fn open(&self) -> Vec<OpenJob> {
        let seen = |running: &Arc<Running>| {
            let (step, clients) = running.audience.glance();
            OpenJob { key: running.key.proof, step, clients, since: running.since }
        };
        self.running().values().map(seen).collect()
    }

    /// Finds the proof for `key`, or the job that makes it, or starts one with what `start` returns for its audience.
    /// `may_join` says whether this client may wait for one job more.
    ///
    /// # Errors
    /// Those of `may_join` and `start`, and that of a job that this server has found it cannot do; nothing has happened
    /// then.
    pub(crate) fn find_or_start<F>(
        self: &Arc<Self>,
        key: JobId,
        entrant: Entrant<'_>,
        may_join: impl FnOnce() -> Result<(), ServerError>,
        start: impl FnOnce(Arc<Audience>) -> Result<F, ServerError>,
    ) -> Result<Found, ServerError>
    where
        F: Future<Output = JobOutcome> + Send + 'static,
    {
        let Entrant { caller, progress, held, trace } = entrant;
        let mut jobs = self.running();
        let shared = jobs.get(&key).cloned();
        let started = shared.is_none();
        let running = match shared {
            Some(running) => {
                // Who waits for it already comes back, or asks twice.
                if !running.audience.identities().contains(&caller.identity) {
                    may_join()?;
                }
                running
            }
            None => {
                // Once more with the lock held: it may have been finished a moment ago.
                if let Some(answer) = self.cache.recall(&key.proof.job()) {
                    return Ok(Found::Cached(answer));
                }
                self.hope_for(&key.proof)?;
                let audience = Audience::new(caller.identity.clone(), trace);
                let work = start(audience.clone())?;
                let (sender, outcome) = watch::channel(None);
                let given_up = CancellationToken::new();
                let running = Arc::new(Running { key, since: Instant::now(), audience, outcome, given_up });
                jobs.insert(key, running.clone());
                tokio::spawn(self.clone().run(running.clone(), work, sender));
                running
            }
        };
        let number = running.audience.join(caller.identity.clone(), progress);
        drop(jobs);
        let waiter = Waiter { jobs: self.clone(), running, number, gone: caller.gone.clone(), held };
        Ok(if started { Found::Started(waiter) } else { Found::Shared(waiter) })
    }

    /// Joins those who wait for a job that runs already; `None` if there is none. It takes nothing of the caller's share:
    /// whoever has asked for the job has paid.
    pub(crate) fn join(
        self: &Arc<Self>,
        key: &JobId,
        caller: &Caller,
        progress: ProgressSender,
    ) -> Option<Waiter> {
        let jobs = self.running();
        let running = jobs.get(key)?.clone();
        let number = running.audience.join(caller.identity.clone(), progress);
        drop(jobs);
        Some(Waiter { jobs: self.clone(), running, number, gone: caller.gone.clone(), held: None })
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
        let key = running.key.proof;
        self.history.note(key, &outcome);
        match &outcome {
            // Before the job is forgotten: at any time it is either running or kept.
            Ok(answer) => self.cache.insert(key.job(), answer),
            Err(error) if error.code == ErrorCode::ProverFailed && error.retry_after_ms == 0 => {
                self.hopeless().put(key, (error.clone(), Instant::now() + HOPELESS.1));
            }
            Err(_) => {}
        }
        self.forget(&running);
        sender.send_replace(Some(outcome));
    }

    /// Refuses what has failed here lately in a way that would only repeat itself.
    fn hope_for(&self, key: &ProofKey) -> Result<(), ServerError> {
        match self.hopeless().get(key) {
            Some((error, until)) if Instant::now() < *until => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// From here on the same request is a new job.
    fn forget(&self, running: &Arc<Running>) {
        let mut jobs = self.running();
        if jobs.get(&running.key).is_some_and(|current| Arc::ptr_eq(current, running)) {
            jobs.remove(&running.key);
        }
    }

    /// One who waits goes, and settles what it holds.
    fn leave(&self, running: &Arc<Running>, number: u64, held: Option<(OpenRequest, Reservation)>) {
        // Both as it was before: with the last one the job ends.
        let (counts, underway) = (running.counts(), !running.finished() && running.audience.work_begun());
        let last = self.leave_audience(running, number);
        let Some((open, reserved)) = held else { return };
        if counts {
            reserved.commit();
        }
        if last && underway {
            open.gave_up();
        }
    }

    /// True if nobody is left.
    fn leave_audience(&self, running: &Arc<Running>, number: u64) -> bool {
        // Under the lock, so that nobody joins a job that is being given up.
        let mut jobs = self.running();
        let last = running.audience.leave(number);
        if last {
            if jobs.get(&running.key).is_some_and(|current| Arc::ptr_eq(current, running)) {
                jobs.remove(&running.key);
            }
            drop(jobs);
            running.given_up.cancel();
        }
        last
    }

    fn running(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Running>>> {
        // Nothing panics while it holds the lock, and the map is consistent between any two statements.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hopeless(&self) -> MutexGuard<'_, LruCache<ProofKey, (ServerError, Instant)>> {
        // Nothing panics while it holds the lock.
        self.hopeless.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Whether the job is done, well or not.
    fn finished(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    /// Whether the proof counts against the hour of one who waits no longer: if it was made, or if a prover was at it
    /// for one who then gave it up.
    fn counts(&self) -> bool {
        self.outcome.borrow().as_ref().map_or_else(|| self.audience.work_begun(), Result::is_ok)
    }
}

impl Waiter {
    /// Where what is done for the job belongs.
    pub(crate) fn trace(&self) -> &Trace {
        self.running.audience.trace()
    }

    /// What came of the job.
    pub(crate) async fn outcome(&self) -> JobOutcome {
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
        let held = self.held.take();
        let vanished = self.gone.is_cancelled() && !jobs.grace.is_zero() && !running.finished();
        match (vanished, tokio::runtime::Handle::try_current()) {
            (true, Ok(runtime)) => {
                // The request still counts as open: vanishing is no way to get more of the prover.
                runtime.spawn(async move {
                    let mut outcome = running.outcome.clone();
                    tokio::select! {
                        () = tokio::time::sleep(jobs.grace) => {}
                        _ = outcome.wait_for(Option::is_some) => {}
                    }
                    jobs.leave(&running, number, held);
                });
            }
            _ => jobs.leave(&running, number, held),
        }
    }
}

#[cfg(test)]
mod tests;
