//! What beacon and execution nodes answer, fetched and checked, and the statement inputs made of it.
//!
//! - [`input`]: nodes' answers in JSON and SSZ, from files or just fetched, and statement inputs of them (a crate of its own,
//!   without the network);
//! - [`BeaconNodes`] and [`ExecutionNodes`]: the APIs, each behind one or more endpoints, with failover, timeouts, retries
//!   and bounds;
//! - [`LightClient`]: the specification's light client on top of them, which believes no node;
//! - [`prepare`]: statement inputs from nodes.
//!
//! Nothing here proves or verifies a proof, so that it builds without the proving engine.

mod batch;
mod beacon;
mod chain;
mod clock;
mod error;
mod execution;
mod expected;
pub mod forks;
mod http;
mod light_client;
mod pool;
pub mod prepare;
mod receipts;
mod roots;
mod rpc;
mod spec;
mod transactions;

pub use beacon::{BeaconNodes, BlockId, MAX_UPDATES};
pub use chain::Chain;
pub use clock::Clock;
pub use error::{Failure, Reason, SourceError};
pub use execution::{ExecutionNodes, mapping_slot};
pub use expected::{ChainMismatch, Expected, difference};
pub use forks::Upcoming;
pub use http::{Endpoint, UrlError};
pub use input::Watched;
pub use light_client::{Advance, LightClient, LightClientError};
pub use pool::{PoolError, SourceConfig};
/// Statement inputs of nodes' answers.
pub use sextant_inputs as input;
