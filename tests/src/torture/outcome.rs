//! What a scenario came to.

use std::{fmt, time::Duration};

/// Figures, and which of them are not good enough.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    rows: Vec<(String, String)>,
    wrong: Vec<String>,
}

impl Outcome {
    /// What is not good enough, in words; empty if everything is.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// A figure.
    pub(super) fn row(&mut self, name: &str, value: impl fmt::Display) {
        self.rows.push((name.into(), value.to_string()));
    }

    /// `what` is said unless it is good.
    pub(super) fn check(&mut self, good: bool, what: impl fmt::Display) {
        if !good {
            self.wrong.push(what.to_string());
        }
    }

    /// Times that something took, as figures.
    pub(super) fn times(&mut self, name: &str, times: &Times) {
        self.row(&format!("{name}: p50, p99, worst"), times);
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|(name, value)| writeln!(f, "  {name:<42} {value}"))
    }
}

/// How long the same thing took, again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many of a hundred were; zero if there was none.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.0.clone();
        times.sort_unstable();
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or_default()
    }

    pub(super) fn worst(&self) -> Duration {
        self.percentile(100)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, worst] = [50, 99, 100].map(|percent| Millis(self.percentile(percent)));
        write!(f, "{half}, {most}, {worst} ({} times)", self.0.len())
    }
}

/// A time in milliseconds.
pub(super) struct Millis(pub(super) Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1e3)
    }
}

/// Bytes in MiB.
pub(super) struct Mib(pub(super) u64);

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB", self.0 as f64 / f64::from(1 << 20))
    }
}
