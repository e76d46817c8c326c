//! The accounts of one process. They are not kept: as without a fleet, a server that starts again begins with none.

use std::time::Duration;

use super::{queue::LocalQueue, state::State};
use crate::{Answer, Ledger, time::unix_ms};

/// Accounts above which those without any trace are forgotten.
const ACCOUNTS: usize = 1024;

impl State {
    fn forget_accounts(&mut self, now_ms: u64) {
        if self.accounts.len() >= ACCOUNTS {
            self.accounts.retain(|_, account| {
                account.forget_old(now_ms);
                !account.entries.is_empty()
            });
        }
    }
}

impl Ledger for LocalQueue {
    fn reserve(&self, account: [u8; 32], id: u64, limit: u32) -> Answer<'_, Result<(), Duration>> {
        Box::pin(self.run(move |state| {
            let now_ms = unix_ms();
            state.forget_accounts(now_ms);
            Ok(state.accounts.entry(account).or_default().reserve(id, limit, now_ms))
        }))
    }

    fn settle(&self, account: [u8; 32], id: u64, made: bool) -> Answer<'_, ()> {
        Box::pin(self.run(move |state| {
            if let Some(account) = state.accounts.get_mut(&account) {
                account.settle(id, made, unix_ms());
            }
            Ok(())
        }))
    }
}
