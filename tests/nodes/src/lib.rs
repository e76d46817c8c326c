//! Beacon and execution nodes for tests: recorded and synthetic answers over HTTP, with any fault a test wants.
//!
//! Everything here panics on what a test does not expect.

pub mod json;
pub mod recorded;
pub mod server;
pub mod simulated;

pub use server::{Ask, Node, Reply};
