//! The accounts at the broker: one message each, changed by whoever saw the last one.

use std::time::Duration;

use sextant_protocol::wire;

use super::{
    broker::{Broker, Only, Published},
    names::StreamOf,
    queue::{self, NatsQueue},
};
use crate::{Account, Answer, FleetError, Ledger, time::unix_ms};

/// Changes an account, whoever else does so at the same time; what comes of it is kept unless it is an error.
async fn change<T, E>(
    broker: &Broker,
    account: [u8; 32],
    change: impl Fn(&mut Account) -> Result<T, E>,
) -> Result<Result<T, E>, FleetError> {
    let subject = broker.names.account(&account);
    loop {
        let (before, mut known) = match broker.last(StreamOf::Accounts, &subject).await? {
            Some((number, bytes)) => (number, queue::read::<Account>("an account", bytes)?),
            None => (0, Account::default()),
        };
        let changed = match change(&mut known) {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(error)),
        };
        let bytes = wire::to_bytes(&known).into();
        if broker.publish(&subject, bytes, None, Only::After(before)).await? != Published::Other {
            return Ok(Ok(changed));
        }
    }
}

impl Ledger for NatsQueue {
    fn reserve(&self, account: [u8; 32], id: u64, limit: u32) -> Answer<'_, Result<(), Duration>> {
        Box::pin(change(self.broker(), account, move |account| account.reserve(id, limit, unix_ms())))
    }

    fn settle(&self, account: [u8; 32], id: u64, made: bool) -> Answer<'_, ()> {
        Box::pin(async move {
            let settled = change(self.broker(), account, |account| {
                account.settle(id, made, unix_ms());
                Ok::<_, std::convert::Infallible>(())
            });
            let Ok(()) = settled.await?;
            Ok(())
        })
    }
}
