//! One transaction: drafted, signed, mined.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync;

use crate::{Key, SubmitError};

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

/// A transaction before it is signed: what it calls, and what it may cost.
pub(crate) struct Draft {
    pub to: Option<Address>,
    pub data: Bytes,
    pub nonce: u64,
    pub gas: u64,
    /// Most per gas, and the tip in it, wei.
    pub price: u128,
    pub tip: u128,
}

impl Draft {
    /// What was signed before, if this account signed it.
    pub fn of(sent: &Sent, account: Address) -> Option<Self> {
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

    /// Signs it.
    ///
    /// # Errors
    /// [`SubmitError::Signer`].
    pub fn sign(&self, key: &Key, chain_id: u64) -> Result<Sent, SubmitError> {
        let transaction = TxEip1559 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas,
            max_fee_per_gas: self.price,
            max_priority_fee_per_gas: self.tip.min(self.price),
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            input: self.data.clone(),
            ..TxEip1559::default()
        };
        let signature = key.0.sign_hash_sync(&transaction.signature_hash());
        let signature = signature.map_err(|error| SubmitError::Signer(error.to_string()))?;
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        Ok(Sent { hash: *envelope.tx_hash(), nonce: self.nonce, raw: envelope.encoded_2718().into() })
    }

    /// Pays an eighth more from now on, tip and all, as nodes take a replacement that pays at least a tenth more. False, and
    /// nothing has happened, if that is above the cap.
    pub fn raise(&mut self, cap: u128) -> bool {
        let (price, tip) = (raised(self.price), raised(self.tip));
        let within = price <= cap;
        if within {
            (self.price, self.tip) = (price, tip.min(price));
        }
        within
    }
}

/// An eighth more.
fn raised(fee: u128) -> u128 {
    fee + fee.div_ceil(8).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_pays_at_least_a_tenth_more() {
        for fee in [0, 1, 7, 8, 9, 1_000_000_007, 30_000_000_000] {
            assert!(raised(fee) * 10 >= fee * 11, "{fee}");
            assert!(raised(fee) > fee);
        }
    }
}
