//! A server under torture: what it had before, and what is left of it after.

use std::time::{Duration, Instant};

use super::outcome::{Mib, Outcome};
use crate::server::{Server, is_alive};

/// For a server to come to rest, and for its workers to end.
const REST: Duration = Duration::from_secs(3);

/// Threads of a server on a machine with some cores: those that serve, those that check, and some beside.
const THREADS: usize = 64;

pub(super) struct Tortured {
    pub(super) server: Server,
    log: tempfile::NamedTempFile,
    /// Resident memory before anything was done to it, bytes.
    before: u64,
}

impl Tortured {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let server = Server::start_logged(arguments, log.reopen().expect("the same file"));
        Self { before: server.memory(), server, log }
    }

    /// What it has from now on is what it had before: whatever is started once and stays is there.
    pub(super) fn is_warm(&mut self) {
        self.before = self.server.memory();
    }

    pub(super) fn address(&self) -> &str {
        self.server.address()
    }

    /// Where it speaks HTTP.
    pub(super) fn http(&self) -> &str {
        self.server.http()
    }

    /// Kills it, and reports: its memory, which may have grown by `growth` MiB, its panics, and its workers, which end
    /// with it.
    pub(super) async fn end(self, name: &str, growth: u64, outcome: &mut Outcome) {
        let grown = || self.server.memory().saturating_sub(self.before) >> 20;
        within_rest(|| grown() <= growth).await;
        let (before, after, workers) = (self.before, self.server.memory(), self.server.workers());
        let threads = self.server.threads();
        outcome.check(threads <= THREADS, format!("{name} has {threads} threads"));
        outcome
            .row(&format!("memory of {name} before and after"), format!("{}, {}", Mib(before), Mib(after)));
        let seconds = self.server.processor_time().as_secs_f64();
        outcome.row(&format!("processor time of {name}"), format!("{seconds:.1} s"));
        outcome.check(grown() <= growth, format!("the memory of {name} grew by {} MiB", grown()));
        self.server.signal(9);
        let orphans = || workers.iter().filter(|worker| is_alive(**worker)).count();
        within_rest(|| orphans() == 0).await;
        outcome.check(orphans() == 0, format!("{} workers outlived {name}", orphans()));
        let log = std::fs::read_to_string(self.log.path()).expect("the log");
        let panics = log.lines().filter(|line| line.contains("panicked at")).count();
        outcome.row(&format!("panics of {name}"), panics);
        outcome.check(panics == 0, format!("{name} panicked {panics} times"));
    }
}

async fn within_rest(so: impl Fn() -> bool) {
    let limit = Instant::now() + REST;
    while !so() && Instant::now() < limit {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
