//! The worker: a child process that proves or verifies, so that whatever happens there can be ended by a kill.
//!
//! [`messages`] is what both sides say, [`child`] the inside of the process, `process` the server's handle on it,
//! `program` what it runs, `lane` the server's loop that feeds one worker with jobs, `breaker` what keeps it from starting
//! workers that only fail, and `health` what it tells of itself.

pub(crate) mod breaker;
pub mod child;
pub(crate) mod health;
mod job;
pub(crate) mod lane;
pub mod messages;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod watch;

pub use messages::{ProveJob, Proved, WorkerEvent, WorkerMode, WorkerRequest};
