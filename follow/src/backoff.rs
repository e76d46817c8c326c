//! How long to wait after something has failed.

use std::time::Duration;

use crate::{Config, FollowError};

/// Pauses after failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure: twice as long each time.
    pub fn after(&mut self, config: &Config, error: &FollowError) -> Duration {
        let full = config.poll.saturating_mul(1 << self.failures.min(16)).min(config.max_backoff);
        self.failures += 1;
        // Followers that lost the same server must not come back together.
        let pause = full.mul_f64(0.5 + fastrand::f64() / 2.0);
        pause.max(error.retry_after().unwrap_or_default().min(config.max_backoff))
    }
}
