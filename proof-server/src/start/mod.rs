//! Puts a server together and runs it from start to end.

mod files;
mod reports;

use std::{io, num::NonZero, path::PathBuf, sync::Arc, thread::available_parallelism};

use futures_util::future::BoxFuture;
use sextant_consensus::Program;
use sextant_fleet::FleetError;
use sextant_protocol::request::ServerLimits;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    budget::Budgets,
    checks::Checks,
    circuits::CircuitsError,
    config::{Config, Role, half},
    connection::{ConnectionLimits, Context},
    control::Control,
    door::DoorError,
    fleet::{self, Fleet, Outlook, Puller, Sender},
    forward::{self, ForwardError, Forwarding, Upstreams},
    http::{Gateway, PageError},
    jobs::Jobs,
    listener::{Entrance, Refusals, Speaks},
    local::LocalProver,
    memory::Memory,
    metrics::Metrics,
    operations::{self, Operations},
    origins::Scheme,
    pace::Pace,
    places::{PlaceLimits, Places},
    queue::{QueueLimits, Queues},
    readiness::Warming,
    reload,
    scratch::Scratch,
    services::Services,
    sub_server::{Prover, Shared, SubServer},
    submissions::Submissions,
    supervisor,
    traces::{self, TracesError},
    verification::Verification,
    window::Window,
    worker::{
        WorkerMode,
        breaker::Breaker,
        health::Health,
        kept::Kept,
        lane::{Job, Lane, Warm},
        process::WorkerSpec,
        program::WorkerProgram,
        station::Station,
        watch::Limits,
    },
};
use files::Files;
pub use files::check;

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub clients: TcpListener,
    /// For clients that speak HTTP.
    pub http: Option<TcpListener>,
    /// For health checks and metrics.
    pub operations: Option<TcpListener>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder for kept proofs cannot be made or written.
    #[error("cache-dir: {0}")]
    Cache(io::Error),
    /// The fleet's broker.
    #[error("fleet: {0}")]
    Fleet(FleetError),
    /// The stages that a prover takes.
    #[error("stages: {0}")]
    StageNames(String),
    /// Nor the folder in it for what stages have made.
    #[error("cache-dir: {0}")]
    Stages(FleetError),
    /// The folder for the workers' temporary files cannot be made.
    #[error("folder for temporary files, which TMPDIR names: {}: {source}", .folder.display())]
    Scratch {
        /// Where it was to be.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The workers' program cannot be started.
    #[error("worker-program: {}: {source}", .program.display())]
    Worker {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The token file or the certificates.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The upstreams.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// The web page that is served.
    #[error(transparent)]
    Page(#[from] PageError),
    /// What SNARKs are made with.
    #[error(transparent)]
    Circuits(#[from] CircuitsError),
    /// Bundles are to be made of gathered statements, and cannot.
    #[error("bundle-window: {0}")]
    Window(String),
    /// The collector of traces.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// The queues and what feeds on them.
struct Engine {
    proving: Arc<Queues<Job>>,
    verifying: Arc<Queues<Job>>,
    breaker: Arc<Breaker>,
    health: Arc<Health>,
    verifier_health: Arc<Health>,
    metrics: Arc<Metrics>,
    warming: Arc<Warming>,
}

/// Serves until `control` says to end; returns when every connection and worker is gone.
///
/// # Errors
/// If the server cannot start. Once it runs, nothing ends it but `control`.
// A future without a type: one that has one is compiled, with all of the server in it, in each program that runs it.
pub fn run(
    listeners: Listeners,
    config: Config,
    control: Control,
) -> BoxFuture<'static, Result<(), StartError>> {
    Box::pin(async move {
        let fleet = match &config.fleet {
            Some(fleet) => {
                let connected = fleet::connect(fleet, config.role == Role::Entrypoint).await;
                Some(connected.map_err(StartError::Fleet)?)
            }
            None => None,
        };
        serve(fleet, listeners, config, control).await
    })
}

/// [`run`] in a fleet that is there already, if one is given, whatever the configuration says of where it is.
///
/// # Errors
/// As [`run`].
pub fn run_in(
    fleet: Option<Fleet>,
    listeners: Listeners,
    config: Config,
    control: Control,
) -> BoxFuture<'static, Result<(), StartError>> {
    Box::pin(serve(fleet, listeners, config, control))
}

async fn serve(
    fleet: Option<Fleet>,
    listeners: Listeners,
    config: Config,
    control: Control,
) -> Result<(), StartError> {
    // Whatever can be wrong with files is said before anything runs.
    let metrics = Arc::new(Metrics::new());
    let Files { door, cache, connector, kept, kinds, stages, page, worker, collector, reloaded } =
        Files::open(&config, &metrics)?;
    let folder = std::env::temp_dir();
    let scratch = Scratch::new(&folder).map_err(|source| StartError::Scratch { folder, source })?;
    let (traces, exporting) = traces::start(collector, &config, &metrics);

    let limits = |capacity, share| QueueLimits { capacity, share };
    let for_proofs = limits(config.queue_capacity, config.queue_share);
    let for_verification = limits(config.verify_queue_capacity, half(config.verify_queue_capacity));
    let budgets = Arc::new(match (&fleet, config.role) {
        (Some(fleet), Role::Entrypoint) => Budgets::of_fleet(fleet.queue.clone()),
        _ => Budgets::default(),
    });
    let engine = Engine {
        proving: Queues::new(Program::ALL.map(|_| for_proofs), budgets.clone()),
        verifying: Verification::queues(for_verification, budgets.clone()),
        breaker: Arc::default(),
        health: Arc::default(),
        verifier_health: Arc::default(),
        metrics: metrics.clone(),
        warming: Arc::default(),
    };
    let mut tasks = JoinSet::new();
    let spec = worker_spec(&config, worker, &scratch);
    start_lanes(&mut tasks, &engine, &config, (spec.clone(), kept), &control);

    let verification = Arc::new(Verification::new(engine.verifying.clone(), budgets.clone()));
    let development = config.circuits.allow_development;
    let (mut pulling, in_fleet, mut pages) = (None, fleet.is_some(), Vec::new());
    match (fleet, config.role) {
        (Some(fleet), Role::Prover) => {
            let station = engine.station(spec);
            let circumstances = (config.large, development);
            let traces = traces.clone();
            let puller = Puller::new(fleet, station, &stages, &config.machine, circumstances, traces);
            pulling = Some(tokio::spawn(puller.run(control.clone())));
        }
        (Some(fleet), Role::Entrypoint) => {
            let told = (engine.health.clone(), metrics.clone());
            let (jobs, verification) = (engine.proving.clone(), verification.clone());
            let outlook = Arc::new(Outlook::new(fleet.clone(), jobs.clone(), development));
            tasks.spawn(outlook.clone().run(control.clone()));
            pages.push(reports::demand(&metrics, outlook));
            let sender = Sender::new(fleet, jobs, verification, told, development);
            tasks.spawn(Arc::new(sender).run(control.clone()));
        }
        _ => {}
    }
    let jobs = Jobs::new(cache, config.reconnect_grace);
    let submissions = Submissions::new();
    let at_once = available_parallelism().map_or(1, NonZero::get);
    let shared = Arc::new(Shared {
        jobs: jobs.clone(),
        submissions: submissions.clone(),
        budgets: budgets.clone(),
        checks: Checks::new(at_once, config.networks.clone(), budgets, metrics.clone()),
        verification: verification.clone(),
        max_input: config.max_input,
        kinds,
        window: config.bundle_window.map(Window::new),
        metrics: metrics.clone(),
    });
    let forwards = config.role == Role::Entrypoint && !in_fleet;
    let forwarding = forwards.then(|| {
        let pools = forward::configured(&config.upstreams).into_iter().map(|(program, names)| {
            Upstreams::new(program, names, connector.clone(), verification.clone(), metrics.clone())
        });
        Arc::new(Forwarding { pools: pools.collect() })
    });
    for pool in forwarding.iter().flat_map(|forwarding| &forwarding.pools) {
        tasks.spawn(pool.clone().watch(control.clone(), engine.warming.begin()));
    }
    let readiness = Arc::new(reports::readiness(&engine, &config, &control, forwarding.as_ref()));
    let services = Services {
        sub_servers: sub_servers(&config, &engine, forwarding.as_deref(), &shared),
        jobs: jobs.clone(),
        submissions,
        upstreams: forwarding.iter().flat_map(|forwarding| forwarding.pools.clone()).collect(),
        verification,
        budgets: shared.budgets.clone(),
        networks: config.networks.clone(),
        max_deadline: config.max_deadline,
        limits: ServerLimits {
            input: config.max_input as u64,
            record: config.max_record as u64,
            requests: u32::try_from(config.max_requests).unwrap_or(u32::MAX),
            deadline_ms: crate::time::millis(config.max_deadline),
        },
        started: std::time::Instant::now(),
        metrics: metrics.clone(),
        traces,
        readiness: readiness.clone(),
        lanes: engine.lanes(),
        control: control.clone(),
    };
    reports::measure(&metrics, &engine, &jobs, forwarding, readiness.clone());
    if let Some(listener) = listeners.operations {
        let operations = Operations { metrics: metrics.clone(), readiness, pages };
        tasks.spawn(operations::serve(listener, Arc::new(operations), control.stop.clone()));
    }
    let context = Arc::new(Context {
        services,
        limits: connection_limits(&config),
        memory: Memory::new(config.buffers),
        control: control.clone(),
    });
    let places = Places::new(place_limits(&config));
    let entrance = |speaks| Entrance {
        speaks,
        door: door.clone(),
        context: context.clone(),
        metrics: metrics.clone(),
        places: places.clone(),
        balancers: config.balancers.clone(),
        refusals: Refusals::default(),
    };
    let mut entrances = JoinSet::new();
    entrances.spawn(entrance(Speaks::Frames).run(listeners.clients));
    if let Some(listener) = listeners.http {
        let scheme = if config.tls.is_some() { Scheme::Https } else { Scheme::Http };
        let gateway = Gateway::new(context.clone(), config.http_origins.clone(), page, scheme);
        entrances.spawn(entrance(Speaks::Http(Arc::new(gateway))).run(listener));
    }
    tasks.spawn(reload::watch(reloaded, control.clone()));
    tasks.spawn(supervisor::watchdog(control.clone()));
    supervisor::ready();
    control.serving.cancel();

    tokio::select! {
        () = control.drain.cancelled() => {}
        () = control.stop.cancelled() => {}
    }
    // Whoever sends clients here sees in the readiness that it should not, before the first is refused.
    control.drain.cancel();
    supervisor::stopping();
    tokio::select! {
        () = tokio::time::sleep(config.drain_delay) => {}
        () = control.stop.cancelled() => {}
    }
    control.closed.cancel();
    // Jobs that wait are answered now; those that run have the time that the configuration gives them.
    engine.proving.close();
    let finished = async {
        // Panics there are logged already.
        while entrances.join_next().await.is_some() {}
        if let Some(pulling) = &mut pulling {
            let _ = pulling.await;
        }
    };
    tokio::select! {
        () = finished => {}
        () = tokio::time::sleep(config.drain_timeout) => tracing::warn!("running jobs are given up"),
        () = control.stop.cancelled() => {}
    }
    control.stop.cancel();
    while entrances.join_next().await.is_some() {}
    if let Some(pulling) = pulling.filter(|pulling| !pulling.is_finished()) {
        let _ = pulling.await;
    }
    while tasks.join_next().await.is_some() {}
    exporting.finish().await;
    Ok(())
}

impl Engine {
    /// The lanes of workers, by name.
    fn lanes(&self) -> [(&'static str, Arc<Health>); 2] {
        [("proving", self.health.clone()), ("verification", self.verifier_health.clone())]
    }

    /// Where workers that prove are started.
    fn station(&self, spec: WorkerSpec) -> Station {
        self.station_of("proving", spec, &self.breaker, &self.health)
    }

    fn station_of(
        &self,
        name: &'static str,
        spec: WorkerSpec,
        breaker: &Arc<Breaker>,
        health: &Arc<Health>,
    ) -> Station {
        let (breaker, health, metrics) = (breaker.clone(), health.clone(), self.metrics.clone());
        Station { name, spec, breaker, health, metrics }
    }
}

fn worker_spec(config: &Config, program: WorkerProgram, scratch: &Scratch) -> WorkerSpec {
    let limits = Limits {
        memory: config.worker_memory,
        time: config.worker_time_limit,
        silence: config.worker_silence,
    };
    WorkerSpec {
        program,
        memory: config.machine_memory,
        limits,
        scratch: scratch.path().into(),
        circuits: config.circuits.clone(),
    }
}

fn start_lanes(
    tasks: &mut JoinSet<()>,
    engine: &Engine,
    config: &Config,
    (spec, kept): (WorkerSpec, Option<Arc<Kept>>),
    control: &Control,
) {
    if config.role.proves() && config.role != Role::Prover {
        let lane = Lane {
            station: engine.station(spec.clone()),
            jobs: engine.proving.clone(),
            warm: config.warm.then(|| Warm { mode: WorkerMode::Stark, first: Some(engine.warming.begin()) }),
            linger: None,
            kept,
        };
        tasks.spawn(lane.run(control.clone()));
    }
    let lane = Lane {
        station: engine.station_of("verification", spec, &Arc::default(), &engine.verifier_health),
        jobs: engine.verifying.clone(),
        warm: None,
        linger: config.verify_worker_idle,
        kept: None,
    };
    // Not ended by draining: forwarded proofs that come back meanwhile have to be verified.
    tasks.spawn(lane.run(Control { stop: control.stop.clone(), ..Control::default() }));
}

fn sub_servers(
    config: &Config,
    engine: &Engine,
    forwarding: Option<&Forwarding>,
    shared: &Arc<Shared>,
) -> Vec<Arc<SubServer>> {
    let pace = Arc::new(Pace::default());
    let local = |program: Program| {
        let queue = Program::ALL.iter().position(|other| *other == program).unwrap_or(0);
        let prover = LocalProver {
            queues: engine.proving.clone(),
            queue,
            pace: pace.clone(),
            health: engine.health.clone(),
        };
        (program, Prover::Local(prover))
    };
    let provers = match config.role {
        Role::All => Program::ALL.into_iter().map(local).collect(),
        Role::CommitteeChange => vec![local(Program::CommitteeChange)],
        Role::Inclusion => vec![local(Program::Inclusion)],
        Role::Bundle => Program::OF_PROOFS.into_iter().map(local).collect(),
        Role::Entrypoint => match forwarding {
            Some(Forwarding { pools }) => {
                pools.iter().map(|pool| (pool.program, Prover::Upstream(pool.clone()))).collect()
            }
            // What its queues hold goes into the fleet.
            None => Program::ALL.into_iter().map(local).collect(),
        },
        Role::Verifier | Role::Prover => vec![],
    };
    let all: Vec<_> = provers
        .into_iter()
        .map(|(program, prover)| Arc::new(SubServer { program, prover, shared: shared.clone() }))
        .collect();
    let bundler = all.iter().find(|sub_server| sub_server.program == Program::Bundle);
    if let (Some(window), Some(bundler)) = (&shared.window, bundler) {
        window.bundled_by(bundler);
    }
    all
}

fn place_limits(config: &Config) -> PlaceLimits {
    let total = config.max_connections;
    let knows = config.token_file.is_some() || config.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    PlaceLimits {
        total,
        reserved: if knows { total / 4 } else { 0 },
        each: config.max_connections_per_address,
    }
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    ConnectionLimits {
        handshake: config.handshake_timeout,
        frame: config.frame_timeout,
        idle: config.idle_timeout,
        write: config.write_timeout,
        requests: config.max_requests,
        max_input: config.max_input,
        max_record: config.max_record,
    }
}
