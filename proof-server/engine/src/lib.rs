//! The proving engine: SP1's provers, arranged for small programs on small machines, one of them or many.
//!
//! SP1 brings a distributed prover whose local node sets up everything it might need and cuts every program into at
//! least two shards. This crate drives the same provers directly: [`plan()`] runs a guest and tells what its proof takes,
//! `records` cuts the run into as few shards as the circuits and the memory allow, `core` proves shards with keys that
//! are kept, `compress` folds shard proofs into one with only the recursion keys that folding needs (`recursion_keys`).
//!
//! [`Engine::prove`] makes a proof at once. The same proof can be made in parts, by machines that have nothing in common
//! but the run and its plan ([`PlannedRun`]): [`Engine::prove_part`] proves the shard that is named, and
//! [`Engine::assemble`] puts the shards together; for compressed proofs [`Engine::normalize`] and [`Engine::fold`] stand
//! between. `docs/proving.md` shows the way.
//!
//! Nothing here decides whether a proof is right: the caller verifies what comes out. SP1 panics where something is
//! wrong inside, and work cannot be cancelled, so whoever calls the engine lives in a process that may die.

mod compress;
mod contain;
mod core;
mod cutting;
mod deferred;
mod engine;
mod error;
mod estimate;
#[cfg(feature = "snark")]
pub mod groth16;
mod parts;
mod plan;
mod progress;
mod records;
mod recursion_keys;
mod settings;
mod wrap;

pub use contain::panics_are_contained;
pub use engine::{Engine, Proven, Work};
pub use error::EngineError;
pub use estimate::{Estimate, Pace};
pub use parts::{
    FoldedPart, Label, Origin, Other, Part, PartError, PartName, PlannedRun, ShardPart, Span, UnknownName,
};
pub use plan::{Plan, plan};
pub use progress::ProgressSink;
pub use settings::{ALLOCATOR_ENVIRONMENT, EngineSettings, least_memory};
pub use sextant_machines::{Machines, OURS};
pub use sp1_verifier::SP1Proof;
pub use wrap::{Wrapped, Wrapper};
