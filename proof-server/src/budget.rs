//! Counts what each client has open and has had made, and refuses what goes over its budget.
//!
//! A proof is reserved before its client waits for it, and counts when it is made: what the server or its prover fails
//! to do costs nobody's budget. The server's own work for nothing, on what is not true, has an allowance of its own; and
//! whoever has used up a little of it goes after those who have not.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sextant_protocol::{ErrorCode, ServerError};

use crate::{
    access::{Caller, Identity},
    time::millis,
};

/// Accounts above which those without any trace are forgotten.
const ACCOUNTS: usize = 1024;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Time that one client's untrue statements and false proofs may take in an hour: some hundreds of whole checks. What does
/// not even decode takes next to nothing.
const FAILED_CHECKS: Duration = Duration::from_secs(60);
/// What of it does not count yet: mistakes happen.
const FORGIVEN: Duration = Duration::from_secs(1);

/// The accounts of all clients.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    accounts: Mutex<HashMap<Identity, Account>>,
}

#[derive(Debug, Default)]
struct Account {
    /// Requests that are open.
    open: usize,
    /// Proofs that are being made.
    reserved: usize,
    /// When the proofs of the last hour were made, if they are counted.
    made: VecDeque<Instant>,
    /// Time that failed checks took; it fades evenly.
    failed: Duration,
    /// When `failed` was right.
    failed_at: Option<Instant>,
}

/// A request that counts as open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    budgets: Arc<Budgets>,
    identity: Identity,
}

/// A proof that is being made on somebody's budget. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Reservation {
    budgets: Arc<Budgets>,
    /// `None` where proofs are not counted.
    identity: Option<Identity>,
}

impl Budgets {
    /// Opens a request of `caller`.
    pub(crate) fn open(self: &Arc<Self>, caller: &Caller) -> Result<OpenRequest, ServerError> {
        let mut accounts = self.accounts();
        let account = Self::account(&mut accounts, &caller.identity);
        if account.open >= caller.budget.requests {
            return Err(busy(format!("{} of your requests are open already", account.open), SECOND));
        }
        account.open += 1;
        Ok(OpenRequest { budgets: self.clone(), identity: caller.identity.clone() })
    }

    /// Sets a proof of `caller`'s hour aside, unless the hour is used up.
    pub(crate) fn reserve(self: &Arc<Self>, caller: &Caller) -> Result<Reservation, ServerError> {
        let limit = caller.budget.proofs_per_hour;
        let mut identity = None;
        if limit > 0 {
            let mut accounts = self.accounts();
            Self::account(&mut accounts, &caller.identity).reserve(limit as usize, Instant::now())?;
            identity = Some(caller.identity.clone());
        }
        Ok(Reservation { budgets: self.clone(), identity })
    }

    /// Whether a statement or proof of `identity` may be checked, or too much time went into false ones.
    pub(crate) fn may_check(&self, identity: &Identity) -> Result<(), ServerError> {
        match self.accounts().get_mut(identity) {
            Some(account) => account.may_check(Instant::now()),
            None => Ok(()),
        }
    }

    /// A check for `identity` took this long, and nothing came of it.
    pub(crate) fn check_failed(&self, identity: &Identity, took: Duration) {
        Self::account(&mut self.accounts(), identity).check_failed(took, Instant::now());
    }

    /// Whether `identity` has wasted next to no time lately. Those who have wait until the others were served.
    pub(crate) fn in_good_standing(&self, identity: &Identity) -> bool {
        self.accounts().get_mut(identity).is_none_or(|account| account.fade(Instant::now()) < FORGIVEN)
    }

    /// Time of failed checks that `identity` is charged with now.
    #[cfg(test)]
    pub(crate) fn failed(&self, identity: &Identity) -> Duration {
        Self::account(&mut self.accounts(), identity).fade(Instant::now())
    }

    fn account<'a>(accounts: &'a mut HashMap<Identity, Account>, identity: &Identity) -> &'a mut Account {
        if accounts.len() >= ACCOUNTS && !accounts.contains_key(identity) {
            let now = Instant::now();
            accounts.retain(|_, account| account.has_trace(now));
        }
        accounts.entry(identity.clone()).or_default()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Identity, Account>> {
        // Nothing panics while it holds the lock.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// At most `limit` proofs in any sixty minutes, those that are being made included.
    fn reserve(&mut self, limit: usize, now: Instant) -> Result<(), ServerError> {
        self.forget_old(now);
        if self.made.len() + self.reserved < limit {
            self.reserved += 1;
            return Ok(());
        }
        // The oldest is the first to be an hour old; if none is made yet, one that is being made may still fail.
        let wait =
            self.made.front().map_or(SECOND, |oldest| HOUR.saturating_sub(now.duration_since(*oldest)));
        Err(busy(format!("your {limit} proofs of this hour are used up"), wait))
    }

    fn forget_old(&mut self, now: Instant) {
        while self.made.front().is_some_and(|oldest| now.duration_since(*oldest) >= HOUR) {
            self.made.pop_front();
        }
    }

    fn may_check(&mut self, now: Instant) -> Result<(), ServerError> {
        let failed = self.fade(now);
        if failed < FAILED_CHECKS {
            return Ok(());
        }
        let message = format!("your false statements and proofs took {} s to check lately", failed.as_secs());
        let wait = (failed - FAILED_CHECKS).mul_f64(HOUR.as_secs_f64() / FAILED_CHECKS.as_secs_f64());
        Err(busy(message, wait + SECOND))
    }

    fn check_failed(&mut self, took: Duration, now: Instant) {
        self.failed = self.fade(now) + took;
    }

    fn fade(&mut self, now: Instant) -> Duration {
        let since = self.failed_at.map_or(Duration::ZERO, |at| now.duration_since(at));
        self.failed_at = Some(now);
        self.failed =
            self.failed.saturating_sub(since.mul_f64(FAILED_CHECKS.as_secs_f64() / HOUR.as_secs_f64()));
        self.failed
    }

    fn has_trace(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        let failed = self.fade(now);
        self.open > 0 || self.reserved > 0 || !self.made.is_empty() || !failed.is_zero()
    }
}

impl Reservation {
    /// The proof is made: it counts from now on.
    pub(crate) fn commit(self) {
        if let Some(identity) = &self.identity
            && let Some(account) = self.budgets.accounts().get_mut(identity)
        {
            account.made.push_back(Instant::now());
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(identity) = &self.identity
            && let Some(account) = self.budgets.accounts().get_mut(identity)
        {
            account.reserved -= 1;
        }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if let Some(account) = self.budgets.accounts().get_mut(&self.identity) {
            account.open -= 1;
        }
    }
}

fn busy(message: String, wait: Duration) -> ServerError {
    ServerError::retryable(ErrorCode::Busy, message, millis(wait).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Budget;

    fn caller(name: u8, requests: usize, proofs_per_hour: u32) -> Caller {
        Caller {
            identity: Identity::address([127, 0, 0, name].into()),
            budget: Budget { requests, proofs_per_hour },
            known: true,
            hops: 0,
            gone: tokio_util::sync::CancellationToken::new(),
        }
    }

    #[test]
    fn open_requests_are_counted_by_client() {
        let budgets = Arc::new(Budgets::default());
        let (one, other) = (caller(1, 2, 0), caller(2, 1, 0));
        let first = budgets.open(&one).unwrap();
        let _second = budgets.open(&one).unwrap();
        assert_eq!(budgets.open(&one).unwrap_err().code, ErrorCode::Busy);
        let _others = budgets.open(&other).unwrap();
        drop(first);
        assert!(budgets.open(&one).is_ok());
    }

    #[test]
    fn only_proofs_that_are_made_count() {
        let budgets = Arc::new(Budgets::default());
        let limited = caller(1, 1, 2);
        for _ in 0..10 {
            drop(budgets.reserve(&limited).unwrap());
        }
        budgets.reserve(&limited).unwrap().commit();
        let second = budgets.reserve(&limited).unwrap();
        // One made and one being made: no third, whatever becomes of the second.
        assert_eq!(budgets.reserve(&limited).unwrap_err().code, ErrorCode::Busy);
        drop(second);
        budgets.reserve(&limited).unwrap().commit();
        let error = budgets.reserve(&limited).unwrap_err();
        assert!((3_590_000..=3_600_000).contains(&error.retry_after_ms), "{error:?}");
        drop(budgets.reserve(&caller(2, 1, 1)).unwrap());
    }

    /// In any sixty minutes, wherever they begin.
    #[test]
    fn an_hour_is_an_hour() {
        let (start, mut account) = (Instant::now(), Account::default());
        let mut made = Vec::new();
        // Asked for all the time, for three hours: a limit of 60 is 60.
        for minute in 0..180 {
            let now = start + Duration::from_secs(60 * minute);
            for _ in 0..5 {
                if account.reserve(60, now).is_ok() {
                    account.reserved -= 1;
                    account.made.push_back(now);
                    made.push(now);
                }
            }
        }
        for first in &made {
            let hour = made.iter().filter(|at| *at >= first && at.duration_since(*first) < HOUR).count();
            assert!(hour <= 60, "{hour}");
        }
        assert_eq!(made.len(), 180);
    }

    #[test]
    fn untrue_statements_cost_the_time_that_they_took() {
        let (start, mut account) = (Instant::now(), Account::default());
        for _ in 0..1_000_000 {
            account.check_failed(Duration::from_micros(10), start);
        }
        assert!(account.may_check(start).is_ok(), "what does not decode is cheap");
        for _ in 0..500 {
            account.check_failed(Duration::from_millis(200), start);
        }
        let error = account.may_check(start).unwrap_err();
        // 110 s of 60 are used: after the wait that is named, and not before, it goes on.
        let wait = Duration::from_millis(error.retry_after_ms);
        assert!(account.may_check(start + wait / 2).is_err());
        assert!(account.may_check(start + wait).is_ok());
    }

    /// A mistake is forgiven at once, a flood after a while.
    #[test]
    fn who_wastes_time_is_in_bad_standing_for_a_while() {
        let (start, mut account) = (Instant::now(), Account::default());
        let good =
            |account: &mut Account, seconds| account.fade(start + Duration::from_secs(seconds)) < FORGIVEN;
        account.check_failed(Duration::from_millis(200), start);
        assert!(good(&mut account, 0));
        account.check_failed(Duration::from_secs(2), start);
        assert!(!good(&mut account, 1) && !good(&mut account, 60));
        assert!(good(&mut account, 75));
    }

    #[test]
    fn accounts_without_a_trace_are_forgotten() {
        let budgets = Arc::new(Budgets::default());
        let held = budgets.open(&caller(1, 1, 1)).unwrap();
        budgets.check_failed(&caller(3, 1, 1).identity, 2 * FAILED_CHECKS);
        for network in 0..2 * ACCOUNTS {
            let mut stranger = caller(2, 1, 1);
            stranger.identity = Identity::address([10, 0, (network / 256) as u8, network as u8].into());
            drop(budgets.open(&stranger).unwrap());
        }
        assert!(budgets.accounts().len() <= ACCOUNTS);
        assert!(budgets.open(&caller(1, 1, 1)).is_err(), "an open request is not forgotten");
        assert!(budgets.may_check(&caller(3, 1, 1).identity).is_err(), "nor is time that was taken");
        drop(held);
    }
}
