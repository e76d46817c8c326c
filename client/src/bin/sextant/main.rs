//! The `sextant` command: asks a proof server for proofs, and verifies and shows them.

mod args;
mod commands;
mod output;
mod progress;
mod render;

use std::{panic, process::ExitCode, sync::Mutex};

use clap::Parser;

use args::{Arguments, Command, ServerCommand};
use commands::Outcome;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    record_panics();
    // A task of its own, so that a panic is an error like any other.
    let error = match tokio::spawn(async { run(arguments).await.map_err(|error| error.to_string()) }).await {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => error,
        Err(_) => {
            let panic = LAST_PANIC.lock().map(|panic| panic.clone()).unwrap_or_default();
            format!("a fault in this program, please report it: {panic}")
        }
    };
    eprintln!("error: {}", output::one_line(&error));
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Outcome {
    match arguments.command {
        Command::Prove(prove) => commands::prove::run(*prove).await,
        Command::Follow(follow) => commands::follow::run(*follow).await,
        Command::Status(status) => commands::status::run(status),
        Command::Submit(submit) => commands::submit::run(*submit).await,
        Command::Deploy(deploy) => commands::deploy::run(*deploy).await,
        Command::Verify(verify) => commands::verify::run(verify).await,
        Command::Inspect(inspect) => commands::inspect::run(inspect),
        Command::Server(ServerCommand::Info(server)) => commands::server::info(server).await,
        Command::Server(ServerCommand::Ping(server)) => commands::server::ping(server).await,
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
