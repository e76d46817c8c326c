//! Everything that is counted, in the text format that Prometheus reads.
//!
//! Labels have few values, all of them known here or from the token file: nothing a client sends becomes a label. Every
//! series is there from the start, at 0, so that the first event of a kind is an increase.

mod fleet;
mod names;
mod process;
mod text;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) use fleet::FleetFigures;
use fleet::FleetMetrics;
use names::{CACHE_ERRORS, Labels, OUTCOMES, REFUSALS, REQUESTS, error_label};
pub(crate) use names::{Work, stage_name};
use process::ProcessMetrics;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use sextant_artifacts::{CIRCUIT_VERSION, SP1_VERSION};
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofKind};
pub(crate) use text::TextFormat;

use crate::programs;

/// Measures what is not counted as it happens.
type Measure = Box<dyn Fn(&Metrics) + Send>;

/// From a hundredth of a second to an hour.
const SECONDS: [f64; 13] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];
/// What workers fail by.
const WORKER_FAILURES: [&str; 5] = ["start", "crash", "memory", "time", "silence"];
/// In a bundle.
const STATEMENTS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// Proofs are megabytes.
const BYTES: [f64; 8] = [0.25e6, 0.5e6, 1e6, 1.5e6, 2e6, 4e6, 8e6, 32e6];

/// The server's counters.
pub(crate) struct Metrics {
    registry: Registry,
    process: ProcessMetrics,
    measures: Mutex<Vec<Measure>>,
    requests: Family<Labels<2>, Counter>,
    request_seconds: Family<Labels<3>, Histogram>,
    client_requests: Family<Vec<(&'static str, String)>, Counter>,
    stage_seconds: Family<Labels<3>, Histogram>,
    queue_depth: Family<Labels<1>, Gauge>,
    queue_wait_seconds: Family<Labels<1>, Histogram>,
    jobs_running: Family<Labels<1>, Gauge>,
    proof_bytes: Family<Labels<2>, Histogram>,
    proofs_found: Family<Labels<1>, Counter>,
    bundle_statements: Histogram,
    cache_bytes: Gauge,
    cache_errors: Family<Labels<1>, Counter>,
    connections: Gauge,
    connections_refused: Family<Labels<1>, Counter>,
    worker_starts: Family<Labels<2>, Counter>,
    worker_failures: Family<Labels<2>, Counter>,
    worker_memory: Family<Labels<1>, Gauge>,
    stages_again: Family<Labels<1>, Counter>,
    upstream_requests: Family<Labels<1>, Counter>,
    upstreams: Family<Labels<2>, Gauge>,
    fleet: FleetMetrics,
    trace_spans: Family<Labels<1>, Counter>,
    ready: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let seconds = || Histogram::new(SECONDS);
        let mut registry = Registry::default();
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            client_requests: Family::default(),
            stage_seconds: Family::new_with_constructor(seconds),
            queue_depth: Family::default(),
            queue_wait_seconds: Family::new_with_constructor(seconds),
            jobs_running: Family::default(),
            proof_bytes: Family::new_with_constructor(|| Histogram::new(BYTES)),
            proofs_found: Family::default(),
            bundle_statements: Histogram::new(STATEMENTS),
            cache_bytes: Gauge::default(),
            cache_errors: Family::default(),
            connections: Gauge::default(),
            connections_refused: Family::default(),
            worker_starts: Family::default(),
            worker_failures: Family::default(),
            worker_memory: Family::default(),
            stages_again: Family::default(),
            upstream_requests: Family::default(),
            upstreams: Family::default(),
            fleet: FleetMetrics::default(),
            trace_spans: Family::default(),
            ready: Gauge::default(),
            registry: Registry::default(),
            process: ProcessMetrics::default(),
            measures: Mutex::default(),
        };
        let m = &metrics;
        m.process.register(&mut registry);
        let r = registry.sub_registry_with_prefix("sextant");
        r.register("requests", "Requests answered, by type and outcome", m.requests.clone());
        let seconds = || Unit::Seconds;
        let help = "Requests answered, by client and outcome; clients are those that the token file names";
        r.register("client_requests", help, m.client_requests.clone());
        let help = "Time to an answer, by type, program and kind";
        r.register_with_unit("request", help, seconds(), m.request_seconds.clone());
        let help = "Time in each stage of making a proof";
        r.register_with_unit("stage", help, seconds(), m.stage_seconds.clone());
        r.register("queue_depth", "Jobs waiting, by queue", m.queue_depth.clone());
        let help = "Time that jobs have waited, by lane";
        r.register_with_unit("queue_wait", help, seconds(), m.queue_wait_seconds.clone());
        r.register("jobs_running", "Jobs that a worker is at, by lane", m.jobs_running.clone());
        let help = "Sizes of the engine's proofs";
        r.register_with_unit("proof", help, Unit::Bytes, m.proof_bytes.clone());
        let help = "Prove requests, by where their proof came from: started, shared, cached";
        r.register("proofs_found", help, m.proofs_found.clone());
        let help = "Statements in each bundle that was made of statements gathered here";
        r.register("bundle_statements", help, m.bundle_statements.clone());
        let help = "Finished proofs in memory";
        r.register_with_unit("cache", help, Unit::Bytes, m.cache_bytes.clone());
        let help = "What went wrong with the folder of finished proofs";
        r.register("cache_errors", help, m.cache_errors.clone());
        r.register("connections", "Clients connected", m.connections.clone());
        let help = "Connections refused, by reason";
        r.register("connections_refused", help, m.connections_refused.clone());
        r.register("worker_starts", "Worker processes started", m.worker_starts.clone());
        let help = "Worker processes that failed, by lane and reason";
        r.register("worker_failures", help, m.worker_failures.clone());
        let help = "Stages tried again because their worker failed, by the worker's mode";
        r.register("stages_again", help, m.stages_again.clone());
        let help = "Resident memory of the workers";
        r.register_with_unit("worker_memory", help, Unit::Bytes, m.worker_memory.clone());
        let help = "Requests forwarded, by outcome";
        r.register("upstream_requests", help, m.upstream_requests.clone());
        r.register("upstreams", "Upstream servers, by program and health", m.upstreams.clone());
        m.fleet.register(r);
        let help = "Spans of traces, by whether the collector has taken them: sent, lost";
        r.register("trace_spans", help, m.trace_spans.clone());
        r.register("ready", "1 if the server wants requests", m.ready.clone());
        register_versions(r);
        metrics.start_at_zero();
        Self { registry, ..metrics }
    }

    /// Makes every series whose labels are known.
    fn start_at_zero(&self) {
        for request in REQUESTS {
            if !matches!(request, "prove" | "submit" | "wrap" | "submit_wrap") {
                self.request_seconds.get_or_create_owned(&Work::default().labels("request", request));
            }
            for outcome in OUTCOMES {
                self.requests.get_or_create_owned(&[("request", request), ("outcome", outcome)]);
            }
        }
        for source in ["cached", "shared", "started"] {
            self.proofs_found.get_or_create_owned(&[("source", source)]);
        }
        for reason in REFUSALS {
            self.connections_refused.get_or_create_owned(&[("reason", reason)]);
        }
        for lane in ["proving", "verification"] {
            self.worker_memory.get_or_create_owned(&[("lane", lane)]);
            for reason in WORKER_FAILURES {
                self.worker_failures.get_or_create_owned(&[("lane", lane), ("reason", reason)]);
            }
        }
        for mode in ["stark", "compressed", "wrap", "groth16"] {
            self.worker_starts.get_or_create_owned(&[("lane", "proving"), ("mode", mode)]);
        }
        self.worker_starts.get_or_create_owned(&[("lane", "verification"), ("mode", "verify")]);
        for operation in CACHE_ERRORS {
            self.cache_errors.get_or_create_owned(&[("operation", operation)]);
        }
        for mode in ["wrap", "groth16"] {
            self.stages_again.get_or_create_owned(&[("mode", mode)]);
        }
        for outcome in ["sent", "lost"] {
            self.trace_spans.get_or_create_owned(&[("outcome", outcome)]);
        }
        for outcome in ["ok", "failed", "refused", "lied", "unverified"] {
            self.upstream_requests.get_or_create_owned(&[("outcome", outcome)]);
        }
    }

    /// A request of `client` was answered; returns what came of it.
    pub(crate) fn answered(
        &self,
        request: &'static str,
        work: Work,
        client: &str,
        error: Option<ErrorCode>,
        took: Duration,
    ) -> &'static str {
        let outcome = outcome(error);
        self.requests.get_or_create(&[("request", request), ("outcome", outcome)]).inc();
        self.request_seconds.get_or_create(&work.labels("request", request)).observe(took.as_secs_f64());
        let labels = vec![("client", client.to_owned()), ("outcome", outcome.to_owned())];
        self.client_requests.get_or_create(&labels).inc();
        outcome
    }

    /// A stage of a job has ended.
    pub(crate) fn stage(&self, stage: &'static str, took: Duration) {
        self.stage_of(stage, Work::default(), took);
    }

    /// A stage of a job has ended, whose work is known.
    pub(crate) fn stage_of(&self, stage: &'static str, work: Work, took: Duration) {
        self.stage_seconds.get_or_create(&work.labels("stage", stage)).observe(took.as_secs_f64());
    }

    /// A job left the queue for its worker.
    pub(crate) fn waited(&self, lane: &'static str, took: Duration) {
        self.queue_wait_seconds.get_or_create(&[("lane", lane)]).observe(took.as_secs_f64());
    }

    /// So many jobs are being worked on now.
    pub(crate) fn running(&self, lane: &'static str, jobs: usize) {
        self.jobs_running.get_or_create(&[("lane", lane)]).set(gauge(jobs));
    }

    /// So many jobs wait now.
    pub(crate) fn queue_depth(&self, queue: &'static str, depth: usize) {
        self.queue_depth.get_or_create(&[("queue", queue)]).set(gauge(depth));
    }

    /// A proof was made.
    pub(crate) fn proof(&self, program: Program, kind: ProofKind, bytes: usize) {
        let labels = [("program", programs::name(program)), ("kind", kind.as_str())];
        self.proof_bytes.get_or_create(&labels).observe(bytes as f64);
    }

    /// A prove request found its proof somewhere.
    pub(crate) fn found(&self, source: &'static str) {
        self.proofs_found.get_or_create(&[("source", source)]).inc();
    }

    /// A bundle was made of so many statements that were gathered.
    pub(crate) fn bundled(&self, statements: usize) {
        self.bundle_statements.observe(statements as f64);
    }

    /// Bytes of proofs kept in memory.
    pub(crate) fn cache_bytes(&self, bytes: usize) {
        self.cache_bytes.set(gauge(bytes));
    }

    /// Something went wrong with the folder of finished proofs.
    pub(crate) fn cache_error(&self, operation: &'static str) {
        self.cache_errors.get_or_create(&[("operation", operation)]).inc();
    }

    /// Clients connected now.
    pub(crate) fn connections(&self, count: usize) {
        self.connections.set(gauge(count));
    }

    /// A connection was refused.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.connections_refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// A worker process was started.
    pub(crate) fn worker_started(&self, lane: &'static str, mode: &'static str) {
        self.worker_starts.get_or_create(&[("lane", lane), ("mode", mode)]).inc();
    }

    /// A worker process failed.
    pub(crate) fn worker_failed(&self, lane: &'static str, reason: &'static str) {
        self.worker_failures.get_or_create(&[("lane", lane), ("reason", reason)]).inc();
    }

    /// A stage is tried again.
    pub(crate) fn stage_again(&self, mode: &'static str) {
        self.stages_again.get_or_create(&[("mode", mode)]).inc();
    }

    /// Resident memory of a lane's workers.
    pub(crate) fn worker_memory(&self, lane: &'static str, bytes: u64) {
        self.worker_memory.get_or_create(&[("lane", lane)]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Resident memory of a lane's workers, as it was measured last.
    pub(crate) fn worker_memory_of(&self, lane: &'static str) -> u64 {
        self.worker_memory.get_or_create(&[("lane", lane)]).get().try_into().unwrap_or(0)
    }

    /// Worker processes of a lane that failed.
    pub(crate) fn worker_failures_of(&self, lane: &'static str) -> u64 {
        let failed = |reason| self.worker_failures.get_or_create(&[("lane", lane), ("reason", reason)]).get();
        WORKER_FAILURES.into_iter().map(failed).sum()
    }

    /// A request was forwarded.
    pub(crate) fn forwarded(&self, outcome: &'static str) {
        self.upstream_requests.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// So many upstream servers are known and healthy.
    pub(crate) fn upstreams(&self, program: Program, known: usize, healthy: usize) {
        let set = |health, count| {
            let labels = [("program", programs::name(program)), ("health", health)];
            self.upstreams.get_or_create(&labels).set(gauge(count));
        };
        set("up", healthy);
        set("down", known - healthy.min(known));
    }

    /// What there is to do in the fleet, and who does it, by `stage` and `class`.
    pub(crate) fn fleet(&self, labels: [(&'static str, &'static str); 2], figures: FleetFigures) {
        self.fleet.set(labels, figures);
    }

    /// Whether the fleet has answered lately.
    pub(crate) fn fleet_seen(&self, release: &str, seen: bool) {
        self.fleet.seen(release, seen);
    }

    /// Spans were sent to a collector, or lost.
    pub(crate) fn spans(&self, outcome: &'static str, count: u64) {
        self.trace_spans.get_or_create(&[("outcome", outcome)]).inc_by(count);
    }

    /// Whether the server wants requests.
    pub(crate) fn ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// Has something measured whenever the metrics are read.
    pub(crate) fn measure(&self, measure: impl Fn(&Self) + Send + 'static) {
        self.measures().push(Box::new(measure));
    }

    /// All of it as text.
    pub(crate) fn encode(&self, format: TextFormat) -> String {
        self.process.measure();
        self.measures().iter().for_each(|measure| measure(self));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        match format {
            TextFormat::OpenMetrics => text,
            TextFormat::Plain => text::plain(&text),
        }
    }

    fn measures(&self) -> MutexGuard<'_, Vec<Measure>> {
        // A measure that panics leaves the list as it was.
        self.measures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of something: `ok`, or the error's name.
pub(crate) fn outcome(error: Option<ErrorCode>) -> &'static str {
    error.map_or("ok", error_label)
}

fn register_versions(registry: &mut Registry) {
    let versions =
        [("version", env!("CARGO_PKG_VERSION")), ("sp1", SP1_VERSION), ("circuits", CIRCUIT_VERSION)];
    registry.register("build", "Versions of this server", Info::new(versions));
    // A family of infos: there is none in the library, and a gauge that is always 1 reads the same.
    let built = Family::<Vec<(&'static str, String)>, Gauge>::default();
    for program in Program::ALL {
        let artifact = programs::artifact(program);
        let labels = vec![
            ("program", programs::name(program).to_owned()),
            ("vk_hash", hex::encode(artifact.vk_hash)),
            ("elf_sha256", hex::encode(artifact.elf_sha256)),
        ];
        built.get_or_create(&labels).set(1);
    }
    registry.register("program_info", "Builds of the guest programs", built);
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
