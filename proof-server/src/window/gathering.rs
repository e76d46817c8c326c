//! Statements that are asked for within a while of each other, until they are a bundle, and what comes of that.
//!
//! Nobody here works on behalf of all: whoever waits keeps the gathering alive, and with the last one it ends, and whatever
//! it has begun. What is to be done once is done by whoever comes to it first, and by the next if that one leaves.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{OnceCell, watch},
    time::{Instant, sleep_until},
};

use super::roll::{Roll, Standing};

/// All bundles that are not full and not over, by what their statements have in common. `P` is a statement's part, `W` what
/// the whole becomes.
pub(super) struct Gatherings<K, P, W> {
    /// From the first statement of a bundle on.
    length: Duration,
    open: Mutex<HashMap<K, Weak<Gathering<P, W>>>>,
}

struct Gathering<P, W> {
    /// When nobody more is let in.
    until: Instant,
    roll: watch::Sender<Roll<P>>,
    whole: OnceCell<W>,
}

/// One statement's seat in a bundle. Dropping it leaves.
pub(super) struct Seat<P, W> {
    gathering: Arc<Gathering<P, W>>,
    number: usize,
}

impl<K: Eq + Hash, P, W> Gatherings<K, P, W> {
    pub(super) fn new(length: Duration) -> Self {
        Self { length, open: Mutex::default() }
    }

    /// Takes a seat in the bundle that is open for `key`, or opens one.
    pub(super) fn enter(&self, key: K) -> Seat<P, W> {
        let now = Instant::now();
        // Nothing panics while it holds the lock.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, gathering| gathering.upgrade().is_some_and(|gathering| now < gathering.until));
        if let Some(gathering) = open.get(&key).and_then(Weak::upgrade)
            && let Some(number) = gathering.enter()
        {
            return Seat { gathering, number };
        }
        let (until, roll) = (now + self.length, watch::Sender::new(Roll::default()));
        let gathering = Arc::new(Gathering { until, roll, whole: OnceCell::new() });
        let number = gathering.enter().unwrap_or_default();
        open.insert(key, Arc::downgrade(&gathering));
        Seat { gathering, number }
    }
}

impl<P, W> Gathering<P, W> {
    fn enter(&self) -> Option<usize> {
        let mut number = None;
        self.roll.send_modify(|roll| number = roll.enter());
        number
    }
}

impl<P, W> Seat<P, W> {
    /// This one's part is made: waits until nobody more comes and all parts are made. Returns its place, and the parts in
    /// order. Meanwhile `told` hears how far they are, and for how long others may still come.
    pub(super) async fn gather(&self, part: P, told: impl Fn(Standing, Duration)) -> (u32, Arc<[P]>) {
        let Gathering { until, roll, .. } = &*self.gathering;
        let mut changes = roll.subscribe();
        roll.send_modify(|roll| roll.made(self.number, part));
        loop {
            let left = until.saturating_duration_since(Instant::now());
            roll.send_if_modified(|roll| roll.settle(left.is_zero()));
            let standing = {
                let roll = changes.borrow_and_update();
                if let Some(place) = roll.place(self.number) {
                    return place;
                }
                roll.standing()
            };
            told(standing, left);
            tokio::select! {
                // The sender is in this seat's own hands.
                _ = changes.changed() => {}
                () = sleep_until(*until), if !left.is_zero() => {}
            }
        }
    }

    /// What the whole becomes: made by whoever asks first. One who leaves half-way leaves it to the next.
    pub(super) async fn whole<F>(&self, make: impl FnOnce() -> F) -> &W
    where
        F: Future<Output = W>,
    {
        self.gathering.whole.get_or_init(make).await
    }
}

impl<P, W> Drop for Seat<P, W> {
    fn drop(&mut self) {
        self.gathering.roll.send_modify(|roll| roll.leave(self.number));
    }
}

#[cfg(test)]
mod tests;
