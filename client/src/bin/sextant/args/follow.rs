//! `sextant follow` and `sextant status`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use sextant_client::{ProofKind, sources::Endpoint};
use sextant_consensus::hash::Root;
use sextant_submit::Address;

use super::{Beacon, Circuits, LogFilters, Network, NodeAccess, Rpc, Server, Signing, WatchedAccounts, root};

/// `sextant follow`.
#[derive(Debug, Args)]
pub struct Follow {
    /// Beacon nodes.
    #[command(flatten)]
    pub beacon: Beacon,
    /// Execution nodes: needed to watch accounts and logs.
    #[command(flatten)]
    pub rpc: Rpc,
    /// How nodes are reached, those of the contract's chain too.
    #[command(flatten)]
    pub access: NodeAccess,
    /// The server.
    #[command(flatten)]
    pub server: Server,
    /// The chain.
    #[command(flatten)]
    pub network: Network,
    /// What to keep proven.
    #[command(flatten)]
    pub watched: WatchedAccounts,
    /// Logs to prove wherever they turn up, in all blocks from the first head on.
    #[command(flatten)]
    pub logs: LogFilters,
    /// Most logs in one proof; a block with more of them is proven in several
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_logs: u16,
    /// Root of a beacon block that you trust; needed the first time
    #[arg(long, value_name = "ROOT", value_parser = root)]
    pub checkpoint: Option<Root>,
    /// Instead: take the latest finalized block of this beacon API or checkpoint provider; needs --trust-provider
    #[arg(long, value_name = "URL", conflicts_with = "checkpoint")]
    pub checkpoint_provider: Option<Endpoint>,
    /// Yes, what the checkpoint provider says is to be trusted
    #[arg(long, requires = "checkpoint_provider")]
    pub trust_provider: bool,
    /// Accept a checkpoint older than 14 days (weak subjectivity)
    #[arg(long)]
    pub allow_old_checkpoint: bool,
    /// Nodes whose head is older than this many seconds are behind; 0: no limit
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub max_head_age: u64,
    /// The folder.
    #[command(flatten)]
    pub folder: StateFolder,
    /// Prove the accounts only when something about them has changed [default: at each new finalized head]
    #[arg(long)]
    pub on_change: bool,
    /// Form of the proofs: `stark` is made fastest, `compressed` has one small size, `groth16` is for contracts
    #[arg(long, default_value = "stark")]
    pub kind: ProofKind,
    /// Which SNARKs count.
    #[command(flatten)]
    pub circuits: Circuits,
    /// Submit to this light client contract what it does not know: handovers, the latest proof of the accounts, and every
    /// proof of logs; needs --kind groth16 and --submit-rpc
    #[arg(long, value_name = "CONTRACT", requires = "submit_rpc")]
    pub submit: Option<Address>,
    /// JSON-RPC of the chain that the contract is on
    #[arg(long, value_name = "URL", value_delimiter = ',', requires = "submit")]
    pub submit_rpc: Vec<Endpoint>,
    /// Who signs the submissions.
    #[command(flatten)]
    pub signing: Signing,
    /// Submit what becomes due within so many seconds as one bundle, which costs a fraction of the gas and takes a server that
    /// bundles and wraps proofs; what is due alone goes alone. With --once: what is due now
    #[arg(long, value_name = "SECONDS", requires = "submit", value_parser = clap::value_parser!(u64).range(1..=21_600))]
    pub bundle_for: Option<u64>,
    /// Keep one proof that leads from the checkpoint's committee to the newest in this file, and extend it with each handover:
    /// whoever starts with that committee needs this file alone; needs --kind compressed, and a server that extends chains
    #[arg(long, value_name = "FILE", conflicts_with = "submit")]
    pub keep_chain: Option<PathBuf>,
    /// Most handovers in one proof when catching up; where that leaves a header too old for the contract, it is as many as it
    /// takes
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=128))]
    pub max_handovers: u64,
    /// How many proofs of each kind of statement stay on disk, of watched logs counted apart, and those still to be submitted
    /// besides; 0: all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub keep: u64,
    /// Answer /healthz, /readyz and /metrics on this address; not ready is a head older than --max-head-age, or a contract
    /// that does not know the head's committee
    #[arg(long, value_name = "ADDRESS", env = "SEXTANT_FOLLOW_OPERATIONS_LISTEN")]
    pub operations_listen: Option<SocketAddr>,
    /// Seconds between two looks at the chain
    #[arg(long, value_name = "SECONDS", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub poll: u64,
    /// Give a proof up after this many seconds, queueing included [default: the server's maximum]
    #[arg(long, value_name = "SECONDS")]
    pub deadline: Option<u64>,
    /// Look once, prove what is due, and end
    #[arg(long)]
    pub once: bool,
    /// Print each event as one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// `sextant status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The folder.
    #[command(flatten)]
    pub folder: StateFolder,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Where a follower keeps its state.
#[derive(Debug, Args)]
pub struct StateFolder {
    /// Folder of the follower's database and proofs
    #[arg(
        id = "state",
        long = "state",
        value_name = "FOLDER",
        env = "SEXTANT_STATE",
        default_value = "sextant-state"
    )]
    pub path: PathBuf,
}
