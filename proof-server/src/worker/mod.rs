//! The worker: a child process that proves or verifies, so that whatever happens there can be ended by a kill.
//!
//! [`messages`] is what both sides say, [`child`] the inside of the process, `process` the server's handle on it,
//! `program` what it runs, `lane` the server's loop that feeds workers with jobs, one at a time, `course` a job's way through
//! its stages, `output` what those have made and `kept` where it lies, `station` where workers are started and watched, `crew` those that are alive, `breaker` what keeps a lane from starting
//! workers that only fail, and `health` what it tells of itself.

pub(crate) mod breaker;
pub mod child;
pub(crate) mod course;
pub(crate) mod crew;
pub(crate) mod health;
mod job;
pub(crate) mod kept;
pub(crate) mod lane;
pub mod messages;
pub(crate) mod output;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod station;
pub(crate) mod watch;

pub use messages::{MadePart, Planned, ProveJob, Proved, WorkerEvent, WorkerMode, WorkerRequest};
