//! What an entrypoint sees of its fleet, by stage and class of machine.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::names::Labels;

/// The work of one stage and class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FleetFigures {
    /// Messages that nobody has taken.
    pub(crate) waiting: u64,
    /// Jobs that wait at this entrypoint for their turn.
    pub(crate) held_back: u64,
    /// Messages that provers are at, or that are put off.
    pub(crate) running: u64,
    /// Provers that are there.
    pub(crate) workers: u64,
    /// Seconds that the oldest message has waited.
    pub(crate) oldest_wait: f64,
}

/// The gauges. Empty where there is no fleet.
#[derive(Default)]
pub(super) struct FleetMetrics {
    waiting: Family<Labels<2>, Gauge>,
    held_back: Family<Labels<2>, Gauge>,
    running: Family<Labels<2>, Gauge>,
    workers: Family<Labels<2>, Gauge>,
    oldest_wait: Family<Labels<2>, Gauge<f64, AtomicU64>>,
    seen: Family<Vec<(&'static str, String)>, Gauge>,
}

impl FleetMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("fleet");
        let help = "Messages in the fleet's queue that no prover has taken, by stage and class of machine";
        r.register("waiting", help, self.waiting.clone());
        let help = "Jobs that wait at this entrypoint for their turn, by the stage that they begin with";
        r.register("held_back", help, self.held_back.clone());
        r.register("running", "Messages that provers are at, or that are put off", self.running.clone());
        r.register("workers", "Provers that are there; each counts in all its stages", self.workers.clone());
        let help = "How long the oldest message has waited that no prover has taken";
        r.register_with_unit("oldest_wait", help, Unit::Seconds, self.oldest_wait.clone());
        r.register(
            "seen",
            "1 if the fleet has answered within a minute; the release is that of this server's provers",
            self.seen.clone(),
        );
    }

    pub(super) fn set(&self, labels: Labels<2>, figures: FleetFigures) {
        let set = |family: &Family<Labels<2>, Gauge>, value: u64| {
            family.get_or_create_owned(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.waiting, figures.waiting);
        set(&self.held_back, figures.held_back);
        set(&self.running, figures.running);
        set(&self.workers, figures.workers);
        self.oldest_wait.get_or_create_owned(&labels).set(figures.oldest_wait);
    }

    /// Whether the fleet was seen lately. What is not known is not told.
    pub(super) fn seen(&self, release: &str, seen: bool) {
        self.seen.get_or_create_owned(&vec![("release", release.to_owned())]).set(i64::from(seen));
        if !seen {
            let gauges = [&self.waiting, &self.held_back, &self.running, &self.workers];
            gauges.into_iter().for_each(Family::clear);
            self.oldest_wait.clear();
        }
    }
}
