//! The command line.

mod asking;
mod circuits;
mod contract;
mod events;
mod follow;
mod network;
mod nodes;
mod prove;
mod server;
mod watched;

use std::{convert::Infallible, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use sextant_client::ProofKind;
use sextant_consensus::hash::Root;

pub use asking::Asking;
pub use circuits::Circuits;
pub use contract::{Deploy, Signing, Submit};
pub use events::{AskedEvents, LogFilters};
pub use follow::{Follow, Status};
pub use network::Network;
pub use nodes::{Beacon, NodeAccess, Rpc};
pub use prove::{CommitteeChange, Inclusion, Prove, ProveOptions};
pub use server::Server;
pub use watched::WatchedAccounts;

use crate::version;

/// Proofs of what is true on Ethereum, for light clients, bridges and contracts.
///
/// Asks a proof server, believes nothing that it or any node says, and writes proofs that anybody can verify.
#[derive(Debug, Parser)]
#[command(
    name = "sextant",
    version = version::SHORT,
    long_version = version::LONG.as_str(),
    arg_required_else_help = true,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_STATUS}"),
)]
pub struct Arguments {
    /// Tell only results and errors: no progress, no notes
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Tell more about what is done
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  sextant prove inclusion --beacon URL --rpc URL --address 0x... --slot 0x...
  sextant prove inclusion --beacon URL --rpc URL --log TRANSACTION:0
  sextant prove committee-change --beacon URL --from 1200
  sextant verify slot.proof --committee-root 0x...
  sextant follow --beacon URL --checkpoint 0x...";

const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    something on this machine: a file, a folder
  2    arguments that cannot be meant
  3    refused: the server does not do what was asked, or failed at it
  4    unreachable: no server, or a broken connection
  5    invalid statement: what nodes or files say is not true, or makes no statement
  6    invalid proof
  7    no node gave a usable answer
  8    the contract refuses, or its chain
  9    busy: the server has no place for it now
  10   not within the time given
  130  interrupted
With --json an error is one line of JSON on standard error, with these names.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask a server for a proof, verify it here, and write it to a file
    #[command(subcommand)]
    Prove(Box<Prove>),
    /// Have a server make a proof for contracts (groth16) of a compressed one, verify it here, and write it to a file
    Wrap(Box<Wrap>),
    /// Have a server make one proof of several compressed ones of the same chain, verify it here, and write it to a file
    Bundle(Box<Bundle>),
    /// Have a server extend a chain of committees, or begin one: one proof of constant size that leads from an anchor to the
    /// newest committee. Verify it here, and write it to a file
    Chain(Box<Chain>),
    /// Follow a chain and keep its proofs up to date, until interrupted
    Follow(Box<Follow>),
    /// Show what a follower knows, has proven, and does next
    Status(Status),
    /// Submit proofs to a light client contract
    Submit(Box<Submit>),
    /// Deploy a light client contract
    Deploy(Box<Deploy>),
    /// Verify a proof file; needs no server
    Verify(Verify),
    /// Show what a proof file says, without verifying it
    Inspect(Inspect),
    /// Execute a block again by its witness alone, and say whether it is valid; needs no server and no node
    CheckBlock(CheckBlock),
    /// Talk to a server
    #[command(subcommand)]
    Server(ServerCommand),
    /// Print what makes a shell complete this command: `sextant completions bash >> ~/.bash_completion`
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write man pages of all commands into a folder
    Man {
        /// The folder
        folder: PathBuf,
    },
}

impl Command {
    /// Whether results are for programs: errors are then, too.
    pub fn json(&self) -> bool {
        match self {
            Self::Prove(prove) => prove.options().asking.json,
            Self::Wrap(wrap) => wrap.asking.json,
            Self::Bundle(bundle) => bundle.asking.json,
            Self::Chain(chain) => chain.asking.json,
            Self::Follow(follow) => follow.json,
            Self::Status(status) => status.json,
            Self::Submit(submit) => submit.sending.json,
            Self::Deploy(deploy) => deploy.sending.json,
            Self::Verify(verify) => verify.json,
            Self::Inspect(inspect) => inspect.json,
            Self::CheckBlock(check) => check.json,
            Self::Server(ServerCommand::Info(server) | ServerCommand::Ping(server)) => server.json,
            Self::Completions { .. } | Self::Man { .. } => false,
        }
    }
}

/// `sextant wrap`.
#[derive(Debug, Args)]
pub struct Wrap {
    /// File with the compressed proof; - is standard input
    pub file: PathBuf,
    /// How it is asked for.
    #[command(flatten)]
    pub asking: Asking,
}

/// `sextant bundle`.
#[derive(Debug, Args)]
pub struct Bundle {
    /// Files with the compressed proofs, in the order in which the bundle is to have them
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The form of the proof: compressed, or groth16 for contracts
    #[arg(long, default_value_t = ProofKind::Groth16)]
    pub kind: ProofKind,
    /// How it is asked for.
    #[command(flatten)]
    pub asking: Asking,
}

/// `sextant chain`.
#[derive(Debug, Args)]
pub struct Chain {
    /// File with the compressed proof of the chain so far; without it, a chain begins at the first change's committee
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Files with compressed proofs of the committee changes that follow, in order
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The form of the proof: compressed, which can be extended, or groth16
    #[arg(long, default_value_t = ProofKind::Compressed)]
    pub kind: ProofKind,
    /// How it is asked for.
    #[command(flatten)]
    pub asking: Asking,
}

/// `sextant verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The proof file; - is standard input
    pub file: PathBuf,
    /// The chain.
    #[command(flatten)]
    pub network: Network,
    /// Root of the sync committee that must have signed (`hash_tree_root(SyncCommittee)`, hex). Without it, where the
    /// proof begins is not checked
    #[arg(long, value_name = "ROOT", value_parser = root)]
    pub committee_root: Option<Root>,
    /// Of a bundle: proof files of statements in it, in any order and form. Says where in it each is, and what it says
    #[arg(id = "statements", long = "statement", value_name = "FILE", num_args = 1..)]
    pub statements: Vec<PathBuf>,
    /// Which SNARKs count.
    #[command(flatten)]
    pub circuits: Circuits,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sextant inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The proof file; - is standard input
    pub file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `sextant check-block`.
#[derive(Debug, Args)]
pub struct CheckBlock {
    /// The block and its witness, as `StatelessInput` of execution-specs: schema id and SSZ; - is standard input
    pub file: PathBuf,
    /// Print the result as JSON
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

/// A file to read; `-` is standard input.
fn file(text: &str) -> Result<PathBuf, Infallible> {
    Ok(if text == "-" { "/dev/stdin".into() } else { text.into() })
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

    /// Who gives no source is told the usual one first.
    #[test]
    fn a_missing_source_is_named() {
        for statement in ["committee-change", "inclusion"] {
            let error = Arguments::try_parse_from(["sextant", "prove", statement]).unwrap_err().to_string();
            let (beacon, file) = (error.find("--beacon <URL>").unwrap(), error.find("--bootstrap").unwrap());
            assert!(beacon < file, "{error}");
        }
    }

    #[test]
    fn help_lists_every_exit_status() {
        for code in crate::failure::Code::ALL {
            let line = format!("\n  {:<4} ", code.status());
            assert!(EXIT_STATUS.contains(&line), "{code:?}");
        }
    }

    #[test]
    fn roots_are_32_bytes() {
        assert_eq!(root(&format!("0x{}", "ab".repeat(32))), Ok([0xab; 32]));
        assert!(root("0x00").is_err());
        assert!(root(&"zz".repeat(32)).is_err());
    }
}
