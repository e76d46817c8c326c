//! Beacon and execution nodes for tests: recorded and synthetic answers over HTTP, with any fault a test wants.
//!
//! Everything here panics on what a test does not expect.

pub mod events;
pub mod json;
pub mod recorded;
pub mod server;
pub mod simulated;
pub mod transactions;

pub use server::{Ask, Node, Reply};
