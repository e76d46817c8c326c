//! Whether the server wants requests. Each part says for itself what keeps it from them; nothing here knows the parts.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

type Condition = Box<dyn Fn() -> Result<(), String> + Send + Sync>;
type Details = Box<dyn Fn() -> Vec<String> + Send + Sync>;

/// What has to be so for the server to be ready, in the order in which reasons are given.
pub(crate) struct Readiness {
    conditions: Vec<Condition>,
    busy: Condition,
    details: Vec<Details>,
}

impl Readiness {
    /// Ready unless `busy` says that there is more to do already than it should be.
    pub(crate) fn unless_busy(busy: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { conditions: Vec::new(), busy: Box::new(busy), details: Vec::new() }
    }

    /// Adds a condition, which says why not where it does not hold.
    pub(crate) fn needs(&mut self, condition: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.conditions.push(Box::new(condition));
    }

    /// Adds something to be told besides, a line each.
    pub(crate) fn tells(&mut self, details: impl Fn() -> Vec<String> + Send + Sync + 'static) {
        self.details.push(Box::new(details));
    }

    /// What there is to tell besides.
    pub(crate) fn details(&self) -> Vec<String> {
        self.details.iter().flat_map(|details| details()).collect()
    }

    /// Whether the server wants requests; if not, why.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.able().and_then(|()| (self.busy)())
    }

    /// Whether the server could work on a request, sooner or later.
    pub(crate) fn able(&self) -> Result<(), String> {
        self.conditions.iter().try_for_each(|condition| condition())
    }
}

/// Counts what has yet to start before the server is ready.
#[derive(Debug, Default)]
pub(crate) struct Warming(AtomicUsize);

impl Warming {
    /// One more thing to wait for; it is there when the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> WarmingGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        WarmingGuard(self.clone())
    }

    /// Whether everything has started.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) == 0 { Ok(()) } else { Err("warming up".into()) }
    }
}

/// Something that is starting.
#[derive(Debug)]
pub(crate) struct WarmingGuard(Arc<Warming>);

impl Drop for WarmingGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
