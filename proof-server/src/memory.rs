//! Memory for large requests, as their bytes arrive: bounded in all, and so that no client can take what others need.

use std::{
    collections::{BTreeSet, HashMap},
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
    by_client: HashMap<Identity, Share>,
    requests: u64,
}

/// What a client has.
#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    /// Its requests, in the order in which they came.
    requests: BTreeSet<u64>,
}

/// Memory that one request has, free again when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    memory: Arc<Memory>,
    client: Identity,
    request: u64,
    bytes: usize,
}

impl Memory {
    /// `limit` bytes, all clients together.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, taken: Mutex::default() })
    }

    /// Nothing yet, for a request of `client`.
    pub(crate) fn hold(self: &Arc<Self>, client: &Identity) -> Held {
        let mut taken = self.taken();
        taken.requests += 1;
        let request = taken.requests;
        taken.by_client.entry(client.clone()).or_default().requests.insert(request);
        drop(taken);
        Held { memory: self.clone(), client: client.clone(), request, bytes: 0 }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it holds the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What the server itself has for somebody, of what it keeps anyway: no memory of its clients' requests.
    pub(crate) fn nothing(client: &Identity) -> Self {
        Memory::new(0).hold(client)
    }

    /// Takes `bytes` more. A client may have as much as it leaves free for others: the first at most half, and whoever
    /// comes later still finds some. Of its requests the one that came first is counted alone: those that came after it
    /// cannot keep it from its end, or many at once would all be refused.
    ///
    /// # Errors
    /// If there is no room now.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ServerError> {
        let mut taken = self.memory.taken();
        let total = taken.total + bytes;
        let share = taken.by_client.entry(self.client.clone()).or_default();
        let counted = if share.requests.first() == Some(&self.request) { self.bytes } else { share.bytes };
        if counted + bytes > self.memory.limit.saturating_sub(total) {
            let message = "no memory for large messages is left now";
            return Err(ServerError::retryable(ErrorCode::Busy, message, 5_000));
        }
        share.bytes += bytes;
        taken.total = total;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.memory.taken();
        taken.total -= self.bytes;
        if let Some(share) = taken.by_client.get_mut(&self.client) {
            share.bytes -= self.bytes;
            share.requests.remove(&self.request);
            if share.requests.is_empty() {
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

    #[test]
    fn of_many_requests_at_once_the_first_comes_to_its_end() {
        let memory = Memory::new(1000);
        let mut requests: Vec<_> = (0..10).map(|_| memory.hold(&client(1))).collect();
        requests.iter_mut().for_each(|request| request.grow(50).unwrap());
        let first = &mut requests[0];
        first.grow(200).unwrap();
        assert!(first.grow(300).is_err(), "more than it leaves free");
        assert!(requests[1].grow(1).is_err());
        drop(requests.remove(0));
        requests[0].grow(200).unwrap();
    }
}
