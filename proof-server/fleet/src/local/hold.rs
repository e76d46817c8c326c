//! A lease of the local queue. The message is lost with the process only, and waits again then: nothing has to be kept
//! alive.

use std::{sync::Weak, time::Duration};

use sextant_protocol::Progress;
use tokio::sync::watch;

use super::queue::Shared;
use crate::{Answer, FleetError, Hold, Over};

pub(super) struct LocalHold {
    /// Gone, the queue is closed.
    pub(super) queue: Weak<Shared>,
    /// The message's.
    pub(super) name: String,
    pub(super) over: watch::Receiver<Option<Over>>,
}

impl Hold for LocalHold {
    fn settle(&self) -> Answer<'_, ()> {
        let name = self.name.clone();
        Box::pin(async move {
            let Some(queue) = self.queue.upgrade() else { return Err(closed()) };
            queue
                .run(move |state| {
                    state.settle(&name);
                    Ok(())
                })
                .await
        })
    }

    fn put_back(&self, delay: Duration, reason: &str) {
        if let Some(queue) = self.queue.upgrade() {
            queue.state().put_back(&self.name, delay, reason);
            queue.arrived.notify_waiters();
        }
    }

    fn last_reason(&self) -> Answer<'_, Option<String>> {
        Box::pin(async move {
            let queue = self.queue.upgrade().ok_or_else(closed)?;
            let state = queue.state();
            Ok(state.last_reason(&self.name))
        })
    }

    fn over(&self) -> watch::Receiver<Option<Over>> {
        self.over.clone()
    }

    fn progress(&self, step: Progress) {
        if let Some(queue) = self.queue.upgrade() {
            queue.state().progress(&self.name, step);
        }
    }
}

fn closed() -> FleetError {
    FleetError::Unreachable("it is closed".into())
}
