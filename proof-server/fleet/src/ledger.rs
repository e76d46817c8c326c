//! What each client has had made in the last hour, counted across the servers that it may ask.
//!
//! A proof is reserved before it is made, under a number of its own, and counts from when it is made. A server that dies leaves
//! its reservations behind: they count for an hour, like what was made.

use std::time::Duration;

use sextant_protocol::record;

use crate::Answer;

/// How long a proof counts.
pub const HOUR: Duration = Duration::from_secs(3600);
const HOUR_MS: u64 = 3_600_000;
/// When to ask again where nothing but reservations is in the way.
const SOON: Duration = Duration::from_secs(1);

record! {
/// A proof in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    1 = id: u64,
    /// When it was reserved or, later, made: milliseconds since 1970.
    2 = at_ms: u64,
    /// Whether it is made.
    3 = made: bool = false,
}
}

record! {
/// One client's proofs of the last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Those that are made or reserved.
    1 = entries: Vec<Entry> = Vec::new(),
}
}

impl Account {
    /// Reserves one, if there are fewer than `limit`; else when it makes sense to ask again.
    pub(crate) fn reserve(&mut self, id: u64, limit: u32, now_ms: u64) -> Result<(), Duration> {
        self.forget_old(now_ms);
        if self.entries.len() < limit as usize {
            self.entries.push(Entry { id, at_ms: now_ms, made: false });
            return Ok(());
        }
        // One that is being made may still fail.
        let oldest = self.entries.iter().filter(|entry| entry.made).map(|entry| entry.at_ms).min();
        let wait = oldest.map(|at_ms| Duration::from_millis((at_ms + HOUR_MS).saturating_sub(now_ms)));
        Err(wait.unwrap_or(SOON).max(SOON))
    }

    /// What is reserved is made, or came to nothing. Of what is not reserved nothing is known: a server was away for too long.
    pub(crate) fn settle(&mut self, id: u64, made: bool, now_ms: u64) {
        self.forget_old(now_ms);
        match self.entries.iter().position(|entry| entry.id == id) {
            Some(at) if made => self.entries[at] = Entry { id, at_ms: now_ms, made },
            Some(at) => drop(self.entries.remove(at)),
            None => {}
        }
    }

    pub(crate) fn forget_old(&mut self, now_ms: u64) {
        self.entries.retain(|entry| now_ms < entry.at_ms.saturating_add(HOUR_MS));
    }
}

/// The accounts. An account is named by 32 bytes, such as a hash of who the client is.
pub trait Ledger: Send + Sync {
    /// Reserves proof `id` in an account, if fewer than `limit` were made or reserved there within the hour; otherwise says
    /// when to ask again.
    ///
    /// # Errors
    /// [`Unreachable`](crate::FleetError::Unreachable).
    fn reserve(&self, account: [u8; 32], id: u64, limit: u32) -> Answer<'_, Result<(), Duration>>;

    /// What was reserved is made, and counts for an hour from now; or it came to nothing.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    fn settle(&self, account: [u8; 32], id: u64, made: bool) -> Answer<'_, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn what_is_made_counts_for_an_hour_and_what_failed_not_at_all() {
        let (mut account, start) = (Account::default(), 1_000_000);
        for id in 0..10 {
            account.reserve(id, 2, start).unwrap();
            account.settle(id, false, start);
        }
        account.reserve(10, 2, start).unwrap();
        account.settle(10, true, start + 20 * MINUTE);
        account.reserve(11, 2, start + 20 * MINUTE).unwrap();
        // From when it was made, and not from when it was asked for.
        let wait = account.reserve(12, 2, start + 30 * MINUTE).unwrap_err();
        assert_eq!(wait, Duration::from_millis(50 * MINUTE));
        account.settle(11, false, start + 30 * MINUTE);
        account.reserve(12, 2, start + 30 * MINUTE).unwrap();
        // Known no more, it is not taken for another one.
        account.settle(11, true, start + 31 * MINUTE);
        assert_eq!(account.entries.len(), 2);
        account.reserve(13, 2, start + 80 * MINUTE).unwrap();
    }

    #[test]
    fn what_a_dead_server_has_reserved_is_free_after_an_hour() {
        let mut account = Account::default();
        account.reserve(1, 1, 0).unwrap();
        assert_eq!(account.reserve(2, 1, HOUR_MS - 1).unwrap_err(), SOON);
        account.reserve(2, 1, HOUR_MS).unwrap();
    }
}
