//! `sextant submit` and `sextant deploy`: which contract, who signs, and what it may cost.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use sextant_client::sources::{Endpoint, ExecutionNodes};
use sextant_consensus::hash::Root;
use sextant_submit::{Address, Fees, Key, Patience, Sender};

use super::{Beacon, Circuits, Network, NodeAccess, root};
use crate::commands::Failure;

/// `sextant submit`.
#[derive(Debug, Args)]
pub struct Submit {
    /// Proof files, submitted in this order
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Proof files of the statements in the bundles among them, in any order and form: what they say goes along
    #[arg(id = "statements", long = "statement", value_name = "FILE", num_args = 1..)]
    pub statements: Vec<PathBuf>,
    /// The light client contract
    #[arg(long, value_name = "ADDRESS", env = "SEXTANT_CONTRACT")]
    pub contract: Address,
    /// How they are sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// `sextant deploy`.
#[derive(Debug, Args)]
pub struct Deploy {
    /// Verifier of proofs there, or a gateway to several
    #[arg(long, value_name = "ADDRESS")]
    pub verifier: Address,
    /// Beacon nodes of the chain to follow.
    #[command(flatten)]
    pub beacon: Beacon,
    /// The chain to follow.
    #[command(flatten)]
    pub network: Network,
    /// Root of a beacon block that you trust: the contract begins there
    #[arg(long, value_name = "ROOT", value_parser = root, requires = "beacon")]
    pub checkpoint: Option<Root>,
    /// Instead of a node: beacon API bootstrap (JSON or SSZ) of the trusted block
    #[arg(long, value_name = "FILE", required_unless_present = "checkpoint", conflicts_with = "beacon")]
    pub bootstrap: Option<PathBuf>,
    /// Accept a checkpoint older than 14 days, or than --max-age-days (weak subjectivity)
    #[arg(long)]
    pub allow_old_checkpoint: bool,
    /// Which proofs count: those by SP1's released circuits, or else by these.
    #[command(flatten)]
    pub circuits: Circuits,
    /// First epoch of the chain's next fork, where this build does not know it: proofs of builds that do will count too
    #[arg(long, value_name = "EPOCH")]
    pub next_fork_epoch: Option<u64>,
    /// How many days a statement's finalized slot may lie back when it is submitted
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    pub max_age_days: u64,
    /// Seats of the committee that must have signed; the programs demand two thirds [default: two thirds]
    #[arg(long, value_name = "SEATS")]
    pub min_participation: Option<u32>,
    /// Who may replace verifier, keys and chain [default: nobody, ever: the contract ends where the next fork begins]
    #[arg(long, value_name = "ADDRESS", requires = "delay")]
    pub guardian: Option<Address>,
    /// Seconds that a replacement is announced ahead
    #[arg(long, value_name = "SECONDS", requires = "guardian")]
    pub delay: Option<u64>,
    /// Yes, deploy: what cannot be changed later is shown, and asked about otherwise
    #[arg(long)]
    pub yes: bool,
    /// How it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// Through which nodes, by whom, and whether at all.
#[derive(Debug, Args)]
pub struct Sending {
    /// JSON-RPC of the chain that the contract is on; several are asked in turn until one answers well
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',', required = true)]
    rpc: Vec<Endpoint>,
    /// How nodes are reached, those of a chain to follow too.
    #[command(flatten)]
    pub access: NodeAccess,
    /// Who signs.
    #[command(flatten)]
    signing: Signing,
    /// Send nothing: only try whether the chain would accept it, and at what cost
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl Sending {
    /// A sender on the chain of these nodes.
    pub async fn sender(&self) -> Result<Sender, Failure> {
        self.signing.sender(self.nodes()?).await
    }

    /// These nodes.
    pub fn nodes(&self) -> Result<ExecutionNodes, Failure> {
        Ok(ExecutionNodes::new(self.rpc.clone(), self.access.config())?)
    }
}

/// Who signs, and what a transaction may cost. Without an option for the key, SEXTANT_KEY holds it.
#[derive(Debug, Args)]
pub struct Signing {
    /// File with the private key in hex, which nobody else may read; the variable SEXTANT_KEY may hold the key itself
    #[arg(long, value_name = "FILE", conflicts_with = "keystore")]
    pub key_file: Option<PathBuf>,
    /// Keystore file with the private key
    #[arg(long, value_name = "FILE")]
    pub keystore: Option<PathBuf>,
    /// File with the keystore's password; the variable SEXTANT_KEYSTORE_PASSWORD may hold it
    #[arg(long, value_name = "FILE", requires = "keystore")]
    pub password_file: Option<PathBuf>,
    /// The chain to sign for; another one is refused
    #[arg(long, value_name = "ID")]
    pub chain_id: Option<u64>,
    /// Most to pay per gas, in gwei
    #[arg(long, value_name = "GWEI", default_value_t = 200)]
    pub max_fee: u64,
    /// Tip per gas, in gwei [default: what the node suggests]
    #[arg(long, value_name = "GWEI")]
    pub tip: Option<u64>,
    /// Blocks that must lie on top of a transaction; until then it is looked at again, and sent again if its block is gone
    #[arg(long, value_name = "BLOCKS", default_value_t = 2)]
    pub confirmations: u64,
    /// Replace a transaction that is in no block after so many seconds, for an eighth more
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    pub replace_after: u64,
    /// Give up waiting after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub give_up_after: u64,
}

const GWEI: u128 = 1_000_000_000;

impl Signing {
    /// A sender on the chain of these nodes.
    pub async fn sender(&self, nodes: ExecutionNodes) -> Result<Sender, Failure> {
        let key =
            Key::find(self.key_file.as_deref(), self.keystore.as_deref(), self.password_file.as_deref())?;
        let fees =
            Fees { cap: u128::from(self.max_fee) * GWEI, tip: self.tip.map(|tip| u128::from(tip) * GWEI) };
        let patience = Patience {
            replace_after: Duration::from_secs(self.replace_after),
            total: Duration::from_secs(self.give_up_after),
            confirmations: self.confirmations,
            ..Patience::default()
        };
        Ok(Sender::new(nodes, key, self.chain_id, fees, patience).await?)
    }
}
