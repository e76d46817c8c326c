//! What the tests and tools of the whole system share: running the committed guests without proving.

pub mod executor;
