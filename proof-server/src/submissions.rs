//! Jobs that go on without their clients: somebody here waits for each on behalf of whoever submitted it. And what the
//! names of jobs stand for, so that whoever comes back finds them.

use std::{
    collections::HashMap,
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;
use sextant_protocol::{ErrorCode, JobKey, ServerError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Identity,
    jobs::{JobId, Waiter},
};

/// How long it is known why a job failed.
pub(crate) const KEPT: Duration = Duration::from_secs(3600);
/// Names that are known at once; those that were heard of longest ago go first.
const NAMES: NonZero<usize> = NonZero::new(4096).unwrap();

/// All jobs that were submitted, by name.
pub(crate) struct Submissions {
    state: Mutex<State>,
}

struct State {
    /// Whoever has submitted a job that is not over, and what takes it back.
    open: HashMap<(JobKey, Identity), CancellationToken>,
    names: LruCache<JobKey, JobId>,
    failures: LruCache<JobKey, (ServerError, Instant)>,
}

impl Submissions {
    pub(crate) fn new() -> Arc<Self> {
        let state =
            State { open: HashMap::new(), names: LruCache::new(NAMES), failures: LruCache::new(NAMES) };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Notes what a name stands for.
    pub(crate) fn note(&self, key: JobId) {
        self.state().names.put(key.proof.job(), key);
    }

    /// What a name stands for, if it is known here.
    pub(crate) fn find(&self, job: JobKey) -> Option<JobId> {
        self.state().names.get(&job).copied()
    }

    /// Why there is neither a job of this name nor a proof.
    pub(crate) fn absence(&self, job: JobKey) -> ServerError {
        let State { names, failures, .. } = &mut *self.state();
        match failures.get(&job) {
            Some((error, at)) if at.elapsed() < KEPT => error.clone(),
            _ if names.contains(&job) => unknown("the outcome of this job is not kept any longer"),
            _ => unknown("no job of this name is known here"),
        }
    }

    /// Waits for a job on behalf of `client`, at most so long.
    pub(crate) fn wait(self: &Arc<Self>, job: JobKey, client: Identity, waiter: Waiter, limit: Duration) {
        let withdrawn = CancellationToken::new();
        {
            let mut state = self.state();
            state.failures.pop(&job);
            // Whoever asks twice waits once; the later deadline counts.
            let before = state.open.insert((job, client.clone()), withdrawn.clone());
            if let Some(before) = before {
                before.cancel();
            }
        }
        let this = self.clone();
        tokio::spawn(async move {
            let outcome = tokio::select! {
                outcome = timeout(limit, waiter.outcome()) => outcome.unwrap_or_else(|_| {
                    let message = format!("not done within {} ms", limit.as_millis());
                    Err(ServerError::new(ErrorCode::DeadlineExceeded, message))
                }),
                // The entry is somebody else's now, or gone.
                () = withdrawn.cancelled() => return,
            };
            let mut state = this.state();
            if let Err(error) = outcome {
                state.failures.put(job, (error, Instant::now()));
            }
            if !withdrawn.is_cancelled() {
                state.open.remove(&(job, client));
            }
        });
    }

    /// Takes a job back that `client` has submitted. It ends if nobody else waits for it.
    ///
    /// # Errors
    /// `UnknownJob` if there is none.
    pub(crate) fn withdraw(&self, job: JobKey, client: &Identity) -> Result<(), ServerError> {
        match self.state().open.remove(&(job, client.clone())) {
            Some(withdrawn) => {
                withdrawn.cancel();
                Ok(())
            }
            None => Err(unknown("you have no job of this name that is not over")),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(message: &str) -> ServerError {
    ServerError::new(ErrorCode::UnknownJob, message)
}
