//! One key on one chain: what it sends is tried without sending first, then signed, kept, sent and watched.

mod watching;

use alloy_primitives::{Address, Bytes};
use sextant_sources::ExecutionNodes;

use crate::{
    Fees, Key, Mined, OnSent, Patience, Sent, SubmitError,
    chain::{self, Call},
    transaction::Draft,
};

/// Signs and sends with one key on one chain.
#[derive(Debug)]
pub struct Sender {
    pub(crate) nodes: ExecutionNodes,
    key: Key,
    chain_id: u64,
    fees: Fees,
    patience: Patience,
}

impl Sender {
    /// Asks the nodes which chain they are on; it must be `chain_id`, where one is given.
    ///
    /// # Errors
    /// [`SubmitError::OtherChain`], or that no node answers.
    pub async fn new(
        nodes: ExecutionNodes,
        key: Key,
        chain_id: Option<u64>,
        fees: Fees,
        patience: Patience,
    ) -> Result<Self, SubmitError> {
        let got = chain::chain_id(&nodes).await?;
        match chain_id {
            Some(expected) if expected != got => Err(SubmitError::OtherChain { got, expected }),
            _ => Ok(Self { nodes, key, chain_id: got, fees, patience }),
        }
    }

    /// Who pays.
    pub fn account(&self) -> Address {
        self.key.address()
    }

    /// The chain.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Tries a call without sending it: the gas that it needs, with a tenth on top.
    ///
    /// # Errors
    /// [`SubmitError::Refused`] with the contract's reason.
    pub async fn dry_run(&self, to: Option<Address>, data: &[u8]) -> Result<u64, SubmitError> {
        let call = Call { from: Some(self.account()), to, data };
        // The call tells the reason better than the estimate does on most nodes.
        chain::call(&self.nodes, &call, None).await.map_err(SubmitError::refused)?;
        let gas = chain::estimate_gas(&self.nodes, &call).await.map_err(SubmitError::refused)?;
        Ok(gas + gas / 10)
    }

    /// Sends a call that passed its dry run with `gas`, and waits until it is in a block. `on_sent` hears of every
    /// transaction before any node does.
    ///
    /// # Errors
    /// [`SubmitError`]. After [`SubmitError::NotMined`] it may still be mined.
    pub async fn send(
        &self,
        to: Option<Address>,
        data: &[u8],
        gas: u64,
        on_sent: OnSent<'_>,
    ) -> Result<Mined, SubmitError> {
        let (base, tip) = self.fees_now().await?;
        let price = (2 * base + tip).min(self.fees.cap);
        let (account, needs) = (self.account(), price.saturating_mul(gas.into()));
        let has = chain::balance(&self.nodes, account).await?;
        if has < needs {
            return Err(SubmitError::Funds { account, has, needs });
        }
        let nonce = chain::nonce(&self.nodes, account, true).await?;
        let draft = Draft { to, data: Bytes::copy_from_slice(data), nonce, gas, price, tip };
        let sent = self.hand_in(&draft, on_sent).await?;
        match self.watch(vec![sent], draft, on_sent).await {
            // The same call in that block: its end is where the transaction was, or close to it.
            Err(SubmitError::Failed { hash, block, reason }) => {
                let call = Call { from: Some(account), to, data };
                let called = chain::call(&self.nodes, &call, Some(block)).await;
                let reason = match called.map_err(SubmitError::refused) {
                    Err(SubmitError::Refused(refusal)) => refusal.to_string(),
                    _ => reason,
                };
                Err(SubmitError::Failed { hash, block, reason })
            }
            other => other,
        }
    }

    /// Goes on with transactions that were sent before, all with the same nonce. `None` if none of them is in a block, nor
    /// can be any more because another took their nonce; or if this account did not sign them.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn resume(&self, sent: &[Sent], on_sent: OnSent<'_>) -> Result<Option<Mined>, SubmitError> {
        let Some(last) = sent.last() else { return Ok(None) };
        let Some(draft) = Draft::of(last, self.account()) else { return Ok(None) };
        // The nodes may have forgotten it. If they refuse it, for its fee perhaps, it is replaced soon.
        let _ = self.offer(last).await;
        match self.watch(sent.to_vec(), draft, on_sent).await {
            Err(SubmitError::NonceTaken { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Base fee and tip, wei per gas.
    async fn fees_now(&self) -> Result<(u128, u128), SubmitError> {
        let base = chain::base_fee(&self.nodes).await?;
        let cap = self.fees.cap;
        if base > cap {
            return Err(SubmitError::Fee { base, cap });
        }
        let tip = match self.fees.tip {
            Some(tip) => tip,
            None => chain::suggested_tip(&self.nodes, base).await?,
        };
        Ok((base, tip.min(cap)))
    }
}
