//! A thread of its own for the connection and for everything that must not wait: a process that proves, or hashes large
//! things, can take all threads of its runtime for minutes, and its leases must not be lost over that.

use std::{io, thread};

use tokio::{runtime::Handle, sync::oneshot};

/// The thread. It ends when this is dropped.
pub(super) struct Keeper {
    runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl Keeper {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("fleet".into()).spawn(move || {
            // Dropped, which is all that is waited for.
            let _ = runtime.block_on(ended);
            // What is being settled may take its time to be sent, but not for ever.
            runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        })?;
        Ok(Self { runtime: handle, _end: end })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
