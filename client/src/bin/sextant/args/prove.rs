//! `sextant prove`: the two statements, from nodes or from files.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use sextant_client::{ProofKind, sources::prepare::BlockName};
use sextant_consensus::hash::Root;

use super::{AskedEvents, Asking, Beacon, Network, NodeAccess, Rpc, WatchedAccounts, file, root};

impl Prove {
    /// What both have.
    pub fn options(&self) -> &ProveOptions {
        match self {
            Self::CommitteeChange(change) => &change.options,
            Self::Inclusion(inclusion) => &inclusion.options,
        }
    }
}

/// The two statements.
#[derive(Debug, Subcommand)]
pub enum Prove {
    /// One or more consecutive sync committee handovers: from a beacon node, or from files
    CommitteeChange(CommitteeChange),
    /// Accounts, storage slots, transactions and logs in a finalized execution block or one before it: from a beacon and an
    /// execution node, or from files
    Inclusion(Inclusion),
}

/// `sextant prove committee-change`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["beacon", "bootstrap"]))]
pub struct CommitteeChange {
    /// Beacon nodes.
    #[command(flatten)]
    pub beacon: Beacon,
    /// Execution nodes: since Gloas they add the execution block's number and state root to the proof.
    #[command(flatten)]
    pub rpc: Rpc,
    /// How nodes are reached.
    #[command(flatten)]
    pub access: NodeAccess,
    /// The period whose committee signs first [default: the checkpoint's, or the latest finalized block's]
    #[arg(long, value_name = "PERIOD", requires = "beacon")]
    pub from: Option<u64>,
    /// The last period whose committee is learned [default: as far as can be proven now]
    #[arg(long, value_name = "PERIOD", requires = "beacon")]
    pub to: Option<u64>,
    /// Root of a beacon block that you trust, in or before the first period
    #[arg(long, value_name = "ROOT", value_parser = root, requires = "beacon")]
    pub checkpoint: Option<Root>,
    /// Instead of a node: beacon API bootstrap of the trusted block (JSON or SSZ), the committee to begin with
    #[arg(
        long,
        value_name = "FILE",
        value_parser = file,
        conflicts_with = "beacon",
        requires = "updates"
    )]
    pub bootstrap: Option<PathBuf>,
    /// Beacon API updates (JSON or SSZ), in order; a file may hold a list. The first is of the bootstrap's period
    #[arg(id = "updates", long = "update", value_name = "FILE", value_parser = file, num_args = 1.., requires = "bootstrap")]
    pub updates: Vec<PathBuf>,
    /// Since Gloas: `eth_getBlockByHash` answer (JSON) of the execution block that the last finalized header names
    #[arg(long, value_name = "FILE", value_parser = file, requires = "bootstrap")]
    pub block_file: Option<PathBuf>,
    /// Options of every proof.
    #[command(flatten)]
    pub options: ProveOptions,
}

/// `sextant prove inclusion`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["beacon", "bootstrap"]))]
pub struct Inclusion {
    /// Beacon nodes.
    #[command(flatten)]
    pub beacon: Beacon,
    /// Execution nodes.
    #[command(flatten)]
    pub rpc: Rpc,
    /// How nodes are reached.
    #[command(flatten)]
    pub access: NodeAccess,
    /// Accounts to look up.
    #[command(flatten)]
    pub watched: WatchedAccounts,
    /// Events to look up.
    #[command(flatten)]
    pub events: AskedEvents,
    /// The block to look into, a finalized one [default: that of the transactions named, else the latest finalized one]
    #[arg(long, value_name = "NUMBER|HASH", value_parser = block_name, requires = "beacon")]
    pub block: Option<BlockName>,
    /// Wait until a block of at least this number is final, then prove
    #[arg(long, value_name = "NUMBER", requires = "beacon")]
    pub min_block: Option<u64>,
    /// Root of a beacon block that you trust. Where its committee is of an earlier period than the one that signed, the proof
    /// begins with the handovers between them
    #[arg(long, value_name = "ROOT", value_parser = root, requires = "beacon")]
    pub checkpoint: Option<Root>,
    /// Have such handovers proven apart: a committee change first, then the inclusion, two files
    #[arg(long, conflicts_with_all = ["out", "calldata", "input_only"])]
    pub separate: bool,
    /// Instead of nodes: beacon API bootstrap (JSON or SSZ) of the trusted block
    #[arg(
        long,
        value_name = "FILE",
        value_parser = file,
        conflicts_with_all = ["beacon", "rpc", "address"],
        requires = "finality_update"
    )]
    pub bootstrap: Option<PathBuf>,
    /// Beacon API updates (JSON or SSZ) that lead from the bootstrap's period to the one in which the finality update was
    /// signed, in order, where that is a later one; a file may hold a list
    #[arg(id = "updates", long = "update", value_name = "FILE", value_parser = file, num_args = 1.., requires = "bootstrap")]
    pub updates: Vec<PathBuf>,
    /// Beacon API finality update (JSON or SSZ)
    #[arg(long, value_name = "FILE", value_parser = file, requires = "bootstrap")]
    pub finality_update: Option<PathBuf>,
    /// `eth_getProof` answers (JSON) at the block asked about; a file may hold a list
    #[arg(id = "proofs", long = "proof", value_name = "FILE", value_parser = file, num_args = 1.., requires = "bootstrap")]
    pub proofs: Vec<PathBuf>,
    /// `eth_getBlockByHash` answers (JSON) of execution blocks: of the one that the finalized header names (since Gloas, and
    /// where transactions or logs are asked for), and of those on the way back from it, each the parent of another. The
    /// last on the way is asked about; transactions and logs take it with its transactions, second parameter `true`
    #[arg(id = "block_files", long = "block-file", value_name = "FILE", value_parser = file, num_args = 1.., requires = "bootstrap")]
    pub block_files: Vec<PathBuf>,
    /// `eth_getProof` answers (JSON) of the history contract (EIP-2935), each with the slot of the block that it leads back to
    /// and at the block that it leads on from, the finalized one first; in place of the parents between them
    #[arg(id = "history_proofs", long = "history-proof", value_name = "FILE", value_parser = file, num_args = 1.., requires = "block_files")]
    pub history_proofs: Vec<PathBuf>,
    /// All receipts (JSON) of the block asked about: its `eth_getBlockReceipts` answer, or those of
    /// `eth_getTransactionReceipt`
    #[arg(id = "receipts_files", long = "receipts-file", value_name = "FILE", value_parser = file, num_args = 1.., requires = "block_files")]
    pub receipts_files: Vec<PathBuf>,
    /// Options of every proof.
    #[command(flatten)]
    pub options: ProveOptions,
}

/// Options of every proof.
#[derive(Debug, Args)]
pub struct ProveOptions {
    /// The chain.
    #[command(flatten)]
    pub network: Network,
    /// Form of the proof: `stark` is made fastest, `compressed` has one small size, `groth16` is for contracts,
    /// `bundled` too, with a proof that the server has many share
    #[arg(long, default_value = "stark")]
    pub kind: ProofKind,
    /// Write the checked input of the statement there, `-` for standard output, and ask no server: what a server takes
    /// over HTTP
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "calldata"])]
    pub input_only: Option<PathBuf>,
    /// How it is asked for.
    #[command(flatten)]
    pub asking: Asking,
}

/// A number, decimal or in hex, or a hash.
fn block_name(text: &str) -> Result<BlockName, String> {
    let digits = text.strip_prefix("0x");
    let number = match digits {
        Some(digits) if digits.len() == 64 => return root(text).map(BlockName::Hash),
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map(BlockName::Number).map_err(|_| "neither a block's number nor its hash".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_numbers_and_hashes() {
        assert_eq!(block_name("21854576"), Ok(BlockName::Number(21_854_576)));
        assert_eq!(block_name("0x14d7970"), Ok(BlockName::Number(21_854_576)));
        assert_eq!(block_name(&format!("0x{}", "ab".repeat(32))), Ok(BlockName::Hash([0xab; 32])));
        for bad in ["", "0x", "latest", "-1", "0xzz", &"ab".repeat(32)] {
            assert!(block_name(bad).is_err(), "{bad}");
        }
    }
}
