//! A fleet on one machine: the queue and the store in this process, and in a folder where one is given, so that a server
//! that is started again goes on where it was.

mod hold;
mod journal;
mod ledger;
mod oversee;
mod queue;
mod state;
mod store;

pub use queue::LocalQueue;
pub use store::LocalStore;
