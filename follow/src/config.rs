//! What to follow, from where, and how eagerly.

use std::{path::PathBuf, time::Duration};

use sextant_consensus::{events::LogFilter, hash::Root};
use sextant_protocol::ProofKind;
use sextant_sources::{Expected, Watched};

/// When the watched accounts are proven anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cadence {
    /// At each new finalized head.
    #[default]
    EachHead,
    /// When what is watched has changed since the last proof.
    OnChange,
}

/// How a [`crate::Follower`] works.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the database and the proofs.
    pub folder: PathBuf,
    /// The chain.
    pub expected: Expected,
    /// Root of a beacon block that is trusted. Needed the first time; later it must be the same, or none.
    pub checkpoint: Option<Root>,
    /// A checkpoint older than this is refused. Default: 14 days, some less than the weak-subjectivity period of a chain
    /// of Ethereum's size (3532 epochs, 15.7 days: consensus-specs, specs/electra/weak-subjectivity.md).
    pub max_checkpoint_age: Option<Duration>,
    /// Nodes whose head is older than this are behind, and not listened to. Default: 1 hour.
    pub max_head_age: Option<Duration>,
    /// Accounts and slots to prove. Default: none.
    pub watched: Vec<Watched>,
    /// Logs to prove wherever they turn up, in all blocks from the first finalized one seen. Default: none.
    pub logs: Vec<LogFilter>,
    /// Most logs in one proof, each of which costs a transaction's and a receipt's path: a block with more of them is proven
    /// in several. Default: 16.
    pub max_logs: usize,
    /// When the accounts are proven. Default: at each new finalized head.
    pub cadence: Cadence,
    /// Form of the proofs. Default: `stark`.
    pub kind: ProofKind,
    /// Where a contract is given: what is due there within so long is proven in compressed form, and submitted as one bundle;
    /// `kind` is the bundle's. `None`: each by itself. Default: `None`.
    pub bundle_for: Option<Duration>,
    /// File of a chain of committees that is extended with each handover that is proven: `kind` is `compressed` then. `None`:
    /// none is kept. Default: `None`.
    pub chain: Option<PathBuf>,
    /// Most handovers in one proof: each costs the prover time and memory. Where a contract finds headers of so few
    /// handovers too old, a proof has as many as it takes. Default: 8.
    pub max_handovers: u64,
    /// How many proofs of each program stay on disk, those of watched logs counted apart; what is still to be submitted
    /// stays besides. `None`: all. Default:
    /// 1000.
    pub keep: Option<u64>,
    /// Pause between two looks at what the nodes say of the chain itself: forks get dates. Default: 1 hour.
    pub look_at_chain: Duration,
    /// Pause between two looks at the chain. Default: 12 s.
    pub poll: Duration,
    /// Longest pause after failures, each of which doubles it. Default: 5 minutes.
    pub max_backoff: Duration,
}

impl Config {
    /// The defaults, for a chain, with the state in `folder`.
    pub fn new(folder: impl Into<PathBuf>, expected: Expected) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            folder: folder.into(),
            expected,
            checkpoint: None,
            max_checkpoint_age: Some(14 * DAY),
            max_head_age: Some(Duration::from_secs(60 * 60)),
            watched: Vec::new(),
            logs: Vec::new(),
            max_logs: 16,
            cadence: Cadence::default(),
            kind: ProofKind::Stark,
            bundle_for: None,
            chain: None,
            max_handovers: 8,
            keep: Some(1000),
            look_at_chain: Duration::from_secs(60 * 60),
            poll: Duration::from_secs(12),
            max_backoff: Duration::from_secs(300),
        }
    }
}
