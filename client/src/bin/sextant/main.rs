//! The `sextant` command: asks a proof server for proofs, and verifies and shows them.

mod args;
mod commands;
mod failure;
mod output;
mod progress;
mod render;
mod version;

use std::{panic, process::ExitCode, sync::Mutex};

use clap::Parser;

use args::{Arguments, Command, ServerCommand};
use commands::Outcome;
use failure::{Code, Failure};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    output::choose(arguments.quiet, arguments.verbose);
    let json = arguments.command.json();
    record_panics();
    // A task of its own, so that a panic is an error like any other.
    let failure = match tokio::spawn(run(arguments)).await {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(failure)) => failure,
        Err(_) => {
            let panic = LAST_PANIC.lock().map(|panic| panic.clone()).unwrap_or_default();
            Failure::new(Code::Failed, format!("a fault in this program, please report it: {panic}"))
        }
    };
    if json {
        eprintln!("{}", output::json_line(&failure.to_json()));
    } else {
        eprintln!("error: {}", output::one_line(failure.message()));
    }
    (&failure).into()
}

async fn run(arguments: Arguments) -> Outcome {
    match arguments.command {
        Command::Prove(prove) => commands::prove::run(*prove).await,
        Command::Bundle(bundle) => commands::bundle::run(*bundle).await,
        Command::Chain(chain) => commands::chain::run(*chain).await,
        Command::Wrap(wrap) => commands::wrap::run(*wrap).await,
        Command::Follow(follow) => commands::follow::run(*follow).await,
        Command::Status(status) => commands::status::run(status),
        Command::Submit(submit) => commands::submit::run(*submit).await,
        Command::Deploy(deploy) => commands::deploy::run(*deploy).await,
        Command::Verify(verify) => commands::verify::run(verify).await,
        Command::Inspect(inspect) => commands::inspect::run(inspect),
        Command::CheckBlock(check) => commands::check_block::run(check).await,
        Command::Server(ServerCommand::Info(server)) => commands::server::info(server).await,
        Command::Server(ServerCommand::Ping(server)) => commands::server::ping(server).await,
        Command::Completions { shell } => commands::describe::completions(shell),
        Command::Man { folder } => commands::describe::man(&folder),
    }
}

/// What the last panic said and where.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Keeps panics from being printed: the verifier catches its own on hostile proofs and refuses them in one line.
fn record_panics() {
    panic::set_hook(Box::new(|panic| {
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = panic.to_string();
        }
    }));
}
