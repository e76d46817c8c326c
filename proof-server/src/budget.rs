//! Counts what each client has open and has had made, and refuses what goes over its budget.
//!
//! A proof is reserved before its client waits for it, and counts when it is made: what the server or its prover fails
//! to do costs nobody's budget. The server's own work for nothing, on what is not true, has an allowance of its own. Whoever
//! has used up a little of it, or again and again gives up what a prover is at, goes after those who have not.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sextant_fleet::Queue;
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

/// What it costs to give up a proof that a prover is at, whose work is lost and who has to be started anew; and how much of
/// that does not count yet. It fades as the time of failed checks does.
const GIVEN_UP: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

/// The accounts of all clients.
#[derive(Default)]
pub(crate) struct Budgets {
    accounts: Mutex<HashMap<Identity, Account>>,
    /// Where proofs are counted that other servers make for the same clients.
    shared: Option<Arc<dyn Queue>>,
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
    /// What was lost with proofs that were given up; it fades as well.
    given_up: Duration,
    /// When both were right.
    faded_at: Option<Instant>,
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
    shared: Option<shared::Entry>,
}

impl Budgets {
    /// Counts proofs together with the other servers of a fleet.
    pub(crate) fn of_fleet(queue: Arc<dyn Queue>) -> Self {
        Self { shared: Some(queue), ..Self::default() }
    }

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

    /// Sets a proof of `caller`'s hour aside, unless the hour is used up, here or at all servers together.
    pub(crate) async fn reserve(self: &Arc<Self>, caller: &Caller) -> Result<Reservation, ServerError> {
        let limit = caller.budget.proofs_per_hour;
        let mut reservation = Reservation { budgets: self.clone(), identity: None, shared: None };
        if limit > 0 {
            Self::account(&mut self.accounts(), &caller.identity).reserve(limit as usize, Instant::now())?;
            reservation.identity = Some(caller.identity.clone());
            if let Some(queue) = self.shared.as_ref().filter(|_| limit <= shared::MOST) {
                reservation.shared = Some(shared::Entry::reserve(queue, &caller.identity, limit).await?);
            }
        }
        Ok(reservation)
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
        self.accounts().get_mut(identity).is_none_or(|account| account.in_good_standing(Instant::now()))
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

impl std::fmt::Debug for Budgets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budgets").field("accounts", &self.accounts).finish_non_exhaustive()
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
        Err(used_up(limit, wait))
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

    fn gave_up(&mut self, now: Instant) {
        self.fade(now);
        self.given_up += GIVEN_UP.0;
    }

    fn in_good_standing(&mut self, now: Instant) -> bool {
        self.fade(now) < FORGIVEN && self.given_up <= GIVEN_UP.1
    }

    fn fade(&mut self, now: Instant) -> Duration {
        let since = self.faded_at.map_or(Duration::ZERO, |at| now.duration_since(at));
        self.faded_at = Some(now);
        let faded = since.mul_f64(FAILED_CHECKS.as_secs_f64() / HOUR.as_secs_f64());
        self.failed = self.failed.saturating_sub(faded);
        self.given_up = self.given_up.saturating_sub(faded);
        self.failed
    }

    fn has_trace(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        let failed = self.fade(now);
        let wasted = !failed.is_zero() || !self.given_up.is_zero();
        self.open > 0 || self.reserved > 0 || !self.made.is_empty() || wasted
    }
}

impl Reservation {
    /// The proof is made: it counts from now on.
    pub(crate) fn commit(mut self) {
        if let Some(entry) = self.shared.take() {
            entry.settle(true);
        }
        if let Some(identity) = &self.identity
            && let Some(account) = self.budgets.accounts().get_mut(identity)
        {
            account.made.push_back(Instant::now());
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(entry) = self.shared.take() {
            entry.settle(false);
        }
        if let Some(identity) = &self.identity
            && let Some(account) = self.budgets.accounts().get_mut(identity)
        {
            account.reserved -= 1;
        }
    }
}

impl OpenRequest {
    /// Nobody else waits for the proof that it was open for, and a prover was at it.
    pub(crate) fn gave_up(&self) {
        if let Some(account) = self.budgets.accounts().get_mut(&self.identity) {
            account.gave_up(Instant::now());
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

fn used_up(limit: usize, wait: Duration) -> ServerError {
    busy(format!("your {limit} proofs of this hour are used up"), wait)
}

fn busy(message: String, wait: Duration) -> ServerError {
    ServerError::retryable(ErrorCode::Busy, message, millis(wait).max(1))
}

mod shared;
#[cfg(test)]
mod tests;
