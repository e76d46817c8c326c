//! How a running server is told to end, or to look at its files again.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The switches of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Take no new work, finish what runs, then end.
    pub drain: CancellationToken,
    /// End now. Drains as well.
    pub stop: CancellationToken,
    /// Read token file and certificates again.
    pub reload: Arc<Notify>,
}

impl Control {
    /// Completes when no new work is to be taken.
    pub(crate) async fn ending(&self) {
        tokio::select! {
            () = self.drain.cancelled() => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Whether no new work is to be taken.
    pub(crate) fn is_ending(&self) -> bool {
        self.drain.is_cancelled() || self.stop.is_cancelled()
    }
}
