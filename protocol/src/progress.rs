//! Where a prove request stands.

use crate::message;

message! {
/// One step of a request. Steps come in this order, a SNARK's own before `Verifying`; some may be missing, some repeat
/// with new numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The statement is checked natively.
    0 = Checking,
    /// Waiting; `position` requests go first.
    1 = Queued {
        /// 0 is next.
        1 = position: u32 = 0,
    },
    /// The prover worker is starting or warming up.
    2 = Preparing,
    /// The guest program is executed.
    3 = Executing {
        /// Cycles run so far; 0 until known.
        1 = cycles: u64 = 0,
    },
    /// Shards of the execution are proven.
    4 = Proving {
        /// Shards proven.
        1 = done: u32 = 0,
        /// Shards known so far; final once execution has ended.
        2 = total: u32 = 0,
    },
    /// Shard proofs are folded into one.
    5 = Compressing {
        /// Foldings done.
        1 = done: u32 = 0,
    },
    /// The finished proof is verified before it is handed out.
    6 = Verifying,
    /// The proof is done; the answer follows.
    7 = Done,
    /// For a SNARK: a compressed proof is shrunk to the shape that wrapping takes.
    8 = Shrinking,
    /// For a SNARK: it is proven once more, over the field that SNARKs speak. The longest step on a CPU.
    9 = Wrapping,
    /// For a SNARK: its circuit proves that the wrapped proof holds.
    10 = Snark,
    /// For a bundle, before `Compressing`: the proofs in it are verified, one after the other.
    11 = Bundling {
        /// Verified so far.
        1 = done: u32 = 0,
        /// Proofs in the bundle.
        2 = total: u32 = 0,
    },
    /// For a place in a bundle: this statement's own proof is made, and those of the others are waited for. Steps before
    /// this one are of the own proof, steps after it of the bundle's.
    12 = Gathering {
        /// Proofs made so far, this one among them.
        1 = done: u32 = 0,
        /// Statements that go into the bundle so far.
        2 = total: u32 = 0,
        /// Milliseconds for which others may still come.
        3 = wait_ms: u64 = 0,
    },
}
}
