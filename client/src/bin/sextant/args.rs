//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use sextant_client::ProofKind;
use sextant_consensus::{chain::ChainConfig, hash::Root, networks};

/// Proofs for Ethereum light clients.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask a server for a proof, verify it here, and write it to a file
    #[command(subcommand)]
    Prove(Prove),
    /// Verify a proof file; needs no server
    Verify(Verify),
    /// Show what a proof file says, without verifying it
    Inspect(Inspect),
    /// Talk to a server
    #[command(subcommand)]
    Server(ServerCommand),
}

/// The two statements.
#[derive(Debug, Subcommand)]
pub enum Prove {
    /// One or more consecutive sync committee handovers
    CommitteeChange {
        /// Beacon API bootstrap of the trusted block (JSON): the committee to begin with
        #[arg(long, value_name = "FILE")]
        bootstrap: PathBuf,
        /// Beacon API updates (JSON), in order; a file may hold a list. The first is of the bootstrap's period
        #[arg(long = "update", value_name = "FILE", required = true, num_args = 1..)]
        updates: Vec<PathBuf>,
        /// Options of every proof.
        #[command(flatten)]
        options: ProveOptions,
    },
    /// Accounts and storage slots in a finalized execution state
    Inclusion {
        /// Beacon API bootstrap (JSON) of the period in which the finality update was signed
        #[arg(long, value_name = "FILE")]
        bootstrap: PathBuf,
        /// Beacon API finality update (JSON)
        #[arg(long, value_name = "FILE")]
        finality_update: PathBuf,
        /// `eth_getProof` answers (JSON) at the finalized block; a file may hold a list
        #[arg(long = "proof", value_name = "FILE", required = true, num_args = 1..)]
        proofs: Vec<PathBuf>,
        /// Options of every proof.
        #[command(flatten)]
        options: ProveOptions,
    },
}

/// Options of every proof.
#[derive(Debug, Args)]
pub struct ProveOptions {
    /// The server.
    #[command(flatten)]
    pub server: Server,
    /// The chain.
    #[command(flatten)]
    pub network: Network,
    /// Form of the proof: `stark` is made fastest, `compressed` has one small size
    #[arg(long, default_value = "stark")]
    pub kind: ProofKind,
    /// Give up after this many seconds, queueing included [default: the server's maximum]
    #[arg(long, value_name = "SECONDS")]
    pub deadline: Option<u64>,
    /// Where the proof goes [default: PROGRAM-SLOT-KIND.proof in the current folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sextant verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The proof file
    pub file: PathBuf,
    /// The chain.
    #[command(flatten)]
    pub network: Network,
    /// Root of the sync committee that must have signed (`hash_tree_root(SyncCommittee)`, hex)
    #[arg(long, value_name = "ROOT", value_parser = root)]
    pub committee_root: Option<Root>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sextant inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The proof file
    pub file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sextant server`.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Programs, keys, kinds and queues of the server
    Info(ServerOptions),
    /// One round trip
    Ping(ServerOptions),
}

/// Options of the server commands.
#[derive(Debug, Args)]
pub struct ServerOptions {
    /// The server.
    #[command(flatten)]
    pub server: Server,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which server.
#[derive(Debug, Args)]
pub struct Server {
    /// The server's address
    #[arg(
        id = "server",
        long = "server",
        value_name = "HOST:PORT",
        env = "SEXTANT_SERVER",
        default_value = "127.0.0.1:7100"
    )]
    pub address: String,
}

/// Which chain.
#[derive(Debug, Args)]
pub struct Network {
    /// The network whose rules and digest count
    #[arg(id = "network", long = "network", value_name = "NAME", default_value = "mainnet", value_parser = network_name)]
    pub name: String,
}

impl Network {
    /// Its configuration.
    pub fn config(&self) -> &'static ChainConfig {
        networks::by_name(&self.name).expect("the argument's parser let only known names pass")
    }
}

fn network_name(name: &str) -> Result<String, String> {
    match networks::by_name(name) {
        Some(_) => Ok(name.into()),
        None => Err(format!("known networks: {}", networks::NETWORKS.map(|(known, _)| known).join(", "))),
    }
}

fn root(text: &str) -> Result<Root, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut root = Root::default();
    hex::decode_to_slice(digits, &mut root)
        .map_err(|error| format!("not a root of 32 bytes in hex: {error}"))?;
    Ok(root)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn roots_are_32_bytes() {
        assert_eq!(root(&format!("0x{}", "ab".repeat(32))), Ok([0xab; 32]));
        assert!(root("0x00").is_err());
        assert!(root(&"zz".repeat(32)).is_err());
    }
}
