//! Follows a chain and keeps its proofs up to date: what a bridge operator leaves running.
//!
//! A [`Follower`] starts from a trusted block root, checks every update by the specification's own light client
//! ([`sextant_sources::LightClient`]), asks a [`Prover`] for what is due, and records each proof that has been verified. What
//! it knows lies in one database file ([`State`]) beside the proofs; it may be killed at any moment.
//!
//! - Committee changes come first, several handovers in one proof where it has to catch up.
//! - Inclusions of the watched accounts follow, at each new finalized head or when a watched value has changed.
//! - Watched logs are looked for in every block since the last head, and proven where they are found.
//! - Where it is given a contract ([`Submit`]), what it proves and submits follows from what that knows.
//! - What is due there at about the same time is submitted as one bundle, where that is wanted.
//! - A chain of committees is kept in a file, where one is wanted: one proof of all handovers.
//!
//! The production prover asks a proof server and is in `sextant-client`; tests bring their own.

mod backoff;
mod bundling;
mod chain;
mod config;
mod contract;
mod error;
mod event;
mod follower;
mod health;
mod journal;
mod log_submission;
mod logs;
pub mod operations;
mod prover;
mod start;
mod state;
mod status;
mod submission;
mod work;

pub use config::{Cadence, Config};
pub use contract::{Asked, ContractStatus, Submission, Submit};
pub use error::FollowError;
pub use event::Event;
pub use follower::Follower;
pub use health::{Health, Report};
pub use journal::{Journal, Submitted};
pub use prover::{Proven, Prover, ProverError};
pub use state::{LogsOf, ProofEntry, State, StateError};
pub use status::{NextHandover, Status};
