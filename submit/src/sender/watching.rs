//! A transaction on its way: handed to the nodes, looked for, handed to them again where a block was lost, and replaced by
//! one that pays more where it is stuck.

use std::time::Instant;

use alloy_primitives::B256;
use tokio::time::sleep;

use crate::{
    Mined, OnSent, Sender, Sent, SubmitError,
    chain::{self, Receipt},
    transaction::Draft,
};

/// Looks in a row that may fail.
const TROUBLES: u32 = 4;

/// What the nodes say of transactions that were sent.
struct Look {
    /// The one that is in a block.
    found: Option<(B256, Receipt)>,
    /// Whether enough blocks lie on top of that.
    is_deep: bool,
    /// Whether another one has taken their nonce, as it seems.
    is_used: bool,
}

impl Sender {
    /// Signs, tells, sends.
    pub(super) async fn hand_in(&self, draft: &Draft, on_sent: OnSent<'_>) -> Result<Sent, SubmitError> {
        let sent = draft.sign(&self.key, self.chain_id)?;
        on_sent(&sent).map_err(SubmitError::Journal)?;
        self.offer(&sent).await?;
        Ok(sent)
    }

    /// Sends; that nodes know it already, or another with its nonce, the receipts will show, and one that pays too little
    /// now is replaced by one that pays more.
    pub(super) async fn offer(&self, sent: &Sent) -> Result<(), SubmitError> {
        match chain::send(&self.nodes, &sent.raw).await {
            Err(error) if !is_known_or_cheap(&error.to_string()) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Waits until one of `sent` is in a block and stays there; replaces the last, which is `draft` signed, from time to time.
    pub(super) async fn watch(
        &self,
        mut sent: Vec<Sent>,
        mut draft: Draft,
        on_sent: OnSent<'_>,
    ) -> Result<Mined, SubmitError> {
        let (start, mut last_sent) = (Instant::now(), Instant::now());
        let (mut taken, mut troubles, mut was_mined) = (0, 0, false);
        loop {
            let last = sent.last().expect("there is one to wait for");
            let Look { found, is_deep, is_used } = match self.look(&sent, last.nonce).await {
                // What was sent is on its way, whatever a node says now.
                Err(_) if troubles < TROUBLES => {
                    troubles += 1;
                    sleep(self.patience.poll).await;
                    continue;
                }
                look => look?,
            };
            troubles = 0;
            if let Some((hash, receipt)) = &found
                && is_deep
            {
                return settled(*hash, receipt);
            }
            let (account, nonce, mined) = (self.account(), last.nonce, found.is_some());
            if was_mined && !mined {
                // Another block took its block's place, and nodes need not have kept it.
                self.offer(last).await?;
            }
            was_mined = mined;
            // A receipt may come a moment after its nonce is used.
            taken = if is_used { taken + 1 } else { 0 };
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
                if draft.raise(self.fees.cap) {
                    sent.push(self.hand_in(&draft, on_sent).await?);
                } else {
                    self.offer(last).await?;
                }
            }
            sleep(self.patience.poll).await;
        }
    }

    /// What the nodes say of what was sent with this nonce.
    async fn look(&self, sent: &[Sent], nonce: u64) -> Result<Look, SubmitError> {
        let found = self.find(sent).await?;
        let (is_deep, is_used) = match &found {
            Some((_, receipt)) => (self.is_deep(receipt).await?, false),
            None => (false, chain::nonce(&self.nodes, self.account(), false).await? > nonce),
        };
        Ok(Look { found, is_deep, is_used })
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

#[cfg(test)]
mod tests {
    use super::*;

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
