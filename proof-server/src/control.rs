//! How a running server is told to end, or to look at its files again.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The switches of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Want no new work, take none after a while, finish what runs, then end.
    pub drain: CancellationToken,
    /// End now. Drains as well.
    pub stop: CancellationToken,
    /// No new work is taken any more; the server's own.
    pub(crate) closed: CancellationToken,
    /// Cancelled by the server once all files are read and clients are let in.
    pub serving: CancellationToken,
    /// Read token file and certificates again.
    pub reload: Arc<Notify>,
}

impl Control {
    /// Completes when no new work is to be taken.
    pub(crate) async fn ending(&self) {
        tokio::select! {
            () = self.closed.cancelled() => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Whether no new work is to be taken.
    pub(crate) fn is_ending(&self) -> bool {
        self.closed.is_cancelled() || self.stop.is_cancelled()
    }
}
