//! A fleet: stages of proofs as jobs that workers take.
//!
//! A job goes from stage to stage by itself. A worker [takes](Queue::take) a message, looks whether what it asks for is
//! [made](Queue::made) already, makes it, puts it into the [`Store`], [notes](Lease::made) it, submits what comes next,
//! and only then is the message [done](Lease::advance). So a worker may die anywhere and costs no more than the stage
//! it was at; nobody holds a job's state. Whoever wants the proof holds [`Interest`] in it and [watches](Queue::watch).
//!
//! ```text
//! submit -> line of (stage, release, lane) -> take -> Lease -+-> made, advance: next stages, then done
//!                                                            +-> finish: the job's one outcome
//!                                                            +-> again: to another worker, a bounded number of times
//!                                                            +-> fail: a dead letter, with its reason
//! ```
//!
//! An operator sees what waits and who works, and has it held up, ended or asked for again, by [`Oversee`].
//!
//! Two implementations do the same: [`local`], in memory and on disk, for one machine; and [`nats`], over NATS JetStream, for
//! many. What is proven is bytes here; there is no prover below this crate.

mod error;
mod lease;
mod ledger;
mod limits;
pub mod local;
mod message;
mod names;
pub mod nats;
mod outcome;
mod oversee;
mod queue;
mod store;
mod time;
mod turns;
mod watch;

use std::pin::Pin;

pub use error::FleetError;
pub use lease::{Hold, Lease, Over};
pub use ledger::{Account, Entry, HOUR, Ledger};
pub use limits::{BucketLimits, QueueLimits, StoreLimits};
pub use message::{MAX_MESSAGE, StageMessage, Work};
pub use names::{Lane, Line, Part, Release, Stage, StageId, Worker};
pub use outcome::{DeadLetter, MAX_FACTS, Made, Outcome};
pub use oversee::{Attendance, InHand, Oversee, Pause, Paused, Pauses, Present, Queued};
pub use queue::{Depth, Interest, Queue, Submitted};
pub use store::{Bucket, ObjectName, ObjectRef, Store, Stored};
pub use turns::Turns;
pub use watch::{Event, Watch};

/// What queues and stores answer with, so that either implementation fits behind one pointer.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, FleetError>> + Send + 'a>>;
