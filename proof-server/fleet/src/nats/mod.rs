//! A fleet over NATS JetStream: one broker, or a cluster of them, and any number of servers and workers.
//!
//! Everything is a stream of subjects with the last message of each: what is to be done (a work queue), what was made, what
//! came of jobs, who waits, dead letters, and objects in chunks. `docs/fleet.md` has the names and how the broker is set
//! up. The broker may lose what it has acknowledged; whoever wants a proof asks again then, with the next generation.

mod broker;
mod config;
mod hold;
mod keeper;
mod ledger;
mod names;
mod oversee;
mod queue;
mod setup;
mod store;
mod take;
mod waiting;

use std::sync::Arc;

pub use config::{NatsConfig, holds_password, without_tls};
pub use queue::NatsQueue;
pub use store::NatsStore;

use crate::FleetError;
use broker::Broker;

/// A connection to a fleet's broker. It is made again by itself whenever it breaks.
#[derive(Clone)]
pub struct NatsFleet {
    broker: Arc<Broker>,
    queue: NatsQueue,
    store: NatsStore,
}

impl NatsFleet {
    /// Connects.
    ///
    /// # Errors
    /// [`FleetError::Unreachable`] if there is no broker, [`FleetError::Version`] if it is too old,
    /// [`FleetError::Refused`] if it does not let us in.
    pub async fn connect(config: NatsConfig) -> Result<Self, FleetError> {
        let broker = Arc::new(Broker::connect(config).await?);
        let (queue, store) = (NatsQueue::new(broker.clone()), NatsStore::new(broker.clone()));
        Ok(Self { broker, queue, store })
    }

    /// Makes the streams, or brings them to this fleet's limits. Twice is once; every server does it when it starts.
    /// Workers need not, and may not where the broker's permissions are as `docs/fleet.md` has them.
    ///
    /// # Errors
    /// [`FleetError::Refused`] if the broker cannot keep so much, or does not let this user.
    pub async fn set_up(&self) -> Result<(), FleetError> {
        setup::streams(&self.broker).await
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> &NatsQueue {
        &self.queue
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &NatsStore {
        &self.store
    }

    /// The broker's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.broker.version
    }
}
