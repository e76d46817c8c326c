//! Watches a worker at its job: memory, time, and whether it does anything at all.

use std::time::{Duration, Instant};

use super::process::Usage;

/// Limits of a worker's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Resident memory, bytes.
    pub(crate) memory: u64,
    /// One job, and also one start.
    pub(crate) time: Duration,
    /// Without a word and without computing.
    pub(crate) silence: Duration,
}

/// Why a worker has no more to say.
pub(super) enum End {
    Gone(String),
    Memory(u64),
    Time,
    Silence,
}

impl End {
    /// Its name in metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Gone(_) => "crash",
            Self::Memory(_) => "memory",
            Self::Time => "time",
            Self::Silence => "silence",
        }
    }

    /// What it did.
    pub(super) fn reason(&self, limits: &Limits) -> String {
        match self {
            Self::Gone(how) => how.clone(),
            Self::Memory(resident) => {
                format!("{} MiB of memory, {} MiB allowed", resident >> 20, limits.memory >> 20)
            }
            Self::Time => format!("over its time limit of {} s", limits.time.as_secs()),
            Self::Silence => {
                format!("it has neither spoken nor computed for {} s", limits.silence.as_secs())
            }
        }
    }
}

/// One job under watch.
pub(super) struct Watch {
    limits: Limits,
    started: Instant,
    /// When the worker was last known to do something, and its processor time then.
    mark: (Instant, u64),
}

impl Watch {
    pub(super) fn new(limits: Limits, usage: Usage) -> Self {
        let now = Instant::now();
        Self { limits, started: now, mark: (now, usage.processor) }
    }

    /// It has said something.
    pub(super) fn heard(&mut self) {
        self.mark.0 = Instant::now();
    }

    /// Ends the job that is over a limit. Proving can be silent for minutes, so silence is only held against a worker
    /// that does not compute either: one that took less than a hundredth of a core waits for what will not come.
    pub(super) fn check(&mut self, usage: Usage) -> Result<(), End> {
        if usage.memory > self.limits.memory {
            return Err(End::Memory(usage.memory));
        }
        if self.started.elapsed() > self.limits.time {
            return Err(End::Time);
        }
        let (since, processor) = self.mark;
        if since.elapsed() >= self.limits.silence {
            // Hundredths of a second: a hundredth of a core is one for every second.
            if usage.processor.saturating_sub(processor) < self.limits.silence.as_secs().max(1) {
                return Err(End::Silence);
            }
            self.mark = (Instant::now(), usage.processor);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { memory: 100, time: Duration::from_secs(60), silence: Duration::from_millis(50) };

    #[test]
    fn silence_counts_only_without_computing() {
        let usage = |processor| Usage { memory: 1, processor };
        let mut watch = Watch::new(LIMITS, usage(0));
        assert!(watch.check(usage(0)).is_ok(), "not yet");
        std::thread::sleep(LIMITS.silence);
        assert!(watch.check(usage(10)).is_ok(), "it computes");
        std::thread::sleep(LIMITS.silence);
        watch.heard();
        assert!(watch.check(usage(10)).is_ok(), "it spoke");
        std::thread::sleep(LIMITS.silence);
        assert!(matches!(watch.check(usage(10)), Err(End::Silence)));
        assert!(matches!(watch.check(Usage { memory: 101, processor: 0 }), Err(End::Memory(101))));
    }
}
