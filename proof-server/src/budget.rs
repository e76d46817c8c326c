//! Counts what each client has open and has had made, and refuses what goes over its budget.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use sextant_protocol::{ErrorCode, ServerError};

use crate::access::{Caller, Identity};

/// Accounts above which those without any trace are forgotten.
const ACCOUNTS: usize = 1024;
const HOUR: f64 = 3600.0;

/// The accounts of all clients.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    accounts: Mutex<HashMap<Identity, Account>>,
}

#[derive(Debug)]
struct Account {
    open: usize,
    /// Proofs that count against the hour; they fade evenly.
    proofs: f64,
    /// When `proofs` was right.
    at: Instant,
}

/// A request that counts as open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    budgets: Arc<Budgets>,
    identity: Identity,
}

impl Budgets {
    /// Opens a request of `caller`.
    pub(crate) fn open(self: &Arc<Self>, caller: &Caller) -> Result<OpenRequest, ServerError> {
        let mut accounts = self.accounts();
        let account = Self::account(&mut accounts, &caller.identity);
        if account.open >= caller.budget.requests {
            let message = format!("{} of your requests are open already", account.open);
            return Err(ServerError::retryable(ErrorCode::Busy, message, 1_000));
        }
        account.open += 1;
        Ok(OpenRequest { budgets: self.clone(), identity: caller.identity.clone() })
    }

    /// Counts a proof that `caller` has made, unless its hour is used up.
    pub(crate) fn charge(&self, caller: &Caller) -> Result<(), ServerError> {
        let limit = f64::from(caller.budget.proofs_per_hour);
        if limit == 0.0 {
            return Ok(());
        }
        let mut accounts = self.accounts();
        let account = Self::account(&mut accounts, &caller.identity);
        let now = Instant::now();
        account.proofs =
            (account.proofs - now.duration_since(account.at).as_secs_f64() * limit / HOUR).max(0.0);
        account.at = now;
        if account.proofs + 1.0 > limit {
            let wait = (account.proofs + 1.0 - limit) * HOUR / limit;
            let message = format!("your {limit} proofs of this hour are used up");
            return Err(ServerError::retryable(ErrorCode::Busy, message, (wait * 1000.0).ceil() as u64));
        }
        account.proofs += 1.0;
        Ok(())
    }

    fn account<'a>(accounts: &'a mut HashMap<Identity, Account>, identity: &Identity) -> &'a mut Account {
        if accounts.len() >= ACCOUNTS && !accounts.contains_key(identity) {
            let faded =
                |account: &Account| account.at.elapsed().as_secs_f64() >= HOUR || account.proofs == 0.0;
            accounts.retain(|_, account| account.open > 0 || !faded(account));
        }
        accounts.entry(identity.clone()).or_insert_with(|| Account {
            open: 0,
            proofs: 0.0,
            at: Instant::now(),
        })
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Identity, Account>> {
        // Nothing panics while it holds the lock.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if let Some(account) = self.budgets.accounts().get_mut(&self.identity) {
            account.open -= 1;
        }
    }
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
    fn proofs_of_an_hour_are_counted_and_the_wait_is_named() {
        let budgets = Budgets::default();
        let limited = caller(1, 1, 2);
        budgets.charge(&limited).unwrap();
        budgets.charge(&limited).unwrap();
        let error = budgets.charge(&limited).unwrap_err();
        assert_eq!(error.code, ErrorCode::Busy);
        // Two an hour: the next one after half an hour.
        assert!((1_790_000..=1_800_000).contains(&error.retry_after_ms), "{error:?}");
        budgets.charge(&caller(2, 1, 0)).unwrap();
    }

    #[test]
    fn accounts_without_a_trace_are_forgotten() {
        let budgets = Arc::new(Budgets::default());
        let held = budgets.open(&caller(1, 1, 1)).unwrap();
        for network in 0..2 * ACCOUNTS {
            let mut stranger = caller(2, 1, 1);
            stranger.identity = Identity::address([10, 0, (network / 256) as u8, network as u8].into());
            drop(budgets.open(&stranger).unwrap());
        }
        assert!(budgets.accounts().len() <= ACCOUNTS);
        assert!(budgets.open(&caller(1, 1, 1)).is_err(), "an open request is not forgotten");
        drop(held);
    }
}
