//! Jobs that wait for a worker: one bounded queue per sub-server, served in turn, and within a queue the clients in
//! turn, so that one client with many requests delays another by one job, not by all of them.
//!
//! A job leaves its queue when its turn comes or when its [`Ticket`] is dropped, which is how a request that was
//! cancelled, ran out of time or lost its client gives up its place.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::access::Identity;

/// Something that waits.
pub(crate) trait Waiting {
    /// `position` jobs go first.
    fn moved(&self, position: u32);
    /// Whose turn it may take: never empty.
    fn identities(&self) -> Vec<Identity>;
}

/// A set of queues that share one worker.
pub(crate) struct Queues<J> {
    state: Mutex<State<J>>,
    limits: QueueLimits,
    arrived: Notify,
}

/// How many jobs each queue takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// Together.
    pub(crate) capacity: usize,
    /// Of one client.
    pub(crate) share: usize,
}

/// Why a job is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The queue is full.
    Full,
    /// So many jobs of this client wait already.
    Share(usize),
    /// No job is taken any more.
    Closed,
}

struct State<J> {
    lines: Vec<Line<J>>,
    /// The queue whose turn is next.
    turn: usize,
    last_ticket: u64,
    closed: bool,
}

struct Line<J> {
    entries: VecDeque<Entry<J>>,
    /// The clients that have a job here, in the order of their turns.
    clients: Vec<Identity>,
}

struct Entry<J> {
    ticket: u64,
    job: J,
}

/// A place in a queue, given up when dropped.
pub(crate) struct Ticket<J: Waiting> {
    queues: Arc<Queues<J>>,
    queue: usize,
    ticket: u64,
}

impl<J: Waiting> Queues<J> {
    /// `count` queues.
    pub(crate) fn new(count: usize, limits: QueueLimits) -> Arc<Self> {
        let lines = (0..count).map(|_| Line { entries: VecDeque::new(), clients: Vec::new() }).collect();
        Arc::new(Self {
            state: Mutex::new(State { lines, turn: 0, last_ticket: 0, closed: false }),
            limits,
            arrived: Notify::new(),
        })
    }

    /// Puts `job` into queue number `queue`.
    pub(crate) fn push(self: &Arc<Self>, queue: usize, job: J) -> Result<Ticket<J>, NoPlace> {
        let mut state = self.state();
        for identity in job.identities() {
            self.check(&state, queue, &identity)?;
        }
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.lines[queue].entries.push_back(Entry { ticket, job });
        state.changed();
        drop(state);
        self.arrived.notify_one();
        Ok(Ticket { queues: self.clone(), queue, ticket })
    }

    /// Whether a job of `identity` would be taken now.
    pub(crate) fn has_place(&self, queue: usize, identity: &Identity) -> Result<(), NoPlace> {
        self.check(&self.state(), queue, identity)
    }

    fn check(&self, state: &State<J>, queue: usize, identity: &Identity) -> Result<(), NoPlace> {
        let entries = &state.lines[queue].entries;
        if state.closed {
            return Err(NoPlace::Closed);
        }
        if entries.len() >= self.limits.capacity {
            return Err(NoPlace::Full);
        }
        let own = entries.iter().filter(|entry| entry.job.identities().contains(identity)).count();
        if own >= self.limits.share { Err(NoPlace::Share(own)) } else { Ok(()) }
    }

    /// The next job: queues in turn, clients in turn, and each client's jobs in the order of their arrival. Safe to
    /// drop while waiting.
    pub(crate) async fn next(&self) -> J {
        loop {
            let arrived = self.arrived.notified();
            if let Some(job) = self.state().pop() {
                return job;
            }
            arrived.await;
        }
    }

    /// Looks again at whom the jobs belong to: one of them has a client more or less.
    pub(crate) fn reorder(&self) {
        self.state().changed();
    }

    /// Takes no more jobs and drops those that wait.
    pub(crate) fn close(&self) {
        let dropped: Vec<Entry<J>> = {
            let mut state = self.state();
            state.closed = true;
            state.lines.iter_mut().flat_map(|line| std::mem::take(&mut line.entries)).collect()
        };
        // After the lock is free: what waits for these jobs hears of it now.
        drop(dropped);
    }

    /// Jobs waiting in queue number `queue`.
    pub(crate) fn len(&self, queue: usize) -> usize {
        self.state().lines[queue].entries.len()
    }

    /// Jobs waiting in all queues.
    pub(crate) fn total(&self) -> usize {
        self.state().lines.iter().map(|line| line.entries.len()).sum()
    }

    /// How many jobs each queue takes.
    pub(crate) fn capacity(&self) -> usize {
        self.limits.capacity
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        // Nothing panics while it holds the lock, except a job's `moved`, after the state has changed completely.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Waiting> State<J> {
    fn pop(&mut self) -> Option<J> {
        let count = self.lines.len();
        let queue = (0..count)
            .map(|step| (self.turn + step) % count)
            .find(|queue| !self.lines[*queue].entries.is_empty())?;
        let line = &mut self.lines[queue];
        line.refresh();
        let first = line.order().next()?;
        let client = line.turn_of(first);
        let entry = line.entries.remove(first)?;
        // To the end: the others' turns come first.
        let client = line.clients.remove(client);
        line.clients.push(client);
        self.turn = (queue + 1) % count;
        self.changed();
        Some(entry.job)
    }

    /// Tells every job its place, in the order in which `pop` would take them.
    fn changed(&mut self) {
        for line in &mut self.lines {
            line.refresh();
        }
        let count = self.lines.len();
        let mut orders: Vec<_> = self.lines.iter().map(Line::order).collect();
        let mut position = 0;
        loop {
            let before = position;
            for step in 0..count {
                let queue = (self.turn + step) % count;
                if let Some(entry) = orders[queue].next() {
                    self.lines[queue].entries[entry].job.moved(position);
                    position += 1;
                }
            }
            if position == before {
                return;
            }
        }
    }
}

impl<J: Waiting> Line<J> {
    /// Clients with jobs keep their turns; new ones come last, and those without a job are forgotten.
    fn refresh(&mut self) {
        let present: Vec<Identity> = self.entries.iter().flat_map(|entry| entry.job.identities()).collect();
        self.clients.retain(|client| present.contains(client));
        for identity in present {
            if !self.clients.contains(&identity) {
                self.clients.push(identity);
            }
        }
    }

    /// The client whose turn an entry takes: of those who wait for it, the one who is next.
    fn turn_of(&self, entry: usize) -> usize {
        let identities = self.entries[entry].job.identities();
        self.clients.iter().position(|client| identities.contains(client)).unwrap_or(0)
    }

    /// Indices of the entries in the order of their turns.
    fn order(&self) -> impl Iterator<Item = usize> + use<J> {
        let jobs: Vec<Vec<Identity>> = self.entries.iter().map(|entry| entry.job.identities()).collect();
        let mut taken = vec![false; jobs.len()];
        let mut clients = self.clients.clone();
        std::iter::from_fn(move || {
            let (turn, entry) = clients.iter().enumerate().find_map(|(turn, client)| {
                let entry = (0..jobs.len()).find(|entry| !taken[*entry] && jobs[*entry].contains(client))?;
                Some((turn, entry))
            })?;
            taken[entry] = true;
            let client = clients.remove(turn);
            clients.push(client);
            Some(entry)
        })
    }
}

impl<J: Waiting> Drop for Ticket<J> {
    fn drop(&mut self) {
        let mut state = self.queues.state();
        let entries = &mut state.lines[self.queue].entries;
        if let Some(place) = entries.iter().position(|entry| entry.ticket == self.ticket) {
            let entry = entries.remove(place);
            state.changed();
            drop(state);
            drop(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Places = Arc<Mutex<Vec<(&'static str, u32)>>>;

    struct Job(&'static str, Arc<Mutex<Vec<u8>>>, Places);

    impl Waiting for Job {
        fn moved(&self, position: u32) {
            self.2.lock().unwrap().push((self.0, position));
        }

        fn identities(&self) -> Vec<Identity> {
            self.1
                .lock()
                .unwrap()
                .iter()
                .map(|client| Identity::address([10, 0, 0, *client].into()))
                .collect()
        }
    }

    fn job(name: &'static str, client: u8, places: &Places) -> Job {
        Job(name, Arc::new(Mutex::new(vec![client])), places.clone())
    }

    fn queues(count: usize, capacity: usize, share: usize) -> Arc<Queues<Job>> {
        Queues::new(count, QueueLimits { capacity, share })
    }

    #[tokio::test]
    async fn queues_are_served_in_turn_and_places_move_up() {
        let places = Places::default();
        let queues = queues(2, 8, 8);
        let tickets: Vec<_> = [(0, "a1"), (0, "a2"), (0, "a3"), (1, "b1")]
            .into_iter()
            .map(|(queue, name)| queues.push(queue, job(name, 1, &places)).ok().unwrap())
            .collect();
        places.lock().unwrap().clear();
        assert_eq!(queues.next().await.0, "a1");
        assert_eq!(*places.lock().unwrap(), [("b1", 0), ("a2", 1), ("a3", 2)]);
        assert_eq!(queues.next().await.0, "b1");
        assert_eq!(queues.next().await.0, "a2");
        assert_eq!(queues.next().await.0, "a3");
        drop(tickets);
    }

    #[tokio::test]
    async fn clients_are_served_in_turn() {
        let places = Places::default();
        let queues = queues(1, 8, 8);
        let mut tickets: Vec<_> = [("a1", 1), ("a2", 1), ("a3", 1), ("b1", 2)]
            .map(|(name, client)| queues.push(0, job(name, client, &places)).ok().unwrap())
            .into();
        assert_eq!(queues.next().await.0, "a1");
        // Whoever comes back at once does not get ahead of those who wait.
        assert_eq!(queues.next().await.0, "b1");
        tickets.push(queues.push(0, job("b2", 2, &places)).ok().unwrap());
        assert_eq!(queues.next().await.0, "a2");
        assert_eq!(queues.next().await.0, "b2");
        assert_eq!(queues.next().await.0, "a3");
    }

    #[tokio::test]
    async fn a_shared_job_has_the_better_of_its_clients_turns() {
        let places = Places::default();
        let queues = queues(1, 8, 8);
        let shared = job("a2", 1, &places);
        let clients = shared.1.clone();
        let _tickets = [job("a1", 1, &places), shared, job("b1", 2, &places), job("c1", 3, &places)]
            .map(|job| queues.push(0, job).ok().unwrap());
        let place_of_a2 = || places.lock().unwrap().iter().rfind(|(name, _)| *name == "a2").unwrap().1;
        assert_eq!(place_of_a2(), 3, "after the others' first");
        clients.lock().unwrap().push(2);
        queues.reorder();
        assert_eq!(place_of_a2(), 1, "it is the first of the second client's");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_dropped_ticket_makes_room() {
        let places = Places::default();
        let queues = queues(2, 2, 1);
        let first = queues.push(0, job("first", 1, &places)).ok().unwrap();
        assert_eq!(queues.push(0, job("second", 1, &places)).err(), Some(NoPlace::Share(1)));
        let other = queues.push(0, job("other client", 2, &places)).ok().unwrap();
        assert_eq!(queues.push(0, job("third client", 3, &places)).err(), Some(NoPlace::Full));
        assert!(queues.push(1, job("other queue", 1, &places)).is_ok());
        drop((first, other));
        assert_eq!((queues.len(0), queues.len(1)), (0, 0), "dropped tickets leave");
        let waiting = queues.push(0, job("fourth", 1, &places)).ok().unwrap();
        queues.close();
        assert_eq!(
            (queues.total(), queues.push(0, job("late", 1, &places)).err()),
            (0, Some(NoPlace::Closed))
        );
        drop(waiting);
    }

    #[tokio::test]
    async fn next_waits_for_a_job() {
        let queues = queues(1, 1, 1);
        let waiter = tokio::spawn({
            let queues = queues.clone();
            async move { queues.next().await.0 }
        });
        tokio::task::yield_now().await;
        let ticket = queues.push(0, job("late", 1, &Places::default())).ok().unwrap();
        assert_eq!(waiter.await.unwrap(), "late");
        drop(ticket);
    }
}
