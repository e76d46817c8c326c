//! How a server is asked for a proof, and what becomes of it.

use std::path::PathBuf;

use clap::Args;

use super::{Circuits, Server};

/// How a server is asked for a proof, and what becomes of it.
#[derive(Debug, Args)]
pub struct Asking {
    /// The server.
    #[command(flatten)]
    pub server: Server,
    /// Which SNARKs count.
    #[command(flatten)]
    pub circuits: Circuits,
    /// Give up after this many seconds, queueing and waiting included; 0 is the server's maximum for each try
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub deadline: u64,
    /// Do not wait: fail where the server is busy, or the connection breaks
    #[arg(long)]
    pub no_wait: bool,
    /// Where the proof goes; - is standard output [default: PROGRAM-SLOT-KIND.proof in the current folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the calldata that submits the proof to a light client contract, and nothing else
    #[arg(long, conflicts_with = "json")]
    pub calldata: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
