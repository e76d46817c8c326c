//! One upstream server, as an entrypoint knows it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// One server.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// The host under which it was configured: what its certificate must be for.
    pub(crate) host: String,
    /// Requests of ours that are open there.
    open: Arc<AtomicUsize>,
    state: Mutex<State>,
}

/// What is known of it.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    pub(super) up: bool,
    pub(super) queued: usize,
    pub(super) capacity: usize,
    avoid_until: Option<Instant>,
}

/// A request that is open at an upstream, until dropped.
pub(crate) struct OpenThere(Arc<AtomicUsize>);

impl Drop for OpenThere {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr, host: String) -> Self {
        Self { address, host, open: Arc::default(), state: Mutex::default() }
    }

    /// Counts a request as open here.
    pub(super) fn open(&self) -> OpenThere {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenThere(self.open.clone())
    }

    /// Jobs there, as far as is known.
    pub(super) fn load(&self) -> usize {
        self.open.load(Ordering::Relaxed).max(self.state().queued)
    }

    /// Is not asked for a while.
    pub(super) fn avoid(&self, how_long: Duration) {
        self.state().avoid_until = Some(Instant::now() + how_long);
    }

    /// Whether it would be asked.
    pub(super) fn usable(&self) -> bool {
        let state = self.state();
        state.up && state.avoid_until.is_none_or(|until| until <= Instant::now())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
