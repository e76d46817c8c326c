//! The proof server: checks statements, queues them, proves them in worker processes, and answers over TCP.
//!
//! A request flows one way: `entrypoint` accepts, `connection` reads frames and starts requests, `services` picks
//! the `sub_server` of the program, which checks the statement natively (`witness`) and puts it into its `queue`;
//! a `lane` of [`worker`] takes it to a worker process, where `sextant-engine` proves it. Progress and the proof come
//! back the same way. `verification` has a lane of its own. [`config`] holds every knob.
//!
//! [`run`] is the whole server; the binary only reads its arguments and calls it.

pub mod config;
mod connection;
mod entrypoint;
mod process;
mod programs;
mod progress;
mod queue;
mod services;
mod sub_server;
mod time;
mod verification;
mod witness;
pub mod worker;

use std::{io, num::NonZero, sync::Arc, thread::available_parallelism};

pub use config::{Config, Role, Settings};
use sextant_consensus::Program;
use tokio::{net::TcpListener, task::JoinSet};
pub use tokio_util::sync::CancellationToken;

use connection::ConnectionLimits;
use queue::Queues;
use services::{ServiceLimits, Services};
use worker::{
    WorkerMode,
    lane::{Lane, Limits},
    process::WorkerSpec,
};

/// Serves on `listener` until `shutdown` is cancelled; returns when every connection and worker is gone.
///
/// # Errors
/// If the folder for the workers' temporary files cannot be made, or this program's own file is not known.
pub async fn run(listener: TcpListener, config: Config, shutdown: CancellationToken) -> io::Result<()> {
    // SP1 unpacks an executable into its temporary folder and trusts what it finds there: not in everybody's /tmp.
    let scratch = tempfile::Builder::new().prefix("sextant-").tempdir()?;
    let spec = WorkerSpec {
        program: config.worker_program.map_or_else(std::env::current_exe, Ok)?,
        memory: config.machine_memory,
        scratch: scratch.path().into(),
    };
    let limits = Limits { memory: config.worker_memory, time: config.worker_time_limit };

    let proving = Queues::new(Program::ALL.len(), config.queue_capacity);
    let verifying = Queues::new(1, config.verify_queue_capacity);
    let warm = config.warm.then_some(WorkerMode::Stark);
    let lanes = [
        Lane { name: "proving", spec: spec.clone(), limits, jobs: proving.clone(), warm },
        Lane { name: "verification", spec, limits, jobs: verifying.clone(), warm: None },
    ];
    let mut tasks = JoinSet::new();
    for lane in lanes {
        tasks.spawn(lane.run(shutdown.clone()));
    }

    let services = Services::new(
        &proving,
        verifying,
        &ServiceLimits {
            max_input: config.max_input,
            max_deadline: config.max_deadline,
            parallel_checks: available_parallelism().map_or(1, NonZero::get),
        },
    );
    let connection_limits = ConnectionLimits {
        handshake: config.handshake_timeout,
        idle: config.idle_timeout,
        write: config.write_timeout,
        requests: config.max_requests,
    };
    entrypoint::run(listener, Arc::new(services), connection_limits, config.max_connections, shutdown).await;
    while tasks.join_next().await.is_some() {}
    Ok(())
}
