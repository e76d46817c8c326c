//! Who is connected to the operations port. Nobody is ever turned away there: a probe that is not answered has a server
//! restarted in the middle of its proofs. Instead whoever has been idle for longest makes room, first among a peer's own
//! connections, then among those of the peer that has most. Peers on this machine (a supervisor, a container's own
//! health check) are left alone by all others.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::access::network;

/// Connections at once.
const ALL: usize = 64;
/// Connections at once of one peer.
const OF_ONE: usize = 16;

/// The connections that are open, the longest idle first.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    clock: u64,
    guests: BTreeMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    address: IpAddr,
    leave: CancellationToken,
}

/// A connection's seat, free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: Mutex<u64>,
    leave: CancellationToken,
}

impl Seats {
    /// A seat for somebody from `address`, if need be somebody else's.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Seat {
        let local = address.to_canonical().is_loopback();
        let address = if local { address.to_canonical() } else { network(address) };
        let mut taken = self.taken();
        if taken.of(address) >= OF_ONE {
            taken.shed(|guest| guest.address == address);
        } else if taken.guests.len() >= ALL {
            let most = taken.most();
            taken.shed(|guest| Some(guest.address) == most);
        }
        let leave = CancellationToken::new();
        let number = taken.next();
        taken.guests.insert(number, Guest { address, leave: leave.clone() });
        Seat { seats: self.clone(), number: Mutex::new(number), leave }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn next(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn of(&self, address: IpAddr) -> usize {
        self.guests.values().filter(|guest| guest.address == address).count()
    }

    /// The peer with the most seats; this machine only if there is no other.
    fn most(&self) -> Option<IpAddr> {
        let seats = |guest: &Guest| (!guest.address.is_loopback(), self.of(guest.address));
        // The last of the equal ones would be the one that came last.
        self.guests.values().rev().max_by_key(|guest| seats(guest)).map(|guest| guest.address)
    }

    fn shed(&mut self, these: impl Fn(&Guest) -> bool) {
        let oldest = self.guests.iter().find(|(_, guest)| these(guest)).map(|(number, _)| *number);
        if let Some(guest) = oldest.and_then(|number| self.guests.remove(&number)) {
            guest.leave.cancel();
        }
    }
}

impl Seat {
    /// It has asked something: others have been idle for longer.
    pub(super) fn asked(&self) {
        let mut number = self.number.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.seats.taken();
        let now = taken.next();
        if let Some(guest) = taken.guests.remove(&number) {
            taken.guests.insert(now, guest);
            *number = now;
        }
    }

    /// Completes when somebody else needs the seat.
    pub(super) async fn left(&self) {
        self.leave.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let number = *self.number.lock().unwrap_or_else(PoisonError::into_inner);
        self.seats.taken().guests.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sit(seats: &Arc<Seats>, address: &str) -> Seat {
        seats.take(address.parse().unwrap())
    }

    #[test]
    fn the_longest_idle_makes_room_for_its_own_peer() {
        let seats = Arc::new(Seats::default());
        let other = sit(&seats, "192.0.2.1");
        let crowd: Vec<_> = (0..OF_ONE).map(|_| sit(&seats, "127.0.0.1")).collect();
        crowd[0].asked();
        let _newcomer = sit(&seats, "127.0.0.1");
        let gone: Vec<_> = crowd.iter().map(|seat| seat.leave.is_cancelled()).collect();
        assert!(!gone[0] && gone[1] && !gone[2..].contains(&true), "{gone:?}");
        assert!(!other.leave.is_cancelled());
    }

    #[test]
    fn the_most_crowded_peer_makes_room_for_others_and_this_machine_last() {
        let seats = Arc::new(Seats::default());
        let local = sit(&seats, "::1");
        let lonely = sit(&seats, "192.0.2.1");
        let crowd = |n: usize| sit(&seats, &format!("198.51.100.{}", n % 8));
        let mut crowd: Vec<_> = (2..ALL).map(crowd).collect();
        let newcomers: Vec<_> = (1..200).map(|n| sit(&seats, &format!("203.0.113.{n}"))).collect();
        assert!(!local.leave.is_cancelled());
        assert!(newcomers.last().is_some_and(|last| !last.leave.is_cancelled()));
        assert_eq!(seats.taken().guests.len(), ALL);
        crowd.clear();
        drop((lonely, newcomers, local));
        assert_eq!(seats.taken().guests.len(), 0);
    }
}
