//! The command: reads arguments, then hands over to the library.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};
use proof_server::{
    CancellationToken, Settings,
    worker::child::{self, WorkerArgs},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

/// Proving frees and allocates gigabytes all the time. This allocator keeps the pages (the server sets its options
/// for the worker); the system's gives them back and has the kernel clear them again, a sixth of the proving time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Proves statements about Ethereum for light clients.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve clients until interrupted
    Serve {
        /// TOML file with settings under the names of the flags, underscores for hyphens
        #[arg(long, env = "SEXTANT_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// A worker process; started by the server only
    #[command(hide = true)]
    Worker(WorkerArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Standard output belongs to the protocol in a worker and to the one announcement in a server.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("warn,proof_server=info,worker=info")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let outcome = match cli.command {
        Command::Serve { config, settings } => serve(config, *settings),
        Command::Worker(args) => child::run(&args).map(|never| match never {}),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proof-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(file: Option<PathBuf>, settings: Settings) -> anyhow::Result<()> {
    let file = file.map(|path| Settings::from_file(&path)).transpose()?.unwrap_or_default();
    let config = settings.or(file).resolve()?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    // For whoever started the server and waits for it; a closed stdout is no reason to stop.
    let _ = writeln!(std::io::stdout(), "listening on {address}");

    let shutdown = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("shutting down");
            shutdown.cancel();
        }
    });
    Ok(proof_server::run(listener, config, shutdown).await?)
}
