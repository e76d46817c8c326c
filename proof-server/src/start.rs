//! Puts a server together and runs it from start to end.

use std::{
    io,
    num::NonZero,
    sync::{Arc, Mutex},
    thread::available_parallelism,
};

use sextant_consensus::Program;
use sextant_protocol::{ProofKind, message::RequestCaps, proof::MAX_RECORD};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use crate::{
    cache::Cache,
    circuits::CircuitsError,
    config::{Config, Role},
    connection::{ConnectionLimits, Context},
    control::Control,
    door::{self, DoorError},
    forward::{self, ForwardError, Forwarding, Upstreams},
    jobs::Jobs,
    listener::{Entrance, Places},
    local::LocalProver,
    metrics::Metrics,
    operations::{self, Operations},
    pace::Pace,
    programs,
    queue::{QueueLimits, Queues},
    readiness::{Readiness, Warming},
    scratch::Scratch,
    services::Services,
    sub_server::{Prover, Shared, SubServer},
    verification::Verification,
    worker::{
        WorkerMode,
        breaker::Breaker,
        lane::{Job, Lane},
        process::WorkerSpec,
        watch::Limits,
    },
};

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub clients: TcpListener,
    /// For health checks and metrics.
    pub operations: Option<TcpListener>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder for the workers' temporary files or the kept proofs cannot be made, or this program's own file is not
    /// known.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The token file or the certificates.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The upstreams.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// What SNARKs are made with.
    #[error(transparent)]
    Circuits(#[from] CircuitsError),
}

/// The queues and what feeds on them.
struct Engine {
    proving: Arc<Queues<Job>>,
    verifying: Arc<Queues<Job>>,
    breaker: Arc<Breaker>,
    metrics: Arc<Metrics>,
    warming: Arc<Warming>,
}

/// Serves until `control` says to end; returns when every connection and worker is gone.
///
/// # Errors
/// If the server cannot start. Once it runs, nothing ends it but `control`.
pub async fn run(listeners: Listeners, config: Config, control: Control) -> Result<(), StartError> {
    // Whatever can be wrong with files is said before anything runs.
    let door = door::open(&config)?;
    let scratch = Scratch::new(&std::env::temp_dir())?;
    let cache = Cache::new(&config.cache)?;
    let connector = forward::connector(&config.upstreams)?;

    let metrics = Arc::new(Metrics::new());
    let limits = |capacity, share| QueueLimits { capacity, share };
    let engine = Engine {
        proving: Queues::new(Program::ALL.len(), limits(config.queue_capacity, config.queue_share)),
        verifying: Queues::new(
            1,
            limits(config.verify_queue_capacity, config.verify_queue_capacity.div_ceil(2)),
        ),
        breaker: Arc::default(),
        metrics: metrics.clone(),
        warming: Arc::default(),
    };
    let mut tasks = JoinSet::new();
    start_lanes(&mut tasks, &engine, &config, &scratch, &control)?;

    let verification = Arc::new(Verification::new(engine.verifying.clone()));
    let jobs = Jobs::new(cache, config.reconnect_grace);
    let shared = Arc::new(Shared {
        jobs: jobs.clone(),
        budgets: Arc::default(),
        checks: Arc::new(Semaphore::new(available_parallelism().map_or(1, NonZero::get))),
        max_input: config.max_input,
        kinds: match config.role {
            // What its upstreams do not make, they refuse themselves.
            Role::Entrypoint => vec![ProofKind::Stark, ProofKind::Compressed, ProofKind::Groth16],
            _ => config.circuits.kinds()?,
        },
        metrics: metrics.clone(),
    });
    let forwarding = (config.role == Role::Entrypoint).then(|| {
        let pools = forward::configured(&config.upstreams).into_iter().map(|(program, names)| {
            Arc::new(Upstreams {
                program,
                names,
                servers: Mutex::default(),
                connector: connector.clone(),
                verification: verification.clone(),
                metrics: metrics.clone(),
            })
        });
        Arc::new(Forwarding { pools: pools.collect() })
    });
    for pool in forwarding.iter().flat_map(|forwarding| &forwarding.pools) {
        tasks.spawn(pool.clone().watch(control.clone(), engine.warming.begin()));
    }
    let services = Services {
        sub_servers: sub_servers(&config, &engine, forwarding.as_deref(), &shared),
        verification,
        budgets: shared.budgets.clone(),
        max_deadline: config.max_deadline,
        metrics: metrics.clone(),
        control: control.clone(),
    };
    measure(&metrics, &engine, &jobs, forwarding.clone());
    if let Some(listener) = listeners.operations {
        let readiness = Arc::new(readiness(&engine, &config, &control, forwarding));
        metrics.measure({
            let readiness = readiness.clone();
            move |metrics| metrics.ready(readiness.check().is_ok())
        });
        let operations = Operations { metrics: metrics.clone(), readiness };
        tasks.spawn(operations::serve(listener, Arc::new(operations), control.stop.clone()));
    }
    let context = Context {
        services,
        limits: connection_limits(&config),
        buffers: Arc::new(Semaphore::new(config.buffers / 1024)),
        control: control.clone(),
    };
    let entrance = Entrance {
        door: door.subscribe(),
        context: Arc::new(context),
        metrics,
        places: Places::new(config.max_connections, config.max_connections_per_address),
    };
    let drain_timeout = config.drain_timeout;
    tasks.spawn(door::reload(door, config, control.clone()));
    let mut entrance = tokio::spawn(entrance.run(listeners.clients));

    control.ending().await;
    control.drain.cancel();
    // Jobs that wait are answered now; those that run have the time that the configuration gives them.
    engine.proving.close();
    tokio::select! {
        _ = &mut entrance => {}
        () = tokio::time::sleep(drain_timeout) => tracing::warn!("running jobs are given up"),
        () = control.stop.cancelled() => {}
    }
    control.stop.cancel();
    if !entrance.is_finished() {
        // A panic there is logged already.
        let _ = entrance.await;
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// What has to be so for the server to want requests.
fn readiness(
    engine: &Engine,
    config: &Config,
    control: &Control,
    forwarding: Option<Arc<Forwarding>>,
) -> Readiness {
    let mut readiness = Readiness::default();
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
    if let Some(forwarding) = forwarding {
        readiness.needs(move || forwarding.readiness());
    }
    let (proving, busy_at) = (engine.proving.clone(), config.busy_at);
    readiness.needs(move || match proving.total() {
        waiting if waiting >= busy_at => Err(format!("busy: {waiting} jobs wait")),
        _ => Ok(()),
    });
    readiness
}

/// Has measured what is not counted as it happens.
fn measure(metrics: &Metrics, engine: &Engine, jobs: &Arc<Jobs>, forwarding: Option<Arc<Forwarding>>) {
    let (proving, verifying, jobs) = (engine.proving.clone(), engine.verifying.clone(), jobs.clone());
    metrics.measure(move |metrics| {
        for (queue, program) in Program::ALL.into_iter().enumerate() {
            metrics.queue_depth(programs::name(program), proving.len(queue));
        }
        metrics.queue_depth("verification", verifying.len(0));
        metrics.cache_bytes(jobs.cache().size().1);
        if let Some(forwarding) = &forwarding {
            forwarding.count(metrics);
        }
    });
}

fn start_lanes(
    tasks: &mut JoinSet<()>,
    engine: &Engine,
    config: &Config,
    scratch: &Scratch,
    control: &Control,
) -> io::Result<()> {
    let spec = WorkerSpec {
        program: config.worker_program.clone().map_or_else(std::env::current_exe, Ok)?,
        memory: config.machine_memory,
        scratch: scratch.path().into(),
        circuits: config.circuits.clone(),
    };
    let limits = Limits {
        memory: config.worker_memory,
        time: config.worker_time_limit,
        silence: config.worker_silence,
    };
    if matches!(config.role, Role::All | Role::CommitteeChange | Role::Inclusion) {
        let lane = Lane {
            name: "proving",
            spec: spec.clone(),
            limits,
            jobs: engine.proving.clone(),
            warm: config.warm.then(|| (WorkerMode::Stark, engine.warming.begin())),
            linger: None,
            breaker: engine.breaker.clone(),
            metrics: engine.metrics.clone(),
        };
        tasks.spawn(lane.run(control.clone()));
    }
    let lane = Lane {
        name: "verification",
        spec,
        limits,
        jobs: engine.verifying.clone(),
        warm: None,
        linger: config.verify_worker_idle,
        breaker: Arc::default(),
        metrics: engine.metrics.clone(),
    };
    // Not ended by draining: forwarded proofs that come back meanwhile have to be verified.
    tasks.spawn(lane.run(Control { stop: control.stop.clone(), ..Control::default() }));
    Ok(())
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
        let prover = LocalProver { queues: engine.proving.clone(), queue, pace: pace.clone() };
        (program, Prover::Local(prover))
    };
    let provers = match config.role {
        Role::All => Program::ALL.into_iter().map(local).collect(),
        Role::CommitteeChange => vec![local(Program::CommitteeChange)],
        Role::Inclusion => vec![local(Program::Inclusion)],
        Role::Entrypoint => forwarding
            .iter()
            .flat_map(|forwarding| &forwarding.pools)
            .map(|pool| (pool.program, Prover::Upstream(pool.clone())))
            .collect(),
        Role::Verifier => vec![],
    };
    provers
        .into_iter()
        .map(|(program, prover)| Arc::new(SubServer { program, prover, shared: shared.clone() }))
        .collect()
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    ConnectionLimits {
        handshake: config.handshake_timeout,
        frame: config.frame_timeout,
        idle: config.idle_timeout,
        write: config.write_timeout,
        requests: config.max_requests,
        caps: RequestCaps { input: config.max_input, record: MAX_RECORD },
    }
}
