//! Who goes into a bundle: in the order in which they come, without those who fail or leave, and no more than there is room
//! for. Knows no time and waits for nobody.

use std::sync::Arc;

use sextant_consensus::bundle::MAX_STATEMENTS;

/// The statements of one bundle, each with what it brings as its part.
#[derive(Debug)]
pub(super) struct Roll<P> {
    seats: Vec<Seat<P>>,
    /// The parts in their order, once nobody is waited for any more. From then on nothing changes them.
    parts: Option<Arc<[P]>>,
}

#[derive(Debug)]
enum Seat<P> {
    /// Its part is being made.
    Waiting,
    Made(P),
    /// Its part is at this place of the bundle.
    Placed(u32),
    /// It failed, or nobody wants it any more.
    Gone,
}

/// How far a bundle's statements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Those whose part is made.
    pub(super) made: usize,
    /// Those who are in it.
    pub(super) total: usize,
}

impl<P> Default for Roll<P> {
    fn default() -> Self {
        Self { seats: Vec::new(), parts: None }
    }
}

impl<P> Roll<P> {
    /// Takes one more in, and says its number; `None` if it is too late, or there is no room.
    pub(super) fn enter(&mut self) -> Option<usize> {
        if self.parts.is_some() || self.is_full() {
            return None;
        }
        self.seats.push(Seat::Waiting);
        Some(self.seats.len() - 1)
    }

    /// Whether there is room for nobody more. One who leaves makes room.
    pub(super) fn is_full(&self) -> bool {
        self.standing().total >= MAX_STATEMENTS
    }

    /// The part of this one is made.
    pub(super) fn made(&mut self, number: usize, part: P) {
        if let Some(seat @ Seat::Waiting) = self.seats.get_mut(number) {
            *seat = Seat::Made(part);
        }
    }

    /// This one goes: by itself, or because its part cannot be made. Whose part is placed already stays in the bundle.
    pub(super) fn leave(&mut self, number: usize) {
        if let Some(seat @ (Seat::Waiting | Seat::Made(_))) = self.seats.get_mut(number) {
            *seat = Seat::Gone;
        }
    }

    /// How far they are.
    pub(super) fn standing(&self) -> Standing {
        let count = |is: fn(&Seat<P>) -> bool| self.seats.iter().filter(|seat| is(seat)).count();
        let made = count(|seat| matches!(seat, Seat::Made(_) | Seat::Placed(_)));
        Standing { made, total: made + count(|seat| matches!(seat, Seat::Waiting)) }
    }

    /// Gives everybody a place if nobody is waited for: nobody more may come, which the caller says or the number does, and
    /// each part is made. Returns whether that has happened now.
    pub(super) fn settle(&mut self, is_over: bool) -> bool {
        let Standing { made, total } = self.standing();
        if self.parts.is_some() || made < total || !(is_over || self.is_full()) {
            return false;
        }
        let mut parts = Vec::with_capacity(made);
        for seat in &mut self.seats {
            if matches!(seat, Seat::Made(_)) {
                // At most as many as a bundle has.
                let placed = Seat::Placed(parts.len() as u32);
                if let Seat::Made(part) = std::mem::replace(seat, placed) {
                    parts.push(part);
                }
            }
        }
        self.parts = Some(parts.into());
        true
    }

    /// Where this one is in the bundle, and all of its parts in order; `None` until that is settled.
    pub(super) fn place(&self, number: usize) -> Option<(u32, Arc<[P]>)> {
        match (self.seats.get(number)?, &self.parts) {
            (Seat::Placed(index), Some(parts)) => Some((*index, parts.clone())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roll(count: usize) -> Roll<usize> {
        let mut roll = Roll::default();
        for number in 0..count {
            assert_eq!(roll.enter(), Some(number));
        }
        roll
    }

    #[test]
    fn places_are_in_the_order_of_arrival_whoever_is_made_first() {
        let mut roll = roll(3);
        for number in [2, 0, 1] {
            assert!(!roll.settle(true), "{number} is not made");
            roll.made(number, number * 10);
        }
        assert!(!roll.settle(false), "others may still come");
        assert!(roll.settle(true));
        assert!(!roll.settle(true), "once");
        for number in 0..3 {
            let (index, parts) = roll.place(number).unwrap();
            assert_eq!((index as usize, &*parts), (number, &[0, 10, 20][..]));
        }
        assert_eq!(roll.enter(), None, "it is too late");
    }

    #[test]
    fn who_fails_or_leaves_is_left_out_and_moves_the_others_up() {
        let mut roll = roll(4);
        roll.made(0, 0);
        roll.made(2, 20);
        roll.leave(0);
        roll.leave(1);
        assert_eq!(roll.standing(), Standing { made: 1, total: 2 });
        assert!(!roll.settle(true), "one is waited for");
        roll.leave(3);
        assert!(roll.settle(true));
        let (index, parts) = roll.place(2).unwrap();
        assert_eq!((index, &*parts), (0, &[20][..]));
        assert!([0, 1, 3].into_iter().all(|number| roll.place(number).is_none()));
    }

    /// The bundle is being made: its public values name who is in it.
    #[test]
    fn who_leaves_after_the_places_are_given_stays_in_the_bundle() {
        let mut roll = roll(2);
        roll.made(0, 0);
        roll.made(1, 10);
        assert!(roll.settle(true));
        roll.leave(0);
        let (index, parts) = roll.place(1).unwrap();
        assert_eq!((index, parts.len()), (1, 2));
    }

    #[test]
    fn a_full_bundle_waits_for_nobody_more() {
        let mut roll = roll(MAX_STATEMENTS);
        assert_eq!(roll.enter(), None);
        roll.leave(7);
        assert_eq!(roll.enter(), Some(MAX_STATEMENTS), "room again");
        assert_eq!(roll.enter(), None);
        for number in 0..=MAX_STATEMENTS {
            assert!(!roll.settle(false), "{number} is not made");
            roll.made(number, number);
        }
        assert!(roll.settle(false), "before the time is over");
        let (index, parts) = roll.place(MAX_STATEMENTS).unwrap();
        assert_eq!((index as usize, parts.len()), (MAX_STATEMENTS - 1, MAX_STATEMENTS));
        assert!(roll.place(7).is_none(), "what is made for one who has left is in no bundle");
    }

    #[test]
    fn where_all_have_left_there_is_nothing_to_bundle() {
        let mut roll = roll(1);
        roll.leave(0);
        assert!(roll.settle(true));
        assert!(roll.place(0).is_none());
    }
}
