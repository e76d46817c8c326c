//! How long jobs take lately, to tell clients when asking again makes sense.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Seconds assumed before anything was measured.
const FIRST_GUESS: f64 = 30.0;
/// Weight of the newest duration.
const NEWEST: f64 = 0.3;
/// A hint is at least this, however fast the jobs are, and at most an hour's part.
const HINTS: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);

/// Recent durations of one kind of job, as a moving average.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<f64>);

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(FIRST_GUESS))
    }
}

impl Pace {
    /// A job has taken this long.
    pub(crate) fn note(&self, took: Duration) {
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seconds += NEWEST * (took.as_secs_f64() - *seconds);
    }

    /// When to ask again, milliseconds, with `waiting` jobs in the way: half of them will be done. Asking when the
    /// first place is free would bring everybody back at once for one place.
    pub(crate) fn retry_after_ms(&self, waiting: usize) -> u64 {
        let seconds = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hint = Duration::from_secs_f64((seconds * waiting as f64 / 2.0).clamp(0.0, 1e6));
        crate::time::millis(hint.clamp(*HINTS.start(), *HINTS.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_follow_queue_and_durations() {
        let pace = Pace::default();
        assert_eq!(pace.retry_after_ms(4), 60_000);
        for _ in 0..50 {
            pace.note(Duration::from_secs(10));
        }
        assert!((19_900..=20_100).contains(&pace.retry_after_ms(4)));
        assert_eq!(pace.retry_after_ms(0), 1_000);
        assert_eq!(pace.retry_after_ms(1_000_000), 600_000);
    }
}
