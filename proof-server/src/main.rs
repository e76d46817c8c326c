//! The command: reads arguments, then hands over to the library.

use std::{io::Write, net::SocketAddr, path::PathBuf, pin::pin, process::ExitCode};

use anyhow::{Context, anyhow, bail};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use proof_server::{
    Config, Control, FleetArgs, Listeners, LogFormat, Settings, causes, config, logging,
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
#[command(version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SEXTANT_BUILD_COMMIT"), ")"), about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve clients until told to end: SIGTERM lets running jobs finish, SIGINT does not; SIGHUP has the token file
    /// and certificates read again
    Serve(Configuration),
    /// Check a configuration without serving: prints every setting with its source, and reads the files that are named.
    /// Takes what `serve` takes; exit code 0 if a server would start with it
    CheckConfig(Configuration),
    /// Ask the server that runs with this configuration whether it is alive; exit code 0 if so. Takes what `serve`
    /// takes, of which `operations-listen` and `listen` say where it is asked
    Health {
        /// Ask whether it is ready for work, not only alive
        #[arg(long)]
        ready: bool,
        #[command(flatten)]
        configuration: Configuration,
    },
    /// Make a bearer token: prints it once, and the entry for the server's token file to standard error
    NewToken {
        /// Whom it is for
        name: String,
    },
    /// See a fleet and steer it: what waits, who works, what is dead
    Fleet(FleetArgs),
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

/// What a configuration is made of.
#[derive(Args)]
struct Configuration {
    /// TOML file with settings under the names of the flags, underscores for hyphens
    #[arg(long, env = "SEXTANT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Box<Settings>,
}

impl Configuration {
    fn resolve(self) -> anyhow::Result<Config> {
        let file = self.config.map(|path| Settings::from_file(&path)).transpose()?.unwrap_or_default();
        Ok(self.settings.or(file).resolve()?)
    }
}

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let outcome = match Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command {
        Command::Serve(configuration) => serve(configuration),
        Command::CheckConfig(configuration) => {
            let (_, matches) = matches.subcommand().expect("it was just parsed");
            check_config(configuration, matches)
        }
        Command::Health { ready, configuration } => health(configuration, ready),
        Command::NewToken { name } => new_token(&name),
        Command::Fleet(args) => operate(args),
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
            eprintln!("proof-server: {}", causes::explained(&error));
            ExitCode::FAILURE
        }
    }
}

/// Threads for what would hold others up, besides those that check statements. Without a bound a flood of requests starts
/// hundreds, each of which keeps memory.
const BESIDE: usize = 8;

fn serve(configuration: Configuration) -> anyhow::Result<()> {
    proof_server::allow_large_pages(false);
    let beside = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) + BESIDE;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(beside).build()?;
    runtime.block_on(serve_until_told(configuration))
}

async fn serve_until_told(configuration: Configuration) -> anyhow::Result<()> {
    let config = configuration.resolve()?;
    logging::start(config.log_format);
    for variable in config::unknown_variables() {
        tracing::warn!(variable, "no such setting");
    }
    let clients = bind("listen", config.listen).await?;
    let http = bind_if("http-listen", config.http_listen).await?;
    let operations = bind_if("operations-listen", config.operations_listen).await?;
    let mut addresses = format!("listening on {}\n", clients.local_addr()?);
    if let Some(http) = &http {
        addresses += &format!("http on {}\n", http.local_addr()?);
    }
    if let Some(operations) = &operations {
        addresses += &format!("operations on {}\n", operations.local_addr()?);
    }
    let control = Control::default();
    tokio::spawn(signals(control.clone())?);
    let server = proof_server::run(Listeners { clients, http, operations }, config, control.clone());
    let mut server = pin!(server);
    tokio::select! {
        outcome = &mut server => return Ok(outcome?),
        () = control.serving.cancelled() => {}
    }
    // For whoever started the server and waits for it; a closed stdout is no reason to stop.
    let _ = std::io::stdout().write_all(addresses.as_bytes());
    Ok(server.await?)
}

async fn bind(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{setting}: {address}"))
}

async fn bind_if(setting: &str, address: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    match address {
        Some(address) => bind(setting, address).await.map(Some),
        None => Ok(None),
    }
}

fn check_config(configuration: Configuration, matches: &ArgMatches) -> anyhow::Result<()> {
    let Configuration { config: path, settings } = configuration;
    let file = path.as_deref().map(Settings::from_file).transpose()?;
    print!("{}", config::listing(matches, &settings, path.as_deref().zip(file.as_ref())));
    let config = settings.or(file.unwrap_or_default()).resolve()?;
    proof_server::check(&config)?;
    match config::unknown_variables() {
        unknown if unknown.is_empty() => Ok(()),
        unknown => bail!("no such setting: {}", unknown.join(", ")),
    }
}

#[tokio::main]
async fn health(configuration: Configuration, ready: bool) -> anyhow::Result<()> {
    println!("{}", proof_server::health::ask(&configuration.resolve()?, ready).await?);
    Ok(())
}

#[tokio::main]
async fn operate(args: FleetArgs) -> anyhow::Result<()> {
    logging::start_for_command();
    Ok(proof_server::operate(args).await?)
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
    proof_server::check_name(name).map_err(|reason| anyhow!("{name:?}: {reason}"))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let token = format!("sextant_{}", hex::encode(random));
    println!("{token}");
    eprintln!("[[token]]\nname = {name:?}\nsha256 = \"{}\"", hex::encode(Sha256::digest(&token)));
    Ok(())
}
