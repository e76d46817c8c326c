//! One transaction at a time: tried without sending first, signed, sent, sent again for more where it is stuck.

use std::time::{Duration, Instant};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync;
use sextant_sources::ExecutionNodes;
use tokio::time::sleep;

use crate::{
    Key, Refusal, SubmitError,
    chain::{self, Call, Receipt},
};

/// What a transaction may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Most per gas, base fee and tip together, wei. Default: 200 gwei.
    pub cap: u128,
    /// Tip per gas, wei. Default: what the node suggests.
    pub tip: Option<u128>,
}

impl Default for Fees {
    fn default() -> Self {
        Self { cap: 200_000_000_000, tip: None }
    }
}

/// How long is waited for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between two looks. Default: 2 s.
    pub poll: Duration,
    /// Before a transaction is replaced by one that pays more. Default: 90 s.
    pub replace_after: Duration,
    /// In all. Default: 15 min.
    pub total: Duration,
    /// Blocks that must lie on top. Until then the transaction is looked at again and again: one whose block was replaced by
    /// another is sent again. Default: 2.
    pub confirmations: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            replace_after: Duration::from_secs(90),
            total: Duration::from_secs(900),
            confirmations: 2,
        }
    }
}

/// A signed transaction: all that is needed to send it again, and to find it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sent {
    /// Its hash.
    pub hash: B256,
    /// Its nonce.
    pub nonce: u64,
    /// The transaction as it is sent (EIP-2718).
    pub raw: Bytes,
}

/// Keeps a transaction that is about to be sent, so that it can be found again after a crash. Where it fails, nothing is
/// sent.
pub type OnSent<'a> = &'a mut (dyn FnMut(&Sent) -> Result<(), String> + Send);

/// A transaction in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Its hash.
    pub hash: B256,
    /// The block's number.
    pub block: u64,
    /// Gas used.
    pub gas_used: u64,
    /// Wei per gas, if the nodes tell.
    pub gas_price: Option<u128>,
    /// The contract that it created, if it did.
    pub contract: Option<Address>,
}

/// Signs and sends with one key on one chain.
#[derive(Debug)]
pub struct Sender {
    pub(crate) nodes: ExecutionNodes,
    key: Key,
    chain_id: u64,
    fees: Fees,
    patience: Patience,
}

/// A transaction before it is signed: what it calls, and what it may cost.
struct Draft {
    to: Option<Address>,
    data: Bytes,
    nonce: u64,
    gas: u64,
    /// Most per gas, and the tip in it, wei.
    price: u128,
    tip: u128,
}

impl Draft {
    /// What was signed before, if this account signed it.
    fn of(sent: &Sent, account: Address) -> Option<Self> {
        let envelope = TxEnvelope::decode_2718(&mut &sent.raw[..]).ok()?;
        let signed = envelope.as_eip1559()?;
        let signer = signed.signature().recover_address_from_prehash(&signed.signature_hash());
        if signer.ok() != Some(account) {
            return None;
        }
        let transaction = signed.tx();
        Some(Self {
            to: transaction.to.to().copied(),
            data: transaction.input.clone(),
            nonce: transaction.nonce,
            gas: transaction.gas_limit,
            price: transaction.max_fee_per_gas,
            tip: transaction.max_priority_fee_per_gas,
        })
    }
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
        chain::call(&self.nodes, &call, None).await.map_err(refused)?;
        let gas = chain::estimate_gas(&self.nodes, &call).await.map_err(refused)?;
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
                let reason = match chain::call(&self.nodes, &call, Some(block)).await.map_err(refused) {
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

    /// Signs, tells, sends.
    async fn hand_in(&self, draft: &Draft, on_sent: OnSent<'_>) -> Result<Sent, SubmitError> {
        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce: draft.nonce,
            gas_limit: draft.gas,
            max_fee_per_gas: draft.price,
            max_priority_fee_per_gas: draft.tip.min(draft.price),
            to: draft.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            input: draft.data.clone(),
            ..TxEip1559::default()
        };
        let signature = self.key.0.sign_hash_sync(&transaction.signature_hash());
        let signature = signature.map_err(|error| SubmitError::Signer(error.to_string()))?;
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        let sent =
            Sent { hash: *envelope.tx_hash(), nonce: draft.nonce, raw: envelope.encoded_2718().into() };
        on_sent(&sent).map_err(SubmitError::Journal)?;
        self.offer(&sent).await?;
        Ok(sent)
    }

    /// Sends; that nodes know it already, or another with its nonce, the receipts will show, and one that pays too little
    /// now is replaced by one that pays more.
    async fn offer(&self, sent: &Sent) -> Result<(), SubmitError> {
        match chain::send(&self.nodes, &sent.raw).await {
            Err(error) if !is_known_or_cheap(&error.to_string()) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Waits until one of `sent` is in a block and stays there; replaces the last, which is `draft` signed, from time to time.
    async fn watch(
        &self,
        mut sent: Vec<Sent>,
        mut draft: Draft,
        on_sent: OnSent<'_>,
    ) -> Result<Mined, SubmitError> {
        let (start, mut last_sent) = (Instant::now(), Instant::now());
        let (mut taken, mut was_mined) = (0, false);
        loop {
            let found = self.find(&sent).await?;
            if let Some((hash, receipt)) = &found
                && self.is_deep(receipt).await?
            {
                return settled(*hash, receipt);
            }
            let last = sent.last().expect("there is one to wait for");
            // A receipt may come a moment after its nonce is used.
            let (account, nonce, mined) = (self.account(), last.nonce, found.is_some());
            if was_mined && !mined {
                // Another block took its block's place, and nodes need not have kept it.
                self.offer(last).await?;
            }
            was_mined = mined;
            let used = !mined && chain::nonce(&self.nodes, account, false).await? > nonce;
            taken = if used { taken + 1 } else { 0 };
            if taken > 3 {
                return Err(SubmitError::NonceTaken { account, nonce });
            }
            if start.elapsed() >= self.patience.total {
                let seconds = start.elapsed().as_secs();
                let Some((hash, receipt)) = found else {
                    return Err(SubmitError::NotMined { hash: last.hash, seconds });
                };
                let (block, confirmations) = (receipt.block, self.patience.confirmations);
                return Err(SubmitError::Unconfirmed { hash, block, confirmations, seconds });
            }
            if last_sent.elapsed() >= self.patience.replace_after && !mined {
                last_sent = Instant::now();
                // Nodes take a replacement that pays at least a tenth more, tip and all.
                let (price, tip) = (raised(draft.price), raised(draft.tip));
                if price <= self.fees.cap {
                    (draft.price, draft.tip) = (price, tip.min(price));
                    sent.push(self.hand_in(&draft, on_sent).await?);
                } else {
                    self.offer(last).await?;
                }
            }
            sleep(self.patience.poll).await;
        }
    }

    /// The one that is in a block.
    async fn find(&self, sent: &[Sent]) -> Result<Option<(B256, Receipt)>, SubmitError> {
        for sent in sent.iter().rev() {
            if let Some(receipt) = chain::receipt(&self.nodes, sent.hash).await? {
                return Ok(Some((sent.hash, receipt)));
            }
        }
        Ok(None)
    }

    /// Whether enough blocks lie on top.
    async fn is_deep(&self, receipt: &Receipt) -> Result<bool, SubmitError> {
        let wanted = receipt.block.saturating_add(self.patience.confirmations);
        Ok(self.patience.confirmations == 0 || chain::block_number(&self.nodes).await? >= wanted)
    }
}

fn settled(hash: B256, receipt: &Receipt) -> Result<Mined, SubmitError> {
    let Receipt { succeeded, block, gas_used, gas_price, contract } = *receipt;
    if succeeded {
        Ok(Mined { hash, block, gas_used, gas_price, contract })
    } else {
        Err(SubmitError::Failed { hash, block, reason: format!("it used {gas_used} gas") })
    }
}

/// An eighth more.
fn raised(fee: u128) -> u128 {
    fee + fee.div_ceil(8).max(1)
}

/// Nodes have no common code for it. The words in one are Nethermind's.
fn is_known_or_cheap(message: &str) -> bool {
    let message = message.to_lowercase();
    const WORDS: [&str; 12] = [
        "already known",
        "alreadyknown",
        "known transaction",
        "already imported",
        "nonce too low",
        "oldnonce",
        "already been used",
        "nonceusedalready",
        "alreadyused",
        "replacementnotallowed",
        "underpriced",
        "feetoolow",
    ];
    WORDS.iter().any(|text| message.contains(text))
}

/// A reverted call is the contract's word, not the nodes' failure.
pub(crate) fn refused(error: SubmitError) -> SubmitError {
    match &error {
        SubmitError::Nodes(nodes) => match nodes.revert() {
            Some(data) => SubmitError::Refused(Refusal::decode(data)),
            None => error,
        },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use sextant_sources::{Failure, Reason, SourceError};

    use super::*;

    #[test]
    fn a_replacement_pays_at_least_a_tenth_more() {
        for fee in [0, 1, 7, 8, 9, 1_000_000_007, 30_000_000_000] {
            assert!(raised(fee) * 10 >= fee * 11, "{fee}");
            assert!(raised(fee) > fee);
        }
    }

    /// A node's own trouble is not the contract's word: what was reverted is told by the source of the answer.
    #[test]
    fn only_what_was_reverted_is_a_refusal() {
        let end = |code: i64, data: Option<&[u8]>| {
            let reason = Reason::Rpc { code, message: "said".into(), data: data.map(Into::into) };
            let failures = vec![Failure { endpoint: "http://node".into(), reason }];
            refused(SourceError { request: "eth_call".into(), failures }.into())
        };
        for data in [&[1, 2, 3, 4][..], &[]] {
            let error = end(3, Some(data));
            assert!(matches!(error, SubmitError::Refused(_)), "{error}");
        }
        for code in [-32000, -32005, -32603] {
            let error = end(code, None);
            assert!(matches!(error, SubmitError::Nodes(_)), "{error}");
        }
    }

    #[test]
    fn what_nodes_say_of_a_transaction_that_they_have_or_that_pays_too_little() {
        for known in [
            "eth_sendRawTransaction: http://node: JSON-RPC error -32000: already known",
            "JSON-RPC error -32003: transaction already imported",
            "Nonce too low: next nonce 3, tx nonce 2",
            "JSON-RPC error -32010: AlreadyKnown",
            "JSON-RPC error -32010: ReplacementNotAllowed",
            "replacement transaction underpriced",
            "JSON-RPC error -32010: FeeTooLowToCompete",
        ] {
            assert!(is_known_or_cheap(known), "{known}");
        }
        for other in ["insufficient funds for gas * price + value", "JSON-RPC error -32010: Invalid"] {
            assert!(!is_known_or_cheap(other), "{other}");
        }
    }
}
