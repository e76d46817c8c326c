//! Where a prove request stands.

use serde::{Deserialize, Serialize};

/// One step of a request. Steps come in this order, a SNARK's own before `Verifying`; some may be missing, some repeat
/// with new numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// The statement is checked natively.
    Checking,
    /// Waiting; `position` requests go first.
    Queued {
        /// 0 is next.
        position: u32,
    },
    /// The prover worker is starting or warming up.
    Preparing,
    /// The guest program is executed.
    Executing {
        /// Cycles run so far; 0 until known.
        cycles: u64,
    },
    /// Shards of the execution are proven.
    Proving {
        /// Shards proven.
        done: u32,
        /// Shards known so far; final once execution has ended.
        total: u32,
    },
    /// Shard proofs are folded into one.
    Compressing {
        /// Foldings done.
        done: u32,
    },
    /// The finished proof is verified before it is handed out.
    Verifying,
    /// The proof is done; the answer follows.
    Done,
    /// For a SNARK: a compressed proof is shrunk to the shape that wrapping takes.
    Shrinking,
    /// For a SNARK: it is proven once more, over the field that SNARKs speak. The longest step on a CPU.
    Wrapping,
    /// For a SNARK: its circuit proves that the wrapped proof holds.
    Snark,
}
