//! Jobs that wait for a worker: one bounded queue per sub-server, served in turn.
//!
//! A job leaves its queue when its turn comes or when its [`Ticket`] is dropped, which is how a request that was
//! cancelled, ran out of time or lost its client gives up its place.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Something that waits and wants to know its place.
pub(crate) trait Waiting {
    /// `position` jobs go first.
    fn moved(&self, position: u32);
}

/// A set of queues that share one worker.
pub(crate) struct Queues<J> {
    state: Mutex<State<J>>,
    capacity: usize,
    arrived: Notify,
}

struct State<J> {
    queues: Vec<VecDeque<Entry<J>>>,
    /// The queue whose turn is next.
    turn: usize,
    last_ticket: u64,
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
    /// `count` queues of at most `capacity` jobs each.
    pub(crate) fn new(count: usize, capacity: usize) -> Arc<Self> {
        let queues = (0..count).map(|_| VecDeque::new()).collect();
        Arc::new(Self {
            state: Mutex::new(State { queues, turn: 0, last_ticket: 0 }),
            capacity,
            arrived: Notify::new(),
        })
    }

    /// Puts `job` into queue number `queue`; gives it back if that is full.
    pub(crate) fn push(self: &Arc<Self>, queue: usize, job: J) -> Result<Ticket<J>, J> {
        let mut state = self.state();
        if state.queues[queue].len() >= self.capacity {
            return Err(job);
        }
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.queues[queue].push_back(Entry { ticket, job });
        state.report_positions();
        drop(state);
        self.arrived.notify_one();
        Ok(Ticket { queues: self.clone(), queue, ticket })
    }

    /// The next job: first in, first out within a queue, queues in turn. Safe to drop while waiting.
    pub(crate) async fn next(&self) -> J {
        loop {
            let arrived = self.arrived.notified();
            if let Some(job) = self.state().pop() {
                return job;
            }
            arrived.await;
        }
    }

    /// Jobs waiting in queue number `queue`.
    pub(crate) fn len(&self, queue: usize) -> usize {
        self.state().queues[queue].len()
    }

    /// How many jobs each queue takes.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        // Nothing panics while it holds the lock, except a job's `moved`, after the state has changed completely.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Waiting> State<J> {
    fn pop(&mut self) -> Option<J> {
        let count = self.queues.len();
        let (queue, entry) = (0..count)
            .map(|step| (self.turn + step) % count)
            .find_map(|queue| Some((queue, self.queues[queue].pop_front()?)))?;
        self.turn = (queue + 1) % count;
        self.report_positions();
        Some(entry.job)
    }

    /// Tells every job its place, in the order in which `pop` would take them.
    fn report_positions(&self) {
        let count = self.queues.len();
        let longest = self.queues.iter().map(VecDeque::len).max().unwrap_or(0);
        let in_order = (0..longest).flat_map(|round| {
            (0..count).filter_map(move |step| self.queues[(self.turn + step) % count].get(round))
        });
        for (position, entry) in in_order.enumerate() {
            entry.job.moved(u32::try_from(position).unwrap_or(u32::MAX));
        }
    }
}

impl<J: Waiting> Drop for Ticket<J> {
    fn drop(&mut self) {
        let mut state = self.queues.state();
        let queue = &mut state.queues[self.queue];
        if let Some(place) = queue.iter().position(|entry| entry.ticket == self.ticket) {
            queue.remove(place);
            state.report_positions();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Job(&'static str, Arc<Mutex<Vec<(&'static str, u32)>>>);

    impl Waiting for Job {
        fn moved(&self, position: u32) {
            self.1.lock().unwrap().push((self.0, position));
        }
    }

    #[tokio::test]
    async fn queues_are_served_in_turn_and_places_move_up() {
        let places = Arc::default();
        let job = |name| Job(name, Arc::clone(&places));
        let queues = Queues::new(2, 8);
        let tickets: Vec<_> = [(0, "a1"), (0, "a2"), (0, "a3"), (1, "b1")]
            .into_iter()
            .map(|(queue, name)| queues.push(queue, job(name)).ok().unwrap())
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
    async fn a_full_queue_gives_the_job_back_and_a_dropped_ticket_makes_room() {
        let places = Arc::default();
        let job = |name| Job(name, Arc::clone(&places));
        let queues = Queues::new(2, 1);
        let first = queues.push(0, job("first")).ok().unwrap();
        assert_eq!(queues.push(0, job("second")).err().unwrap().0, "second");
        assert!(queues.push(1, job("other queue")).is_ok());
        drop(first);
        assert_eq!((queues.len(0), queues.len(1)), (0, 0), "dropped tickets leave");
        assert!(queues.push(0, job("third")).is_ok());
    }

    #[tokio::test]
    async fn next_waits_for_a_job() {
        let queues = Queues::<Job>::new(1, 1);
        let waiter = tokio::spawn({
            let queues = queues.clone();
            async move { queues.next().await.0 }
        });
        tokio::task::yield_now().await;
        let ticket = queues.push(0, Job("late", Arc::default())).ok().unwrap();
        assert_eq!(waiter.await.unwrap(), "late");
        drop(ticket);
    }
}
