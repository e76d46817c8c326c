//! Jobs that wait for a worker: one bounded queue per sub-server, served in turn, and within a queue the clients in
//! turn, so that one client with many requests delays another by one job, not by all of them.
//!
//! A queue is bounded, and so is each client's share of it. Its last places are for clients that have nothing in it, so
//! that those who came early cannot shut it for the others. Whoever has wasted the server's time is served after those who
//! have not, and makes room for them where the queue is full.
//!
//! A job leaves its queue when its turn comes or when its [`Ticket`] is dropped, which is how a request that was
//! cancelled, ran out of time or lost its client gives up its place.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{access::Identity, budget::Budgets};

/// Something that waits.
pub(crate) trait Waiting {
    /// `position` jobs go first.
    fn moved(&self, position: u32);
    /// Whose turn it may take: never empty.
    fn identities(&self) -> Vec<Identity>;
    /// Its place is somebody else's now.
    fn displaced(self);
}

/// A set of queues that share one worker.
pub(crate) struct Queues<J> {
    state: Mutex<State<J>>,
    arrived: Notify,
    budgets: Arc<Budgets>,
}

/// How many jobs a queue takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// Together.
    pub(crate) capacity: usize,
    /// Of one client.
    pub(crate) share: usize,
}

impl QueueLimits {
    /// For jobs that are bounded elsewhere.
    pub(crate) const NONE: Self = Self { capacity: usize::MAX, share: usize::MAX };

    /// Places that a client gets only for its first job here: of what one client's share leaves, up to a quarter of the
    /// queue, and two of a small one.
    fn kept(self) -> usize {
        self.capacity.saturating_sub(self.share).min((self.capacity / 4).max(2))
    }

    /// Whether a client with `own` of the `waiting` jobs may have another place.
    fn allow(self, waiting: usize, own: usize) -> Result<(), NoPlace> {
        let free = self.capacity.saturating_sub(waiting);
        if free == 0 {
            Err(NoPlace::Full)
        } else if own >= self.share || (own > 0 && free <= self.kept()) {
            Err(NoPlace::Share(own))
        } else {
            Ok(())
        }
    }
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
    limits: QueueLimits,
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
    /// A queue for each of `limits`; `budgets` knows who has wasted time.
    pub(crate) fn new(limits: impl IntoIterator<Item = QueueLimits>, budgets: Arc<Budgets>) -> Arc<Self> {
        let line = |limits| Line { limits, entries: VecDeque::new(), clients: Vec::new() };
        let lines = limits.into_iter().map(line).collect();
        Arc::new(Self {
            state: Mutex::new(State { lines, turn: 0, last_ticket: 0, closed: false }),
            arrived: Notify::new(),
            budgets,
        })
    }

    /// Puts `job` into queue number `queue`, at the place of one that has to make room if it is full.
    pub(crate) fn push(self: &Arc<Self>, queue: usize, job: J) -> Result<Ticket<J>, NoPlace> {
        let mut state = self.state();
        for identity in job.identities() {
            state.check(queue, &identity, &self.budgets)?;
        }
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        let line = &mut state.lines[queue];
        let full = line.entries.len() >= line.limits.capacity;
        let displaced = if full { line.displace(&self.budgets) } else { None };
        line.entries.push_back(Entry { ticket, job });
        state.changed(&self.budgets);
        drop(state);
        if let Some(entry) = displaced {
            entry.job.displaced();
        }
        self.arrived.notify_one();
        Ok(Ticket { queues: self.clone(), queue, ticket })
    }

    /// Whether a job of `identity` would be taken now.
    pub(crate) fn has_place(&self, queue: usize, identity: &Identity) -> Result<(), NoPlace> {
        self.state().check(queue, identity, &self.budgets)
    }

    /// Whether `identity` may wait for one more of the jobs that are in queue number `queue` already: it takes no place
    /// there, but counts as the client's own.
    pub(crate) fn may_join(&self, queue: usize, identity: &Identity) -> Result<(), NoPlace> {
        let state = self.state();
        let (own, share) = (state.lines[queue].count(identity), state.lines[queue].limits.share);
        if own >= share { Err(NoPlace::Share(own)) } else { Ok(()) }
    }

    /// The next job: queues in turn, clients in turn, and each client's jobs in the order of their arrival. Safe to
    /// drop while waiting.
    pub(crate) async fn next(&self) -> J {
        loop {
            let arrived = self.arrived.notified();
            if let Some(job) = self.state().pop(&self.budgets) {
                return job;
            }
            arrived.await;
        }
    }

    /// Looks again at whom the jobs belong to: one of them has a client more or less.
    pub(crate) fn reorder(&self) {
        self.state().changed(&self.budgets);
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

    /// Looks at all jobs that wait.
    pub(crate) fn each(&self, look: impl FnMut(&J)) {
        self.state().lines.iter().flat_map(|line| &line.entries).map(|entry| &entry.job).for_each(look);
    }

    /// How many jobs queue number `queue` takes.
    pub(crate) fn capacity(&self, queue: usize) -> usize {
        self.state().lines[queue].limits.capacity
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        // Nothing panics while it holds the lock, except a job's `moved`, after the state has changed completely.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Waiting> State<J> {
    fn check(&self, queue: usize, identity: &Identity, budgets: &Budgets) -> Result<(), NoPlace> {
        if self.closed {
            return Err(NoPlace::Closed);
        }
        let line = &self.lines[queue];
        let waiting = if budgets.in_good_standing(identity) {
            // The others make room.
            line.entries.iter().filter(|entry| !entry.makes_room(budgets)).count()
        } else {
            line.entries.len()
        };
        line.limits.allow(waiting, line.count(identity))
    }

    fn pop(&mut self, budgets: &Budgets) -> Option<J> {
        let count = self.lines.len();
        let queue = (0..count)
            .map(|step| (self.turn + step) % count)
            .find(|queue| !self.lines[*queue].entries.is_empty())?;
        let line = &mut self.lines[queue];
        line.refresh();
        let (first, client) = line.order(budgets).next()?;
        let entry = line.entries.remove(first)?;
        // To the end: the others' turns come first.
        line.clients.retain(|other| *other != client);
        line.clients.push(client);
        self.turn = (queue + 1) % count;
        self.changed(budgets);
        Some(entry.job)
    }

    /// Tells every job its place, in the order in which `pop` would take them.
    fn changed(&mut self, budgets: &Budgets) {
        for line in &mut self.lines {
            line.refresh();
        }
        let count = self.lines.len();
        let mut orders: Vec<_> = self.lines.iter().map(|line| line.order(budgets)).collect();
        let mut position = 0;
        loop {
            let before = position;
            for step in 0..count {
                let queue = (self.turn + step) % count;
                if let Some((entry, _)) = orders[queue].next() {
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
    /// Jobs here that `identity` waits for.
    fn count(&self, identity: &Identity) -> usize {
        self.entries.iter().filter(|entry| entry.job.identities().contains(identity)).count()
    }

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

    /// Takes out the last entry that makes room for others.
    fn displace(&mut self, budgets: &Budgets) -> Option<Entry<J>> {
        let last = self.entries.iter().rposition(|entry| entry.makes_room(budgets))?;
        self.entries.remove(last)
    }

    /// Indices of the entries in the order of their turns, each with the client whose turn it takes: of those who wait for
    /// it, the one who is next.
    fn order(&self, budgets: &Budgets) -> impl Iterator<Item = (usize, Identity)> + use<J> {
        let jobs: Vec<Vec<Identity>> = self.entries.iter().map(|entry| entry.job.identities()).collect();
        let mut taken = vec![false; jobs.len()];
        let (first, last) = self.clients.iter().cloned().partition(|client| budgets.in_good_standing(client));
        let mut clients: [Vec<Identity>; 2] = [first, last];
        let mut next = move |clients: &mut Vec<Identity>| {
            let (turn, entry) = clients.iter().enumerate().find_map(|(turn, client)| {
                let entry = (0..jobs.len()).find(|entry| !taken[*entry] && jobs[*entry].contains(client))?;
                Some((turn, entry))
            })?;
            taken[entry] = true;
            let client = clients.remove(turn);
            clients.push(client.clone());
            Some((entry, client))
        };
        std::iter::from_fn(move || clients.iter_mut().find_map(&mut next))
    }
}

impl<J: Waiting> Entry<J> {
    /// Whether it gives its place up to others: nobody waits for it who has wasted no time.
    fn makes_room(&self, budgets: &Budgets) -> bool {
        !self.job.identities().iter().any(|identity| budgets.in_good_standing(identity))
    }
}

impl<J: Waiting> Drop for Ticket<J> {
    fn drop(&mut self) {
        let mut state = self.queues.state();
        let entries = &mut state.lines[self.queue].entries;
        if let Some(place) = entries.iter().position(|entry| entry.ticket == self.ticket) {
            let entry = entries.remove(place);
            state.changed(&self.queues.budgets);
            drop(state);
            drop(entry);
        }
    }
}

#[cfg(test)]
mod tests;
