//! Keeps a lane from starting workers that only fail: longer and longer pauses, then none started for a while.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Pause before a worker is started again: doubled with each failure, up to the last.
const PAUSES: std::ops::RangeInclusive<Duration> = Duration::from_millis(250)..=Duration::from_secs(4);
/// Failures in a row after which no worker is started for a while.
const LIMIT: u32 = 5;
/// How long then: doubled with each further failure, up to the last.
const OPEN: std::ops::RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_secs(300);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// The jobs that workers failed at. One that kills every worker is at fault itself: each counts once.
    jobs: HashSet<[u8; 32]>,
    open_until: Option<Instant>,
}

impl Breaker {
    /// How long no worker is started from now on; `None` if one may be.
    pub(crate) fn open_for(&self) -> Option<Duration> {
        let remaining = self.state().open_until?.saturating_duration_since(Instant::now());
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Pause before the next start.
    pub(crate) fn pause(&self) -> Duration {
        match self.state().failures {
            0 => Duration::ZERO,
            failures => doubled(PAUSES, failures - 1),
        }
    }

    /// A worker failed, at `job` if it had one. What a job did to it (took too much, or too long) is not its failure.
    pub(crate) fn failed(&self, job: Option<[u8; 32]>) {
        let mut state = self.state();
        if job.is_some_and(|job| !state.jobs.insert(job)) {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= LIMIT {
            let pause = doubled(OPEN, state.failures - LIMIT);
            state.open_until = Some(Instant::now() + pause);
            tracing::error!(
                failures = state.failures,
                seconds = pause.as_secs(),
                "workers only fail; none is started"
            );
        }
    }

    /// A worker did what it should.
    pub(crate) fn succeeded(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn doubled(range: std::ops::RangeInclusive<Duration>, times: u32) -> Duration {
    range.start().saturating_mul(1 << times.min(16)).min(*range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_then_the_breaker_opens() {
        let breaker = Breaker::default();
        assert_eq!((breaker.pause(), breaker.open_for()), (Duration::ZERO, None));
        for expected in [250, 500, 1000, 2000] {
            breaker.failed(None);
            assert_eq!((breaker.pause().as_millis(), breaker.open_for()), (expected, None));
        }
        breaker.failed(None);
        let open = breaker.open_for().unwrap();
        assert!((29..=30).contains(&open.as_secs()), "{open:?}");
        for _ in 0..40 {
            breaker.failed(None);
        }
        assert!(breaker.open_for().unwrap() <= Duration::from_secs(300));
        breaker.succeeded();
        assert_eq!((breaker.pause(), breaker.open_for()), (Duration::ZERO, None));
    }

    #[test]
    fn a_job_that_kills_every_worker_counts_once() {
        let breaker = Breaker::default();
        for _ in 0..100 {
            breaker.failed(Some([1; 32]));
        }
        assert_eq!((breaker.pause().as_millis(), breaker.open_for()), (250, None));
        // In turns with another one, too.
        for _ in 0..100 {
            breaker.failed(Some([2; 32]));
            breaker.failed(Some([1; 32]));
        }
        assert_eq!((breaker.pause().as_millis(), breaker.open_for()), (500, None));
    }
}
