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
                if draft.raise(self.fees.cap) {
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
