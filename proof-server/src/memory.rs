//! Memory for large requests, as their bytes arrive: bounded in all, and so that no client can take what others need.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sextant_protocol::{ErrorCode, ServerError};

use crate::access::Identity;

/// The memory of all clients.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_client: HashMap<Identity, usize>,
}

/// Memory that one request has, free again when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    memory: Arc<Memory>,
    client: Identity,
    bytes: usize,
}

impl Memory {
    /// `limit` bytes, all clients together.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, taken: Mutex::default() })
    }

    /// Nothing yet, for a request of `client`.
    pub(crate) fn hold(self: &Arc<Self>, client: &Identity) -> Held {
        Held { memory: self.clone(), client: client.clone(), bytes: 0 }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it holds the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Takes `bytes` more. A client may have as much as it leaves free for others: the first at most half, and whoever
    /// comes later still finds some.
    ///
    /// # Errors
    /// If there is no room now.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ServerError> {
        let mut taken = self.memory.taken();
        let own = taken.by_client.get(&self.client).copied().unwrap_or(0) + bytes;
        let total = taken.total + bytes;
        if own > self.memory.limit.saturating_sub(total) {
            let message = "no memory for large messages is left now";
            return Err(ServerError::retryable(ErrorCode::Busy, message, 5_000));
        }
        taken.total = total;
        taken.by_client.insert(self.client.clone(), own);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut taken = self.memory.taken();
        taken.total -= self.bytes;
        if let Some(own) = taken.by_client.get_mut(&self.client) {
            *own -= self.bytes;
            if *own == 0 {
                taken.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: u8) -> Identity {
        Identity::address([192, 0, 2, name].into())
    }

    #[test]
    fn no_client_takes_what_others_need() {
        let memory = Memory::new(1000);
        let mut first = memory.hold(&client(1));
        first.grow(500).unwrap();
        assert_eq!(first.grow(1).unwrap_err().code, ErrorCode::Busy);
        let mut again = memory.hold(&client(1));
        assert!(again.grow(1).is_err(), "by another request neither");
        let mut second = memory.hold(&client(2));
        second.grow(250).unwrap();
        assert!(second.grow(1).is_err());
        let mut third = memory.hold(&client(3));
        third.grow(125).unwrap();
        drop((first, second));
        third.grow(300).unwrap();
        drop((again, third));
        assert_eq!(memory.taken().total, 0);
        assert!(memory.taken().by_client.is_empty());
    }
}
