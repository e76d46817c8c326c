//! What became of the last jobs: for whoever operates the server. It is not kept over a restart.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sextant_protocol::{ErrorCode, ProofAnswer, ServerError};

use crate::made::ProofKey;

/// How far back it reaches.
const SPAN: Duration = Duration::from_secs(3600);
/// Jobs that are remembered within it.
const MOST: usize = 4096;
/// Failures that are remembered, however long ago.
const FAILURES: usize = 16;

/// The last jobs.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ends: VecDeque<End>,
    failures: VecDeque<Failure>,
}

#[derive(Debug)]
struct End {
    at: Instant,
    /// Time in the prover, if a proof was made.
    made: Option<Duration>,
}

/// A job that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) key: ProofKey,
    pub(crate) at: Instant,
    pub(crate) error: ServerError,
}

/// What the last hour was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) made: usize,
    pub(crate) failed: usize,
    /// Time in the prover that a proof took on average.
    pub(crate) mean: Duration,
}

impl History {
    /// A job has ended. One that its clients gave up is no failure.
    pub(crate) fn note(&self, key: ProofKey, outcome: &Result<ProofAnswer, ServerError>) {
        let (mut state, at) = (self.state(), Instant::now());
        let made = match outcome {
            Ok(answer) => Some(Duration::from_millis(answer.cost.proving_ms)),
            Err(error) if matches!(error.code, ErrorCode::Cancelled | ErrorCode::ShuttingDown) => return,
            Err(error) => {
                push(&mut state.failures, FAILURES, Failure { key, at, error: error.clone() });
                None
            }
        };
        push(&mut state.ends, MOST, End { at, made });
    }

    /// The last failures, the latest first.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        self.state().failures.iter().rev().cloned().collect()
    }

    /// What the last hour was like.
    pub(crate) fn rates(&self) -> Rates {
        self.rates_at(Instant::now())
    }

    fn rates_at(&self, now: Instant) -> Rates {
        let mut state = self.state();
        state.ends.retain(|end| now.duration_since(end.at) < SPAN);
        let made: Vec<Duration> = state.ends.iter().filter_map(|end| end.made).collect();
        let mean = made.iter().sum::<Duration>() / u32::try_from(made.len().max(1)).unwrap_or(u32::MAX);
        Rates { made: made.len(), failed: state.ends.len() - made.len(), mean }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<T>(list: &mut VecDeque<T>, most: usize, entry: T) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(entry);
}

#[cfg(test)]
mod tests {
    use sextant_protocol::ProofKind;

    use super::*;

    const KEY: ProofKey = ProofKey { vk_hash: [1; 32], statement: [2; 32], kind: ProofKind::Stark };

    fn failed(code: ErrorCode, message: &str) -> Result<ProofAnswer, ServerError> {
        Err(ServerError::new(code, message))
    }

    #[test]
    fn failures_are_known_by_the_latest_and_who_gave_up_is_none() {
        let history = History::default();
        for number in 0..FAILURES + 2 {
            history.note(KEY, &failed(ErrorCode::ProverFailed, &number.to_string()));
        }
        history.note(KEY, &failed(ErrorCode::Cancelled, "gave up"));
        history.note(KEY, &failed(ErrorCode::ShuttingDown, "ended"));
        let told: Vec<_> = history.failures().into_iter().map(|failure| failure.error.message).collect();
        let latest: Vec<_> = (2..FAILURES + 2).rev().map(|number| number.to_string()).collect();
        assert_eq!(told, latest);
        assert_eq!(history.rates().failed, FAILURES + 2);
    }

    #[test]
    fn an_hour_later_only_the_failures_are_known() {
        let history = History::default();
        history.note(KEY, &failed(ErrorCode::ProverFailed, "long ago"));
        assert_eq!(history.rates().failed, 1);
        assert_eq!(history.rates_at(Instant::now() + SPAN), Rates::default());
        assert_eq!(history.failures().len(), 1);
    }
}
