//! The inside of a worker process: reads jobs from stdin, writes events to stdout, logs to stderr.

use std::{fs::File, os::fd::AsFd, sync::Arc};

use anyhow::Context;
use sextant_protocol::{
    ErrorCode, ServerError,
    frame::{FrameError, MessageReader, MessageWriter},
};
use tokio::sync::mpsc;

use super::{WorkerEvent, WorkerMode, WorkerRequest, job::Prover, messages::MAX_WORKER_FRAME};
use crate::{causes, circuits::CircuitsConfig, system};

/// How far a worker that proves steps back for whoever has little to do: the server itself, and verification.
const NICENESS: i32 = 10;

/// Arguments of `proof-server worker`, set by the server.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerArgs {
    /// What the worker is for.
    #[arg(long, value_enum)]
    pub mode: WorkerMode,
    /// Memory to plan with, bytes.
    #[arg(long)]
    pub memory: u64,
    /// Resident memory at which the server kills the worker, bytes: what needs more is refused.
    #[arg(long, default_value_t = u64::MAX)]
    pub memory_limit: u64,
    /// Time after which the server kills the worker over one job, seconds: what needs more is refused.
    #[arg(long, default_value_t = u64::MAX)]
    pub time_limit: u64,
    /// What SNARKs are made with.
    #[command(flatten)]
    pub circuits: CircuitsConfig,
}

/// Runs the worker until its stdin ends. Does not return: what is still computing then is not waited for.
///
/// # Errors
/// If the worker cannot start.
pub fn run(args: &WorkerArgs) -> anyhow::Result<std::convert::Infallible> {
    // What else prints must not end up between two frames.
    let events = system::claim_stdout().context("stdout")?;
    if args.mode != WorkerMode::Verify {
        // The server has none, which would be inherited.
        system::allow_large_pages(true);
        system::lower_priority(NICENESS);
        // SP1 logs a panicking task and may then wait for it forever. Here a panic ends the worker, and with it
        // exactly one job, unless it is the engine's verdict about a part that somebody sent.
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            report(panic);
            #[cfg(feature = "prover")]
            if sextant_engine::panics_are_contained() {
                return;
            }
            std::process::abort();
        }));
    }
    watch_server();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(args, events));
    if let Err(error) = &outcome {
        tracing::error!(error = causes::explained(error), "worker ends");
    }
    end(i32::from(outcome.is_err()))
}

/// Ends this process as soon as the server's end of stdin is closed, however the server ended. A plain thread: the
/// runtime's may all be busy proving.
fn watch_server() {
    std::thread::spawn(|| {
        // No pipe (started by hand): its end is read, not waited for.
        if system::wait_for_hangup(std::io::stdin().as_fd()) {
            end(0);
        }
    });
}

async fn serve(args: &WorkerArgs, events: File) -> anyhow::Result<()> {
    let (jobs, mut queue) = mpsc::channel(1);
    tokio::spawn(read_jobs(jobs));
    let mut events = MessageWriter::new(tokio::fs::File::from_std(events), MAX_WORKER_FRAME);

    let worker = Arc::new(Prover::start(args).await?);
    events.send(&WorkerEvent::Ready).await?;

    while let Some(request) = queue.recv().await {
        let (progress, mut steps) = mpsc::unbounded_channel();
        let job = tokio::spawn({
            let worker = worker.clone();
            async move {
                let sink = Arc::new(move |step| {
                    // The receiver outlives the job.
                    let _ = progress.send(step);
                });
                worker.run(request, sink).await
            }
        });
        // Ends when the job drops its sink.
        while let Some(step) = steps.recv().await {
            events.send(&WorkerEvent::Progress { step }).await?;
        }
        let event = job.await.unwrap_or_else(|error| {
            WorkerEvent::Failed(ServerError::new(ErrorCode::Internal, format!("worker job: {error}")))
        });
        match events.send(&event).await {
            // Nothing of it was sent. The proof is of no use, the worker is.
            Err(FrameError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidInput => {
                let message = format!("the proof is too large to hand over: {error}");
                let failed = ServerError::new(ErrorCode::TooLarge, message);
                events.send(&WorkerEvent::Failed(failed)).await?;
            }
            sent => sent?,
        }
    }
    Ok(())
}

/// Reads jobs for as long as the server is there; ends the process when it is not, whatever is being computed.
async fn read_jobs(jobs: mpsc::Sender<WorkerRequest>) {
    let mut requests = MessageReader::new(tokio::io::stdin(), MAX_WORKER_FRAME, "worker request");
    loop {
        match requests.next().await {
            Ok(Some(request)) => {
                if jobs.send(request).await.is_err() {
                    return;
                }
            }
            Ok(None) => end(0),
            Err(error) => {
                tracing::error!(%error, "the server's pipe");
                end(1)
            }
        }
    }
}

/// Ends this process and the executor process that SP1 may have started, shared memory included.
fn end(code: i32) -> ! {
    let shared_memory = crate::process::shared_memory(std::process::id());
    system::end_own_group();
    crate::process::remove_files(&shared_memory);
    std::process::exit(code)
}
