//! Turns at something that few can do at once: of those who wait, clients are let through in turn, so that one with
//! many things to do delays another by one of them; and those who have wasted none of the server's time before those
//! who have.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::{access::Identity, budget::Budgets};

/// Places in a client's line above which those are forgotten who have gone.
const LINE: usize = 128;

/// Lets so many through at once.
pub(crate) struct Turns {
    state: Mutex<State>,
    budgets: Arc<Budgets>,
}

struct State {
    free: usize,
    lines: HashMap<Identity, VecDeque<oneshot::Sender<Turn>>>,
    /// The clients that have a line, in the order of their turns.
    order: VecDeque<Identity>,
}

/// A turn, over when dropped.
#[derive(Debug)]
pub(crate) struct Turn(Option<Arc<Turns>>);

impl Turns {
    pub(crate) fn new(at_once: usize, budgets: Arc<Budgets>) -> Arc<Self> {
        let state = State { free: at_once, lines: HashMap::new(), order: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state), budgets })
    }

    /// Waits for the turn of `identity`. Dropped half-way, it waits no more.
    pub(crate) async fn wait(self: &Arc<Self>, identity: &Identity) -> Turn {
        let waiting = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Turn(Some(self.clone()));
            }
            state.queue(identity)
        };
        // Its sender is held until it is sent.
        waiting.await.unwrap_or(Turn(None))
    }

    /// Gives a turn that is over to whoever is next.
    fn pass_on(self: &Arc<Self>) {
        let mut turn = Turn(Some(self.clone()));
        loop {
            let next = self.state().next(|identity| self.budgets.in_good_standing(identity));
            let Some(waiting) = next else {
                turn.0 = None;
                return;
            };
            match waiting.send(turn) {
                Ok(()) => return,
                // It had gone.
                Err(back) => turn = back,
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.state().free
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, identity: &Identity) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let line = self.lines.entry(identity.clone()).or_insert_with(|| {
            self.order.push_back(identity.clone());
            VecDeque::new()
        });
        if line.len() >= LINE {
            line.retain(|waiting| !waiting.is_closed());
        }
        line.push_back(sender);
        receiver
    }

    /// Who is next. With nobody there, a turn more is free.
    fn next(&mut self, good: impl Fn(&Identity) -> bool) -> Option<oneshot::Sender<Turn>> {
        let place = self.order.iter().position(good).unwrap_or(0);
        let Some(identity) = self.order.remove(place) else {
            self.free += 1;
            return None;
        };
        let line = self.lines.get_mut(&identity)?;
        let next = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&identity);
        } else {
            // To the end: the others' turns come first.
            self.order.push_back(identity);
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinHandle;

    use super::*;

    fn client(name: u8) -> Identity {
        Identity::address([192, 0, 2, name].into())
    }

    fn turns() -> (Arc<Turns>, Arc<Budgets>) {
        let budgets = Arc::new(Budgets::default());
        (Turns::new(1, budgets.clone()), budgets)
    }

    /// Has a client wait, and returns its name with its turn.
    async fn queue(turns: &Arc<Turns>, name: u8) -> JoinHandle<(u8, Turn)> {
        let turns = turns.clone();
        let waiting = tokio::spawn(async move { (name, turns.wait(&client(name)).await) });
        tokio::task::yield_now().await;
        waiting
    }

    /// The names of those who wait, in the order in which they are let through.
    async fn order(first: Turn, waiting: Vec<JoinHandle<(u8, Turn)>>) -> Vec<u8> {
        let (sender, mut turns) = tokio::sync::mpsc::unbounded_channel();
        for waiting in waiting {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(waiting.await.unwrap()) });
        }
        drop((first, sender));
        let mut names = Vec::new();
        while let Some((name, turn)) = turns.recv().await {
            names.push(name);
            drop(turn);
        }
        names
    }

    #[tokio::test]
    async fn clients_are_let_through_in_turn() {
        let (turns, _) = turns();
        let first = turns.wait(&client(9)).await;
        let mut waiting = Vec::new();
        for name in [1, 1, 1, 2, 3, 2] {
            waiting.push(queue(&turns, name).await);
        }
        assert_eq!(order(first, waiting).await, [1, 2, 3, 1, 2, 1]);
        assert_eq!(turns.free(), 1);
    }

    #[tokio::test]
    async fn those_who_have_wasted_nothing_go_first() {
        let (turns, budgets) = turns();
        let first = turns.wait(&client(9)).await;
        budgets.check_failed(&client(1), Duration::from_secs(10));
        let mut waiting = Vec::new();
        for name in [1, 1, 2, 3, 2] {
            waiting.push(queue(&turns, name).await);
        }
        assert_eq!(order(first, waiting).await, [2, 3, 2, 1, 1]);
    }

    /// However many go before their turn comes: it goes to one who is there, and nothing is kept of them.
    #[tokio::test]
    async fn those_who_have_gone_are_passed_over() {
        let (turns, _) = turns();
        let first = turns.wait(&client(9)).await;
        for _ in 0..10 * LINE {
            let gone = queue(&turns, 1).await;
            gone.abort();
            assert!(gone.await.unwrap_err().is_cancelled());
        }
        assert!(turns.state().lines[&client(1)].len() <= LINE);
        let waiting = vec![queue(&turns, 1).await];
        assert_eq!(order(first, waiting).await, [1]);
        assert_eq!(turns.free(), 1);
        assert!(turns.state().lines.is_empty() && turns.state().order.is_empty());
    }
}
