//! Who sent a block's transactions, from their signatures.

use alloc::vec::Vec;

use alloy_consensus::crypto::SECP256K1N_HALF;
use alloy_primitives::{Address, U256};

use crate::block::BlockTransaction;
use crate::crypto::{self, address_of};
use crate::input::PublicKeyBytes;

/// Why a transaction has no sender.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SenderError {
    /// `s` is in the upper half (EIP-2).
    #[error("transaction {index}: s of the signature is {got}, above half of the group's order")]
    HighS {
        /// Place of the transaction in the block.
        index: usize,
        /// The signature's `s`.
        got: U256,
    },
    /// No key gives this signature.
    #[error("transaction {index}: no public key gives its signature")]
    Signature {
        /// Place of the transaction in the block.
        index: usize,
    },
}

/// The sender of each transaction, as `recover_sender` of execution-specs: `y` parity, `r` and `s` of the signature over
/// the transaction's signing hash. Whether a transaction names the right chain is checked where it is executed.
///
/// `keys` are what the senders' keys are said to be, in the transactions' order, uncompressed (65 bytes, the first one
/// 4). SOUNDNESS: they are hints, see [`crypto::recover`]. A wrong, missing or surplus one changes no verdict.
///
/// # Errors
/// Names the first transaction whose signature is none.
pub fn recover(
    transactions: &[BlockTransaction],
    keys: &[PublicKeyBytes],
) -> Result<Vec<Address>, SenderError> {
    let mut hints = keys.iter().map(hint);
    transactions
        .iter()
        .enumerate()
        .map(|(index, transaction)| sender(index, transaction, hints.next().flatten()))
        .collect()
}

/// A key without its tag, if this is one by its form.
fn hint(key: &PublicKeyBytes) -> Option<&[u8; 64]> {
    match key {
        [4, key @ ..] => Some(key),
        _ => None,
    }
}

fn sender(
    index: usize,
    transaction: &BlockTransaction,
    hint: Option<&[u8; 64]>,
) -> Result<Address, SenderError> {
    let signature = transaction.signature();
    if signature.s() > SECP256K1N_HALF {
        return Err(SenderError::HighS { index, got: signature.s() });
    }
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let digest = transaction.signature_hash();
    let key = crypto::recover(&bytes, u8::from(signature.v()), &digest.0, hint);
    let key = key.ok_or(SenderError::Signature { index })?;
    Ok(address_of(&key))
}

#[cfg(test)]
mod tests {
    use alloy_consensus::transaction::SignerRecoverable;
    use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
    use alloy_primitives::{B256, Signature, TxKind};
    use k256::ecdsa::SigningKey;

    use super::*;

    type Transaction = BlockTransaction;

    fn signed(seed: u8, nonce: u64) -> (Transaction, PublicKeyBytes) {
        let key = SigningKey::from_slice(&[seed; 32]).expect("a scalar");
        let sign = |digest: B256| -> Signature {
            key.sign_prehash_recoverable(&digest.0).expect("a digest can be signed").into()
        };
        let transaction = if nonce.is_multiple_of(2) {
            let body = TxEip1559 { chain_id: 1, nonce, to: TxKind::Create, ..Default::default() };
            let signature = sign(body.signature_hash());
            Transaction::Eip1559(body.into_signed(signature))
        } else {
            let body = TxLegacy { chain_id: Some(1), nonce, to: TxKind::Create, ..Default::default() };
            let signature = sign(body.signature_hash());
            Transaction::Legacy(body.into_signed(signature))
        };
        (transaction, key.verifying_key().to_encoded_point(false).as_bytes().try_into().expect("65 bytes"))
    }

    fn with_signature(transaction: &Transaction, signature: Signature) -> Transaction {
        match transaction.clone() {
            Transaction::Eip1559(tx) => Transaction::Eip1559(tx.strip_signature().into_signed(signature)),
            Transaction::Legacy(tx) => Transaction::Legacy(tx.strip_signature().into_signed(signature)),
            _ => unreachable!("made above"),
        }
    }

    #[test]
    fn senders_are_those_of_alloy_whatever_the_hints_say() {
        let (transactions, mut keys): (Vec<_>, Vec<_>) = (0..4).map(|i| signed(i + 1, i.into())).unzip();
        let expected: Vec<_> =
            transactions.iter().map(|tx| tx.recover_signer().expect("signed above")).collect();
        let check =
            |keys: &[PublicKeyBytes]| assert_eq!(recover(&transactions, keys).as_deref(), Ok(&*expected));
        check(&keys);
        check(&[]);
        check(&keys[..2]);
        keys.push([4; 65]);
        check(&keys);
        keys.swap(0, 3);
        check(&keys);
        keys[1][0] = 2;
        keys[2][64] ^= 1;
        check(&keys);
    }

    #[test]
    fn high_s_is_refused() {
        let (transaction, key) = signed(1, 0);
        let order = SECP256K1N_HALF * U256::from(2) + U256::from(1);
        let old = transaction.signature();
        // The same point's negation: recovery itself would give the same key.
        let signature = Signature::new(old.r(), order - old.s(), !old.v());
        let transactions = [signed(2, 1).0, with_signature(&transaction, signature)];
        let error = SenderError::HighS { index: 1, got: order - old.s() };
        assert_eq!(recover(&transactions, &[[0; 65], key]), Err(error));
    }

    #[test]
    fn a_signature_of_nobody_is_refused() {
        let (transaction, key) = signed(1, 0);
        for (r, s) in [(0, 1), (1, 0)] {
            let signature = Signature::new(U256::from(r), U256::from(s), false);
            let transactions = [with_signature(&transaction, signature)];
            assert_eq!(recover(&transactions, &[key]), Err(SenderError::Signature { index: 0 }));
        }
    }
}
