//! The command: reads arguments, then hands over to the library.

use std::{
    io::{Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use proof_server::{
    Control, Listeners, LogFormat, Settings, logging,
    worker::child::{self, WorkerArgs},
};
use sha2::{Digest, Sha256};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// Proving frees and allocates gigabytes all the time. This allocator keeps the pages (the server sets its options
/// for the worker); the system's gives them back and has the kernel clear them again, a sixth of the proving time. One
/// that only verifies is smaller with the system's.
#[cfg(feature = "prover")]
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
    /// Serve clients until told to end: SIGTERM lets running jobs finish, SIGINT does not; SIGHUP has the token file
    /// and certificates read again
    Serve {
        /// TOML file with settings under the names of the flags, underscores for hyphens
        #[arg(long, env = "SEXTANT_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Make a bearer token: prints it once, and the entry for the server's token file to standard error
    NewToken {
        /// Whom it is for
        name: String,
    },
    /// Build Groth16 circuits for tests. Proofs by them prove nothing
    #[cfg(feature = "snark")]
    DevCircuits(proof_server::dev_circuits::DevCircuitsArgs),
    /// Download SP1's released Groth16 circuits, several gigabytes, to where `serve` looks for them
    #[cfg(feature = "snark")]
    FetchCircuits {
        /// Another place, to be named by `--circuits`
        folder: Option<PathBuf>,
    },
    /// A worker process; started by the server only
    #[command(hide = true)]
    Worker(WorkerArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve { config, settings } => serve(config, *settings),
        Command::NewToken { name } => new_token(&name),
        #[cfg(feature = "snark")]
        Command::DevCircuits(args) => proof_server::dev_circuits::run(&args),
        #[cfg(feature = "snark")]
        Command::FetchCircuits { folder } => fetch_circuits(folder),
        Command::Worker(args) => {
            // Its lines are read by the server, which logs them in its own form.
            logging::start(LogFormat::Text);
            child::run(&args).map(|never| match never {})
        }
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
    logging::start(config.log_format);
    let bind =
        async |address| TcpListener::bind(address).await.with_context(|| format!("listen on {address}"));
    let clients = bind(config.listen).await?;
    let operations = match config.operations_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    // For whoever started the server and waits for it; a closed stdout is no reason to stop.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "listening on {}", clients.local_addr()?);
    if let Some(operations) = &operations {
        let _ = writeln!(stdout, "operations on {}", operations.local_addr()?);
    }
    let control = Control::default();
    tokio::spawn(signals(control.clone())?);
    Ok(proof_server::run(Listeners { clients, operations }, config, control).await?)
}

fn signals(control: Control) -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {
                    if control.drain.is_cancelled() {
                        // Asked twice: meant.
                        control.stop.cancel();
                    }
                    tracing::info!("draining");
                    control.drain.cancel();
                }
                _ = interrupt.recv() => {
                    tracing::info!("shutting down");
                    control.stop.cancel();
                }
                _ = hangup.recv() => control.reload.notify_one(),
            }
        }
    })
}

#[cfg(feature = "snark")]
#[tokio::main]
async fn fetch_circuits(folder: Option<PathBuf>) -> anyhow::Result<()> {
    println!("{}", proof_server::circuits::fetch(folder).await?.display());
    Ok(())
}

fn new_token(name: &str) -> anyhow::Result<()> {
    let mut random = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let token = format!("sextant_{}", hex::encode(random));
    println!("{token}");
    eprintln!("[[token]]\nname = {name:?}\nsha256 = \"{}\"", hex::encode(Sha256::digest(&token)));
    Ok(())
}
