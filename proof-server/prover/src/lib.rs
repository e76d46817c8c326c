//! A prover of SP1's shards for CPUs.
//!
//! SP1 takes shard provers through its trait [`AirProver`](sp1_hypercube::prover::AirProver). [`Prover`] is one more: for
//! the same record it makes the same proof as SP1's own `CpuShardProver`, byte for byte, in less time. The steps are those
//! of the protocol, in its order (`sp1_hypercube::prover::shard` defines it):
//!
//! 1. `commitment`: traces are committed to, by Merkle trees of their Reed-Solomon codes;
//! 2. `logup`: what tables send to each other and receive from each other balances (LogUp, by a GKR circuit);
//! 3. `zerocheck`: every row of every table satisfies its constraints;
//! 4. `opening`: the values of the traces at the point where both end are those that were committed to.
//!
//! `shard` ties them together by one transcript; `lagrange`, `table`, `packed` and `rounds` are what they share.

#![warn(missing_docs)]

mod commitment;
mod jagged;
mod lagrange;
mod logup;
mod opening;
mod packed;
mod product;
mod rounds;
mod shard;
mod table;
mod zerocheck;

/// A step of the protocol, as a span: `RUST_LOG=sextant_prover=debug` shows where the time goes.
fn step<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    tracing::debug_span!("prover", step = name).in_scope(work)
}

pub use commitment::{Committed, KoalaBearTrees, Tree, Trees, TwoAdicCtx};
pub use shard::{Preprocessed, ProveTraces, Prover, StackedContext};
pub use zerocheck::{LaneFolder, PackedAir};
