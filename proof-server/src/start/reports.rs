//! What the parts of a server report of themselves: to whoever asks whether it is ready, and to the metrics.

use std::sync::Arc;

use sextant_consensus::Program;

use super::Engine;
use crate::{
    config::Config,
    control::Control,
    fleet::{Outlook, Unanswered},
    forward::Forwarding,
    jobs::Jobs,
    metrics::Metrics,
    operations::{NoPage, Page},
    programs,
    readiness::Readiness,
};

/// What has to be so for the server to want requests.
pub(super) fn readiness(
    engine: &Engine,
    config: &Config,
    control: &Control,
    forwarding: Option<&Arc<Forwarding>>,
) -> Readiness {
    let (proving, busy_at) = (engine.proving.clone(), config.busy_at);
    let mut readiness = Readiness::unless_busy(move || match proving.total() {
        waiting if waiting >= busy_at => Err(format!("busy: {waiting} jobs wait")),
        _ => Ok(()),
    });
    let draining = control.drain.clone();
    readiness.needs(move || match draining.is_cancelled() {
        true => Err("draining: it will end when its running jobs have".into()),
        false => Ok(()),
    });
    let warming = engine.warming.clone();
    readiness.needs(move || warming.check());
    let breaker = engine.breaker.clone();
    readiness.needs(move || match breaker.open_for() {
        Some(wait) => Err(format!("the prover keeps failing; next try in {} s", wait.as_secs().max(1))),
        None => Ok(()),
    });
    let health = engine.health.clone();
    readiness.needs(move || health.check());
    if let Some(forwarding) = forwarding.cloned() {
        let told = forwarding.clone();
        readiness.needs(move || forwarding.readiness());
        readiness.tells(move || told.details());
    }
    readiness
}

/// Has the fleet's demand told: to whoever asks for it, and to the metrics.
pub(super) fn demand(metrics: &Metrics, outlook: Arc<Outlook>) -> Page {
    let measured = outlook.clone();
    metrics.measure(move |metrics| measured.measure(metrics));
    let tell = move |query: &str| {
        outlook.answer(query).map_err(|error| match error {
            Unanswered::Wrong(reason) => NoPage::Wrong(reason),
            Unanswered::Unseen => NoPage::NotNow("the fleet has not answered lately".into()),
        })
    };
    Page { path: "/fleet/demand", tell: Box::new(tell) }
}

/// Has measured what is not counted as it happens.
pub(super) fn measure(
    metrics: &Metrics,
    engine: &Engine,
    jobs: &Arc<Jobs>,
    forwarding: Option<Arc<Forwarding>>,
    readiness: Arc<Readiness>,
) {
    let (proving, verifying, jobs) = (engine.proving.clone(), engine.verifying.clone(), jobs.clone());
    let lanes = engine.lanes();
    metrics.measure(move |metrics| {
        metrics.ready(readiness.check().is_ok());
        for (queue, program) in Program::ALL.into_iter().enumerate() {
            metrics.queue_depth(programs::name(program), proving.len(queue));
        }
        metrics.queue_depth("verification", verifying.total());
        for (lane, health) in &lanes {
            metrics.running(lane, health.running());
        }
        metrics.cache_bytes(jobs.cache().bytes());
        if let Some(forwarding) = &forwarding {
            forwarding.count(metrics);
        }
    });
}
