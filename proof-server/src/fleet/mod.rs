//! A fleet: proofs made stage by stage, by provers that take what they can do.
//!
//! An entrypoint's `sender` asks for the first stage of a job and waits for its outcome; a prover's `puller` takes stages,
//! has its worker do them, and asks for those that come next. `order` is what they say to each other, `parts` how a
//! proof is made by several at once, `stages` what a prover is for, `demand` what there is to do and who does it, `operate` an operator's command. Queue and store are those
//! of `sextant-fleet`: nothing but `connect` knows where they are.

mod connect;
mod demand;
pub(crate) mod operate;
mod order;
mod parts;
mod puller;
mod sender;
mod stages;

use std::sync::Arc;

use sextant_fleet::{Queue, Store};

pub(crate) use connect::connect;
pub(crate) use demand::{Outlook, Unanswered};
pub(crate) use puller::Puller;
pub(crate) use sender::Sender;
pub(crate) use stages::{chosen, those_of};

/// Where stages wait for provers, and where what they make lies.
#[derive(Clone)]
pub struct Fleet {
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// The store.
    pub store: Arc<dyn Store>,
}
