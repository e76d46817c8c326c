//! What the tests and tools of the whole system share: the committed guests
//! without proving, and the real server.

pub mod executor;
pub mod server;
